# SPDX-License-Identifier: Apache-2.0
"""Contract suites: the laws of each kind of part, as pytest classes to inherit.

Here alone does the package import pytest.
"""

from __future__ import annotations

import pkgutil

import pytest

__all__: list[str] = []

# So that a broken law shows the values, as it does in a test file.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))

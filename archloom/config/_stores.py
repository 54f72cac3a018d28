# SPDX-License-Identifier: Apache-2.0
"""The store that is used where none is named."""

from __future__ import annotations

import os

DEFAULT_STORE = "sqlite:///archloom.db"


def default_store() -> str:
    """Return the store where none is named: ``$ARCHLOOM_STORE``, else ``sqlite:///archloom.db``."""
    return os.environ.get("ARCHLOOM_STORE") or DEFAULT_STORE

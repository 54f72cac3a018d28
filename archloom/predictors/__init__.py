# SPDX-License-Identifier: Apache-2.0
"""Performance predictors: fit on measured architectures, predict mean and deviation.

None is built in yet; a plug-in registers its own under the entry point ``archloom.predictors``.
"""

from __future__ import annotations

from archloom.registry import Registry

__all__ = ["PREDICTORS"]

PREDICTORS = Registry("predictors", {})

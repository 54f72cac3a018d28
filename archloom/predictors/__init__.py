# SPDX-License-Identifier: Apache-2.0
"""Performance predictors: fit on measured architectures, predict mean and deviation.

A plug-in registers its own under the entry point ``archloom.predictors``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.lazy import lazy_face
from archloom.registry import Registry

if TYPE_CHECKING:
    from archloom.predictors.ngrams import NgramRidge

__all__ = ["PREDICTORS", "NgramRidge"]

PREDICTORS = Registry("predictors", {"ngram_ridge": "archloom.predictors.ngrams:NgramRidge"})

__getattr__, __dir__ = lazy_face(__name__, {"NgramRidge": "ngrams"}, __all__)

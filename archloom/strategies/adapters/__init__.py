# SPDX-License-Identifier: Apache-2.0
"""Strategies of other libraries, and ours in them: Optuna's samplers, PyGlove's generators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.lazy import lazy_face

if TYPE_CHECKING:
    from archloom.strategies.adapters.dna_generator import ArchloomGenerator, as_dna_generator
    from archloom.strategies.adapters.optuna import OptunaStrategy, sampler_strategy
    from archloom.strategies.adapters.pyglove import PyGloveStrategy, generator_strategy

__all__ = [
    "ArchloomGenerator",
    "OptunaStrategy",
    "PyGloveStrategy",
    "as_dna_generator",
    "generator_strategy",
    "sampler_strategy",
]

_HOME = {
    "ArchloomGenerator": "dna_generator",
    "OptunaStrategy": "optuna",
    "PyGloveStrategy": "pyglove",
    "as_dna_generator": "dna_generator",
    "generator_strategy": "pyglove",
    "sampler_strategy": "optuna",
}

__getattr__, __dir__ = lazy_face(__name__, _HOME, __all__)

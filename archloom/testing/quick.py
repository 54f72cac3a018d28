# SPDX-License-Identifier: Apache-2.0
"""Small options, with which a registered strategy learns within a few trials, and quickly."""

from __future__ import annotations

from typing import Any

from archloom.relaxation import follows_gradients
from archloom.strategies import STRATEGIES

__all__ = ["asked", "followers", "quick_options"]

_FLOW: dict[str, Any] = {
    "n_initial": 6,
    "n_round": 3,
    "n_steps": 2,
    "restart_every": 3,
    "restart_steps": 4,
    "batch_size": 8,
    "width": 8,
}
_SMALL_EVOLUTION = {"name": "regularized_evolution", "population_size": 4, "sample_size": 2}
_OPTIONS: dict[str, dict[str, Any]] = {
    "factorized_flow": {"outer": _SMALL_EVOLUTION, "inner": _SMALL_EVOLUTION, "n_inner": 5},
    "hybrid_flow": {"joint": _SMALL_EVOLUTION, "n_outer": 10, "n_inner": 3, "n_kept": 3},
    "joint_flow": {"strategy": _SMALL_EVOLUTION},
    "local_search": {"n_initial": 2},
    "mogfn_al": {
        "n_initial": 6,
        "n_round": 3,
        "n_candidates": 16,
        "n_steps": 3,
        "batch_size": 8,
        "width": 8,
        "n_bins": 4,
    },
    "mogfn_pc": {**_FLOW, "n_bins": 4},
    "nsga2": {"population_size": 6},
    "op_gfn": {**_FLOW, "augmentation": False},
    "optuna": {"n_startup_trials": 5, "n_ei_candidates": 6},
    "ppo": {"batch_size": 5, "n_epochs": 2, "n_units": 8},
    "pyglove": {"population_size": 6, "tournament_size": 3},
    "regularized_evolution": {"population_size": 6, "sample_size": 3},
    "separate_flow": {"strategy": _SMALL_EVOLUTION, "n_each": 6},
    "smbo": {"n_initial": 4, "n_candidates": 8},
}


def quick_options(name: str) -> dict[str, Any]:
    """Return options of a registered strategy for a test or a crash: it learns within 12 trials.

    Empty for one that does so with its defaults, or learns nothing. They are not made to find anything.

    >>> quick_options("nsga2"), quick_options("random")
    ({'population_size': 6}, {})

    Args:
        name: as in ``STRATEGIES``.
    """
    return dict(_OPTIONS.get(name, {}))


def asked() -> list[str]:
    """Return the registered strategies that are asked for points, by name."""
    return sorted({*STRATEGIES.names()} - {*followers()})


def followers() -> list[str]:
    """Return the registered strategies that follow gradients, by name."""
    return [name for name in sorted(STRATEGIES.names()) if follows_gradients(STRATEGIES.get(name))]

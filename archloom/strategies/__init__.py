# SPDX-License-Identifier: Apache-2.0
"""Who to try next, and which running trial to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.lazy import lazy_face
from archloom.registry import Registry

if TYPE_CHECKING:
    from archloom.strategies.gflownet.order_preserving import OrderPreservingGFlowNet
    from archloom.strategies.gflownet.preference_conditioned import PreferenceConditionedGFlowNet
    from archloom.strategies.grid import Grid
    from archloom.strategies.local_search import LocalSearch
    from archloom.strategies.nsga2 import NSGA2
    from archloom.strategies.pruners import MedianPruner
    from archloom.strategies.random import RandomSearch
    from archloom.strategies.regularized_evolution import RegularizedEvolution

__all__ = [
    "NSGA2",
    "PRUNERS",
    "STRATEGIES",
    "Grid",
    "LocalSearch",
    "MedianPruner",
    "OrderPreservingGFlowNet",
    "PreferenceConditionedGFlowNet",
    "RandomSearch",
    "RegularizedEvolution",
]

STRATEGIES = Registry(
    "strategies",
    {
        "grid": "archloom.strategies.grid:Grid",
        "local_search": "archloom.strategies.local_search:LocalSearch",
        "mogfn_pc": "archloom.strategies.gflownet.preference_conditioned:PreferenceConditionedGFlowNet",
        "nsga2": "archloom.strategies.nsga2:NSGA2",
        "op_gfn": "archloom.strategies.gflownet.order_preserving:OrderPreservingGFlowNet",
        "random": "archloom.strategies.random:RandomSearch",
        "regularized_evolution": "archloom.strategies.regularized_evolution:RegularizedEvolution",
    },
)
PRUNERS = Registry("pruners", {"median": "archloom.strategies.pruners:MedianPruner"})

_HOME = {
    "Grid": "grid",
    "LocalSearch": "local_search",
    "MedianPruner": "pruners",
    "NSGA2": "nsga2",
    "OrderPreservingGFlowNet": "gflownet.order_preserving",
    "PreferenceConditionedGFlowNet": "gflownet.preference_conditioned",
    "RandomSearch": "random",
    "RegularizedEvolution": "regularized_evolution",
}

__getattr__, __dir__ = lazy_face(__name__, _HOME, __all__)

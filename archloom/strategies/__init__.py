# SPDX-License-Identifier: Apache-2.0
"""Who to try next, and which running trial to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.lazy import lazy_face
from archloom.registry import Registry

if TYPE_CHECKING:
    from archloom.strategies.adapters.dna_generator import ArchloomGenerator, as_dna_generator
    from archloom.strategies.adapters.optuna import OptunaStrategy
    from archloom.strategies.adapters.pyglove import PyGloveStrategy
    from archloom.strategies.flows.factorized import FactorizedFlow
    from archloom.strategies.flows.hybrid import HybridFlow
    from archloom.strategies.flows.joint import JointFlow
    from archloom.strategies.flows.separate import SeparateFlow
    from archloom.strategies.gflownet.active_learning import ActiveLearningGFlowNet
    from archloom.strategies.gflownet.order_preserving import OrderPreservingGFlowNet
    from archloom.strategies.gflownet.preference_conditioned import PreferenceConditionedGFlowNet
    from archloom.strategies.grid import Grid
    from archloom.strategies.local_search import LocalSearch
    from archloom.strategies.nsga2 import NSGA2
    from archloom.strategies.policy.ppo import PPO
    from archloom.strategies.policy.reinforce import Reinforce
    from archloom.strategies.pruners import MedianPruner
    from archloom.strategies.random import RandomSearch
    from archloom.strategies.regularized_evolution import RegularizedEvolution
    from archloom.strategies.tree_search.mcts import MonteCarloTreeSearch
    from archloom.strategies.tree_search.smbo import ModelBasedSearch

__all__ = [
    "DEFAULT_STRATEGY",
    "NSGA2",
    "PPO",
    "PRUNERS",
    "STRATEGIES",
    "ActiveLearningGFlowNet",
    "ArchloomGenerator",
    "FactorizedFlow",
    "Grid",
    "HybridFlow",
    "JointFlow",
    "LocalSearch",
    "MedianPruner",
    "ModelBasedSearch",
    "MonteCarloTreeSearch",
    "OptunaStrategy",
    "OrderPreservingGFlowNet",
    "PreferenceConditionedGFlowNet",
    "PyGloveStrategy",
    "RandomSearch",
    "RegularizedEvolution",
    "Reinforce",
    "SeparateFlow",
    "as_dna_generator",
]

DEFAULT_STRATEGY = "smbo"
"""Who a study file means that names no strategy: it has the least regret after 64 evaluations on four tabular
problems, and after 164 none is significantly better (``benchmarks/results/strategies.md``)."""

STRATEGIES = Registry(
    "strategies",
    {
        "darts": "archloom.strategies.gradient.recipes:darts",
        "factorized_flow": "archloom.strategies.flows.factorized:FactorizedFlow",
        "gdas": "archloom.strategies.gradient.recipes:gdas",
        "grid": "archloom.strategies.grid:Grid",
        "hybrid_flow": "archloom.strategies.flows.hybrid:HybridFlow",
        "joint_flow": "archloom.strategies.flows.joint:JointFlow",
        "local_search": "archloom.strategies.local_search:LocalSearch",
        "mcts": "archloom.strategies.tree_search.mcts:MonteCarloTreeSearch",
        "mogfn_al": "archloom.strategies.gflownet.active_learning:ActiveLearningGFlowNet",
        "mogfn_pc": "archloom.strategies.gflownet.preference_conditioned:PreferenceConditionedGFlowNet",
        "nsga2": "archloom.strategies.nsga2:NSGA2",
        "op_gfn": "archloom.strategies.gflownet.order_preserving:OrderPreservingGFlowNet",
        "optuna": "archloom.strategies.adapters.optuna:OptunaStrategy",
        "pc_darts": "archloom.strategies.gradient.recipes:pc_darts",
        "ppo": "archloom.strategies.policy.ppo:PPO",
        "proxyless": "archloom.strategies.gradient.recipes:proxyless",
        "pyglove": "archloom.strategies.adapters.pyglove:PyGloveStrategy",
        "random": "archloom.strategies.random:RandomSearch",
        "regularized_evolution": "archloom.strategies.regularized_evolution:RegularizedEvolution",
        "reinforce": "archloom.strategies.policy.reinforce:Reinforce",
        "separate_flow": "archloom.strategies.flows.separate:SeparateFlow",
        "sharpdarts": "archloom.strategies.gradient.recipes:sharpdarts",
        "smbo": "archloom.strategies.tree_search.smbo:ModelBasedSearch",
        "snas": "archloom.strategies.gradient.recipes:snas",
    },
    families={
        "optuna": "archloom.strategies.adapters.optuna:sampler_strategy",
        "pyglove": "archloom.strategies.adapters.pyglove:generator_strategy",
    },
)
PRUNERS = Registry("pruners", {"median": "archloom.strategies.pruners:MedianPruner"})

_HOME = {
    "ActiveLearningGFlowNet": "gflownet.active_learning",
    "ArchloomGenerator": "adapters.dna_generator",
    "FactorizedFlow": "flows.factorized",
    "Grid": "grid",
    "HybridFlow": "flows.hybrid",
    "JointFlow": "flows.joint",
    "LocalSearch": "local_search",
    "MedianPruner": "pruners",
    "ModelBasedSearch": "tree_search.smbo",
    "MonteCarloTreeSearch": "tree_search.mcts",
    "NSGA2": "nsga2",
    "OptunaStrategy": "adapters.optuna",
    "OrderPreservingGFlowNet": "gflownet.order_preserving",
    "PreferenceConditionedGFlowNet": "gflownet.preference_conditioned",
    "PPO": "policy.ppo",
    "PyGloveStrategy": "adapters.pyglove",
    "RandomSearch": "random",
    "RegularizedEvolution": "regularized_evolution",
    "Reinforce": "policy.reinforce",
    "SeparateFlow": "flows.separate",
    "as_dna_generator": "adapters.dna_generator",
}

__getattr__, __dir__ = lazy_face(__name__, _HOME, __all__)

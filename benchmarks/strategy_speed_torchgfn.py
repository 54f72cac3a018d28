# SPDX-License-Identifier: Apache-2.0
"""Trajectory balance beside torchgfn's, on one space: six slots with five candidates, set in any order.

A step samples 128 trajectories with ``P_F``, looks up their rewards, and takes one step of Adam down the
trajectory balance of ``P_F``, ``P_B`` and ``log Z``, on both sides: one torso of two hidden layers of 256
with a head for each policy, 1e-3 and 0.1 as learning rates, float32, one thread, CPU. torchgfn keeps the
log-probabilities of sampling; ours samples without a gradient, as a strategy does, and then follows.

Lahlou, Viviano, Schmidt, Bengio: torchgfn: A PyTorch GFlowNet library, arXiv:2305.14594.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies.gflownet.flows import follow
from archloom.strategies.gflownet.learner import Learner
from archloom.strategies.gflownet.losses import trajectory_balance
from archloom.strategies.gflownet.sampling import walk_forward
from benchmarks.measuring import Row, compared, in_turn
from benchmarks.strategy_speed_words import seconds_of

__all__ = ["measure"]

N_COLUMNS, N_CANDIDATES = 6, 5
N_ACTIONS = N_COLUMNS * N_CANDIDATES
WIDTH, BATCH = 256, 128
WEIGHTS = torch.sin(1.0 + torch.arange(N_ACTIONS)).reshape(N_COLUMNS, N_CANDIDATES)


def log_reward(rows: Tensor) -> Tensor:
    """Return a log-reward of finished rows, ``n x d``."""
    return WEIGHTS[torch.arange(N_COLUMNS), rows].sum(dim=-1)


def our_step(seed: int = 0) -> Callable[[], float]:
    """Return what takes a step and returns its loss."""
    filling = nasbench201().filling
    learner = Learner(filling, seed, width=WIDTH, lr=1e-3, lr_log_z=0.1)
    rng = np.random.default_rng(seed)

    def step() -> float:
        ways = walk_forward(learner.network, filling, rng.spawn(BATCH))
        flows = follow(learner.network, filling, ways)
        loss = trajectory_balance(flows, log_reward(torch.from_numpy(ways.rows).long()))
        learner.step(loss)
        return loss.item()

    return step


def torchgfn_step(seed: int = 0) -> Callable[[], float]:
    """Return the same of torchgfn.

    Raises:
        ImportError: it is not installed.
    """
    gfn = importlib.import_module("gfn.gflownet")
    modules = importlib.import_module("gfn.modules")
    networks = importlib.import_module("gfn.utils.modules")
    torch.manual_seed(seed)
    env = _environment()
    forward = networks.NeuralNet(N_ACTIONS, N_ACTIONS + 1, hidden_dim=WIDTH, n_hidden_layers=2)
    backward = networks.NeuralNet(N_ACTIONS, N_ACTIONS, torso=forward.torso)
    policies = (
        modules.DiscretePolicyEstimator(forward, N_ACTIONS + 1, env.preprocessor),
        modules.DiscretePolicyEstimator(backward, N_ACTIONS + 1, env.preprocessor, is_backward=True),
    )
    flow = gfn.TBGFlowNet(*policies, logZ=0.0)
    optimizer = torch.optim.Adam(
        [
            {"params": flow.pf_pb_parameters(), "lr": 1e-3},
            {"params": flow.logz_parameters(), "lr": 0.1},
        ]
    )

    def step() -> float:
        trajectories = flow.sample_trajectories(env, BATCH, save_logprobs=True)
        optimizer.zero_grad()
        loss = flow.loss(env, trajectories)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 10.0)
        optimizer.step()
        return float(loss.item())

    return step


def _environment() -> Any:
    """Make the space as torchgfn wants it: an action sets a slot to a candidate, the last one ends."""
    environments = importlib.import_module("gfn.env")
    preprocessors = importlib.import_module("gfn.preprocessors")
    candidates = torch.arange(N_CANDIDATES)

    class OneHot(preprocessors.Preprocessor):  # type: ignore[name-defined]
        def preprocess(self, states: Any) -> Any:
            return (states.tensor[..., None] == candidates).flatten(-2).float()

    class Slots(environments.DiscreteEnv):  # type: ignore[name-defined]
        def __init__(self) -> None:
            empty = torch.full((N_COLUMNS,), -1, dtype=torch.long)
            super().__init__(
                n_actions=N_ACTIONS + 1,
                s0=empty,
                sf=torch.full_like(empty, N_CANDIDATES),
                state_shape=(N_COLUMNS,),
                preprocessor=OneHot(N_ACTIONS),
            )

        def update_masks(self, states: Any) -> None:
            states.set_default_typing()
            is_free = states.tensor == -1
            states.forward_masks[..., :-1] = is_free.repeat_interleave(N_CANDIDATES, dim=-1)
            states.forward_masks[..., -1] = ~is_free.any(dim=-1)
            states.backward_masks[...] = (states.tensor[..., None] == candidates).flatten(-2)

        def step(self, states: Any, actions: Any) -> Any:
            taken = actions.tensor
            return states.tensor.scatter(-1, taken // N_CANDIDATES, taken % N_CANDIDATES)

        def backward_step(self, states: Any, actions: Any) -> Any:
            return states.tensor.scatter(-1, actions.tensor // N_CANDIDATES, -1)

        def log_reward(self, final_states: Any) -> Tensor:
            return log_reward(final_states.tensor)

    return Slots()


def measure(n_rounds: int = 7) -> list[Row]:
    """Compare; nothing where torchgfn is not installed."""
    try:
        theirs = torchgfn_step()
    except ImportError:
        print("torchgfn is not installed: pip install torchgfn")
        return []
    ours = our_step()
    mine, (peer,) = in_turn(partial(seconds_of, ours, 20), [partial(seconds_of, theirs, 20)], n_rounds)
    return [compared("a step of trajectory balance", mine, "torchgfn", peer)]

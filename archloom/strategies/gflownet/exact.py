# SPDX-License-Identifier: Apache-2.0
"""What a policy samples, exactly: by passing probability through every state of a small space."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch

from archloom.contracts import ChoiceArray, FloatArray
from archloom.errors import ArchloomError
from archloom.search_spaces.filling import Filling
from archloom.strategies.gflownet.network import FlowNetwork
from archloom.strategies.numerics import masked_log_softmax

__all__ = ["Policy", "policy_of", "terminal_distribution"]

MOST_STATES = 1_000_000

Policy: TypeAlias = Callable[[ChoiceArray], FloatArray]
"""States, ``s x d``, to the probabilities of the actions, ``s x a``; of finished rows they do not matter."""


def policy_of(network: FlowNetwork, filling: Filling) -> Policy:
    """Return what a network's ``P_F`` does."""

    @torch.no_grad()
    def policy(states: ChoiceArray) -> FloatArray:
        inputs = torch.from_numpy(filling.one_hot(states).astype(np.float32))
        legal = torch.from_numpy(filling.forward(states))
        chances: FloatArray = masked_log_softmax(network(inputs).forward.double(), legal).exp().numpy()
        return chances

    return policy


def terminal_distribution(policy: Policy, filling: Filling) -> tuple[ChoiceArray, FloatArray]:
    """Return every finished row, ``n x d``, and the probability with which a policy ends there, ``n``.

    Args:
        policy: what it does in each state.
        filling: of the space.

    Raises:
        ArchloomError: the space has more than a million states on the way.
    """
    level: ChoiceArray = filling.empty(1)
    mass: FloatArray = np.ones(1)
    rows: list[ChoiceArray] = []
    masses: list[FloatArray] = []
    n_states = 0
    while len(level):
        n_states += len(level)
        if n_states > MOST_STATES:
            raise ArchloomError(f"at most {MOST_STATES:,} states can be walked through one by one")
        can_go = filling.forward(level)
        is_finished = ~can_go.any(axis=1)
        rows.append(level[is_finished])
        masses.append(mass[is_finished])
        chances = policy(level)
        state, action = np.nonzero(can_go)
        children = level[state]
        children[np.arange(len(state)), filling.columns[action]] = filling.candidates[action]
        flow = mass[state] * chances[state, action]
        level, place = np.unique(children, axis=0, return_inverse=True)
        mass = np.zeros(len(level))
        np.add.at(mass, place.reshape(-1), flow)
    return np.concatenate(rows), np.concatenate(masses)

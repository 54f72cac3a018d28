# SPDX-License-Identifier: Apache-2.0
"""Walking with a network: forward to new rows, backward from known ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from archloom.contracts import ChoiceArray
from archloom.search_spaces.filling import Filling
from archloom.strategies.gflownet.network import FlowNetwork
from archloom.strategies.gflownet.trajectories import Trajectories

__all__ = ["walk_backward", "walk_forward"]


@torch.no_grad()
def walk_forward(
    network: FlowNetwork,
    filling: Filling,
    rngs: list[np.random.Generator],
    *,
    epsilon: float = 0.0,
    temperature: float = 1.0,
    conditions: Tensor | None = None,
) -> Trajectories:
    """Draw a row with ``P_F`` for each generator; a row depends on its own generator alone.

    Args:
        network: the network.
        filling: of the space.
        rngs: ``n`` generators.
        epsilon: probability of a step at random.
        temperature: by which logits are divided.
        conditions: ``n x c``.
    """
    n = len(rngs)
    state, taken = filling.empty(n), []
    while (can_go := filling.forward(state)).any():
        inputs = torch.from_numpy(filling.one_hot(state).astype(np.float32))
        if conditions is not None:
            inputs = torch.cat([inputs, conditions], dim=1)
        logits = network(inputs).forward.double().numpy() / temperature
        some = can_go.any(axis=1)
        noise = np.stack([rng.random(filling.n_actions + 1) for rng in rngs])
        logits[noise[:, -1] < epsilon] = 0.0
        action = _gumbel_max(logits, noise[:, :-1], can_go)
        column = filling.columns[action]
        state[some, column[some]] = filling.candidates[action][some]
        taken.append(np.where(some, column, -1))
    order = np.stack(taken, axis=1) if taken else np.empty((n, 0), dtype=np.intp)
    return Trajectories(state, order)


@torch.no_grad()
def walk_backward(
    network: FlowNetwork, filling: Filling, rows: ChoiceArray, rng: np.random.Generator
) -> Trajectories:
    """Draw a way to each finished row with ``P_B``."""
    state, taken = rows.copy(), []
    while (can_return := filling.backward(state)).any():
        logits = network(torch.from_numpy(filling.one_hot(state).astype(np.float32))).backward
        some = can_return.any(axis=1)
        column = _gumbel_max(logits.double().numpy(), rng.random(can_return.shape), can_return)
        state[some, column[some]] = -1
        taken.append(np.where(some, column, -1))
    return Trajectories.from_the_end(rows, taken)


def _gumbel_max(
    logits: npt.NDArray[np.float64], noise: npt.NDArray[np.float64], mask: npt.NDArray[np.bool_]
) -> npt.NDArray[np.intp]:
    """Draw from the softmax of what a mask allows, by noise that is uniform on ``[0, 1)``."""
    with np.errstate(divide="ignore"):
        lots = np.where(mask, logits - np.log(-np.log(np.clip(noise, 1e-300, None))), -np.inf)
    return np.asarray(lots.argmax(axis=1))

# SPDX-License-Identifier: Apache-2.0
"""Flow matching: what flows into a state is what flows out of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from archloom.contracts import ChoiceArray
from archloom.search_spaces.filling import Filling
from archloom.strategies.gflownet.network import FlowNetwork

__all__ = ["Matched", "match_flows", "mismatch"]


class Matched(NamedTuple):
    """Log-flows through ``s`` states.

    Args:
        into: ``s``, over all steps that lead there.
        out_of: ``s``, over all steps from there, or of the exit where the row is finished.
        is_finished: ``s``.
    """

    into: Tensor
    out_of: Tensor
    is_finished: Tensor


def match_flows(network: FlowNetwork, filling: Filling, states: ChoiceArray) -> Matched:
    """Return the flows into and out of states; an edge's log-flow is its action's logit.

    Bengio, Jain, Korablyov, Precup, Bengio: Flow Network based Generative Models for Non-Iterative Diverse
    Candidate Generation, NeurIPS 2021, arXiv:2106.04399.

    Args:
        network: the network; its ``log_flow`` is that of the exit.
        filling: of the space.
        states: ``s x d``, none of them empty.
    """
    can_return = filling.backward(states)
    row, column = np.nonzero(can_return)
    parents = states[row]
    parents[np.arange(len(row)), column] = -1
    actions = filling.offsets[column] + states[row, column]
    edges = network(_inputs(filling, parents)).forward.gather(1, torch.from_numpy(actions)[:, None])
    into = torch.full(can_return.shape, -torch.inf)
    into = into.index_put((torch.from_numpy(row), torch.from_numpy(column)), edges.squeeze(1))
    said = network(_inputs(filling, states))
    can_go = torch.from_numpy(filling.forward(states))
    is_finished = ~can_go.any(dim=1)
    onwards = said.forward.masked_fill(~(can_go | is_finished[:, None]), -torch.inf).logsumexp(dim=1)
    out_of = torch.where(is_finished, said.log_flow, onwards)
    return Matched(into.logsumexp(dim=1), out_of, is_finished)


def mismatch(matched: Matched, log_reward: Tensor | None = None) -> Tensor:
    """``(log inflow - log outflow)^2``, the mean over states.

    Args:
        matched: the flows.
        log_reward: ``s``, what flows out of finished rows where that is known; read there only.
    """
    out_of = matched.out_of
    if log_reward is not None:
        out_of = torch.where(matched.is_finished, log_reward, out_of)
    return (matched.into - out_of).square().mean()


def _inputs(filling: Filling, states: ChoiceArray) -> Tensor:
    return torch.from_numpy(filling.one_hot(states).astype(np.float32))

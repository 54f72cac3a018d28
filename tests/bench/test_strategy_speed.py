"""What the speed of strategies is measured against computes the same as ours."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from archloom.strategies.gflownet.trajectories import backward_at_random
from archloom.strategies.numerics import one_thread
from benchmarks.strategy_speed_peers import OursRound, PlainRound


@pytest.mark.parametrize("is_by_state", [True, False])
def test_the_plain_step_is_ours(is_by_state: bool) -> None:
    ours, plain = OursRound(3, width=16), PlainRound(3, is_by_state=is_by_state, width=16)
    rng = np.random.default_rng(0)
    rows, better = ours.points.choices[:12], ours.better[:12]
    ways, partner = backward_at_random(ours.filling, rows, rng), rng.permutation(12).tolist()
    with one_thread():
        losses = [
            ours.loss(ways, better, partner),
            plain.loss(rows.tolist(), ways.order.tolist(), better.tolist(), partner),
        ]
        assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-5)
        slopes = [
            torch.autograd.grad(loss, list(each.parameters()), allow_unused=True, materialize_grads=True)
            for loss, each in zip(losses, (ours.learner.network, plain.network), strict=True)
        ]
    for mine, theirs in zip(*slopes, strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-6)

# SPDX-License-Identifier: Apache-2.0
"""Losses of order: what they see, and what they do not."""

from __future__ import annotations

import pytest
import torch

from archloom.strategies.gflownet.ordering import front_loss, pair_loss

BETTER = torch.tensor([3.0, 1.0, 1.0, 2.0])
IMPLIED = torch.tensor([0.3, -0.2, 0.7, 0.1])
PARTNER = torch.tensor([1, 2, 3, 0])


def test_two_of_equal_reward_may_trade_places() -> None:
    swapped = IMPLIED[[0, 2, 1, 3]]
    for partner in (torch.tensor([1, 2, 3, 0]), torch.tensor([2, 0, 1, 1])):
        mapped = torch.tensor([0, 2, 1, 3])[partner[[0, 2, 1, 3]]]
        assert torch.isclose(pair_loss(BETTER, IMPLIED, partner), pair_loss(BETTER, swapped, mapped))


def test_a_constant_changes_nothing() -> None:
    assert torch.isclose(pair_loss(BETTER, IMPLIED, PARTNER), pair_loss(BETTER, IMPLIED + 7.0, PARTNER))


def test_only_the_order_of_the_reward_counts() -> None:
    assert torch.equal(pair_loss(BETTER, IMPLIED, PARTNER), pair_loss(BETTER**3 - 5, IMPLIED, PARTNER))


def test_equals_are_drawn_together() -> None:
    implied = torch.tensor([0.0, 2.0], requires_grad=True)
    pair_loss(torch.tensor([1.0, 1.0]), implied, torch.tensor([1, 0])).backward()  # type: ignore[no-untyped-call]
    assert implied.grad is not None
    assert implied.grad[0] < 0 < implied.grad[1]


def test_the_better_is_raised() -> None:
    implied = torch.tensor([0.0, 0.0], requires_grad=True)
    pair_loss(torch.tensor([2.0, 1.0]), implied, torch.tensor([1, 0])).backward()  # type: ignore[no-untyped-call]
    assert implied.grad is not None
    assert implied.grad[0] < 0 < implied.grad[1]


def test_the_front_is_raised_evenly() -> None:
    implied = torch.zeros(4, requires_grad=True)
    front_loss(torch.tensor([True, False, True, False]), implied).backward()  # type: ignore[no-untyped-call]
    assert implied.grad is not None
    assert implied.grad.tolist() == pytest.approx([-0.25, 0.25, -0.25, 0.25])

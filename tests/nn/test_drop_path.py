# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from archloom.nn import ConvBN, ScheduledDropPath, set_progress
from archloom.nn.drop_path import drop_paths


def test_the_expectation_stays_what_it_was() -> None:
    path = ScheduledDropPath(nn.Identity(), 0.6)
    set_progress(path, 1.0)
    torch.manual_seed(0)
    y = path(torch.ones(200_000, 1, 1, 1))
    assert sorted(y.unique().tolist()) == pytest.approx([0, 1 / 0.6])
    assert y.mean().item() == pytest.approx(1, abs=0.01)  # five standard errors of 0.0018 or so


@pytest.mark.parametrize(
    ("progress", "layer_ratio", "keep"),
    [(0, 1, 1), (1, 1, 0.6), (0.5, 1, 0.8), (1, 0.5, 0.8), (0.25, 0.2, 0.98)],
)
def test_keep_falls_with_depth_and_with_time(progress: float, layer_ratio: float, keep: float) -> None:
    path = ScheduledDropPath(nn.Identity(), 0.6, layer_ratio)
    assert path.keep == 1
    set_progress(path, progress)
    assert path.keep == pytest.approx(keep)


def test_an_example_keeps_all_of_a_path_or_nothing() -> None:
    path = ScheduledDropPath(nn.Identity(), 0.5)
    set_progress(path, 1.0)
    torch.manual_seed(1)
    y = path(torch.ones(64, 3, 4, 4)).flatten(1)
    assert torch.equal(y.amin(1), y.amax(1))
    assert set(y.flatten().tolist()) == {0.0, 2.0}
    assert path(torch.ones(8, 3)).shape == (8, 3)


def test_at_the_first_step_and_in_evaluation_it_is_the_path() -> None:
    x = torch.randn(16, 2)
    path = ScheduledDropPath(nn.Linear(2, 2), 0.1)
    state = torch.get_rng_state()
    assert torch.equal(path(x), path.path(x))
    set_progress(path, 1.0)
    assert torch.equal(path.eval()(x), path.path(x))
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(path.train()(x), path.path(x))


def test_dropped_examples_give_no_gradient() -> None:
    path = ScheduledDropPath(nn.Identity(), 0.5)
    set_progress(path, 1.0)
    torch.manual_seed(0)
    x = torch.ones(32, 1, requires_grad=True)
    y = path(x)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())  # type: ignore[arg-type]


def test_progress_reaches_all_below_and_is_no_weight() -> None:
    network = nn.Sequential(
        ScheduledDropPath(ConvBN(1, 2, 3), 0.6), nn.ModuleList([ScheduledDropPath(nn.ReLU(), 1)])
    )
    before = list(network.state_dict())
    set_progress(network, 3)
    assert [path.progress for path in drop_paths(network)] == [1.0, 1.0]
    assert list(network.state_dict()) == before == [f"0.path.{name}" for name in ConvBN(1, 2, 3).state_dict()]
    with pytest.raises(ValueError, match=r"got -0\.5"):
        set_progress(network, -0.5)


@pytest.mark.parametrize(("keep", "ratio"), [(0, 1), (1.5, 1), (0.5, -1), (0.5, 2)])
def test_impossible_shares_are_refused(keep: float, ratio: float) -> None:
    with pytest.raises(ValueError, match=f"keep_final={keep}, layer_ratio={ratio}"):
        ScheduledDropPath(nn.Identity(), keep, ratio)

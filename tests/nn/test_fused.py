# SPDX-License-Identifier: Apache-2.0
"""Mixtures that do nothing twice are the mixtures."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from archloom.nn.routed import Choice, Switch, for_search
from archloom.nn.routed.fused import once, planned
from archloom.relaxation import Mixture
from archloom.search_spaces import build
from archloom.search_spaces.operations import DARTS, SHARP

NAMES = ("none", *DARTS, *(name for name in SHARP if name not in ("none", *DARTS)))
WIDTH = 8


def choice(stride: int, seed: int = 0) -> Choice:
    torch.manual_seed(seed)
    candidates = [build(name, WIDTH, c_out=WIDTH, stride=stride) for name in NAMES]
    made = for_search(nn.Sequential(Choice(candidates, Switch("op", len(NAMES)), out=WIDTH)))[0]  # type: ignore[index]
    assert isinstance(made, Choice)
    return made.train()


def by_hand(made: Choice, x: Tensor, weights: Tensor) -> Tensor:
    total: Tensor = sum(w * candidate(x) for w, candidate in zip(weights, made.candidates, strict=True))
    return total


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last], ids=["nchw", "nhwc"])
@pytest.mark.parametrize("stride", [1, 2])
def test_values_gradients_and_statistics_are_those_of_the_sum(
    stride: int, memory: torch.memory_format
) -> None:
    ours = choice(stride).to(memory_format=memory)  # type: ignore[call-overload]
    theirs = copy.deepcopy(ours)
    x = torch.randn(4, WIDTH, 7, 7).contiguous(memory_format=memory)
    towards = torch.randn(4, WIDTH, -(-7 // stride), -(-7 // stride))
    found = []
    for made, is_ours in ((ours, True), (theirs, False)):
        alpha = torch.linspace(-1, 1, len(NAMES)).requires_grad_()
        state = x.clone(memory_format=torch.preserve_format).requires_grad_()
        with once():
            weights = alpha.softmax(0)
            made.switch.set(Mixture(weights))
            y = made(state) if is_ours else by_hand(made, state, weights)
        (y * towards).sum().backward()
        gradients = [p.grad for p in made.parameters() if p.requires_grad]
        found.append([y, state.grad, alpha.grad, *gradients, *made.buffers()])
    for a, c in zip(*found, strict=True):
        assert torch.allclose(a, c, rtol=1e-4, atol=1e-5)


def test_in_evaluation_it_is_the_sum_too() -> None:
    made = choice(1)
    x, weights = torch.randn(4, WIDTH, 6, 6), torch.rand(len(NAMES))
    made.switch.set(Mixture(weights))
    made(x)
    made.eval()
    with torch.no_grad(), once():
        assert torch.allclose(made(x), by_hand(made, x, weights), atol=1e-5)


def test_what_is_alike_is_computed_once() -> None:
    made = choice(1)
    made.switch.set(Mixture(torch.rand(len(NAMES))))
    calls: list[str] = []
    for module in made.modules():
        if isinstance(module, nn.ReLU | nn.MaxPool2d | nn.AvgPool2d):
            module.register_forward_hook(lambda m, given, out: calls.append(type(m).__name__))
    x = torch.randn(2, WIDTH, 6, 6, requires_grad=True)
    with once():
        made(x)
        inner = calls.count("ReLU")
        made(x)
    assert calls.count("MaxPool2d") == calls.count("AvgPool2d") == 1
    assert calls.count("ReLU") == 2 * inner - 1  # those inside candidates run again, the shared one does not
    made(x)
    assert calls.count("MaxPool2d") == 2


def test_only_what_is_a_row_of_layers_is_taken_apart() -> None:
    class Own(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x

    assert planned(Own()) is None
    assert planned(nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(1, 1, 1))) is None
    plan = planned(nn.Sequential(nn.ReLU(), nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)))
    assert plan is not None
    assert plan.norm is None  # it has a scale of its own
    bare = planned(nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, affine=False)))
    assert bare is not None
    assert bare.first is None
    assert isinstance(bare.norm, nn.BatchNorm2d)


def test_a_momentum_that_is_none_is_the_plain_mean() -> None:
    norm = nn.BatchNorm2d(3, affine=False, momentum=None)
    same = copy.deepcopy(norm)
    plan = planned(nn.Sequential(nn.Identity(), norm))
    assert plan is not None
    for _ in range(3):
        x = torch.randn(4, 3, 5, 5)
        assert torch.allclose(plan.run(x, torch.tensor(0.5)), 0.5 * same(x), atol=1e-6)
    assert torch.allclose(norm.running_var, same.running_var)  # type: ignore[arg-type]
    assert int(norm.num_batches_tracked) == 3  # type: ignore[arg-type]


def test_a_candidate_that_passes_on_what_comes_is_run_as_it_is() -> None:
    made = Choice([nn.Identity(), nn.Conv2d(WIDTH, WIDTH, 1)], Switch("op", 2), out=WIDTH)
    x = torch.randn(2, WIDTH, 4, 4)
    made.switch.set(torch.tensor([0.25, 0.75]))
    assert torch.allclose(made(x), 0.25 * x + 0.75 * made.candidates[1](x), atol=1e-6)

# SPDX-License-Identifier: Apache-2.0
"""How coefficients come from what is learned."""

from __future__ import annotations

import pytest
import torch

from archloom.errors import ConfigError
from archloom.relaxation import Progress
from archloom.strategies.gradient import GumbelSoftmax, MaxWeight, Sigmoid, Softmax

START, END = Progress(0, 10), Progress(9, 10)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def alphas(n: int = 20, m: int = 8) -> torch.Tensor:
    return 3 * torch.randn(n, m, generator=rng(1))


def test_a_softmax_sums_to_one_and_sharpens() -> None:
    for alpha in alphas():
        soft, sharp = (Softmax(temperature=t)(alpha, START, rng()).weights for t in (1.0, 0.1))
        assert float(soft.sum()) == pytest.approx(1, abs=1e-6)
        assert float(sharp.max()) >= float(soft.max())
        assert torch.equal(soft, alpha.softmax(0))


def test_the_leader_of_max_w_weighs_one() -> None:
    for alpha in alphas():
        weights = MaxWeight()(alpha, START, rng()).weights
        assert float(weights.max()) == 1.0
        assert int(weights.argmax()) == int(alpha.argmax())
        assert float(weights.min()) >= 0


def test_max_w_is_measured_by_its_coefficients_and_derives_by_the_softmax() -> None:
    """All leaders weigh 1: edges, whose best operations are compared, need the softmax."""
    for alpha in alphas():
        assert torch.equal(MaxWeight().expected(alpha), MaxWeight()(alpha, START, rng()).weights)
        assert torch.equal(MaxWeight().worth(alpha), alpha.softmax(0))


@pytest.mark.parametrize("detaches", [False, True])
def test_what_max_w_tells_its_leader(detaches: bool) -> None:
    """Undetached, the leader's coefficient is 1 whatever it learns; the others push it instead."""
    alpha = torch.tensor([0.5, 0.0, -0.5], requires_grad=True)
    weights = MaxWeight(detaches=detaches)(alpha, START, rng()).weights
    (own,) = torch.autograd.grad(weights[0], alpha, retain_graph=True)
    assert bool((own == 0).all()) is not detaches
    (others,) = torch.autograd.grad(weights[1], alpha)
    assert float(others[1]) > 0


def test_a_hard_draw_is_one_path_with_the_gradient_of_the_soft_one() -> None:
    for seed, alpha in enumerate(alphas()):
        alpha.requires_grad_()
        hard = GumbelSoftmax(start=2.0)(alpha, START, rng(seed))
        soft = GumbelSoftmax(start=2.0, is_hard=False)(alpha, START, rng(seed))
        assert hard.active == (int(soft.weights.argmax()),)
        one = torch.nn.functional.one_hot(soft.weights.argmax(), len(alpha)).float()
        assert torch.allclose(hard.weights, one, atol=1e-6)
        towards = torch.randn(len(alpha), generator=rng(seed))
        found = [torch.autograd.grad((w * towards).sum(), alpha)[0] for w in (hard.weights, soft.weights)]
        assert torch.allclose(*found)


def test_draws_follow_what_is_learned() -> None:
    """Gumbel's trick: the largest of ``log p + g`` is candidate ``i`` with probability ``p_i``."""
    alpha = torch.tensor([2.0, 1.0, 0.0])
    counts = torch.zeros(3)
    for seed in range(2000):
        mixture = GumbelSoftmax()(alpha, START, rng(seed))
        assert mixture.active is not None
        counts[mixture.active[0]] += 1
    assert torch.allclose(counts / 2000, alpha.softmax(0), atol=0.04)


def test_draws_sharpen_as_the_temperature_falls() -> None:
    alpha = torch.zeros(5)
    part = GumbelSoftmax(start=10.0, end=0.1, is_hard=False)
    early, late = (
        torch.stack([part(alpha, at, rng(seed)).weights.max() for seed in range(50)]).mean()
        for at in (START, END)
    )
    assert early < 0.3 < 0.9 < late


def test_candidates_of_a_sigmoid_do_not_compete() -> None:
    weights = Sigmoid()(torch.tensor([0.0, 10.0]), START, rng()).weights
    assert torch.allclose(weights, torch.tensor([0.5, 1.0]), atol=1e-3)


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="temperature must be above 0; got 0"):
        Softmax(temperature=0)
    with pytest.raises(ConfigError, match="end must be above 0; got -1"):
        GumbelSoftmax(end=-1)

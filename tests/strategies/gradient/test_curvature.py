# SPDX-License-Identifier: Apache-2.0
"""How sharply a loss bends."""

from __future__ import annotations

import pytest
import torch

from archloom.contracts import SharedRun
from archloom.evaluators.relaxed import RelaxedSupernet
from archloom.relaxation import Progress
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies.gradient import DifferentiableSearch, darts
from archloom.strategies.gradient.curvature import dominant_eigenvalue


def test_it_is_the_eigenvalue_of_a_quadratic_form() -> None:
    rng = torch.Generator().manual_seed(0)
    for _ in range(5):
        matrix = torch.randn(6, 6, generator=rng, dtype=torch.float64)
        matrix = matrix + matrix.T
        x = torch.randn(6, generator=rng, dtype=torch.float64).requires_grad_()
        loss = 0.5 * x @ matrix @ x
        found = dominant_eigenvalue(loss, [x], rng, n_steps=400)
        exact = torch.linalg.eigvalsh(matrix)
        assert found == pytest.approx(float(exact[exact.abs().argmax()]), rel=1e-3)


def test_what_does_not_bend_has_none() -> None:
    x = torch.ones(3, requires_grad=True)
    assert dominant_eigenvalue(x.sum(), [x], torch.Generator()) == 0.0


@pytest.mark.slow
def test_it_is_that_of_the_search_s_own_loss() -> None:
    """Beside the whole Hessian of the logits of one edge."""
    space = nasbench201(channels=4, n_cells=1)
    method = darts(most_growth=float("inf"))
    assert isinstance(method, DifferentiableSearch)
    assert method.inspects
    method.setup(space, 0)
    evaluator = RelaxedSupernet(data="digits", data_options={"n_train": 64, "n_validation": 64}, epochs=1)
    evaluator.needs = method.needs
    evaluator.prepare(space)
    evaluator.start(SharedRun("supernet", 0))
    alphas = list(method.alphas.values())
    at = Progress(0, 1, split="validation")
    with evaluator.epoch(0):
        before = {name: value.clone() for name, value in evaluator.supernet().state_dict().items()}
        losses = evaluator.plain_losses(method.relax(at))
        assert all(torch.equal(before[n], v) for n, v in evaluator.supernet().state_dict().items())
        first = torch.autograd.grad(losses["validation/loss"], alphas, create_graph=True)
        rows = [
            torch.cat([h.flatten() for h in torch.autograd.grad(g, alphas, retain_graph=True)])
            for g in torch.cat(first)
        ]
        exact = torch.linalg.eigvalsh(torch.stack(rows))
        method.inspect(losses, at)
    assert method.metrics()["eigenvalue"] == pytest.approx(float(exact[exact.abs().argmax()]), rel=0.05)

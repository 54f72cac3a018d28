# SPDX-License-Identifier: Apache-2.0
"""Laws of gradient strategies, as a suite to inherit.

::

    class TestMine(GradientStrategyContract):
        @pytest.fixture
        def make(self):
            return MyStrategy
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archloom.relaxation import GradientStrategy, Progress, Relaxation
from archloom.search_spaces import SearchSpace

__all__ = ["GradientStrategyContract"]

N_EPOCHS = 4


class GradientStrategyContract:
    """What every gradient strategy must keep. Override the fixture ``make``."""

    @pytest.fixture
    def make(self) -> Callable[[], GradientStrategy]:
        """Return what makes the strategy."""
        raise NotImplementedError

    @pytest.fixture
    def space(self) -> SearchSpace:
        """Return a space with operations on edges, and edges that are chosen."""
        from archloom.search_spaces.cell import cell

        return cell(nodes=2, channels=4, n_cells=1)

    def test_every_site_has_finite_coefficients(
        self, make: Callable[[], GradientStrategy], space: SearchSpace
    ) -> None:
        """Law: a relaxation holds every site of more than one candidate, and what is computed weighs."""
        strategy = started(make, space)
        names = set(strategy.relax(Progress(0, N_EPOCHS)))
        for epoch in range(N_EPOCHS):
            relaxation = strategy.relax(Progress(epoch, N_EPOCHS, split="validation"))
            assert set(relaxation) == names
            for name, mixture in relaxation.items():
                if mixture.weights is not None:
                    assert bool(mixture.weights.isfinite().all()), name
                assert mixture.active is None or len(mixture.active) >= 1
        assert len(names) >= 2

    def test_it_derives_points_of_the_space(
        self, make: Callable[[], GradientStrategy], space: SearchSpace
    ) -> None:
        """Law: whatever was learned, a point of the space is derived."""
        strategy = started(make, space)
        for n in range(3):
            row = strategy.derive()
            assert len(row) == 1
            assert bool(space.is_legal(row).all())
            push(strategy, n)

    def test_it_follows_gradients(self, make: Callable[[], GradientStrategy], space: SearchSpace) -> None:
        """Law: a loss that rewards a candidate raises what that candidate is worth."""
        strategy = started(make, space)
        before = strategy.record()
        site = next(iter(before)).partition("=")[0]
        name = min((each for each in before if each.startswith(f"{site}=")), key=before.__getitem__)
        for n in range(60):
            push(strategy, n, towards=name)
        assert strategy.record()[name] > before[name]

    def test_its_state_is_all_there_is(
        self, make: Callable[[], GradientStrategy], space: SearchSpace
    ) -> None:
        """Law: one that takes over the state goes on as the first does."""
        first, second = started(make, space), started(make, space)
        for n in range(3):
            push(first, n)
        second.load_state_dict({name: value.clone() for name, value in first.state_dict().items()})
        for n in range(3, 6):
            assert same(first.relax(_at(n)), second.relax(_at(n)))
            push(first, n)
            push(second, n)
        assert first.record() == second.record()

    def test_the_seed_decides(self, make: Callable[[], GradientStrategy], space: SearchSpace) -> None:
        """Law: two of one seed are the same, and a setup forgets what was learned."""
        first, second = started(make, space), started(make, space)
        push(second, 0)
        second.setup(space, 0)
        assert same(first.relax(_at(1)), second.relax(_at(1)))


def started(make: Callable[[], GradientStrategy], space: SearchSpace) -> GradientStrategy:
    """Make a strategy and have it meet a space."""
    strategy = make()
    strategy.setup(space, 0)
    return strategy


def push(strategy: GradientStrategy, n: int, *, towards: str = "") -> None:
    """Take a step on a made-up loss, which falls with what a candidate weighs."""
    import torch

    relaxation = strategy.relax(_at(n))
    rng = torch.Generator().manual_seed(n)
    loss = torch.zeros(())
    labels = list(strategy.record())
    for name, mixture in relaxation.items():
        if mixture.weights is None:
            continue
        wanted = [label for label in labels if label.startswith(f"{name}=")]
        if towards in wanted:
            loss = loss - 10 * mixture.weights[wanted.index(towards)]
        elif not towards:
            loss = loss + (mixture.weights * torch.randn(len(mixture.weights), generator=rng)).sum()
    losses: dict[str, Any] = {"validation/loss": loss, "params": loss, "macs": loss}
    if strategy.is_single_level:
        losses = {"train/loss": loss.detach(), "params": 0.0 * loss, "macs": 0.0 * loss}
        loss.backward()  # type: ignore[no-untyped-call]
    strategy.step(losses, _at(n))


def same(a: Relaxation, b: Relaxation) -> bool:
    """Whether two relaxations are equal to the last bit."""
    return all(
        (one.weights is None and b[name].weights is None)
        or (one.active == b[name].active and bool((one.weights == b[name].weights).all()))
        for name, one in a.items()
    )


def _at(n: int) -> Progress:
    return Progress(n % N_EPOCHS, N_EPOCHS, n, 100, "validation")

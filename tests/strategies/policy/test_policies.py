"""Both policies: a distribution over legal rows, drawn from as it is scored, moved as it is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch

from archloom.contracts import ChoiceArray, FloatArray
from archloom.search_spaces import SearchSpace
from archloom.strategies.policy.ascent import Adam
from archloom.strategies.policy.choices import draw, first_logits
from archloom.strategies.policy.lstm import LSTMPolicy
from archloom.strategies.policy.policy import Policy
from archloom.strategies.policy.tabular import TabularPolicy

SPACES = {
    "flat": SearchSpace(pg.List([pg.oneof(list("abc")), pg.oneof(list("ab")), pg.oneof(list("abcd"))])),
    "conditional": SearchSpace(
        pg.Dict(op=pg.oneof([pg.Dict(k=pg.oneof([1, 3, 5])), "skip"]), n=pg.oneof(list(range(4))))
    ),
    "groups": SearchSpace(
        pg.Dict(
            a=pg.manyof(2, [pg.Dict(x=pg.oneof([1, 2])), "b", "c", "d"], distinct=True, sorted=True),
            b=pg.manyof(2, [pg.Dict(x=pg.oneof([1, 2])), "y"], distinct=False, sorted=True),
            p=pg.permutate([1, 2, 3]),
        )
    ),
}


def tabular(space: SearchSpace, *, lr: float = 0.1) -> TabularPolicy:
    logits = first_logits(space, space.filling)
    logits += np.random.default_rng(5).normal(size=logits.shape)
    return TabularPolicy(space.filling, logits, lr=lr)


def lstm(space: SearchSpace, *, lr: float = 0.01, **options: Any) -> LSTMPolicy:
    logits = first_logits(space, space.filling)
    logits += np.random.default_rng(5).normal(size=logits.shape)
    made = LSTMPolicy(space.filling, logits, np.random.default_rng(3), lr=lr, n_units=16, **options)
    with torch.no_grad():  # so that what it remembers weighs something
        for weight in made._network.parameters():
            weight.mul_(12.0)
    return made


MAKERS: dict[str, Callable[[SearchSpace], Policy]] = {"tabular": tabular, "lstm": lstm}


@pytest.fixture(params=SPACES)
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return SPACES[request.param]


@pytest.fixture(params=MAKERS)
def policy(request: pytest.FixtureRequest, space: SearchSpace) -> Policy:
    made = MAKERS[request.param](space)
    rows = space.sample(8, np.random.default_rng(2)).choices
    weights = np.linspace(-1, 1, 8)
    for _ in range(5):
        made.improve(rows, lambda log_p: weights, 0.0)
    return made


def test_all_rows_together_have_probability_one(space: SearchSpace, policy: Policy) -> None:
    p = np.exp(policy.log_probabilities(space.enumerate().choices))
    assert p.sum() == pytest.approx(1.0)
    assert p.min() > 0.0


def test_rows_are_drawn_as_likely_as_they_are_said_to_be(space: SearchSpace, policy: Policy) -> None:
    n, every = 20_000, space.enumerate()
    drawn = policy.sample(np.random.default_rng(0).random((n, space.filling.n_columns)))
    keys, counts = np.unique(drawn, axis=0, return_counts=True)
    p = np.exp(policy.log_probabilities(keys))
    assert len(keys) <= len(every)
    assert (np.abs(counts - n * p) < 5.0 * np.sqrt(n * p) + 1.0).all()


def test_a_row_depends_on_its_own_noise_alone(space: SearchSpace, policy: Policy) -> None:
    noise = np.random.default_rng(1).random((64, space.filling.n_columns))
    one_by_one = np.concatenate([policy.sample(each[None]) for each in noise])
    assert (policy.sample(noise) == one_by_one).all()


def test_a_step_makes_a_row_more_likely_and_another_less(space: SearchSpace, policy: Policy) -> None:
    rows = space.enumerate().choices[[0, -1]]
    before = policy.log_probabilities(rows)
    for _ in range(5):
        policy.improve(rows, lambda log_p: np.array([1.0, -1.0]), 0.0)
    after = policy.log_probabilities(rows)
    assert after[0] > before[0]
    assert after[1] < before[1]


def test_entropy_alone_evens_the_chances_out(space: SearchSpace, policy: Policy) -> None:
    every = space.enumerate().choices

    def entropy() -> float:
        log_p = policy.log_probabilities(every)
        return float(-(np.exp(log_p) * log_p).sum())

    before = entropy()
    rng = np.random.default_rng(0)
    for _ in range(30):
        rows = policy.sample(rng.random((32, space.filling.n_columns)))
        policy.improve(rows, lambda log_p: np.zeros(32), 1.0)
    assert entropy() > before + 0.05


def test_weights_are_made_of_the_log_probabilities_of_the_rows(space: SearchSpace, policy: Policy) -> None:
    rows = space.enumerate().choices[:4]
    expected, seen = policy.log_probabilities(rows), []

    def weigh(log_p: FloatArray) -> FloatArray:
        seen.append(log_p.copy())
        return np.zeros(4)

    policy.improve(rows, weigh, 0.0)
    assert np.allclose(seen[0], expected, atol=1e-12)


def test_the_start_is_even_over_decisions(space: SearchSpace) -> None:
    """Counted against the space's own draw, whose groups are even over sets."""
    n, filling = 20_000, space.filling
    policy = TabularPolicy(filling, first_logits(space, filling), lr=0.1)
    drawn = space.sample(n, np.random.default_rng(0), uniform_over="decisions").choices
    keys, counts = np.unique(drawn, axis=0, return_counts=True)
    p = np.exp(policy.log_probabilities(keys))
    assert (np.abs(counts - n * p) < 5.0 * np.sqrt(n * p) + 1.0).all()


def test_two_of_four_in_order_start_equally_likely() -> None:
    space = SearchSpace(pg.manyof(2, list("abcd"), distinct=True, sorted=True))
    policy = TabularPolicy(space.filling, first_logits(space, space.filling), lr=0.1)
    assert np.allclose(policy.log_probabilities(space.enumerate().choices), -np.log(6))


# ---------------------------------------------------------------------- the table


def test_the_gradient_of_the_table_is_that_of_finite_differences(
    space: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = space.sample(6, np.random.default_rng(4)).choices
    weights = np.random.default_rng(5).normal(size=6)
    start = first_logits(space, space.filling) + np.random.default_rng(6).normal(size=(rows.shape[1], 4))
    taken = _watched(monkeypatch)
    TabularPolicy(space.filling, start, lr=0.1).improve(rows, lambda log_p: weights, 0.0)

    def value(logits: FloatArray) -> float:
        return float((weights * TabularPolicy(space.filling, logits, lr=0.1).log_probabilities(rows)).mean())

    assert np.allclose(taken[0], _slope(value, start), atol=1e-6)


def test_the_gradient_of_the_entropy_is_that_of_finite_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    space = SPACES["flat"]  # where the entropy along every row is that of the whole
    every = space.enumerate().choices
    start = np.random.default_rng(6).normal(size=(3, 4))
    taken = _watched(monkeypatch)
    TabularPolicy(space.filling, start, lr=0.1).improve(every[:3], lambda log_p: np.zeros(3), 1.0)

    def value(logits: FloatArray) -> float:
        log_p = TabularPolicy(space.filling, logits, lr=0.1).log_probabilities(every)
        return float(-(np.exp(log_p) * log_p).sum())

    assert np.allclose(taken[0], _slope(value, start), atol=1e-6)


def _watched(monkeypatch: pytest.MonkeyPatch) -> list[FloatArray]:
    """Return a list to which every gradient that reaches Adam is added."""
    taken: list[FloatArray] = []

    def step(self: Adam, gradient: FloatArray) -> FloatArray:
        taken.append(gradient)
        return np.zeros_like(gradient)

    monkeypatch.setattr(Adam, "step", step)
    return taken


def _slope(value: Callable[[FloatArray], float], at: FloatArray) -> FloatArray:
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[place] = 1e-6
        found[place] = (value(at + step) - value(at - step)) / 2e-6
    return found


def test_adam_is_that_of_torch() -> None:
    rng = np.random.default_rng(0)
    here, ours = np.zeros((2, 3)), Adam((2, 3), 0.01)
    there = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.Adam([there], lr=0.01, maximize=True)
    for _ in range(20):
        gradient = rng.normal(size=(2, 3))
        here = here + ours.step(gradient)
        there.grad = torch.from_numpy(gradient)
        theirs.step()
    assert np.allclose(here, there.detach().numpy(), atol=1e-12)


def test_extreme_logits_are_no_trouble() -> None:
    space = SPACES["groups"]
    logits = 1e5 * np.random.default_rng(0).normal(size=(space.filling.n_columns, 4))
    policy = TabularPolicy(space.filling, logits, lr=0.1)
    rows = policy.sample(np.random.default_rng(1).random((50, space.filling.n_columns)))
    assert np.isfinite(policy.log_probabilities(rows)).all()
    policy.improve(rows, lambda log_p: np.ones(50), 0.1)
    assert np.isfinite(policy.log_probabilities(rows)).all()


@pytest.mark.parametrize("noise", [0.0, 0.5, np.nextafter(1.0, 0.0)])
def test_only_what_is_legal_is_ever_drawn(noise: float) -> None:
    legal = np.array([[False, True, False], [True, False, False], [False, False, True]])
    assert draw(np.array([50.0, -50.0, 0.0]), legal, np.full(3, noise)).tolist() == [1, 0, 2]


def test_the_table_needs_no_torch() -> None:
    code = (
        "import sys, pyglove as pg\n"
        "from archloom.contracts import Objective\n"
        "from archloom.search_spaces import SearchSpace\n"
        "from archloom.strategies.policy.reinforce import Reinforce\n"
        "strategy = Reinforce()\n"
        "strategy.setup(SearchSpace(pg.oneof([1, 2])), [Objective('v')], 0)\n"
        "strategy.ask(1)\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---------------------------------------------------------------------- the LSTM


def _copies(policy: Policy, n_steps: int) -> float:
    """Teach that the second choice is to be the first one again; return how often it then is."""
    rng = np.random.default_rng(0)

    def same(rows: ChoiceArray) -> FloatArray:
        return np.asarray(rows[:, 0] == rows[:, 1], dtype=float)

    for _ in range(n_steps):
        rows = policy.sample(rng.random((64, 2)))
        advantages = same(rows) - same(rows).mean()
        policy.improve(rows, lambda log_p: advantages, 0.02)  # noqa: B023
    return float(same(policy.sample(rng.random((400, 2)))).mean())


def test_the_lstm_learns_what_depends_on_an_earlier_choice() -> None:
    space = SearchSpace(pg.List([pg.oneof(list("abcd")) for _ in range(2)]))
    logits, rng = first_logits(space, space.filling), np.random.default_rng(0)
    made = LSTMPolicy(space.filling, logits, rng, lr=0.02, n_units=16)
    assert _copies(made, 150) > 0.9
    # and without making one of the four its only answer
    drawn = made.sample(np.random.default_rng(1).random((400, 2)))
    assert len(np.unique(drawn[:, 0])) > 1


def test_a_column_that_is_inactive_is_as_if_it_were_not_there() -> None:
    """With ``skip`` there is no ``k``; what is said of ``n`` must not depend on its weights."""
    space = SPACES["conditional"]
    policy = lstm(space)
    rows = space.enumerate().choices
    skipped = rows[rows[:, 1] < 0]
    before = policy.log_probabilities(skipped)
    with torch.no_grad():
        policy._network.embedding.weight[3:6] += 1.0  # of k's three candidates
        policy._network.head[1] += 1.0
    assert np.allclose(policy.log_probabilities(skipped), before, atol=1e-12)
    others = rows[rows[:, 1] >= 0]
    assert not np.allclose(policy.log_probabilities(others), lstm(space).log_probabilities(others))


def test_tanh_keeps_every_choice_possible() -> None:
    space = SearchSpace(pg.oneof(list("abc")))
    logits = np.zeros((1, 3))
    policy = LSTMPolicy(space.filling, logits, np.random.default_rng(0), lr=0.1, n_units=8, tanh_constant=1.1)
    rows = space.enumerate().choices
    for _ in range(100):
        policy.improve(rows[:1], lambda log_p: np.ones(1), 0.0)
    log_p = policy.log_probabilities(rows)
    assert log_p[0] - log_p[1:].min() == pytest.approx(2.2, abs=0.05)


def test_the_lstm_leaves_torch_as_it_was() -> None:
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    policy = lstm(SPACES["groups"])
    rows = policy.sample(np.random.default_rng(0).random((4, SPACES["groups"].filling.n_columns)))
    policy.improve(rows, lambda log_p: np.ones(4), 0.1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads

"""REINFORCE and PPO as strategies: the laws, how they learn, and what they find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch

from archloom.contracts import FloatArray, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies.policy.ppo import PPO, clipped
from archloom.strategies.policy.reinforce import Reinforce
from archloom.testing.strategies import StrategyContract, finished

MAKERS: dict[str, Callable[[], Strategy]] = {
    "reinforce": lambda: Reinforce(),
    "reinforce, lstm": lambda: Reinforce(policy="lstm", lr=0.01, batch_size=4, n_units=8),
    "reinforce, entropy": lambda: Reinforce(batch_size=3, entropy=0.05),
    "ppo": lambda: PPO(batch_size=5, n_epochs=2, n_units=8),
    "ppo, tabular": lambda: PPO(policy="tabular", lr=0.05, batch_size=5),
    "ppo, tanh": lambda: PPO(batch_size=4, n_epochs=2, n_units=8, tanh_constant=2.5, entropy=0.1),
}


class TestContract(StrategyContract):
    @pytest.fixture(params=MAKERS)
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return MAKERS[request.param]


SPACE = SearchSpace(pg.List([pg.oneof(list(range(5))) for _ in range(5)]))


def score(rows: Genotypes) -> FloatArray:
    return np.asarray(rows.choices @ np.array([1.0, 2.0, 3.0, 2.0, 1.0]))


def started(strategy: Strategy, direction: Any = "maximize") -> Strategy:
    strategy.setup(SPACE, [Objective("v", direction)], 0)
    return strategy


def run(
    strategy: Strategy, n: int, value: Callable[[Genotypes], FloatArray] = score, **how: Any
) -> list[Genotypes]:
    rows = []
    for i in range(n):
        rows.append(strategy.ask(1))
        violations = how["violations"](rows[-1]) if "violations" in how else None
        strategy.tell(finished(rows[-1], value(rows[-1]), first=i, violations=violations))
    return rows


def keys(rows: list[Genotypes]) -> list[bytes]:
    return Genotypes.concatenate(rows).keys()


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[], Strategy]:
    return MAKERS[request.param]


def test_how_asking_and_telling_took_turns_does_not_matter(make: Callable[[], Strategy]) -> None:
    """Law: the policy after ``k`` trials is the same whether they came one by one, in heaps or on resume."""
    rows = SPACE.sample(23, np.random.default_rng(1))
    one_by_one, heaps, resumed = started(make()), started(make()), started(make())
    for i in range(23):
        one_by_one.ask(1)
        one_by_one.tell(finished(rows[i], score(rows[i]), first=i))
    heaps.ask(14)
    heaps.tell(finished(rows[:9], score(rows[:9])))
    heaps.ask(9)
    heaps.tell(finished(rows[9:], score(rows[9:]), first=9))
    resumed.recover(rows, finished(rows, score(rows)))
    expected = one_by_one.ask(30).keys()
    assert heaps.ask(30).keys() == expected
    assert resumed.ask(30).keys() == expected


def test_a_batch_is_what_single_proposals_would_have_been(make: Callable[[], Strategy]) -> None:
    together, apart = started(make()), started(make())
    run(together, 12)
    run(apart, 12)
    assert together.ask(16).keys() == keys([apart.ask(1) for _ in range(16)])
    assert len(together.ask(0)) == 0


def test_the_unit_and_the_direction_of_the_metric_do_not_matter(make: Callable[[], Strategy]) -> None:
    expected = keys(run(started(make()), 40))
    assert keys(run(started(make()), 40, lambda rows: 2.0**40 * score(rows))) == expected
    assert keys(run(started(make(), "minimize"), 40, lambda rows: -(2.0**-20) * score(rows))) == expected


@pytest.mark.parametrize(
    "strategy",
    [
        Reinforce(lr=0.02),
        Reinforce(policy="lstm", lr=0.01, batch_size=4, n_units=16),
        PPO(lr=5e-3, n_units=16),
        PPO(policy="tabular", lr=0.03),
    ],
    ids=["reinforce", "reinforce, lstm", "ppo", "ppo, tabular"],
)
def test_proposals_get_better(strategy: Strategy) -> None:
    """Random ones score 18 +- 6, so that the mean of 40 lies above 21 one time in a thousand."""
    found = [float(score(row)[0]) for row in run(started(strategy), 240)]
    assert np.mean(found[-40:]) > 22.0


def test_what_breaks_a_constraint_is_left_behind() -> None:
    """The metric draws one way, the constraint forbids to go there."""

    def broken(rows: Genotypes) -> FloatArray:
        return np.asarray(np.maximum(0.0, rows.choices[:, 2] - 2.0))

    rows = run(started(PPO(policy="tabular", lr=0.06)), 400, violations=broken)
    ends = Genotypes.concatenate(rows[-80:])
    assert (broken(ends) > 0).mean() < 0.1
    assert score(ends).mean() > score(Genotypes.concatenate(rows[:80])).mean()


def test_what_fails_is_left_behind() -> None:
    strategy = started(PPO(policy="tabular", lr=0.06))
    found = []
    for i in range(400):
        row = strategy.ask(1)
        found.append(row.choices[0, 2] > 2)
        state = State.FAIL if found[-1] else State.COMPLETE
        strategy.tell(finished(row, np.nan if found[-1] else score(row), first=i, states=(state,)))
    assert np.mean(found[-80:]) < 0.1 < np.mean(found[:80])


def test_numbers_that_are_none_do_no_harm(make: Callable[[], Strategy]) -> None:
    strategy = started(make())
    rows = strategy.ask(12)
    values = [np.inf, -np.inf, np.nan, 1e308, -1e308, 0.0, 1e-308, 1.0, 1.0, 1.0, 1.0, 1.0]
    violations = [0, 0, 0, 0, 0, np.inf, np.nan, 1e308, 1e-308, 0, 0, 0]
    strategy.tell(finished(rows, values, violations=violations))
    assert SPACE.is_legal(strategy.ask(40)).all()
    assert len(set(strategy.ask(40).keys())) > 1


@pytest.mark.parametrize("kind", [Reinforce, PPO])
def test_nothing_learned_is_nothing_changed(kind: type[Reinforce] | type[PPO]) -> None:
    """Trials that are all alike say nothing: proposals go on as if nobody had told anything."""
    told = started(kind(policy="tabular", batch_size=5, entropy=0.0))
    untold = started(kind(policy="tabular", batch_size=5, entropy=0.0))
    run(told, 30, lambda rows: np.ones(1))
    untold.ask(30)
    assert told.ask(50).keys() == untold.ask(50).keys()


@pytest.mark.parametrize(
    ("strategy", "lr"),
    [
        (Reinforce(), 0.01),
        (Reinforce(policy="lstm"), 3.5e-4),
        (Reinforce(policy="lstm", lr=0.5), 0.5),
        (PPO(), 1e-3),
        (PPO(policy="tabular"), 0.03),
        (PPO(policy="tabular", lr=0.5), 0.5),
    ],
)
def test_the_learning_rate_suits_the_policy(strategy: Reinforce | PPO, lr: float) -> None:
    assert strategy._lr == lr


def test_no_decision_is_no_trouble(make: Callable[[], Strategy]) -> None:
    space = SearchSpace(pg.Dict(x=1))
    strategy = make()
    strategy.setup(space, [Objective("v", "maximize")], 0)
    for i in range(12):
        row = strategy.ask(1)
        strategy.tell(finished(row, [1.0], first=i))
    assert len(strategy.ask(3)) == 3


def test_clipping_is_the_gradient_of_the_objective() -> None:
    rng = np.random.default_rng(0)
    advantages, log_ratios = rng.normal(size=200), 0.5 * rng.normal(size=200)
    log_p = torch.from_numpy(log_ratios).requires_grad_()
    a, r = torch.from_numpy(advantages), log_p.exp()
    torch.minimum(a * r, a * r.clamp(0.8, 1.2)).sum().backward()  # type: ignore[no-untyped-call]
    assert log_p.grad is not None
    assert np.allclose(clipped(advantages, log_ratios, 0.2), log_p.grad.numpy())


def test_clipping_keeps_the_policy_near() -> None:
    rows = SPACE.sample(20, np.random.default_rng(0))
    moved = []
    for clip in (0.05, 5.0):
        strategy = started(PPO(policy="tabular", lr=0.05, clip=clip, n_epochs=30))
        strategy.recover(rows, finished(rows, score(rows)))
        policy = strategy._learned()  # type: ignore[attr-defined]
        fresh = started(PPO(policy="tabular"))._learned()  # type: ignore[attr-defined]
        moved.append(
            np.abs(policy.log_probabilities(rows.choices) - fresh.log_probabilities(rows.choices)).max()
        )
    assert moved[0] < 0.5 * moved[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"policy": "lsmt"}, "did you mean"),
        ({"lr": 0.0}, "got 0.0"),
        ({"lr": float("nan")}, "got nan"),
        ({"entropy": -1.0}, r"got 0\.01 and -1\.0"),
        ({"baseline": 1.0}, r"between 0 and 1, got 1\.0"),
        ({"baseline": 0.0}, r"between 0 and 1, got 0\.0"),
        ({"batch_size": 0}, "got 0 and 100"),
        ({"n_units": 0}, "got 1 and 0"),
        ({"policy": "lstm", "tanh_constant": 0.0}, r"got 0\.0 with 'lstm'"),
        ({"tanh_constant": 2.5}, r"got 2\.5 with 'tabular'"),
    ],
)
def test_refuses_impossible_options(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Reinforce(**options)


@pytest.mark.parametrize("options", [{"clip": 0.0}, {"n_epochs": 0}])
def test_ppo_refuses_impossible_options(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"got 0\.0 and 4|got 0\.2 and 0"):
        PPO(**options)

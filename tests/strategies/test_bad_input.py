"""Every registered strategy on what nobody wishes for: it works through the study's loop, or is refused."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.cli import main
from archloom.contracts import Architecture, Evaluator, Genotypes, Metrics, Objective, State, Strategy, Trial
from archloom.errors import ArchloomError, ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies import STRATEGIES
from archloom.strategies.gflownet.outcomes import Amortized, OutcomeFlow
from archloom.strategies.gflownet.preferences import checked
from archloom.strategies.gflownet.search import FlowSearch
from archloom.study import Study
from archloom.testing.quick import asked, quick_options
from archloom.testing.strategies import finished

NAMES = asked()
N = 24
"""Trials of a study: with quick options every strategy that learns has done so."""


@pytest.fixture(params=NAMES)
def make(request: pytest.FixtureRequest) -> Callable[[], Strategy]:
    return lambda: STRATEGIES.get(request.param)(**quick_options(request.param))


def varied() -> SearchSpace:
    """Flat, conditional and grouped decisions: 336 points."""
    return SearchSpace(
        pg.Dict(
            a=pg.oneof(list(range(7))),
            op=pg.oneof([pg.Dict(k=pg.oneof([1, 3, 5])), "skip"]),
            b=pg.manyof(2, list("abcd"), distinct=True, sorted=True),
            c=pg.oneof(["x", "y"]),
        )
    )


def goodness(point: Architecture) -> float:
    return float(point.choices["a"]) + (point.choices["c"] == "x")


def studied(strategy: Strategy, measure: Any, *, space: SearchSpace | None = None, **how: Any) -> Study:
    """Run a study of proposals, so that repeats count too."""
    trials = how.pop("trials", N)
    objectives = how.pop("objectives", {"score": "maximize"})
    batch_size = how.pop("batch_size", 1)
    study = Study(space or varied(), strategy, measure, objectives, **how)
    return study.run(trials=trials, count="proposals", batch_size=batch_size)


def is_sound(study: Study) -> bool:
    """Whether the study went to the end of its budget, and its strategy still proposes."""
    rows = study.strategy.ask(3)  # a flow ends an answer with its stage
    return study.n_proposals == N and 1 <= len(rows) <= 3 and bool(study.space.is_legal(rows).all())


# ---------------------------------------------------------------- scores


def test_all_scores_equal(make: Callable[[], Strategy]) -> None:
    study = studied(make(), lambda point: 0.5)
    assert is_sound(study)
    assert study.best.values == (0.5,)
    assert len({trial.key for trial in study.trials}) > N / 4  # nothing is learned from nothing


def test_all_scores_equal_in_two_objectives(make: Callable[[], Strategy]) -> None:
    objectives = {"score": "maximize", "price": "minimize"}
    strategy = make()
    if "several_objectives" in strategy.supports:
        study = studied(strategy, lambda point: {"score": 0.5, "price": 3.0}, objectives=objectives)
        assert is_sound(study)
        assert len({trial.key for trial in study.pareto}) == len({trial.key for trial in study.trials})
    else:
        with pytest.raises(ConfigError, match="cannot do several objectives: choose another strategy"):
            studied(strategy, lambda point: 0.5, objectives=objectives)


def test_scores_that_are_no_numbers_infinite_or_missing(make: Callable[[], Strategy]) -> None:
    odd: list[dict[str, float]] = [
        {"score": math.nan},
        {"score": math.inf},
        {},
        {"score": -math.inf},
        {"scores": 1.0},
    ]

    def measure(point: Architecture, trial: Trial) -> Metrics:
        return {"score": goodness(point)} if trial.number % 2 else odd[trial.number // 2 % len(odd)]

    study = studied(make(), measure, duplicates="reseed")
    assert is_sound(study)
    failed = [trial for trial in study.trials if trial.state == State.FAIL]
    assert [trial.number for trial in failed] == list(range(0, N, 2))
    reasons = ["metric 'score' is nan", "metric 'score' is inf", "gave no metric 'score'"]
    assert [reason in trial.reason for reason, trial in zip(reasons, failed, strict=False)] == [True] * 3
    assert all(trial.state == State.COMPLETE for trial in study.trials[1::2])
    assert study.best.values == max(trial.values for trial in study.trials[1::2])


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_scores_of_every_size(make: Callable[[], Strategy], direction: str) -> None:
    sizes = [1e308, -1e308, 1.0, 1e-308, -0.0, 1e300]

    def measure(point: Architecture, trial: Trial) -> float:
        return sizes[trial.number % len(sizes)]

    study = studied(make(), measure, objectives={"score": direction}, duplicates="reseed")
    assert is_sound(study)
    assert study.best.values == (1e308 if direction == "maximize" else -1e308,)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_negative_scores(make: Callable[[], Strategy], direction: str) -> None:
    """A flow samples in proportion to a reward, which has to be above zero: it is scaled first."""
    study = studied(make(), lambda point: goodness(point) - 1e6, objectives={"score": direction})
    assert is_sound(study)
    if isinstance(study.strategy, FlowSearch):
        learner = study.strategy._learned()
        assert learner is not None
        assert all(bool(weight.isfinite().all()) for weight in learner.network.parameters())


# ---------------------------------------------------------------- failures and constraints


def broken(point: Architecture) -> float:
    raise RuntimeError("no luck today")


def test_every_trial_fails(make: Callable[[], Strategy]) -> None:
    study = studied(make(), broken, duplicates="reseed")
    assert study.n_proposals == 10
    reason = "10 trials in a row failed; the last: RuntimeError: no luck today"
    assert study.stop_reason == reason
    assert is_sound(studied(make(), broken, duplicates="reseed", max_failures=1000))


def test_a_constraint_that_nothing_satisfies(make: Callable[[], Strategy]) -> None:
    """What is measured has a value all the same."""
    study = studied(
        make(),
        lambda point: {"score": goodness(point), "size": 1.0 + float(point.choices["a"])},
        constraints=["size <= 0"],
    )
    assert is_sound(study)
    assert all(trial.violation >= 1.0 for trial in study.trials)
    assert study.pareto == []
    with pytest.raises(ArchloomError, match="no complete and feasible trial yet"):
        _ = study.best


class _Size(Evaluator):
    gives = ("size",)
    is_cheap = True

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        return {"size": 1.0 + float(architecture.choices["a"])}


class _Never(Evaluator):
    gives = ("score",)

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        raise AssertionError("a trial that breaks a constraint is not trained")


def test_a_constraint_on_the_size_that_nothing_satisfies(make: Callable[[], Strategy]) -> None:
    """What is too large is never trained, and has no value at all."""
    study = studied(make(), [_Never(), _Size()], constraints=["size <= 0"])
    assert is_sound(study)
    assert {trial.state for trial in study.trials} == {State.PRUNED}


def odd_results(rows: Genotypes, first: int) -> Any:
    """Return results that no study tells today, and a strategy may be told by a test or a program."""
    rng = np.random.default_rng((7, first))
    values = rng.choice([np.nan, np.inf, -np.inf, 1e308, -1e308, 0.0, 1.0], size=len(rows))
    violations = rng.choice([0.0, 0.0, 1e-300, 2.0, np.inf, np.nan], size=len(rows))
    states = tuple((State.COMPLETE, State.PRUNED, State.FAIL)[int(rng.integers(3))] for _ in range(len(rows)))
    return finished(rows, values, first=first, states=states, violations=violations)


def test_goes_on_exactly_from_results_of_every_kind(make: Callable[[], Strategy]) -> None:
    space, live, resumed = varied(), make(), make()
    live.setup(space, [Objective("score", "maximize")], 0)
    resumed.setup(space, [Objective("score", "maximize")], 0)
    rows, results = [], []
    for number in range(N):
        rows.append(live.ask(1))
        results.append(odd_results(rows[-1], number))
        live.tell(results[-1])
    history = Genotypes.concatenate(rows)
    told = finished(
        history,
        np.concatenate([one.values[:, 0] for one in results]),
        states=tuple(state for one in results for state in one.states),
        violations=np.concatenate([one.violations for one in results]),
    )
    resumed.recover(history, told)
    proposed = live.ask(5)
    assert space.is_legal(proposed).all()
    assert resumed.ask(5).keys() == proposed.keys()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("local_search", {"n_initial": 4}),
        ("nsga2", {"population_size": 2, "crossover": 0.0}),
        ("regularized_evolution", {"population_size": 4}),
    ],
)
def test_a_violation_that_is_no_number_is_worse_than_any(name: str, options: dict[str, Any]) -> None:
    space = SearchSpace(pg.List([pg.oneof(list("abcde")) for _ in range(6)]))
    strategy = STRATEGIES.get(name)(**options)
    strategy.setup(space, [Objective("score", "maximize")], 0)
    choices = [[0] * 6, [4] * 6, [4] * 5 + [3], [3] + [4] * 5]
    rows = Genotypes(np.array(choices, dtype=np.int16), np.empty((4, 0)))
    strategy.recover(rows, finished(rows, [100.0, 3.0, 2.0, 1.0], violations=[np.nan, 7.0, 8.0, 9.0]))
    assert ((strategy.ask(4).choices == 4).sum(axis=1) >= 3).all()
    if name == "regularized_evolution":
        assert ((strategy.ask(60).choices == 4).sum(axis=1) >= 3).all()


@pytest.mark.parametrize("lost", range(1, 5))
@pytest.mark.parametrize("best", range(1, 5))
def test_local_search_moves_past_a_violation_that_is_no_number(lost: int, best: int) -> None:
    space = SearchSpace(pg.List([pg.oneof(list("abc")) for _ in range(2)]))
    strategy = STRATEGIES.get("local_search")(n_initial=1, accept="best")
    strategy.setup(space, [Objective("score", "maximize")], 0)
    choices = [[0, 0], [1, 0], [2, 0], [0, 1], [0, 2]]
    rows = Genotypes(np.array(choices, dtype=np.int16), np.empty((5, 0)))
    violations = [7.0, 8.0, 8.0, 8.0, 8.0]
    violations[lost], violations[best] = np.nan, 1.0
    strategy.recover(rows, finished(rows, np.zeros(5), violations=violations))
    assert ((strategy.ask(2).choices != rows.choices[best]).sum(axis=1) == 1).all()


# ---------------------------------------------------------------- spaces


def test_a_space_of_one_point(make: Callable[[], Strategy]) -> None:
    space = SearchSpace(pg.Dict(op=pg.oneof(["only"]), n=pg.oneof([8])))
    study = studied(make(), lambda point: 1.0, space=space)
    assert (study.n_evaluations, study.stop_reason) == (1, "all 1 architectures have been tried")


def test_a_space_of_ten_to_the_forty(make: Callable[[], Strategy]) -> None:
    """Nothing is listed: an ask takes less than a second of computing, before and after it has learned."""
    space = SearchSpace(pg.List([pg.oneof(list(range(10))) for _ in range(40)]))
    assert space.size == 10**40
    strategy, took = make(), list[float]()
    strategy.setup(varied(), [Objective("score", "maximize")], 0)
    ask = strategy.ask
    ask(1)  # what is imported at the first is not the space's

    def timed(n: int) -> Genotypes:
        began = time.process_time()
        rows = ask(n)
        took.append(time.process_time() - began)
        return rows

    strategy.ask = timed  # type: ignore[method-assign]
    assert is_sound(studied(strategy, lambda point: sum(map(float, point.choices.values())), space=space))
    assert np.median(took) < 1.0, took  # one of them may meet a collection of garbage, which is not its own


@pytest.mark.parametrize("is_asked_alone", [True, False])
def test_a_batch_larger_than_the_space(make: Callable[[], Strategy], is_asked_alone: bool) -> None:
    space = SearchSpace(pg.Dict(a=pg.oneof([0, 1, 2]), b=pg.oneof([pg.Dict(c=pg.oneof([1, 2])), "none"])))
    if is_asked_alone:
        strategy = make()
        strategy.setup(space, [Objective("score", "maximize")], 0)
        rows = strategy.ask(40)
        assert 1 <= len(rows) <= 40
        assert space.is_legal(rows).all()
        return
    study = studied(make(), lambda point: float(point.choices["a"]), space=space, batch_size=40, trials=400)
    assert study.n_evaluations == len({trial.key for trial in study.trials}) <= 9
    assert study.stop_reason != ""


# ---------------------------------------------------------------- what is refused

STUDY = """\
study: rates
space:
  rate: {floatv: [1.0e-4, 1.0e-1], scale: log}
  op: {oneof: [a, b]}
strategy: %s
evaluator: {name: function, function: "rates:score", gives: [score]}
objectives: {score: maximize}
budget: {trials: 3}
store: sqlite:///rates.db
"""


@pytest.mark.parametrize("name", [*NAMES, "pyglove:sweeping"])
def test_search_run_refuses_a_float_and_names_the_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(STUDY % name)
    Path("rates.py").write_text("def score(architecture, trial):\n    return {'score': 1.0}\n")
    with pytest.raises(SystemExit) as ended:
        main(["run", "study.yaml", "--quiet"])
    said = " ".join(capsys.readouterr().err.split())
    if "floats" in STRATEGIES.get(name)().supports:
        assert not ended.value.code, said
        return
    assert ended.value.code == 2
    assert said.startswith("study.yaml:5: strategy: ")
    assert "cannot do floats: choose another strategy" in said
    assert not Path("rates.db").exists()


@pytest.mark.parametrize("preference", [[0.0, 0.0], [[0.5, 0.5], [0.0, 0.0]], [-1.0, 2.0], [math.nan, 1.0]])
def test_a_preference_of_zeros_is_refused(preference: Any) -> None:
    with pytest.raises(ConfigError, match="numbers of at least 0 that are not all 0"):
        checked(preference)


@pytest.mark.parametrize("reward", [-2.0, 0.0, math.nan, math.inf])
def test_a_reward_that_is_not_above_zero_is_refused_by_a_flow_for_any_outcome(reward: float) -> None:
    space = SearchSpace(pg.Dict(a=pg.oneof([1, 2, 3])))
    flow = OutcomeFlow(space.filling, space.enumerate().choices, width=4)
    with np.errstate(all="ignore"):
        log_reward = np.log(np.array([1.0, reward, 3.0]))
    for turn in (flow.converted, lambda log_reward: Amortized(flow, log_reward, width=4)):
        with pytest.raises(ConfigError, match=r"rewards above zero.*log_reward\[1\] is (nan|-?inf)"):
            turn(log_reward)
        with pytest.raises(ConfigError, match="one log-reward for each of the 3 outcomes"):
            turn(np.zeros(2))

# SPDX-License-Identifier: Apache-2.0
"""What may befall a run between two trials: results stay, and nothing is tried twice or for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import (
    Architecture,
    Done,
    Evaluate,
    Evaluator,
    Executor,
    Genotypes,
    Job,
    Metrics,
    Objective,
    OnReport,
    State,
    Strategy,
    Trial,
)
from archloom.errors import StoreUnavailableError
from archloom.search_spaces import SearchSpace
from archloom.store import Store
from archloom.strategies import MedianPruner, RandomSearch
from archloom.study import Study

SPACE = SearchSpace(pg.Dict(x=pg.oneof(list(range(50))), y=pg.oneof(list(range(50)))))
GOAL = (Objective("area"),)
Pick = Callable[["Slots"], int | None]


class Slots(Executor):
    """Several slots in this process; ``pick`` says which batch ends next, and ``kills`` which trial kills."""

    def __init__(self, n: int, pick: Pick = lambda slots: 0, kills: int = -1):
        self._n, self._pick, self._kills = n, pick, kills
        self.batches: list[tuple[Job, ...]] = []
        self.log: list[tuple[int, ...]] = []
        self.n_looks = 0

    @property
    def n_slots(self) -> int:
        return self._n

    @property
    def n_free(self) -> int:
        return self._n - len(self.batches)

    def start(self, evaluate: Evaluate, on_report: OnReport) -> None:
        self._evaluate, self._on_report = evaluate, on_report

    def submit(self, jobs: Sequence[Job]) -> None:
        self.batches.append(tuple(jobs))
        self.log.append(tuple(job.number for job in jobs))

    def next_finished(self, timeout: float | None = None) -> Done | None:
        self.n_looks += 1
        index = self._pick(self) if self.batches else None
        if index is None:
            return None
        jobs = self.batches.pop(index)
        numbers = tuple(job.number for job in jobs)
        if self._kills in numbers:
            return Done(numbers, (), 1.0, "its process was killed by signal 9")
        return Done(numbers, self._evaluate(jobs, "cpu", self._on_report), 1.0)

    def close(self) -> None:
        self.batches.clear()


class Together(Evaluator):
    """Takes batches, and remembers what it was given."""

    gives = ("area",)

    def __init__(self) -> None:
        self.seen: list[str] = []

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        self.seen.append(architecture.text)
        return {"area": architecture.value.x}

    def evaluate_many(self, architectures: Sequence[Architecture], trials: Sequence[Trial]) -> list[Metrics]:
        return [self.evaluate(a, t) for a, t in zip(architectures, trials, strict=True)]


def area(architecture: Any) -> float:
    return float(architecture.value.x + architecture.value.y)


def take_back(url: str) -> Store:
    """Be another worker that thinks the first one gone; return its store."""
    other = Store(url)
    mine = other.workers.join(1)
    other.rescue.retry_lost(1, [each for each in other.workers.records(1) if each.id != mine], 2)
    return other


def test_a_trial_that_was_taken_away_and_comes_back_is_not_started_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    others: list[Store] = []

    def pick(slots: Slots) -> int | None:
        if slots.n_looks == 1:
            others.append(take_back(url))
            return 1
        return None if slots.n_looks < 4 else 0

    slots = Slots(2, pick)
    study = Study(SPACE, RandomSearch(), area, GOAL, store=url, artifacts=False, lease=1.0)
    study.run(trials=6, executor=slots)
    assert sorted(slots.log) == [(0,), (1,), (2,), (3,), (4,), (5,)]
    assert {trial.state for trial in study.trials} == {State.COMPLETE}
    others[0].close()


def test_who_lost_its_place_while_the_database_was_away_follows(tmp_path: Path, monkeypatch: Any) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    study = Study(SPACE, RandomSearch(), area, GOAL, store=url, artifacts=False)
    finish, abandon = study.store.finish_many, study.store.abandon
    others: list[Store] = []
    n_calls = 0

    def fails_once(*args: Any, **options: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 3:
            raise StoreUnavailableError("the server has gone away")
        return finish(*args, **options)

    def another_takes_over() -> None:
        abandon()
        if n_calls == 3:
            others.append(take_back(url))
            assert others[-1].workers.step_up(1)
            others[-1].set_status(1, "done", "by the other one")

    monkeypatch.setattr(study.store, "finish_many", fails_once)
    monkeypatch.setattr(study.store, "abandon", another_takes_over)
    study.run(trials=6, executor=Slots(1))
    assert study.stop_reason == "by the other one"
    assert [trial.state for trial in study.trials][:3] == [State.COMPLETE] * 3
    others[-1].close()


def test_what_was_lost_with_a_batch_is_tried_alone() -> None:
    slots = Slots(1, kills=3)
    study = Study(SPACE, RandomSearch(), Together(), GOAL, artifacts=False)
    study.run(trials=12, executor=slots, batch_size=8)
    assert slots.log[0] == tuple(range(8))
    assert [batch for batch in slots.log if 3 in batch][1:] == [(3,), (3,)]
    states = {trial.number: trial.state for trial in study.trials if trial.state.is_finished}
    assert [number for number, state in states.items() if state == State.FAIL] == [3]


class Repeating(Strategy):
    """Proposes a, b, a, c."""

    def ask(self, n: int) -> Genotypes:
        rows = self.space.sample(8, np.random.default_rng(self.n_asked))
        self.n_asked += n
        return rows[[0, 1, 0, 2][:n]]


def test_a_repeat_that_is_held_back_waits_for_what_it_repeats() -> None:
    evaluator = Together()
    study = Study(SPACE, Repeating(), evaluator, GOAL, artifacts=False)
    study.run(trials=8, executor=Slots(2), batch_size=4)
    assert len(evaluator.seen) == len(set(evaluator.seen))


class Stubborn(Strategy):
    """Proposes one point for ever."""

    def ask(self, n: int) -> Genotypes:
        self.n_asked += n
        return self.space.sample(1, np.random.default_rng(0))[[0] * n]


def test_repeats_of_what_runs_do_not_pile_up() -> None:
    slots = Slots(2, lambda slots: 0 if slots.n_looks > 150 else None)
    study = Study(SPACE, Stubborn(), area, GOAL, artifacts=False, n_stall=20)
    study.run(trials=10, executor=slots)
    assert study.stop_reason == "nothing new came in 20 proposals"
    assert study.store.n_trials(study.id) < 70


class Interrupted(Strategy):
    """Its first ask is broken off."""

    is_first = True

    def ask(self, n: int) -> Genotypes:
        if type(self).is_first:
            type(self).is_first = False
            raise KeyboardInterrupt
        self.n_asked += n
        return self.space.sample(n, self.rng(self.n_asked))


def test_an_ask_that_is_broken_off_bars_no_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    first = Study(SPACE, Interrupted(), None, GOAL, store=url)
    with pytest.raises(KeyboardInterrupt):
        first.ask()
    second = Study(SPACE, Interrupted(), None, GOAL, store=url, resume=True)
    assert second.ask()[0] == 0


def test_what_could_not_be_given_back_is_tried_by_the_next_run(tmp_path: Path, monkeypatch: Any) -> None:
    study: Study
    n_seen = 0

    def score(architecture: Any) -> float:
        nonlocal n_seen
        n_seen += 1
        if n_seen == 2:
            monkeypatch.setattr(study.store.rescue, "let_go", unavailable)
            monkeypatch.setattr(study.store.workers, "leave", unavailable)
            raise KeyboardInterrupt
        return area(architecture)

    def unavailable(*args: Any, **options: Any) -> Any:
        raise StoreUnavailableError("the server has gone away")

    study = Study(SPACE, RandomSearch(), score, GOAL, store=f"sqlite:///{tmp_path}/a.db", artifacts=False)
    with pytest.raises(KeyboardInterrupt):
        study.run(trials=4)
    monkeypatch.undo()
    assert study.store.trial(study.id, 1).state == State.RUNNING
    study.run(trials=4)
    assert [trial.state for trial in study.trials] == [State.COMPLETE] * 4


def test_a_worker_that_takes_the_lead_forgives_what_the_run_forgave(tmp_path: Path) -> None:
    url, is_bad = f"sqlite:///{tmp_path}/a.db", True

    def score(architecture: Any) -> float:
        if is_bad:
            raise RuntimeError("no data")
        return area(architecture)

    def study() -> Study:
        return Study(
            SPACE, RandomSearch(), score, GOAL, store=url, artifacts=False, max_failures=3, resume=True
        )

    study().run(trials=20)
    is_bad = False
    resumed = study()
    resumed.store.set_status(1, "running")  # as a run that ended right where it began
    resumed.store.add_event(1, "run", '{"finished": 3}')
    resumed.work()
    assert resumed.stop_reason == "the budget of 20 evaluations is spent"


@pytest.mark.parametrize("step", [-1, 2**31, 0.5, "ep1", None])
def test_a_step_that_is_none_fails_its_trial(step: Any) -> None:
    class Reports(Evaluator):
        def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
            trial.report(step, {"area": 1.0})
            return {"area": 1.0}

    study = Study(SPACE, RandomSearch(), Reports(), GOAL, artifacts=False)
    study.run(trials=2)
    assert [trial.state for trial in study.trials] == [State.FAIL] * 2
    assert "report: a step is a whole number from 0 to 2147483647" in study.trials[0].reason


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "a\0b", "a\udcff"])
def test_a_file_name_that_is_none_fails_its_trial(name: str, tmp_path: Path) -> None:
    class Writes(Evaluator):
        def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
            trial.artifact(name)
            return {"area": 1.0}

    study = Study(SPACE, RandomSearch(), Writes(), GOAL, artifacts=tmp_path)
    study.run(trials=2)
    assert [trial.state for trial in study.trials] == [State.FAIL] * 2
    assert "an artifact's name is that of a file" in study.trials[0].reason


def test_a_metric_that_no_database_can_name_fails_its_trial() -> None:
    class Odd(Evaluator):
        def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
            return {"area": 1.0, "m\udcff": 2.0}

    study = Study(SPACE, RandomSearch(), Odd(), GOAL, artifacts=False)
    study.run(trials=2)
    assert [trial.state for trial in study.trials] == [State.FAIL] * 2


def test_a_pruner_does_with_what_it_knew_while_the_database_is_away(monkeypatch: Any) -> None:
    class Reports(Evaluator):
        def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
            trial.report(0, {"area": 1.0})
            return {"area": area(architecture)}

    study = Study(SPACE, RandomSearch(), Reports(), GOAL, artifacts=False, pruner=MedianPruner())
    finished, n_calls = study._reports._finished, 0

    def away() -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            raise StoreUnavailableError("the server has gone away")
        return finished()

    monkeypatch.setattr(study._reports, "_finished", away)
    study.run(trials=4)
    assert n_calls == 4
    assert {trial.state for trial in study.trials} == {State.COMPLETE}

"""Batches scored at once, shared commits, architectures that wait, and what the numbers depend on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest

from archloom.contracts import Architecture, Evaluator, Genotypes, Metrics, State, Strategy, Trial
from archloom.errors import SpaceError
from archloom.search_spaces import SearchSpace
from archloom.store import Store
from archloom.strategies import RandomSearch, RegularizedEvolution
from archloom.study import Study


def space(n: int = 6) -> SearchSpace:
    return SearchSpace(pg.Dict(x=pg.oneof(list(range(n))), y=pg.oneof(list(range(n)))))


def value(architecture: Architecture) -> float:
    return float(int(architecture.choices["x"]) * int(architecture.choices["y"]))


class Single(Evaluator):
    gives = ("v",)

    def __init__(self, bad: str = "", stops: bool = False):
        self.bad, self.stops = bad, stops
        self.n_calls: list[int] = []

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        self.n_calls.append(1)
        if architecture.choices["x"] == self.bad:
            raise RuntimeError("boom")
        return {"v": value(architecture)}


class Many(Single):
    def evaluate_many(self, architectures: Sequence[Architecture], trials: Sequence[Trial]) -> list[Metrics]:
        if any(a.choices["x"] == self.bad for a in architectures):
            raise RuntimeError("boom somewhere")
        self.n_calls.append(len(architectures))
        return [{"v": value(a)} for a in architectures]


def told(study: Study) -> list[tuple[Any, ...]]:
    return [(t.number, t.ask, t.text, t.seed, t.state, t.values, t.reused_from) for t in study.trials]


def run(evaluator: Any, trials: int = 24, batch_size: int = 8, **options: Any) -> Study:
    strategy = RegularizedEvolution(population_size=4, sample_size=2)
    made = Study(space(), strategy, evaluator, {"v": "maximize"}, n_stall=10**6, max_failures=100, **options)
    return made.run(trials=trials, batch_size=batch_size, count="proposals")


@pytest.mark.parametrize("duplicates", ["reuse", "skip", "reseed", "average"])
@pytest.mark.parametrize("bad", ["", "3"])
def test_a_batch_is_what_its_trials_are_one_by_one(duplicates: Any, bad: str) -> None:
    one, many = Single(bad), Many(bad)
    assert told(run(many, 100, duplicates=duplicates)) == told(run(one, 100, duplicates=duplicates))
    assert bad or max(many.n_calls) > 1


def test_a_batch_ends_with_the_budget(tmp_path: Path) -> None:
    made = run(Many(), 10, store=tmp_path / "s.db")
    assert made.store.counts(made.id) == {**dict.fromkeys(State, 0), State.COMPLETE: 10, State.WAITING: 6}
    made.run(trials=24, batch_size=8, count="proposals")
    assert told(made) == told(run(Many(), 24))


def test_a_batch_is_one_commit(tmp_path: Path) -> None:
    made = run(Many(), 8, duplicates="reseed", store=tmp_path / "s.db")
    assert len({trial.finished_at for trial in made.trials}) == 1


class Failing(Strategy):
    """Proposes one point, then fails to propose or to learn."""

    def __init__(self, where: str):
        self.where = where

    def ask(self, n: int) -> Genotypes:
        if self.n_asked and self.where == "ask":
            raise RuntimeError("no more ideas")
        self.n_asked += 1
        return self.space.sample(1, self.rng(self.n_asked))

    def tell(self, finished: Any) -> None:
        if self.where == "tell":
            raise RuntimeError("cannot learn")


@pytest.mark.parametrize("where", ["ask", "tell"])
def test_what_has_finished_outlives_a_strategy_that_fails(where: str, tmp_path: Path) -> None:
    made = Study(space(), Failing(where), Single(), {"v": "maximize"}, store=tmp_path / "s.db")
    with pytest.raises(RuntimeError, match=r"no more ideas|cannot learn"):
        made.run(trials=3)
    with closing(sqlite3.connect(tmp_path / "s.db")) as database:
        assert database.execute("SELECT state FROM trials").fetchall() == [("COMPLETE",)]


def test_an_interrupt_while_the_next_trial_is_written_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    from archloom.store.life import Life

    made = Study(space(), RandomSearch(), Single(), {"v": "maximize"})
    whole, calls = Life.add, [0]

    def broken(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == 5:
            raise KeyboardInterrupt
        return whole(*args, **kwargs)

    monkeypatch.setattr(Life, "add", broken)
    with pytest.raises(KeyboardInterrupt):
        made.run(trials=10)
    assert made.run(trials=10).n_evaluations == 10
    fresh = Study(space(), RandomSearch(), Single(), {"v": "maximize"}).run(trials=10)
    assert [t.text for t in made.trials] == [t.text for t in fresh.trials]


def test_enqueued_architectures_come_first_and_the_search_resumes_as_it_was(tmp_path: Path) -> None:
    def fresh(file: str, resume: bool = False) -> Study:
        strategy = RegularizedEvolution(population_size=3, sample_size=2)
        return Study(space(), strategy, Single(), {"v": "maximize"}, store=tmp_path / file, resume=resume)

    def start(file: str) -> Study:
        made = fresh(file)
        assert made.enqueue({"x": "5", "y": "5"}) == 0
        assert made.enqueue(made.space.from_choices({"x": "0", "y": "1"})) == 1
        return made

    whole = start("whole.db").run(trials=12)
    assert [t.text for t in whole.trials[:2]] == ["x=5, y=5", "x=0, y=1"]
    assert [t.ask for t in whole.trials[:3]] == [-1, -1, 0]
    assert whole.best.number == 0
    start("parts.db").run(trials=7).store.close()
    assert told(fresh("parts.db", resume=True).run(trials=12)) == told(whole)


def test_an_enqueued_architecture_must_be_one() -> None:
    made = Study(space(), RandomSearch(), Single(), {"v": "maximize"})
    with pytest.raises(SpaceError, match="x: there is no candidate '7'"):
        made.enqueue({"x": "7", "y": "0"})
    assert made.trials == []


class Measured(Single):
    device = "old laptop"

    def conditions(self) -> Mapping[str, str]:
        return {"device": self.device}


def test_what_numbers_depend_on_is_noted_when_it_changes(tmp_path: Path) -> None:
    for device in ("old laptop", "old laptop", "phone"):
        evaluator = Measured()
        evaluator.device = device
        made = Study(
            space(), RandomSearch(), evaluator, {"v": "maximize"}, store=tmp_path / "s.db", resume=True
        )
        made.store.close()
    with Store(tmp_path / "s.db") as store:
        details = [json.loads(event.detail) for event in store.events(1, "conditions")]
    assert details == [{"Measured": {"device": "old laptop"}}, {"Measured": {"device": "phone"}}]


def test_what_was_claimed_and_had_not_begun_waits_when_the_run_ends() -> None:
    made = Study(space(2), Repeating(), Many(), {"v": "maximize"})
    made.run(trials=1, batch_size=4)
    assert made.store.counts(made.id)[State.RUNNING] == 0
    assert made.ask()[0] == 1


class Repeating(Strategy):
    """Proposes the same point again and again."""

    def ask(self, n: int) -> Genotypes:
        self.n_asked += n
        return self.space.enumerate()[[0] * n]

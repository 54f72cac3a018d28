# SPDX-License-Identifier: Apache-2.0
"""A study goes on after a correction as if the wrong result had never been told, running or resumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom import supply
from archloom.contracts import Architecture, Evaluator, Finished, Genotypes, Metrics, State, Strategy, Trial
from archloom.search_spaces import SearchSpace
from archloom.store import Store, TrialRecord
from archloom.store.corrections import Corrections
from archloom.study import Study

N = 50


class Listening(Strategy):
    """Walks through the space and keeps what it was told, by number."""

    def __init__(self) -> None:
        self.heard: dict[int, float] = {}
        self.n_setups = 0

    def setup(self, space: Any, objectives: Sequence[Any], seed: int) -> None:
        super().setup(space, objectives, seed)
        self.heard.clear()
        self.n_setups += 1

    def ask(self, n: int) -> Genotypes:
        first, self.n_asked = self.n_asked, self.n_asked + n
        choices = np.arange(first, min(first + n, N), dtype=np.int16)[:, None]
        return Genotypes(choices, np.empty((len(choices), 0)))

    def tell(self, finished: Finished) -> None:
        self.heard |= dict(zip(finished.numbers.tolist(), finished.values[:, 0].tolist(), strict=True))


class Flawed(Evaluator):
    """The very first score is far too high."""

    gives = ("score",)

    def __init__(self) -> None:
        self.texts: list[str] = []

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        self.texts.append(architecture.text)
        return {"score": 1000.0 if trial.number == 0 else float(architecture.value.x)}


def _study(store: Path, strategy: Strategy, evaluator: Evaluator, *, resume: bool = False) -> Study:
    space = SearchSpace(pg.Dict(x=pg.oneof(list(range(N)))))
    return Study(space, strategy, evaluator, {"score": "maximize"}, store=store, resume=resume)


def _when(n: int, act: Callable[[Study], object]) -> Callable[[Study, TrialRecord], None]:
    """Return a callback that acts once, when trial ``n`` has ended."""

    def callback(study: Study, trial: TrialRecord) -> None:
        if trial.number == n and trial.state == State.COMPLETE:
            act(study)

    return callback


def _elsewhere(path: Path, kind: str, numbers: Sequence[int]) -> Callable[[Study], object]:
    """Return what corrects trials through a store of its own, as another process would."""

    def act(study: Study) -> None:
        with Store(path) as store:
            getattr(Corrections(store, study.id), kind)(numbers, "a driver bug")

    return act


@pytest.fixture
def heedful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply, "HEED", 0.0)


@pytest.mark.usefixtures("heedful")
def test_a_running_study_learns_anew_when_a_trial_is_invalidated(tmp_path: Path) -> None:
    path, strategy = tmp_path / "s.db", Listening()
    study = _study(path, strategy, Flawed())
    study.run(trials=10, callbacks=[_when(4, _elsewhere(path, "invalidate", [0, 2]))])
    assert strategy.n_setups == 3  # to see whether it fits, at the start, and after the correction
    # The budget counts what counts: two more were evaluated in place of those that were wrong.
    assert strategy.heard == {number: float(number) for number in range(12) if number not in (0, 2)}
    assert (study.n_evaluations, len(study.trials)) == (10, 12)
    assert [trial.number for trial in study.pareto] == [11]
    assert study.best.number == 11


@pytest.mark.usefixtures("heedful")
def test_a_running_study_evaluates_again_what_is_to_be(tmp_path: Path) -> None:
    path, strategy, evaluator = tmp_path / "s.db", Listening(), Flawed()
    study = _study(path, strategy, evaluator)
    study.run(trials=8, callbacks=[_when(3, _elsewhere(path, "reevaluate", [0]))])
    again = next(trial for trial in study.trials if trial.ask == -1)
    assert (again.state, again.metrics, again.text) == (State.COMPLETE, {"score": 0.0}, "x=0")
    assert evaluator.texts.count("x=0") == 2
    assert strategy.heard == {t.number: float(t.text[2:]) for t in study.trials if t.number}
    assert study.n_evaluations == 8


@pytest.mark.usefixtures("heedful")
def test_a_leader_with_other_workers_learns_anew_too(tmp_path: Path) -> None:
    path, strategy = tmp_path / "s.db", Listening()
    study = _study(path, strategy, Flawed())
    with Store(path) as elsewhere:
        elsewhere.workers.join(study.id)  # is there, and takes no trial
        study.run(trials=8, callbacks=[_when(3, _elsewhere(path, "reevaluate", [0]))])
    assert study.n_evaluations == 8
    counting = [t for t in study.trials if not t.excluded and t.state == State.COMPLETE]
    assert strategy.heard == {t.number: float(t.text[2:]) for t in counting}
    assert [t.text for t in counting if t.ask == -1] == ["x=0"]


@pytest.mark.usefixtures("heedful")
def test_a_tag_is_no_reason_to_learn_anew(tmp_path: Path) -> None:
    path, strategy = tmp_path / "s.db", Listening()

    def tag(study: Study) -> None:
        with Store(path) as store:
            Corrections(store, study.id).tag([0], "odd")

    _study(path, strategy, Flawed()).run(trials=6, callbacks=[_when(2, tag)])
    assert strategy.n_setups == 2  # to see whether it fits, and at the start


def test_a_resumed_study_is_not_told_of_what_was_invalidated(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    study = _study(path, Listening(), Flawed())
    study.run(trials=5)
    _elsewhere(path, "reevaluate", [0])(study)
    strategy = Listening()
    resumed = _study(path, strategy, Flawed(), resume=True)
    resumed.run(trials=7)
    assert resumed.trials[5].metrics == {"score": 0.0}  # the one that waited comes first
    assert 0 not in strategy.heard
    assert resumed.n_evaluations == 7
    assert [trial.text for trial in resumed.trials[6:]] == ["x=5", "x=6"]  # and goes on where it was


def test_what_happens_in_the_last_moment_of_a_run_is_seen_by_the_next(tmp_path: Path) -> None:
    path, strategy = tmp_path / "s.db", Listening()
    study = _study(path, strategy, Flawed())
    study.run(trials=5, callbacks=[_when(4, _elsewhere(path, "invalidate", [0]))])
    study.run(trials=6)
    assert 0 not in strategy.heard
    assert study.n_evaluations == 6


def test_ask_and_tell_learn_anew_too(tmp_path: Path) -> None:
    path, strategy = tmp_path / "s.db", Listening()
    study = _study(path, strategy, Flawed())
    for score in (1000.0, 1.0):
        study.tell(study.ask()[0], score)
    number, _ = study.ask()
    _elsewhere(path, "invalidate", [0])(study)
    study.tell(number, 2.0)
    study.ask()
    assert strategy.heard == {1: 1.0, 2: 2.0}


def test_a_repeat_is_not_served_what_was_invalidated(tmp_path: Path) -> None:
    path, evaluator = tmp_path / "s.db", Flawed()
    study = _study(path, Listening(), evaluator)
    study.run(trials=3)
    study.enqueue({"x": "0"})
    _elsewhere(path, "invalidate", [0])(study)
    study.run(trials=4)
    assert (study.trials[3].metrics, study.trials[3].reused_from) == ({"score": 0.0}, None)
    assert evaluator.texts.count("x=0") == 2

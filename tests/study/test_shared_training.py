"""What all trials share is trained once: recorded, found again, waited for, and never lost."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest

from archloom import Study
from archloom.contracts import Architecture, Evaluator, Metrics, SharedRun, Trial
from archloom.errors import ArchloomError
from archloom.executors.processes import ProcessExecutor
from archloom.search_spaces import SearchSpace
from archloom.strategies import RandomSearch


class Taught(Evaluator):
    """Scores by a number that it has learned, and counts how often it learns."""

    gives = ("score",)
    shares = "lesson"

    def __init__(self, trouble: BaseException | None = None, seconds: float = 0.0):
        self.trouble, self.seconds = trouble, seconds
        self.n_trained = self.n_loaded = 0
        self.lesson: int | None = None

    def train(self, run: SharedRun) -> None:
        self.n_trained += 1
        for epoch in (1, 2):
            run.report(epoch, {"train/loss": 1.0 / epoch})
            time.sleep(self.seconds)
            if self.trouble is not None:
                raise self.trouble
        self.lesson = run.seed % 1000
        if run.folder is not None:
            run.folder.mkdir(parents=True, exist_ok=True)
            (run.folder / "lesson").write_text(str(self.lesson))

    def load(self, run: SharedRun) -> None:
        assert run.folder is not None
        self.n_loaded += 1
        self.lesson = int((run.folder / "lesson").read_text())

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        assert self.lesson is not None
        return {"score": float(architecture.value.x + self.lesson)}


def study(evaluator: Evaluator, store: Any, **options: Any) -> Study:
    space = SearchSpace(pg.Dict(x=pg.oneof(list(range(20)))))
    return Study(space, RandomSearch(), evaluator, {"score": "maximize"}, store=store, resume=True, **options)


def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'a.db'}"


def test_it_is_a_run_with_a_curve(tmp_path: Path) -> None:
    taught = Taught()
    done = study(taught, url(tmp_path)).run(trials=3)
    (run,) = done.store.runs.records(done.id)
    assert (run.name, run.state, run.worker, run.reason) == ("lesson", "COMPLETE", None, "")
    assert run.checkpoint == str(tmp_path / "a-artifacts" / "study" / "lesson")
    assert run.seconds is not None
    assert done.store.runs.curve(run.id) == {1: {"train/loss": 1.0}, 2: {"train/loss": 0.5}}
    assert done.n_evaluations == 3


def test_it_is_trained_once_and_then_loaded(tmp_path: Path) -> None:
    first = Taught()
    whole = study(first, url(tmp_path)).run(trials=3).run(trials=5)
    assert (first.n_trained, first.n_loaded) == (1, 0)
    whole.store.close()
    second = Taught()
    more = study(second, url(tmp_path)).run(trials=8)
    assert (second.n_trained, second.n_loaded) == (0, 1)
    assert second.lesson == first.lesson
    assert len(more.store.runs.records(more.id)) == 1


def test_a_store_in_memory_keeps_no_checkpoint() -> None:
    taught = Taught()
    done = study(taught, None).run(trials=2)
    assert done.store.runs.records(done.id)[0].checkpoint == ""
    assert taught.n_trained == 1


def test_without_artifacts_each_process_trains_for_itself(tmp_path: Path) -> None:
    study(Taught(), url(tmp_path), artifacts=False).run(trials=2).store.close()
    again = Taught()
    study(again, url(tmp_path), artifacts=False).run(trials=4)
    assert again.n_trained == 1


def test_a_failure_is_recorded_and_tried_again(tmp_path: Path) -> None:
    failing = study(Taught(ValueError("the loss is nan")), url(tmp_path))
    with pytest.raises(ArchloomError, match="the lesson could not be trained: the loss is nan"):
        failing.run(trials=2)
    (run,) = failing.store.runs.records(failing.id)
    assert (run.state, run.reason) == ("FAIL", "ValueError: the loss is nan")
    assert failing.n_proposals == 0
    failing.store.close()
    done = study(Taught(), url(tmp_path)).run(trials=2)
    (run,) = done.store.runs.records(done.id)
    assert (run.state, run.reason) == ("COMPLETE", "")


def test_an_interrupt_leaves_it_waiting(tmp_path: Path) -> None:
    broken = study(Taught(KeyboardInterrupt()), url(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        broken.run(trials=2)
    (run,) = broken.store.runs.records(broken.id)
    assert (run.state, run.worker, run.reason) == ("WAITING", None, "KeyboardInterrupt ended the run")
    assert broken.run is not None
    broken.store.close()
    study(Taught(), url(tmp_path)).run(trials=2)


@pytest.mark.slow
def test_processes_get_what_was_trained(tmp_path: Path) -> None:
    taught = Taught()
    done = study(taught, url(tmp_path)).run(trials=4, executor=ProcessExecutor(2))
    assert done.n_evaluations == 4
    assert {t.state for t in done.trials} == {"COMPLETE"}
    assert all(t.metrics["score"] == int(t.choices["x"]) + (taught.lesson or 0) for t in done.trials)


@pytest.mark.slow
def test_another_worker_waits_for_the_one_that_trains(tmp_path: Path) -> None:
    first, second = Taught(seconds=1.0), Taught()
    leader = study(first, url(tmp_path), lease=5)
    thread = threading.Thread(target=lambda: leader.run(trials=6))
    thread.start()
    joined = study(second, url(tmp_path), lease=5)
    while not joined.store.runs.records(joined.id):
        time.sleep(0.05)
    joined.work(minutes=1)
    thread.join()
    assert (first.n_trained, second.n_trained, second.n_loaded) == (1, 0, 1)
    assert joined.store.standing(joined.id).status == "done"


def test_what_a_dead_worker_was_training_is_taken_over(tmp_path: Path) -> None:
    begun = study(Taught(), url(tmp_path))
    run = begun.store.runs.open(begun.id, "lesson", 5)
    assert begun.store.runs.begin(begun.id, run)
    (held,) = begun.store.runs.records(begun.id)
    assert held.state == "RUNNING"
    assert not begun.store.runs.begin(begun.id, run)  # seen before it was begun
    begun.store.close()  # says goodbye
    taught = Taught()
    done = study(taught, url(tmp_path)).run(trials=2)
    (run,) = done.store.runs.records(done.id)
    assert (run.state, run.seed, run.n_lost, taught.n_trained) == ("COMPLETE", 5, 1, 1)

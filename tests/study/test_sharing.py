# SPDX-License-Identifier: Apache-2.0
"""Several processes on one study: one proposes, all evaluate, and who is gone is made up for."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest

from archloom import SearchSpace, Study
from archloom.contracts import Architecture, State
from archloom.errors import StoreUnavailableError, StudyBusyError
from archloom.executors import ProcessExecutor
from archloom.store import Store, records
from archloom.strategies import RandomSearch, RegularizedEvolution

HEAD = """
import os, sys, time
import pyglove as pg
from archloom import SearchSpace, Study
from archloom.strategies import RandomSearch, RegularizedEvolution

space = SearchSpace(pg.List([pg.oneof(list(range(5))) for _ in range(6)]))

def study(score, **options):
    return Study(space, options.pop("strategy", None) or RandomSearch(), score, {"v": "maximize"},
                 store=sys.argv[1], resume=True, artifacts=False, **options)

def quick(architecture, trial):
    for step in range(3):
        trial.report(step, {"v": float(step)})
    return float(sum(map(int, architecture.choices.values())))

def slow(architecture):
    time.sleep(float(os.environ.get("SECONDS", "0.05")))
    return float(sum(map(int, architecture.choices.values())))

"""


def start(body: str, path: Path | str, **environment: str) -> subprocess.Popen[str]:
    program = HEAD + textwrap.dedent(body)
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**__import__("os").environ, **environment},
    )


def ended(process: subprocess.Popen[str]) -> str:
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    return out.strip()


def until(path: Path | str, n: int, seconds: float = 30.0) -> None:
    """Wait until ``n`` trials have ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if Path(path).exists():
            with Store(path) as store:
                found = store.studies()
                if found and found[0].id is not None and store.n_finished(found[0].id) >= n:
                    return
        time.sleep(0.05)
    raise AssertionError(f"{n} trials had not ended after {seconds} s")


def until_at_work(path: Path, pid: int, seconds: float = 30.0) -> None:
    """Wait until a process has a trial."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with Store(path) as store:
            its = {worker.id for worker in store.workers.records(1) if worker.pid == pid}
            if any(trial.worker in its for trial in store.trials(1, states=[State.RUNNING])):
                return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} had no trial after {seconds} s")


def check(path: Path | str, n: int) -> list[records.TrialRecord]:
    """Return the finished trials: ``n``, numbered densely in the order of their end, none twice."""
    with Store(path) as store:
        study = store.studies()[0].id
        assert study is not None
        trials = store.trials(study)
        assert [trial.number for trial in trials] == list(range(len(trials)))
        finished = store.finished_since(study, 0)
        assert [trial.finish_order for trial in finished] == list(range(len(finished)))
        assert Counter(trial.state for trial in finished) == {State.COMPLETE: n}
        assert not [trial for trial in trials if trial.state == State.RUNNING]
        assert len({trial.key for trial in finished}) == n
    return finished


@pytest.mark.slow
def test_workers_share_a_study(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    driver = start("print(study(quick).run(trials=120).stop_reason)", path)
    until(path, 1)
    helpers = [start("print(study(quick).work().n_evaluations)", path) for _ in range(2)]
    assert ended(driver) == "the budget of 120 evaluations is spent"
    assert all(int(ended(helper)) <= 120 for helper in helpers)
    finished = check(path, 120)
    with Store(path) as store:
        curves = store.curves(1, "v")
        assert {number: list(curve) for number, curve in curves.items()} == {
            trial.number: [0, 1, 2] for trial in finished
        }


@pytest.mark.slow
def test_a_worker_takes_the_place_of_a_driver_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    driver = start("study(slow).run(trials=40)", path)
    until(path, 2)
    helper = start("s = study(slow, lease=2.0).work(); print(s.stop_reason)", path)
    until(path, 8)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    assert ended(helper) == "the budget of 40 evaluations is spent"
    check(path, 40)


@pytest.mark.slow
def test_trials_of_a_worker_that_was_killed_are_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    driver = start("study(slow).run(trials=60)", path, SECONDS="0.2")
    until(path, 1)
    helper = start("study(slow).work()", path, SECONDS="100")
    until_at_work(path, helper.pid)
    helper.send_signal(signal.SIGKILL)
    helper.communicate()
    ended(driver)
    finished = check(path, 60)
    assert sum(trial.n_lost for trial in finished) == 1


@pytest.mark.slow
def test_two_drivers_are_one_too_many(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    driver = start("study(slow).run(trials=60)", path, SECONDS="0.1")
    until(path, 1)
    second = start("study(slow).run(trials=20)", path)
    _, error = second.communicate(timeout=30)
    assert second.returncode == 1
    assert f"is being run by process {driver.pid}" in error.splitlines()[-1]
    assert f"join it with `search worker study --store sqlite:///{path}`" in error
    ended(driver)
    check(path, 60)


@pytest.mark.slow
def test_the_search_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    strategy = "RegularizedEvolution(population_size=6, sample_size=3)"
    body = f"study(slow, strategy={strategy}).run(trials=40, batch_size=5)"
    whole, broken = tmp_path / "whole.db", tmp_path / "broken.db"
    ended(start(body, whole, SECONDS="0"))
    killed = start(body, broken, SECONDS="0.05")
    until(broken, 17)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    ended(start(body, broken, SECONDS="0"))
    told = [[(t.number, t.text, t.ask, t.values) for t in run] for run in (rows(whole), rows(broken))]
    assert told[0] == told[1]


def rows(path: Path) -> list[records.TrialRecord]:
    with Store(path) as store:
        return store.finished_since(1, 0)


SPACE = SearchSpace(pg.List([pg.oneof(list(range(5))) for _ in range(4)]))


def total(architecture: Architecture) -> float:
    return float(sum(map(int, architecture.choices.values())))


def study(store: Any, **options: Any) -> Study:
    strategy = options.pop("strategy", None) or RandomSearch()
    score = options.pop("score", total)
    return Study(SPACE, strategy, score, {"v": "maximize"}, store=store, artifacts=False, **options)


def test_a_study_in_this_process_is_busy_too(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    refused: list[str] = []

    def during(architecture: Architecture) -> float:
        if not refused:
            with pytest.raises(StudyBusyError) as caught:
                study(path, resume=True).run(trials=1)
            refused.append(str(caught.value))
        return total(architecture)

    study(path, score=during).run(trials=3)
    assert "is being run by process" in refused[0]
    check(path, 3)


def test_processes_give_what_one_gives(tmp_path: Path) -> None:
    one = study(None).run(trials=12)
    several = study(tmp_path / "s.db").run(trials=12, executor=ProcessExecutor(2))
    told = [{(t.number, t.text, t.seed, t.values) for t in made.trials} for made in (one, several)]
    assert told[0] == told[1]


def test_a_trial_that_kills_its_process_fails_in_the_end(tmp_path: Path) -> None:
    def deadly(architecture: Architecture) -> float:
        if architecture.choices["[0]"] == "3":
            import os

            os._exit(9)
        return total(architecture)

    made = study(tmp_path / "s.db", score=deadly, retries=1, max_failures=99)
    made.run(trials=16, executor=ProcessExecutor(2))
    failed = [trial for trial in made.trials if trial.state == State.FAIL]
    assert failed
    assert {trial.choices["[0]"] for trial in failed} == {"3"}
    assert {trial.n_lost for trial in failed} == {1}
    assert all("ended with code 9" in trial.reason for trial in failed)
    assert {trial.state for trial in made.trials if trial.choices["[0]"] != "3"} == {State.COMPLETE}


def test_repeats_are_not_evaluated_side_by_side(tmp_path: Path) -> None:
    space = SearchSpace(pg.List([pg.oneof([0, 1]) for _ in range(2)]))
    log = tmp_path / "log"

    def score(architecture: Architecture) -> float:
        time.sleep(0.01)
        with log.open("a") as file:
            file.write(architecture.text + "\n")
        return total(architecture)

    strategy = RegularizedEvolution(population_size=2, sample_size=1)
    made = Study(
        space, strategy, score, {"v": "maximize"}, store=tmp_path / "s.db", artifacts=False, n_stall=40
    )
    made.run(trials=50, executor=ProcessExecutor(2))
    lines = log.read_text().splitlines()
    assert len(lines) == len(set(lines)) == made.n_evaluations


def test_a_run_waits_for_a_database_that_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    from archloom.store import connect

    monkeypatch.setattr(connect, "_TIMEOUT", 0.05)
    path = tmp_path / "s.db"
    blocker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    release = threading.Timer(0.6, lambda: blocker.execute("ROLLBACK"))
    calls: list[str] = []

    def score(architecture: Architecture) -> float:
        calls.append(architecture.text)
        if len(calls) == 4:
            blocker.execute("BEGIN IMMEDIATE")
            release.start()
        return total(architecture)

    study(path, score=score).run(trials=8)
    release.join()
    blocker.close()
    check(path, 8)
    assert len(calls) == 8


def test_patience_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archloom import study as module

    monkeypatch.setattr(module, "PATIENCE", 0.2)
    made = study(tmp_path / "s.db")
    made.run(trials=2)

    def locked(*arguments: Any, **options: Any) -> Any:
        raise StoreUnavailableError("the database is locked")

    monkeypatch.setattr(made.store, "finish_many", locked)
    monkeypatch.setattr(made.store.rescue, "let_go", locked)
    with pytest.raises(StoreUnavailableError, match="locked"):
        made.run(trials=4)


def test_two_that_ask_in_turn_never_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    one, other = study(path), study(path, resume=True)
    first, second = one.ask(), other.ask()
    one.tell(first[0], 1.0)
    third = one.ask()
    assert [first[0], second[0], third[0]] == [0, 1, 2]
    assert len({first[1].text, second[1].text, third[1].text}) == 3
    with Store(path) as store:
        assert [trial.ask for trial in store.trials(1)] == [0, 1, 2]


def test_a_closed_store_gives_no_sign_of_life(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    made = study(path, lease=0.2)
    made.ask()
    made.store.close()
    time.sleep(0.3)
    with Store(path) as store:
        (worker,) = store.workers.records(1)
        assert worker.ended_at is not None


def test_minutes_end_a_shared_run_too(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    def slow(architecture: Architecture) -> float:
        time.sleep(0.05)
        return total(architecture)

    made = study(path, score=slow)
    with Store(path) as store:
        store.workers.join(1, n_slots=30)  # for which much is proposed ahead
        began = time.monotonic()
        made.run(minutes=0.3 / 60)
        assert time.monotonic() - began < 3
        assert store.n_open(1)[State.WAITING] > 0
    assert "minutes is spent" in made.stop_reason


def test_failures_of_an_earlier_run_are_forgiven_even_when_the_books_are_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    is_broken = [True]

    def score(architecture: Architecture) -> float:
        if is_broken[0]:
            raise ValueError("broken")
        return total(architecture)

    made = study(path, score=score, max_failures=3)
    assert "3 trials in a row failed" in made.run(trials=9).stop_reason
    is_broken[0] = False
    finish, calls = made.store.finish_many, [0]

    def hiccup(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == 1:
            raise StoreUnavailableError("the database did not answer")
        return finish(*arguments, **options)

    made.store.finish_many = hiccup  # type: ignore[method-assign]
    assert made.run(trials=9).stop_reason == "the budget of 9 evaluations is spent"

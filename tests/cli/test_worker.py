# SPDX-License-Identifier: Apache-2.0
"""`search worker` and `search resume`: several processes on one study, from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archloom.contracts import State
from archloom.store import Store, StudyRecord
from archloom.testing.stores import study_record

SEARCH = str(Path(sys.executable).with_name("search"))
FILE = """
study: sums
space: {oneof: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]}
strategy: random
evaluator: {name: function, function: "sums:score", metric: v}
objectives: {v: maximize}
budget: {trials: 12}
store: sqlite:///sums.db
"""
MODULE = """
import os, time

def score(architecture):
    time.sleep(float(os.environ.get("SECONDS", "0")))
    return sum(map(int, architecture.choices.values()))
"""


STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "sums.yaml").write_text(FILE)
    (tmp_path / "sums.py").write_text(MODULE)
    yield tmp_path
    while STARTED:  # where a test failed, some may still run
        process = STARTED.pop()
        process.kill()
        process.communicate()


def start(folder: Path, *words: str, seconds: float = 0.0) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [SEARCH, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SECONDS": str(seconds)},
    )
    STARTED.append(process)
    return process


def search(folder: Path, *words: str, code: int = 0) -> tuple[str, str]:
    process = start(folder, *words)
    out, error = process.communicate(timeout=60)
    assert process.returncode == code, out + error
    return out, error


def finished(folder: Path) -> int:
    with Store(folder / "sums.db") as store:
        return store.n_finished(1)


def wait_for(folder: Path, n: int) -> None:
    end = time.monotonic() + 40
    while time.monotonic() < end:
        if (folder / "sums.db").exists() and finished(folder) >= n:
            return
        time.sleep(0.05)
    raise AssertionError(f"{n} trials had not ended")


@pytest.mark.slow
def test_a_study_goes_on_from_the_store_alone(folder: Path) -> None:
    search(folder, "run", "sums.yaml", "budget.trials=4", "-q")
    (folder / "sums.yaml").unlink()
    _, error = search(folder, "resume", "sums", "--store", "sums.db", "budget.trials=9", code=2)
    assert "the database asks to import or run sums:score" in error
    assert "--trust" in error
    out, _ = search(
        folder, "resume", "sums", "--store", "sums.db", "budget.trials=9", "--trust", "-q", "-f", "json"
    )
    told = json.loads(out)
    assert (told["n_evaluations"], told["stop_reason"]) == (9, "the budget of 9 evaluations is spent")


@pytest.mark.slow
def test_what_was_not_made_from_a_file_is_not_resumed_here(folder: Path) -> None:
    with Store(folder / "sums.db") as store:
        record = study_record("by hand")
        store.create_study(StudyRecord(record.name, record.seed, record.objectives))
    for verb in ("resume", "worker"):
        _, error = search(folder, verb, "by hand", "--store", "sums.db", code=1)
        assert "was not made from a study file" in error
    _, error = search(folder, "resume", "by hnd", "--store", "sums.db", code=1)
    assert "did you mean 'by hand'?" in error


@pytest.mark.slow
def test_overrides_say_which_study_of_a_file_goes_on(folder: Path) -> None:
    other = ("study=other", "store=sqlite:///other.db")
    search(folder, "run", "sums.yaml", *other, "budget.trials=2", "-q")
    out, _ = search(folder, "resume", "sums.yaml", *other, "budget.trials=5", "-q")
    assert "5 evaluated of 5 proposed" in out
    assert "search best other -n 10 --store sqlite:///other.db" in out
    _, error = search(folder, "resume", "sums.yaml", "study=othr", other[1], code=1)
    assert "no study 'othr' in sqlite:///other.db; did you mean 'other'?" in error
    # What is spent already is no smaller for being resumed with less.
    search(folder, "resume", "sums.yaml", *other, "budget.trials=3", "-q")
    with Store(folder / "other.db") as store:
        assert [study.name for study in store.studies()] == ["other"]
        assert store.standing(1).max_trials == 5
    assert not (folder / "sums.db").exists()


@pytest.mark.slow
def test_what_waits_is_evaluated_by_the_command_that_is_named(folder: Path) -> None:
    search(folder, "run", "sums.yaml", "budget.trials=14", "-q")
    out, _ = search(folder, "trials", "reevaluate", "sums.yaml", "3", "--reason", "noise")
    assert "evaluate what waits: search resume sums.yaml budget.trials=14" in out
    search(folder, "resume", "sums.yaml", "budget.trials=14", "-q")
    row = json.loads(search(folder, "status", "sums.yaml", "-f", "json")[0])
    assert row["counts"]["WAITING"] == 0
    assert (row["view"], row["n_evaluations"]) == ("wide_sums", 14)


@pytest.mark.slow
def test_a_worker_waits_helps_and_ends_with_the_study(folder: Path) -> None:
    worker = start(folder, "worker", "sums.yaml", "--wait", "-f", "json", seconds=0.2)
    assert worker.stderr is not None
    waits = "Waiting: cannot open sqlite:///sums.db: there is no file sums.db\n"
    assert worker.stderr.readline() == waits
    driver = start(folder, "run", "sums.yaml", "budget.trials=20", seconds=0.2)
    out, error = driver.communicate(timeout=90)
    assert driver.returncode == 0, error
    told, error = worker.communicate(timeout=60)
    assert worker.returncode == 0, error
    answer = json.loads(told)
    assert (answer["study"], answer["status"]) == ("sums", "done")
    assert answer["reason"] == "the budget of 20 evaluations is spent"
    assert 0 < answer["n_trials"] < 20
    assert "20 evaluated of 20 proposed" in out
    _, error = search(folder, "worker", "sums.yaml", code=1)
    assert "is done (the budget of 20 evaluations is spent): go on with " in error
    assert "`search resume sums --store sqlite:///sums.db`" in error


@pytest.mark.slow
def test_status_tells_a_run_from_one_that_was_killed(folder: Path) -> None:
    driver = start(folder, "run", "sums.yaml", seconds=3)
    wait_for(folder, 1)
    out, _ = search(folder, "status", "sums.yaml")
    assert f"process {driver.pid} on" in out
    assert "proposes and evaluates" in " ".join(out.split())
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    row = json.loads(search(folder, "status", "sums.yaml", "-f", "json")[0])
    assert row["status"] == "killed"
    assert [worker["is_gone"] for worker in row["workers"]] == [True]
    search(folder, "resume", "sums.yaml", "-q")
    row = json.loads(search(folder, "status", "sums.yaml", "-f", "json")[0])
    assert (row["status"], row["workers"]) == ("done", [])
    with Store(folder / "sums.db") as store:
        assert store.counts(1)[State.COMPLETE] == 12


@pytest.mark.slow
def test_a_study_in_several_processes(folder: Path) -> None:
    out, _ = search(folder, "run", "sums.yaml", "executor.processes=2", "-q", "-f", "json")
    several = json.loads(out)
    out, _ = search(folder, "run", "sums.yaml", "study=one", "-q", "-f", "json")
    one = json.loads(out)
    told = [{(t["number"], t["architecture"], t["seed"]) for t in run["trials"]} for run in (several, one)]
    assert told[0] == told[1]
    _, error = search(folder, "run", "sums.yaml", "study=no", "executor.devices=[cpx]", code=2)
    assert "device 'cpx' cannot be used here" in error
    _, error = search(folder, "run", "sums.yaml", "study=no", "executor.proceses=2", code=2)
    assert "processes" in error


@pytest.mark.slow
def test_ctrl_c_on_a_worker_leaves_its_trials_to_others(folder: Path) -> None:
    driver = start(folder, "run", "sums.yaml", "budget.trials=24", seconds=2)
    wait_for(folder, 1)
    worker = start(folder, "worker", "sums.yaml", seconds=2)
    end = time.monotonic() + 30
    with Store(folder / "sums.db") as store:
        while len(store.workers.records(1)) < 2 and time.monotonic() < end:
            time.sleep(0.05)
    time.sleep(0.3)
    for process in (worker, driver):
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
        assert process.returncode == 130, error
        assert ("the rest others will try" in error) == (process is worker)
    out, _ = search(folder, "resume", "sums.yaml", "budget.trials=24")
    assert "24 evaluated of" in out

# SPDX-License-Identifier: Apache-2.0
"""Processes: what they are given, what they inherit, and how wrong use is answered."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from archloom.contracts import Job, Metrics
from archloom.errors import ArchloomError, ConfigError
from archloom.executors.processes import ProcessExecutor


def test_each_process_is_pinned_to_its_device(start: Any) -> None:
    def evaluate(jobs: Any, device: str, on_report: Any) -> list[Any]:
        on_report(jobs[0].number, 0, {})  # so that each process has one at a time
        return [(device, os.getpid())]

    executor = start(evaluate, processes=3, devices=("meta:0", "meta:1"))
    seen: set[tuple[str, int]] = set()
    for round_ in range(3):
        for i in range(3):
            executor.submit([Job(3 * round_ + i, {}, 0)])
        for _ in range(3):
            seen.add(executor.next_finished(60).outcomes[0])
    assert len({pid for _, pid in seen}) == 3
    assert Counter(device for device, _ in seen) == {"meta:0": 2, "meta:1": 1}


def test_two_processes_work_at_the_same_time(start: Any, tmp_path: Path) -> None:
    def evaluate(jobs: Any, device: str, on_report: Any) -> list[bool]:
        (tmp_path / str(jobs[0].number)).touch()
        until = time.monotonic() + 30
        while time.monotonic() < until and not (tmp_path / str(1 - jobs[0].number)).exists():
            time.sleep(0.005)
        return [(tmp_path / str(1 - jobs[0].number)).exists()]

    executor = start(evaluate, processes=2)
    for number in (0, 1):
        executor.submit([Job(number, {}, 0)])
    assert [executor.next_finished(60).outcomes for _ in (0, 1)] == [[True], [True]]


def test_reports_of_two_processes_are_heard_in_turn(start: Any) -> None:
    heard: list[tuple[int, int]] = []
    threads: set[threading.Thread] = set()

    def on_report(number: int, step: int, metrics: Metrics) -> bool:
        heard.append((number, step))
        threads.add(threading.current_thread())
        return number == 1 and step == 2

    def evaluate(jobs: Any, device: str, on_report: Any) -> list[int]:
        number = jobs[0].number
        return [sum(not on_report(number, step, {"loss": 0.5}) for step in range(10))]

    executor = start(evaluate, on_report, processes=2)
    executor.submit([Job(0, {}, 0)])
    executor.submit([Job(1, {}, 0)])
    done = [executor.next_finished(60) for _ in (0, 1)]
    assert {d.numbers[0]: d.outcomes for d in done} == {0: [10], 1: [9]}
    assert [step for number, step in heard if number == 0] == list(range(10))
    assert [step for number, step in heard if number == 1] == list(range(10))
    assert threads == {threading.current_thread()}


def test_a_timeout_is_kept_while_reports_come(start: Any, outcome: Any) -> None:
    def evaluate(jobs: Any, device: str, on_report: Any) -> list[int]:
        steps = 0
        while jobs[0].choices["op"] and not on_report(jobs[0].number, steps, {"loss": 0.0}):
            steps += 1
        return [steps]

    is_over: list[bool] = []
    executor = start(evaluate, lambda *_: bool(is_over))
    outcome(executor)  # it is ready now
    executor.submit([Job(1, {"op": "long"}, 0)])
    started = time.monotonic()
    assert executor.next_finished(0.1) is None
    assert 0.1 <= time.monotonic() - started < 5
    is_over.append(True)
    assert executor.next_finished(60).outcomes[0] > 3


def test_classes_of_a_function_come_back_as_themselves(start: Any, outcome: Any) -> None:
    class Result:
        def __init__(self, double: int) -> None:
            self.double = double

    factor = 2

    def evaluate(jobs: Any, device: str, on_report: Any) -> list[Result]:
        return [Result(factor * job.number) for job in jobs]

    result = outcome(start(evaluate), 21).outcomes[0]
    assert type(result) is Result
    assert result.double == 42


def test_an_outcome_that_cannot_be_sent_is_an_error(start: Any, outcome: Any) -> None:
    executor = start(lambda jobs, device, on_report: [(n for n in range(3)) if jobs[0].number else "fine"])
    with pytest.raises(ArchloomError, match=r"(?s)trial 7 in process \d+ broke off.*generator"):
        outcome(executor, 7)
    assert outcome(executor, 0).outcomes == ["fine"]


def test_an_architecture_stays_at_home(start: Any) -> None:
    executor = start(lambda jobs, device, on_report: [job.architecture for job in jobs])
    lock: Any = threading.Lock()  # which cannot be shipped
    executor.submit([Job(0, {}, 0, architecture=lambda: lock)])
    assert executor.next_finished(60).outcomes == [None]


def test_a_process_inherits_path_folder_and_environment(
    start: Any, outcome: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_own_module.py").write_text("answer = 42")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "mine")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def evaluate(jobs: Any, device: str, on_report: Any) -> list[Any]:
        import my_own_module  # type: ignore[import-not-found]

        kept = {name: value for name, value in os.environ.items() if "PYTHONPATH" in name}
        return [my_own_module.answer, os.getcwd(), kept, os.environ["OMP_NUM_THREADS"], sys.argv[0]]

    executor = start(evaluate, processes=1)
    monkeypatch.chdir("/")  # a process started later is in the same folder
    n_cores = str(len(os.sched_getaffinity(0)))
    answer, folder, kept, n_threads, program = outcome(executor).outcomes
    assert (answer, folder, kept, n_threads) == (42, str(tmp_path), {"PYTHONPATH": "mine"}, n_cores)
    assert program.endswith("child.py")


def test_processes_share_the_cores(start: Any, outcome: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    executor = start(lambda jobs, device, on_report: [os.environ["OMP_NUM_THREADS"]], processes=64)
    assert outcome(executor).outcomes == ["1"]
    executor.close()
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    executor.start(lambda jobs, device, on_report: [os.environ["OMP_NUM_THREADS"]], lambda *_: False)
    assert outcome(executor).outcomes == ["5"]


def test_what_cannot_be_imported_there_is_said(
    start: Any, outcome: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fleeting.py").write_text("def evaluate(jobs, device, on_report):\n    return [1]")
    monkeypatch.syspath_prepend(tmp_path)
    fleeting = importlib.import_module("fleeting")
    (tmp_path / "fleeting.py").unlink()
    executor = start(fleeting.evaluate)
    with pytest.raises(ConfigError, match=r"cannot begin .* on cpu \(ModuleNotFoundError: .*'fleeting'\)"):
        outcome(executor)
    del sys.modules["fleeting"]


@pytest.mark.slow
def test_a_device_that_is_not_there_is_said(start: Any, outcome: Any) -> None:
    import torch

    executor = start(lambda jobs, device, on_report: [torch.zeros(1)], devices=("cuda:99",))
    with pytest.raises(ConfigError, match=r"cannot begin in a process of its own on cuda:99 \("):
        outcome(executor)


@pytest.mark.parametrize(
    ("processes", "devices", "message"),
    [
        (0, (), "processes is a whole number from 1, got 0"),
        (True, (), "processes is a whole number from 1, got True"),
        ("2", (), "processes is a whole number from 1, got '2'"),
        (None, "cuda:0", r"devices is a list of names such as \['cuda:0', 'cuda:1'\], got 'cuda:0'"),
        (None, [0, 1], r"devices is a list .* got \[0, 1\]"),
        (1, ["cuda:0", "cuda:1"], "1 processes cannot use 2 devices, cuda:0, cuda:1: name fewer, or leave"),
    ],
)
def test_wrong_arguments_get_one_clear_error(processes: Any, devices: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ProcessExecutor(processes, devices)


def test_a_system_without_inherited_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archloom.executors.processes.os.name", "nt")
    with pytest.raises(ConfigError, match="processes need a POSIX system"):
        ProcessExecutor(2)


def test_there_are_as_many_processes_as_devices() -> None:
    assert ProcessExecutor().n_slots == 1
    assert ProcessExecutor(devices=["cuda:0", "cuda:1"]).n_slots == 2
    assert ProcessExecutor(4, ["cuda:0", "cuda:1"]).n_free == 4


def test_a_process_that_cannot_be_started_is_said(
    start: Any, outcome: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    executor = start(lambda jobs, device, on_report: [1])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ConfigError, match=r"a process for trials cannot be started in .*: .*No such file"):
        outcome(executor)
    assert executor.n_free == 1


def test_who_forgets_to_close_leaves_no_process(is_gone: Any, outcome: Any) -> None:
    executor = ProcessExecutor()
    executor.start(lambda jobs, device, on_report: [os.getpid()], lambda *_: False)
    (pid,) = outcome(executor).outcomes
    assert executor._parts is not None
    executor._parts[0].close()
    del executor
    assert is_gone(pid)

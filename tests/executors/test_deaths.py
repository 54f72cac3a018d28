# SPDX-License-Identifier: Apache-2.0
"""A process that dies is seen at once, said in words, and replaced."""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from archloom.contracts import Job
from archloom.errors import ConfigError


@pytest.fixture(params=["told by the system", "looked for"])
def _both_ways_to_see_it(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "looked for":
        monkeypatch.delattr(os, "pidfd_open")


@pytest.mark.usefixtures("_both_ways_to_see_it")
@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("kill", r"process \d+ was killed by signal 9 \(SIGKILL: out of memory\?\)"),
        ("exit", r"process \d+ ended with code 3 in the midst of it"),
        ("segfault", r"process \d+ was killed by signal 11 \(SIGSEGV\)"),
        ("close", r"process \d+ closed its pipe in the midst of it"),
    ],
)
def test_a_batch_is_lost_with_its_process(start: Any, outcome: Any, way: str, words: str) -> None:
    def evaluate(jobs: Any, device: str, on_report: Any) -> list[int]:
        match jobs[0].choices["op"]:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(3)
            case "segfault":
                ctypes.string_at(0)
            case "close":
                os.closerange(3, 100)
                time.sleep(60)
        return [os.getpid()]

    executor = start(evaluate)
    (first,) = outcome(executor).outcomes
    executor.submit([Job(4, {"op": way}, 0), Job(5, {"op": way}, 0)])
    started = time.monotonic()
    done = executor.next_finished(60)
    seconds = time.monotonic() - started
    assert done is not None
    assert (done.numbers, done.outcomes) == ((4, 5), ())
    assert re.fullmatch(words, done.lost)
    assert str(first) in done.lost
    assert 0 < done.seconds <= seconds + 0.1
    assert seconds < 10
    (second,) = outcome(executor, 6).outcomes
    assert second != first


def test_the_others_work_on(start: Any, tmp_path: Path) -> None:
    def evaluate(jobs: Any, device: str, on_report: Any) -> list[str]:
        if jobs[0].number == 0:
            (tmp_path / "dying").touch()
            os._exit(1)
        while not (tmp_path / "go").exists():
            time.sleep(0.005)
        return ["alive"]

    executor = start(evaluate, processes=2)
    executor.submit([Job(1, {}, 0)])
    executor.submit([Job(0, {}, 0)])
    assert executor.next_finished(60).lost
    (tmp_path / "go").touch()
    assert executor.next_finished(60).outcomes == ["alive"]


def test_an_idle_one_is_replaced_in_silence(start: Any, outcome: Any) -> None:
    executor = start(lambda jobs, device, on_report: [os.getpid()])
    (first,) = outcome(executor).outcomes
    os.kill(first, signal.SIGKILL)
    time.sleep(0.05)
    done = outcome(executor, 1)
    assert done.lost == ""
    assert done.outcomes[0] != first


def test_an_idle_one_dies_beside_one_that_works(start: Any, outcome: Any) -> None:
    def evaluate(jobs: Any, device: str, on_report: Any) -> list[int]:
        on_report(jobs[0].number, 0, {})
        return [os.getpid()]

    pids: list[int] = []

    def on_report(number: int, step: int, metrics: Any) -> bool:
        if number == 2:
            os.kill(pids[1], signal.SIGKILL)
            time.sleep(0.05)
        return False

    executor = start(evaluate, on_report, processes=2)
    for number in (0, 1):
        executor.submit([Job(number, {}, 0)])
    done = [executor.next_finished(60) for _ in (0, 1)]
    pids += [executor._children[i].pid for i in (0, 1)]
    assert {d.outcomes[0] for d in done} == set(pids)
    for number in (2, 3, 4):
        assert outcome(executor, number).lost == ""


def test_what_it_finished_before_it_died_counts(start: Any, outcome: Any) -> None:
    def evaluate(jobs: Any, device: str, on_report: Any) -> list[str]:
        import threading

        threading.Timer(0.05, os._exit, (9,)).start()
        return ["done in time"]

    executor = start(evaluate)
    outcome(executor)  # it is ready now, and about to die
    for number in (1, 2):
        executor.submit([Job(number, {}, 0)])
        time.sleep(0.3)  # the answer is on its way, its sender is no more
        assert executor.next_finished(60).outcomes == ["done in time"]


@pytest.mark.usefixtures("_both_ways_to_see_it")
def test_programs_that_it_started_go_with_it(start: Any, outcome: Any, tmp_path: Path, is_gone: Any) -> None:
    def evaluate(jobs: Any, device: str, on_report: Any) -> list[int]:
        pid = os.fork()  # holds the pipe open
        if not pid:
            time.sleep(60)
            os._exit(0)
        program = subprocess.Popen(["sleep", "60"])
        (tmp_path / "pids").write_text(f"{pid} {program.pid}")
        os.kill(os.getpid(), signal.SIGKILL)
        return []

    started = time.monotonic()
    assert "SIGKILL" in outcome(start(evaluate)).lost
    assert time.monotonic() - started < 5
    assert all(is_gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_closing_ends_what_runs(start: Any, tmp_path: Path, is_gone: Any) -> None:
    def evaluate(jobs: Any, device: str, on_report: Any) -> list[int]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN if jobs[0].number else signal.SIG_DFL)
        program = subprocess.Popen(["sleep", "60"])
        on_report(jobs[0].number, 0, {"pid": os.getpid(), "program": program.pid})
        time.sleep(60)
        return []

    pids: list[int] = []

    def on_report(number: int, step: int, metrics: Any) -> bool:
        pids.extend(map(int, metrics.values()))
        return False

    executor = start(evaluate, on_report)
    for number, least, most in ((0, 0.0, 5.0), (1, 0.3, 5.0)):
        executor.submit([Job(number, {}, 0)])
        while len(pids) < 2:
            assert executor.next_finished(0.1) is None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("archloom.executors._process.GRACE", 0.3)
            started = time.monotonic()
            executor.close()
            assert least <= time.monotonic() - started < most
        assert all(is_gone(pid) for pid in pids)
        pids.clear()
        executor.start(evaluate, on_report)


def test_processes_that_never_get_ready_are_given_up(
    start: Any, outcome: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "explosive.py").write_text(
        "import os\n"
        "if 'ARMED' in os.environ:\n"
        "    print('no driver', flush=True)\n"
        "    os._exit(5)\n"
        "def evaluate(jobs, device, on_report):\n"
        "    return [1]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    explosive = importlib.import_module("explosive")
    monkeypatch.setenv("ARMED", "yes")
    executor = start(explosive.evaluate)
    with pytest.raises(
        ConfigError,
        match=r"^3 processes in a row died before they could evaluate; process .* code 5 .*\nno driver$",
    ):
        outcome(executor)
    executor.close()
    monkeypatch.delenv("ARMED")
    executor.start(explosive.evaluate, lambda *_: False)
    assert outcome(executor).outcomes == [1]
    del sys.modules["explosive"]


def test_an_interrupt_meant_for_us_does_not_end_it(start: Any, outcome: Any) -> None:
    def evaluate(jobs: Any, device: str, on_report: Any) -> list[bool]:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        handled = subprocess.run(
            [sys.executable, "-c", "import signal; print(signal.getsignal(2))"],
            capture_output=True,
            text=True,
            check=True,
        )
        return ["default_int_handler" in handled.stdout]

    assert outcome(start(evaluate)).outcomes == [True]

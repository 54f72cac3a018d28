# SPDX-License-Identifier: Apache-2.0
"""Whole programs with processes: scripts without a guard, Ctrl-C, kill -9, and what is printed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEAD = """
import os, sys, time
from archloom.contracts import Job
from archloom.executors.processes import ProcessExecutor

print("the script runs")

class Result:
    def __init__(self, value):
        self.value = value

def double(number):
    return Result(2 * number)
"""

PLAIN = """
def evaluate(jobs, device, on_report):
    print("evaluating", jobs[0].number)
    return [double(job.number) for job in jobs]

executor = ProcessExecutor(2)
executor.start(evaluate, lambda *_: False)
for number in (1, 2):
    executor.submit([Job(number, {}, 0)])
results = [executor.next_finished().outcomes[0] for _ in (1, 2)]
assert all(type(result) is Result for result in results)
print(sorted(result.value for result in results))
"""

ENDLESS = """
def evaluate(jobs, device, on_report):
    import subprocess
    program = subprocess.Popen(["sleep", "60"])
    on_report(jobs[0].number, 0, {"pid": os.getpid(), "program": program.pid})
    time.sleep(60)

def on_report(number, step, metrics):
    print(int(metrics["pid"]), int(metrics["program"]), flush=True)
    return False

executor = ProcessExecutor(2)
executor.start(evaluate, on_report)
for number in (1, 2):
    executor.submit([Job(number, {}, 0)])
try:
    executor.next_finished()
except KeyboardInterrupt:
    started = time.monotonic()
    executor.close()
    print("closed", time.monotonic() - started < 1.9)
"""


def _begun(tmp_path: Path, code: str) -> subprocess.Popen[str]:
    """Start a script as a terminal does, in a process group of its own."""
    script = tmp_path / "script.py"
    script.write_text(HEAD + code)
    return subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.getcwd()])},
        start_new_session=True,
    )


def _pids(script: subprocess.Popen[str]) -> list[int]:
    """Read what two evaluations report: their processes and the programs that these started."""
    assert script.stdout is not None
    assert script.stdout.readline() == "the script runs\n"
    return [int(pid) for _ in (1, 2) for pid in script.stdout.readline().split()]


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    with _begun(tmp_path, PLAIN) as script:
        out, errors = script.communicate(timeout=60)
    assert out == "the script runs\n[2, 4]\n", errors
    assert sorted(errors.splitlines()) == ["evaluating 1", "evaluating 2"]


def test_ctrl_c_ends_all(tmp_path: Path, is_gone: Any) -> None:
    with _begun(tmp_path, ENDLESS) as script:
        pids = _pids(script)
        os.killpg(script.pid, signal.SIGINT)
        out, errors = script.communicate(timeout=60)
    assert (out, errors, script.returncode) == ("closed True\n", "", 0)
    assert len(pids) == 4
    assert all(is_gone(pid) for pid in pids)


@pytest.mark.parametrize("is_told", [True, False], ids=["told by the system", "looked for"])
def test_kill_9_of_the_parent_ends_all(tmp_path: Path, is_gone: Any, is_told: bool) -> None:
    if not is_told:
        (tmp_path / "sitecustomize.py").write_text("import os; del os.pidfd_open")
    with _begun(tmp_path, ENDLESS) as script:
        pids = _pids(script)
        script.kill()
        script.wait()
        assert len(pids) == 4
        assert all(is_gone(pid) for pid in pids)


def test_what_a_process_says_at_its_start_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "talkative.py").write_text("print('hello from the import')\ndef evaluate(*_): return [1]")
    code = """
import talkative
executor = ProcessExecutor()
executor.start(talkative.evaluate, lambda *_: False)
executor.submit([Job(0, {}, 0)])
print(executor.next_finished().outcomes)
"""
    with _begun(tmp_path, code) as script:
        out, errors = script.communicate(timeout=60)
    assert out == "the script runs\nhello from the import\n[1]\n"
    assert errors == "hello from the import\n"

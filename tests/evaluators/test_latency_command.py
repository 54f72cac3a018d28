# SPDX-License-Identifier: Apache-2.0
"""Latency by a program of the user's: what it is given, what it may say, and how it is stopped."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from archloom.contracts import Architecture, Trial
from archloom.errors import ArchloomError, ConfigError, SpaceError
from archloom.evaluators import Latency
from archloom.evaluators.latency.process import run_to_end

Point = Callable[..., Architecture]
Script = Callable[..., Path]


class Tiny(nn.Module):
    """A network that is written in no time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 1


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Write an executable shell script into the working folder."""
    monkeypatch.chdir(tmp_path)

    def write(*lines: str, name: str = "bench") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
        path.chmod(0o755)
        return path

    return write


def measured(point: Point, command: str | list[str] = "./bench", **options: Any) -> dict[str, float]:
    latency = Latency(command=command, input_shape=[2, 3], **options)
    latency.prepare(None)
    metrics = latency.evaluate(point(Tiny(), "tiny-net", op="conv", lr=0.5), Trial(seed=3))
    assert tuple(metrics) == latency.gives
    return dict(metrics)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(what: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
def test_the_command_gets_the_model_and_its_description(script: Script, point: Point) -> None:
    script(
        'cp "$3" kept.pt2',
        'cp "$(dirname "$3")/architecture.json" .',
        'echo "$#" "$1" "$2" > words',
        "echo 5",
    )
    assert measured(point, "./bench --cores 'big ones'", batch_size=4) == {"latency_ms": 5.0}
    assert Path("words").read_text() == "3 --cores big ones\n"
    assert json.loads(Path("architecture.json").read_text()) == {
        "choices": {"op": "conv", "lr": 0.5},
        "text": "tiny-net",
        "input_shape": [2, 3],
        "n_outputs": 10,
        "batch_size": 4,
    }
    inputs = torch.randn(4, 2, 3)
    assert torch.equal(torch.export.load("kept.pt2").module()(inputs), inputs + 1)


def test_the_model_is_removed_and_the_environment_passed_on(
    script: Script, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_MS", "7.25")
    script('echo "$1" > where', "echo $BENCH_MS")
    assert measured(point) == {"latency_ms": 7.25}
    assert not Path(Path("where").read_text().strip()).parent.exists()


@pytest.mark.parametrize(
    ("printed", "ms"), [("12.5", 12.5), ("12.5 ms", 12.5), ("3ms", 3.0), ("0", 0.0), ("1e2", 100.0)]
)
def test_the_last_line_is_the_number(script: Script, point: Point, printed: str, ms: float) -> None:
    script("echo warming up", f"echo '  {printed}  '", "echo")
    assert measured(point)["latency_ms"] == ms


def test_several_runs_give_median_and_spread(script: Script, point: Point) -> None:
    script("echo x >> runs", "wc -l < runs")
    assert measured(point, n_runs=5) == {"latency_ms": 3.0, "latency_ms_iqr": 2.0}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], r"\./bench printed nothing; its last line must be milliseconds"),
        (["echo sorry >&2"], "printed nothing; .*its standard error ends: sorry"),
        (["echo 12 ms later"], "like 12.3 or 12.3 ms; got '12 ms later'"),
        (["echo 5", "echo done"], "got 'done'"),
        (["echo -1"], "got '-1'"),
        (["echo nan"], "got 'nan'"),
        (["echo inf ms"], "got 'inf ms'"),
        (
            ["echo 5", "echo no board >&2", "exit 3"],
            "ended with exit code 3; its standard error ends: no board",
        ),
        (["kill -9 $$"], "ended with signal 9"),
        (["head -c 200000 /dev/zero | tr '\\0' 'x'"], r"got 'x{190}"),
    ],
)
def test_what_is_no_measurement_is_named(
    script: Script, point: Point, lines: list[str], message: str
) -> None:
    script(*lines)
    with pytest.raises(ArchloomError, match=message):
        measured(point)


def test_a_command_that_hangs_is_killed_with_all_it_has_started(script: Script, point: Point) -> None:
    script("sleep 600 &", "echo $$ $! > pids", "echo still here >&2", "wait")
    started = time.monotonic()
    with pytest.raises(ArchloomError, match=r"killed: it ran longer than .* 1.5 s; .* still here"):
        measured(point, timeout=1.5)
    assert time.monotonic() - started < 20
    pids = [int(word) for word in Path("pids").read_text().split()]
    wait_until(lambda: not any(map(is_alive, pids)))


def test_a_process_left_behind_does_not_hold_up_the_search(script: Script) -> None:
    path = script("sleep 600 &", "echo $! > pid", "echo 5")
    started = time.monotonic()
    assert run_to_end([str(path)], timeout=30).out == ["5"]
    assert time.monotonic() - started < 20
    os.kill(int(Path("pid").read_text()), signal.SIGKILL)


def test_ctrl_c_kills_the_command(script: Script) -> None:
    path = script("sleep 600 &", "echo $$ $! > pids", "wait")
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)

    def interrupt() -> None:
        wait_until(lambda: Path("pids").exists() and Path("pids").read_text().endswith("\n"))
        os.kill(os.getpid(), signal.SIGALRM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_to_end([str(path)], timeout=30)
    finally:
        thread.join()
        signal.signal(signal.SIGALRM, before)
    pids = [int(word) for word in Path("pids").read_text().split()]
    wait_until(lambda: not any(map(is_alive, pids)))


def test_no_shell_reads_the_command(script: Script, point: Point) -> None:
    script('echo "$1" > words', "echo 5")
    assert measured(point, "./bench $HOME;touch&spoiled")["latency_ms"] == 5
    assert Path("words").read_text() == "$HOME;touch&spoiled\n"
    assert not Path("spoiled").exists()


def test_a_program_is_found_here_then_beside_the_study(
    script: Script, point: Point, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study/device.py").write_text("print(8)\n")
    script("echo 9", name="study/bench")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "study"), *sys.path])
    assert measured(point)["latency_ms"] == 9
    assert measured(point, ["python", "device.py"])["latency_ms"] == 8
    script("echo 5")
    assert measured(point)["latency_ms"] == 5
    assert measured(point, ["sh", "-c", "echo 4"])["latency_ms"] == 4


def test_what_cannot_be_run_is_met_before_the_first_trial(script: Script) -> None:
    script("echo 5").chmod(0o644)
    for command, message in (
        ("./bench", r"'./bench' may not be executed; say `chmod \+x bench`"),
        ("./bensh", "there is no program './bensh', neither in .* nor beside the study file"),
        ("./.", "there is no program './.'"),
        ("bench", "there is no program 'bench' on the PATH; write './bench' for the file"),
        ("python devise.py", "there is no script 'devise.py', neither in "),
    ):
        with pytest.raises(ConfigError, match=message):
            Latency(command=command, input_shape=[4]).prepare(None)


def test_a_file_that_is_no_program_fails_the_trial(script: Script, point: Point) -> None:
    script().write_bytes(b"\x00\x01")
    with pytest.raises(ArchloomError, match="cannot be started: Exec format error"):
        measured(point)


def test_a_network_that_cannot_be_written_is_named_with_the_way_out(script: Script, point: Point) -> None:
    class Moody(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    script("echo 5")
    latency = Latency(command="./bench", input_shape=[4])
    with pytest.raises(
        SpaceError, match=r"cannot write moody-net for inputs \(1, 4\): .*a table of operations"
    ):
        latency.evaluate(point(Moody(), "moody-net"), Trial())


def test_conditions_name_the_command(script: Script) -> None:
    script("echo 5")
    latency = Latency(command=["./bench", "big ones"], input_shape=[4], n_runs=3)
    latency.prepare(None)
    conditions = latency.conditions()
    assert conditions["command"] == f"{Path('bench').absolute()} 'big ones'"
    assert conditions["n_runs"] == "3"
    assert conditions["torch"] == torch.__version__


def test_what_a_program_leaves_behind_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    ended = run_to_end(["sh", "-c", f"sleep 60 & echo $! > {pid}; echo 5"], timeout=10)
    assert (ended.code, ended.out) == (0, ["5"])
    stat, deadline = Path("/proc") / pid.read_text().strip() / "stat", time.monotonic() + 5
    while stat.exists() and stat.read_text().split()[2] != "Z":  # a zombie is dead, if not yet buried
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.01)


def test_a_program_that_prints_without_end_is_killed() -> None:
    with pytest.raises(ArchloomError, match="it printed more than 16 MB"):
        run_to_end(["sh", "-c", "yes 12345678901234567890"], timeout=30)

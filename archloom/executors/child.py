# SPDX-License-Identifier: Apache-2.0
"""The program of a process that evaluates: ``python -m archloom.executors.child``, started by its study.

A fresh interpreter, never a fork: neither torch's threads nor CUDA survive one, and the user's script is not
run again.
"""

from __future__ import annotations

import faulthandler
import mmap
import os
import select
import signal
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from archloom.contracts import Evaluate, Metrics
from archloom.executors._pipe import KEPT_PATH, hear, read, say
from archloom.objectives import checked_metrics, checked_step

__all__ = ["main"]

TICK = 0.5
"""Seconds between two looks for the parent where the system cannot tell us that it ended."""


def main(words: list[str]) -> None:
    """Evaluate what comes over the pipe until it is bidden farewell.

    Args:
        words: numbers of the pipe's, the parcel's and the output's file, the parent's pid, and the device.
    """
    pipe, parcel, output, parent = map(int, words[:4])
    _settle(pipe, parent)
    connection: Connection[Any, Any] = Connection(pipe)
    try:
        evaluate = _unpack(parcel, words[4])
    except BaseException as error:  # an import may raise anything, and end the program
        say(connection, ("broken", f"{type(error).__name__}: {error}"))
        return
    _pass_output_on(output)
    try:
        say(connection, ("ready",))
        _serve(connection, evaluate, words[4])
    except (EOFError, OSError):  # without a farewell: the study is gone
        _end_all()


def _settle(pipe: int, parent: int) -> None:
    """Make this a good child: quiet on Ctrl-C, gone with its parent, and telling of a crash where."""
    # Not SIG_IGN, which the programs that an evaluation starts would inherit.
    signal.signal(signal.SIGINT, lambda *_: None)
    os.set_inheritable(pipe, False)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    faulthandler.enable()
    earlier = os.environ.pop(KEPT_PATH, None)
    os.environ.pop("PYTHONPATH", None)
    if earlier is not None:
        os.environ["PYTHONPATH"] = earlier


def _end_with(parent: int) -> None:
    """Wait for the parent's end, and end then, even in the midst of an evaluation."""
    try:
        watched = os.pidfd_open(parent) if hasattr(os, "pidfd_open") else None
    except OSError:  # it is gone already, or the system forbids it
        watched = None
    while os.getppid() == parent:
        if watched is None:
            time.sleep(TICK)
        else:
            select.select([watched], [], [])
            break
    _end_all()


def _end_all() -> NoReturn:
    """End at once, with whatever the evaluation has started."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def _unpack(parcel: int, device: str) -> Evaluate:
    with mmap.mmap(parcel, 0, access=mmap.ACCESS_READ) as data:
        evaluate: Evaluate = read(data)
    os.close(parcel)
    if device.startswith("cuda:") and "torch" in sys.modules:
        import torch

        torch.cuda.set_device(device)  # so that a bare .cuda() in the user's code lands there too
    return evaluate


def _pass_output_on(output: int) -> None:
    """From now on write where the parent's errors go; what came earlier it has in a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)


def _serve(connection: Connection[Any, Any], evaluate: Evaluate, device: str) -> None:
    on_report = _Reporter(connection)
    while jobs := hear(connection):
        started = time.perf_counter()
        try:
            answer = ("done", list(evaluate(jobs, device, on_report)), time.perf_counter() - started)
        except BaseException:  # nothing may end this loop but the parent
            say(connection, ("error", traceback.format_exc()))
            continue
        try:
            say(connection, answer)
        except (EOFError, OSError):
            raise
        except Exception:  # an outcome that cannot be pickled
            say(connection, ("error", traceback.format_exc()))


class _Reporter:
    """Hands an evaluation's reports to the study and waits for its answer."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._lock = threading.Lock()  # an evaluation may report from threads of its own

    def __call__(self, number: int, step: int, metrics: Metrics) -> bool:
        plain = checked_metrics(metrics, "report")  # here, where an error is the trial's own
        at = checked_step(step)
        with self._lock:
            try:
                say(self._connection, ("report", number, at, plain))
                return bool(hear(self._connection))
            except (EOFError, OSError):
                _end_all()  # not raised, for the evaluation might take it for its own and go on


if __name__ == "__main__":
    main(sys.argv[1:])

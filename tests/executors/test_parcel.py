# SPDX-License-Identifier: Apache-2.0
"""An evaluation that cannot be packed is refused at the start, by the name of the part."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from archloom.errors import ConfigError
from archloom.executors._parcel import pack
from archloom.executors._pipe import read
from archloom.executors.processes import ProcessExecutor


class Holder:
    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)

    def evaluate(self, jobs: Any, device: str, on_report: Any) -> list[int]:
        return []


def _closure(lock: Any) -> Any:
    return lambda jobs, device, on_report: [lock]


def _with_global(**names: Any) -> Any:
    exec("def evaluate(*_):\n    return [(lambda: lock)()]", names)
    return names["evaluate"]


def _with_default(lock: Any) -> Any:
    return lambda _, on=lock: [on]


CASES: dict[str, Callable[[], Any]] = {
    "the evaluation.data['train'][1], a generator": lambda: (
        Holder(data={"train": [0, (n for n in "ab")]}).evaluate
    ),
    "the evaluation(on=), a lock": lambda: functools.partial(print, on=threading.Lock()),
    "the evaluation(0).parts[0], a lock": lambda: functools.partial(print, Holder(parts=(threading.Lock(),))),
    "the evaluation > <lambda>'s 'lock', a lock": lambda: _closure(threading.Lock()),
    "the evaluation > evaluate's 'lock', a lock": lambda: _with_global(lock=threading.Lock()),
    "the evaluation > <lambda>'s default, a lock": lambda: _with_default(threading.Lock()),
    "the evaluation, a generator": lambda: (n for n in "ab"),
}


@pytest.mark.parametrize("words", CASES)
def test_the_part_is_named(words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words) + r".* is not \(cannot pickle.*\): make it when"):
        pack(CASES[words]())


def test_a_loop_of_parts_is_no_trap() -> None:
    knot = Holder(lock=threading.Lock())
    knot.itself = Holder(back=knot)  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match=r"the evaluation\.lock, a lock"):
        pack(knot.evaluate)


def test_it_is_refused_before_the_first_trial() -> None:
    executor = ProcessExecutor()
    with pytest.raises(ConfigError, match="a lock"):
        executor.start(_closure(threading.Lock()), lambda *_: False)
    executor.start(_closure(3), lambda *_: False)
    executor.close()


def test_what_is_packed_is_unpacked() -> None:
    with pack(_closure("key")) as parcel:
        parcel.seek(0)
        assert read(parcel.read())((), "cpu", None) == ["key"]

# SPDX-License-Identifier: Apache-2.0
"""The contract suite finds an executor that breaks its laws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archloom.contracts import Done
from archloom.executors import inline
from archloom.executors.inline import InlineExecutor
from archloom.testing.executors import ExecutorContract

LAWS = ExecutorContract()


def test_a_listener_that_swallows_trouble_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(self: Any, number: int, step: int, metrics: Any) -> bool:
        return False

    monkeypatch.setattr(inline._Listener, "__call__", call)
    for law in (
        LAWS.test_trouble_of_the_listener_is_raised,
        LAWS.test_a_wrong_report_is_the_evaluation_s_own_error,
        LAWS.test_reports_are_heard_in_order_and_answered,
    ):
        with pytest.raises((AssertionError, pytest.fail.Exception, RuntimeError, StopIteration)):
            law(InlineExecutor())


@pytest.mark.parametrize(
    ("spoil", "law"),
    [
        (lambda done: done._replace(outcomes=done.outcomes[::-1]), LAWS.test_each_batch_comes_back_once),
        (lambda done: done._replace(numbers=done.numbers[:1]), LAWS.test_each_batch_comes_back_once),
        (lambda done: done._replace(seconds=done.seconds + 1), LAWS.test_seconds_are_the_evaluation_s),
        (lambda done: done._replace(lost="it is gone"), LAWS.test_slots_are_counted),
        (lambda done: None, LAWS.test_slots_are_counted),
    ],
)
def test_a_spoilt_result_is_found(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Done], Done | None], law: Callable[[Any], None]
) -> None:
    right = InlineExecutor.next_finished

    def wrong(self: InlineExecutor, timeout: float | None = None) -> Done | None:
        done = right(self, timeout)
        return done and spoil(done)

    monkeypatch.setattr(InlineExecutor, "next_finished", wrong)
    with pytest.raises(AssertionError):
        law(InlineExecutor())


def test_a_forgotten_device_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        LAWS.test_an_evaluation_gets_its_jobs(InlineExecutor("meta"), tmp_path)

# SPDX-License-Identifier: Apache-2.0
"""Trials in the caller's own thread, one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, final

from archloom.contracts import Executor

__all__ = ["InlineExecutor"]


@final
class InlineExecutor(Executor):
    """Run each trial when its result is asked for."""

    def __init__(self) -> None:
        self._queue: deque[tuple[int, Callable[[], Any]]] = deque()

    @property
    def n_free(self) -> int:
        """One, unless a trial waits."""
        return 0 if self._queue else 1

    def submit(self, number: int, work: Callable[[], Any]) -> None:
        """Keep the work until its result is asked for."""
        self._queue.append((number, work))

    def next_finished(self) -> tuple[int, Any]:
        """Run the next trial and return its number and result."""
        number, work = self._queue.popleft()
        return number, work()

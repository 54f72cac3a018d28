# SPDX-License-Identifier: Apache-2.0
"""Every executor keeps the executor's laws."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archloom.contracts import Executor
from archloom.executors.inline import InlineExecutor
from archloom.executors.processes import ProcessExecutor
from archloom.testing.executors import ExecutorContract


class TestInline(ExecutorContract):
    device = "meta"

    @pytest.fixture
    def make(self) -> Callable[[], Executor]:
        return lambda: InlineExecutor("meta")


class TestOneProcess(ExecutorContract):
    device = "meta"

    @pytest.fixture
    def make(self) -> Callable[[], Executor]:
        return lambda: ProcessExecutor(devices=["meta"])


class TestTwoProcesses(ExecutorContract):
    @pytest.fixture
    def make(self) -> Callable[[], Executor]:
        return lambda: ProcessExecutor(2)

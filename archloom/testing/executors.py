# SPDX-License-Identifier: Apache-2.0
"""The laws of an executor, as a test suite to inherit.

Example::

    class TestMyExecutor(ExecutorContract):
        @pytest.fixture
        def make(self):
            return lambda: MyExecutor()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from archloom.contracts import Done, Evaluate, Executor, Job, Metrics, OnReport
from archloom.errors import ArchloomError

__all__ = ["ExecutorContract"]

PATIENCE = 60.0
"""Seconds after which a batch that has not come back never will."""


class ExecutorContract:
    """Inherit and give the fixture ``make``, a function making fresh executors.

    The evaluations here are functions within functions: an executor that ships them takes those too.

    Class attributes:
        device: what an evaluation is told to compute on.
    """

    device: ClassVar[str] = "cpu"

    @pytest.fixture
    def make(self) -> Callable[[], Executor]:
        """Return a function that makes the executor under test."""
        raise AssertionError("an executor's test overrides the fixture `make`")

    @pytest.fixture
    def executor(self, make: Callable[[], Executor]) -> Iterator[Executor]:
        """One executor, closed when the test has ended."""
        executor = make()
        yield executor
        executor.close()

    def finished(self, executor: Executor) -> Done:
        """Wait for a batch that must end well."""
        done = executor.next_finished(PATIENCE)
        assert done is not None, f"nothing has finished in {PATIENCE} seconds"
        assert not done.lost
        return done

    def test_each_batch_comes_back_once(self, executor: Executor) -> None:
        """Law: what was submitted together comes back together, one outcome a job and in their order."""
        executor.start(_naming(), _deaf)
        batches = [_jobs(3 * i, 3 * i + 1 + i % 3) for i in range(6)]
        came = []
        while batches or executor.n_free < executor.n_slots:
            while batches and executor.n_free:
                executor.submit(batches.pop())
            came.append(self.finished(executor))
        assert sorted(done.numbers for done in came) == [
            (0,),
            (3, 4),
            (6, 7, 8),
            (9,),
            (12, 13),
            (15, 16, 17),
        ]
        assert all(list(done.outcomes) == [f"trial {n}" for n in done.numbers] for done in came)
        assert executor.next_finished(0.0) is None

    def test_slots_are_counted(self, executor: Executor) -> None:
        """Law: a batch takes a slot, whatever its size, and more batches than slots are refused."""
        executor.start(_naming(), _deaf)
        assert executor.n_free == executor.n_slots >= 1
        for i in range(executor.n_slots):
            executor.submit(_jobs(2 * i, 2 * i + 2))
            assert executor.n_free == executor.n_slots - i - 1
        with pytest.raises(ArchloomError, match="0 free"):
            executor.submit(_jobs(100, 101))
        self.finished(executor)
        assert executor.n_free == 1

    def test_an_evaluation_gets_its_jobs(self, executor: Executor, tmp_path: Path) -> None:
        """Law: number, choices, seed, fidelity and folder arrive as they were, with the slot's device."""

        def evaluate(jobs: Sequence[Job], device: str, on_report: OnReport) -> list[Any]:
            return [(j.number, dict(j.choices), j.seed, j.fidelity, j.folder, device) for j in jobs]

        executor.start(evaluate, _deaf)
        choices: dict[str, str | float] = {"op": "conv_3x3", "lr": 0.1}
        executor.submit([Job(7, choices, 11, "epochs=3", tmp_path / "7"), Job(8, {}, 12)])
        assert list(self.finished(executor).outcomes) == [
            (7, choices, 11, "epochs=3", tmp_path / "7", self.device),
            (8, {}, 12, None, None, self.device),
        ]

    def test_reports_are_heard_in_order_and_answered(self, executor: Executor) -> None:
        """Law: ``on_report`` is called in the order of the reports, and its answer is the evaluation's."""

        def evaluate(jobs: Sequence[Job], device: str, on_report: OnReport) -> list[int]:
            return [
                next(s for s in range(100) if on_report(j.number, s, {"loss": 1 / (s + 1)})) for j in jobs
            ]

        heard: list[tuple[int, int, float]] = []

        def on_report(number: int, step: int, metrics: Metrics) -> bool:
            heard.append((number, step, metrics["loss"]))
            return step == 2 + number

        executor.start(evaluate, on_report)
        executor.submit(_jobs(0, 2))
        assert list(self.finished(executor).outcomes) == [2, 3]
        assert heard == [(n, s, 1 / (s + 1)) for n in (0, 1) for s in range(3 + n)]

    def test_a_wrong_report_is_the_evaluation_s_own_error(self, executor: Executor) -> None:
        """Law: a metric that is no number is refused where it was reported, and never heard of."""

        def evaluate(jobs: Sequence[Job], device: str, on_report: OnReport) -> list[str]:
            bad: dict[str, Any] = {"loss": "low"}
            try:
                on_report(jobs[0].number, 0, bad)
            except ArchloomError as error:
                return [str(error)]
            return ["it was taken"]

        executor.start(evaluate, _never)
        executor.submit(_jobs(0, 1))
        assert list(self.finished(executor).outcomes) == ["report: metric 'loss' is a number, got 'low'"]

    def test_trouble_of_the_listener_is_raised(self, executor: Executor) -> None:
        """Law: what ``on_report`` raises is no trial's failure: it comes out of ``next_finished``."""

        def evaluate(jobs: Sequence[Job], device: str, on_report: OnReport) -> list[str]:
            try:
                on_report(jobs[0].number, 0, {"loss": 1.0})
            except Exception:
                return ["FAIL"]
            return ["COMPLETE"]

        executor.start(evaluate, _never)
        executor.submit(_jobs(0, 1))
        with pytest.raises(ZeroDivisionError, match="the listener is in trouble"):
            executor.next_finished(PATIENCE)

    def test_an_evaluation_that_raises_is_not_silent(self, executor: Executor) -> None:
        """Law: an evaluation returns outcomes; one that raises all the same is an error, not an outcome."""

        def evaluate(jobs: Sequence[Job], device: str, on_report: OnReport) -> list[str]:
            raise RuntimeError("a bug in the evaluation")

        executor.start(evaluate, _deaf)
        executor.submit(_jobs(0, 1))
        with pytest.raises(Exception, match="a bug in the evaluation"):
            executor.next_finished(PATIENCE)
        assert executor.n_free == executor.n_slots

    def test_seconds_are_the_evaluation_s(self, executor: Executor) -> None:
        """Law: the time is that of the evaluation, not that of a start or of a wait."""

        def evaluate(jobs: Sequence[Job], device: str, on_report: OnReport) -> list[float]:
            import time

            started = time.perf_counter()
            time.sleep(0.02)
            return [time.perf_counter() - started]

        executor.start(evaluate, _deaf)
        executor.submit(_jobs(0, 1))
        done = self.finished(executor)
        assert 0.02 <= done.outcomes[0] <= done.seconds < done.outcomes[0] + 0.5

    def test_it_is_closed_and_started_again(self, executor: Executor) -> None:
        """Law: closing gives up what runs, may be done twice, and a closed executor can start anew."""
        executor.close()
        executor.start(_naming(), _deaf)
        executor.submit(_jobs(0, 1))
        executor.close()
        executor.close()
        assert executor.n_free == executor.n_slots
        assert executor.next_finished(0.0) is None
        executor.start(_naming("another"), _deaf)
        executor.submit(_jobs(1, 2))
        done = self.finished(executor)
        assert (done.numbers, list(done.outcomes)) == ((1,), ["another 1"])

    def test_misuse_is_refused(self, executor: Executor) -> None:
        """Law: a submit before the start, an empty one, and a second start are errors."""
        with pytest.raises(ArchloomError, match="has not been started"):
            executor.submit(_jobs(0, 1))
        executor.start(_naming(), _deaf)
        with pytest.raises(ArchloomError, match="0 jobs"):
            executor.submit([])
        with pytest.raises(ArchloomError, match="started already"):
            executor.start(_naming(), _deaf)


def _jobs(first: int, end: int) -> list[Job]:
    return [Job(number, {"op": f"op {number}"}, seed=number) for number in range(first, end)]


def _naming(word: str = "trial") -> Evaluate:
    def evaluate(jobs: Sequence[Job], device: str, on_report: OnReport) -> list[str]:
        return [f"{word} {job.number}" for job in jobs]

    return evaluate


def _deaf(number: int, step: int, metrics: Metrics) -> bool:
    return False


def _never(number: int, step: int, metrics: Metrics) -> bool:
    raise ZeroDivisionError("the listener is in trouble")

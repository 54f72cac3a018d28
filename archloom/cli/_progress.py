# SPDX-License-Identifier: Apache-2.0
"""What a running study shows on stderr: a live bar in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from archloom.cli._words import inert, number, shortened, span
from archloom.contracts import State

if TYPE_CHECKING:
    from rich.console import Console

    from archloom.contracts import Metrics
    from archloom.store import TrialRecord
    from archloom.study import Study


class Pace:
    """How far a run is and how fast it goes.

    Args:
        trials: the study's budget of trials, ``None`` for none.
        minutes: this run's limit.
        count: whether trials are ``evaluations`` or ``proposals``.
    """

    def __init__(
        self, *, trials: int | None, minutes: float | None, count: Literal["evaluations", "proposals"]
    ):
        self.trials, self._minutes, self._count = trials, minutes, count
        self._started = time.monotonic()
        self._n_before: int | None = None
        self.n_done = 0

    def update(self, study: Study) -> None:
        """Read off the study how many trials there are."""
        self.n_done = study.n_evaluations if self._count == "evaluations" else study.n_proposals
        if self._n_before is None:
            self._n_before = self.n_done

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._started

    @property
    def rate(self) -> float:
        """Trials a second in this run."""
        return (self.n_done - (self._n_before or 0)) / max(self.seconds, 1e-9)

    @property
    def left(self) -> float | None:
        """Seconds left by the budget that ends first; ``None`` while that cannot be told."""
        guesses = []
        if self.trials is not None and self.rate > 0:
            guesses.append(max(self.trials - self.n_done, 0) / self.rate)
        if self._minutes is not None:
            guesses.append(max(self._minutes * 60 - self.seconds, 0.0))
        return min(guesses, default=None)

    def words(self, best: str) -> str:
        """Say it in one line."""
        done = f"{self.n_done}/{self.trials}" if self.trials else str(self.n_done)
        rate = ""
        if self.rate > 0:
            rate = f", {number(self.rate)} a second" if self.rate >= 1 else f", {span(1 / self.rate)} each"
        left = f", {span(self.left)} left" if self.left is not None else ""
        return f"{done} trials{best and ', ' + best}{rate}{left}"


class PlainProgress:
    """A line about every ten seconds, for logs.

    Args:
        console: where to.
        pace: how far the run is.
        interval: seconds between two lines.
    """

    def __init__(self, console: Console, pace: Pace, *, interval: float = 10.0):
        self._console, self._pace, self._interval = console, pace, interval
        self._shown = 0.0

    def __call__(self, study: Study, record: TrialRecord) -> None:
        """Take note of a trial that began or ended."""
        self._pace.update(study)
        if self._pace.seconds - self._shown >= self._interval:
            self._shown = self._pace.seconds
            line = inert(f"{study.name}: {self._pace.words(best_words(study))}")
            self._console.print(line, soft_wrap=True, markup=False)
        del record

    def on_run(self, study: Study, name: str, epoch: int, metrics: Metrics) -> None:
        """Take note of an epoch of a training that is no trial."""
        if self._pace.seconds - self._shown >= self._interval:
            self._shown = self._pace.seconds
            line = inert(f"{study.name}: {run_words(name, epoch, metrics)}")
            self._console.print(line, soft_wrap=True, markup=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        del kind, error, at


class LiveProgress:
    """A bar with the best so far, and the architecture at work under it.

    Args:
        console: a terminal.
        pace: how far the run is.
        interval: seconds between two drawings.
    """

    def __init__(self, console: Console, pace: Pace, *, interval: float = 0.1):
        from rich.live import Live

        self._console, self._pace, self._interval = console, pace, interval
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._shown = -interval

    def __call__(self, study: Study, record: TrialRecord) -> None:
        """Take note of a trial that began or ended."""
        self._pace.update(study)
        is_at_work = record.state == State.RUNNING  # the end of a trial is shown with the next one's start
        if not is_at_work or self._pace.seconds - self._shown < self._interval:
            return
        self._shown = self._pace.seconds
        self._draw(study, record)

    def on_run(self, study: Study, name: str, epoch: int, metrics: Metrics) -> None:
        """Take note of an epoch of a training that is no trial."""
        from rich.console import Group
        from rich.text import Text

        if self._pace.seconds - self._shown < self._interval:
            return
        self._shown = self._pace.seconds
        line = shortened(inert(run_words(name, epoch, metrics)), self._console.width)
        self._live.update(Group(Text(inert(study.name), style="bold"), Text(line)), refresh=True)

    def _draw(self, study: Study, record: TrialRecord) -> None:
        from rich.console import Group
        from rich.padding import Padding
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        width = self._console.width
        line = Text(shortened(inert(self._pace.words(best_words(study))), width))
        bar = ProgressBar(total=self._pace.trials, completed=self._pace.n_done, width=min(width, 60))
        now = Text(shortened(inert(f"trial {record.number}: {record.text}"), width), style="dim")
        self._live.update(
            Group(Text(inert(study.name), style="bold"), Padding(bar, 0), line, now), refresh=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._live.stop()
        del kind, error, at


def run_words(name: str, epoch: int, metrics: Metrics) -> str:
    """Say how far a training is that is no trial.

    >>> run_words("supernet", 12, {"train/loss": 0.5})
    'training supernet: epoch 12, train/loss 0.5000'
    """
    told = "".join(f", {key} {number(metrics[key])}" for key in ("train/loss",) if key in metrics)
    return f"training {name}: epoch {epoch}{told}"


def best_words(study: Study) -> str:
    """Say the best so far, or how many trials are on the front."""
    objective = study.objectives[0]
    if len(study.objectives) > 1:
        n = len(study.pareto)
        return f"{n} on the front" if n else ""
    found = study.store.best(study.id, 1)
    if not found:
        return ""
    return f"best {objective.metric} {number(found[0].values[0])} (trial {found[0].number})"

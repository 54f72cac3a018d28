# SPDX-License-Identifier: Apache-2.0
"""What a study has spent and seen, and whether that is reason to stop."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Literal, final

from archloom.contracts import State
from archloom.errors import ConfigError
from archloom.seen import Seen
from archloom.store import Standing, TrialRecord

__all__ = ["Budget", "Ledger"]


@final
@dataclass(frozen=True)
class Budget:
    """How long a run may go on; the first limit reached ends it.

    Args:
        trials: how many trials the study may hold in all, earlier runs included.
        minutes: how long this run may take; a trial that is running is finished.
        count: whether ``trials`` counts evaluations (repeats served from the store are free) or
            proposals (they count too).

    Raises:
        ConfigError: a limit that is not above zero, or another word for ``count``.
    """

    trials: int | None = None
    minutes: float | None = None
    count: Literal["evaluations", "proposals"] = "evaluations"
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if (self.trials is not None and self.trials < 1) or (self.minutes is not None and self.minutes <= 0):
            raise ConfigError(f"a budget is above zero, got trials={self.trials}, minutes={self.minutes}")
        if self.count not in ("evaluations", "proposals"):
            raise ConfigError(f"count is evaluations or proposals, got {self.count!r}")

    @staticmethod
    def of(standing: Standing, minutes: float | None) -> Budget:
        """Return the budget that the store has of a study."""
        return Budget(minutes=minutes).renewed(standing)

    def renewed(self, standing: Standing) -> Budget:
        """Return this budget with the number of trials that the store has now."""
        count: Literal["evaluations", "proposals"]
        count = "proposals" if standing.budget == "proposals" else "evaluations"
        return replace(self, trials=standing.max_trials, count=count)

    def n_left(self, n_evaluations: int, n_proposals: int) -> int | None:
        """Return how many more trials fit, ``None`` where their number has no limit."""
        n = n_evaluations if self.count == "evaluations" else n_proposals
        return None if self.trials is None else max(0, self.trials - n)

    def why_spent(self, n_evaluations: int, n_proposals: int) -> str:
        """Say which limit is reached, or return an empty string."""
        n = n_evaluations if self.count == "evaluations" else n_proposals
        if self.trials is not None and n >= self.trials:
            return f"the budget of {self.trials} {self.count} is spent"
        if self.minutes is not None and time.monotonic() - self.started >= 60 * self.minutes:
            return f"the budget of {self.minutes:g} minutes is spent"
        return ""


@final
@dataclass
class Ledger:
    """Counts of the finished trials of a study.

    Args:
        size: how many architectures the space holds, ``None`` for infinitely many.
        n_stall: end after so many proposals in a row that brought nothing new.
        max_failures: end after so many failed trials in a row.
        forgives: failures among the first so many trials to end are not held against it.
    """

    size: int | None
    n_stall: int
    max_failures: int
    forgives: int = 0
    n_proposals: int = 0
    n_evaluations: int = 0
    n_repeats: int = 0
    n_failures: int = 0
    last_failure: str = ""
    tried: Seen = field(default_factory=Seen)

    def count(self, record: TrialRecord) -> None:
        """Enter a finished trial."""
        is_part = record.fidelity is not None  # of the space, only what is measured in full is used up
        is_new = record.reused_from is None and (is_part or record.key not in self.tried)
        if not is_part:
            self.tried.add(record.key)
        self.n_proposals += 1
        self.n_evaluations += record.reused_from is None
        self.n_repeats = 0 if is_new else self.n_repeats + 1
        if record.state != State.FAIL:
            self.n_failures = 0
        elif record.reused_from is None and (record.finish_order or 0) >= self.forgives:
            self.n_failures += 1
            self.last_failure = record.reason

    def n_wanted(self, budget: Budget, n_running: int, n: int, *, wants_news: bool) -> int:
        """Return how many trials, of ``n`` at most, may start together.

        Never more than might run one after the other before ``why_stop`` has a reason.
        """
        if self.why_stop(budget, n_running, wants_news=wants_news):
            return 0
        left = budget.n_left(self.n_evaluations + n_running, self.n_proposals + n_running)
        limits = [n if left is None else left, self.max_failures - self.n_failures]
        if wants_news:
            limits.append(self.n_stall - self.n_repeats)
            if self.size is not None:
                limits.append(self.size - len(self.tried) - n_running)
        return max(1, min(n, *limits))

    def why_stop(self, budget: Budget, n_running: int, *, wants_news: bool) -> str:
        """Say why no further trial should start, or return an empty string.

        Args:
            budget: what may be spent.
            n_running: trials that are running and will count.
            wants_news: whether evaluating an architecture again is worth nothing.
        """
        spent = budget.why_spent(self.n_evaluations + n_running, self.n_proposals + n_running)
        if spent:
            return spent
        if self.n_failures >= self.max_failures:
            return f"{self.n_failures} trials in a row failed; the last: {self.last_failure}"
        if wants_news and self.size is not None and len(self.tried) + n_running >= self.size:
            return f"all {self.size} architectures have been tried"
        if wants_news and self.n_repeats >= self.n_stall:
            return f"nothing new came in {self.n_repeats} proposals"
        return ""

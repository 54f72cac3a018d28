# SPDX-License-Identifier: Apache-2.0
"""What a proposal gets that was evaluated before: the duplicates policies."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Literal, final

import numpy as np

from archloom.contracts import FloatArray, State
from archloom.errors import ConfigError
from archloom.store import Outcome, TrialRecord

__all__ = ["Duplicates", "Repeats"]

Duplicates = Literal["reuse", "skip", "reseed", "average"]


@final
class Repeats:
    """Serves repeats by a policy.

    ``reuse`` gives them the earlier result, ``skip`` ends them unevaluated, ``reseed`` evaluates them again,
    and ``average`` evaluates them again and lets the strategy learn the mean of all results.

    Args:
        policy: one of these.
        earlier: returns the evaluated trials of a key, oldest first.

    Raises:
        ConfigError: another policy.
    """

    def __init__(self, policy: Duplicates, earlier: Callable[[str], Sequence[TrialRecord]]):
        if policy not in ("reuse", "skip", "reseed", "average"):
            raise ConfigError(f"duplicates is reuse, skip, reseed or average, got {policy!r}")
        self._policy = policy
        self._earlier = earlier
        self._sums: dict[str, tuple[int, FloatArray]] = {}

    @property
    def wants_news(self) -> bool:
        """Whether evaluating an architecture again is worth nothing."""
        return self._policy in ("reuse", "skip")

    def forget(self) -> None:
        """Forget the results averaged so far; the history is about to be told again."""
        self._sums.clear()

    def outcome(self, record: TrialRecord, tried: Container[str] | None) -> Outcome | None:
        """Return what a repeat is served, ``None`` where the trial is to be evaluated.

        Args:
            record: the trial.
            tried: the keys that have been tried; ``None`` to look for this one.
        """
        if not self.wants_news or (tried is not None and record.key not in tried):
            return None
        earlier = self._earlier(record.key)
        for own in earlier:
            if own.number == record.number:  # this process slept, and another has evaluated the very trial
                return Outcome(own.state, own.metrics, own.violation, own.reason)
        first = _to_serve(earlier)
        if first is None:
            return None
        if self._policy == "skip":
            reason = f"duplicate of trial {first.number} (duplicates: skip)"
            return Outcome(State.PRUNED, {}, reason=reason, reused_from=first.number)
        return Outcome(first.state, first.metrics, first.violation, first.reason, reused_from=first.number)

    def n_together(self, records: Sequence[TrialRecord]) -> int:
        """Return how many trials, from the first on, may be evaluated at once: up to a repeat among them."""
        if not self.wants_news:
            return len(records)
        keys: set[str] = set()
        for n, record in enumerate(records):
            if record.key in keys:
                return n
            keys.add(record.key)
        return len(records)

    def is_told(self, record: TrialRecord) -> bool:
        """Whether the strategy hears of a finished trial: not of one that was skipped."""
        return self._policy != "skip" or record.reused_from is None

    def values(self, record: TrialRecord) -> FloatArray:
        """Return the objectives that the strategy is told, ``m`` (NaN where there is none)."""
        values = np.array([np.nan if value is None else value for value in record.values], dtype=float)
        if self._policy != "average" or record.state != State.COMPLETE:
            return values
        n, total = self._sums.get(record.key, (0, np.zeros_like(values)))
        self._sums[record.key] = (n + 1, total + values)
        return np.asarray((total + values) / (n + 1))


def _to_serve(earlier: Sequence[TrialRecord]) -> TrialRecord | None:
    """Choose the result that a repeat is served: what was measured, or what failed twice."""
    for state in (State.COMPLETE, State.PRUNED):
        for record in earlier:
            if record.state == state:
                return record
    return earlier[0] if len(earlier) > 1 else None

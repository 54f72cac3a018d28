# SPDX-License-Identifier: Apache-2.0
"""Which result is the better one, where a flow has one objective."""

from __future__ import annotations

import math
from typing import NamedTuple, final

from archloom.contracts import Finished, Genotypes, State
from archloom.strategies.flows.diary import some

__all__ = ["Best", "Worth", "worths"]


class Worth(NamedTuple):
    """What results are compared by, the lesser the better: violation first, then cost."""

    violation: float
    cost: float


def worths(finished: Finished, sign: float) -> list[Worth]:
    """Return the worth of each result; what is not complete has no cost, what has failed no merit at all.

    Args:
        finished: the results.
        sign: turns the objective into a cost.
    """
    found = []
    for i, state in enumerate(finished.states):
        cost = float(finished.values[i, 0]) * sign
        is_known = state == State.COMPLETE and not math.isnan(cost)
        violation = math.inf if state == State.FAIL else float(finished.violations[i])
        found.append(Worth(violation, cost if is_known else math.inf))
    return found


@final
class Best:
    """The best result so far; of equals the first.

    Args:
        sign: turns the objective into a cost.
    """

    def __init__(self, sign: float):
        self._sign = sign
        self.worth = Worth(math.inf, math.inf)
        self.result: Finished | None = None

    @property
    def row(self) -> Genotypes | None:
        """Its point; ``None`` where nothing with a value is known."""
        return None if self.result is None or math.isinf(self.worth.cost) else self.result.genotypes

    def learn(self, finished: Finished) -> None:
        """Take results into account."""
        for i, worth in enumerate(worths(finished, self._sign)):
            if self.result is None or worth < self.worth:
                self.worth, self.result = worth, some(finished, [i])

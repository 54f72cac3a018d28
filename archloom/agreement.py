# SPDX-License-Identifier: Apache-2.0
"""How well scores by inherited weights rank: held to architectures that were trained by themselves."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["AGREEMENT", "Agreement", "agreement", "kendall_tau", "spread_out"]

AGREEMENT = "agreement"
"""The kind of a study's events that say what was found."""

Scores: TypeAlias = Sequence[float] | npt.NDArray[Any]

_N_SHUFFLES = 10_000
_MOST_EXACT = 7


class Agreement(NamedTuple):
    """How two scores of the same architectures agree.

    Args:
        kendall_tau: 1 where they rank alike, 0 where one says nothing about the other; NaN where a score does
            not differ.
        p: the probability of such a tau, or a greater one, were the ranks shuffled.
        n: how many architectures.
        n_shared: how many are among the best ``n_top`` by both.
        n_top: a third of them, rounded up.
    """

    kendall_tau: float
    p: float
    n: int
    n_shared: int
    n_top: int

    def metrics(self) -> dict[str, float | None]:
        """Return it as JSON has it: ``None`` for NaN."""
        return {name: None if math.isnan(value) else value for name, value in self._asdict().items()}

    def words(self) -> str:
        """Say it in a sentence.

        >>> agreement([0.9, 0.8, 0.7], [0.95, 0.97, 0.9]).words()
        'Kendall tau 0.33 (p 0.50) with 3 architectures trained alone; in the best 1 of both: 0'
        """
        if math.isnan(self.kendall_tau):
            return f"nothing to compare: {self.n} architectures were trained alone, and scores do not differ"
        return (
            f"Kendall tau {self.kendall_tau:.2f} (p {self.p:.2f}) with {self.n} architectures trained alone; "
            f"in the best {self.n_top} of both: {self.n_shared}"
        )

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> Agreement:
        """Return what the JSON says."""
        return cls(
            float("nan") if metrics["kendall_tau"] is None else metrics["kendall_tau"],
            float("nan") if metrics["p"] is None else metrics["p"],
            *(int(metrics[name]) for name in ("n", "n_shared", "n_top")),
        )


def agreement(inherited: Scores, alone: Scores) -> Agreement:
    """Compare two scores of the same architectures; of both, the greater is the better.

    Raises:
        ValueError: fewer than two, or not as many of one as of the other.
    """
    if len(inherited) != len(alone) or len(alone) < 2:
        raise ValueError(f"two or more pairs of scores are compared, got {len(inherited)} and {len(alone)}")
    tau = kendall_tau(inherited, alone)
    n_top = math.ceil(len(alone) / 3)
    best = [set(np.argsort(-np.asarray(scores), kind="stable")[:n_top]) for scores in (inherited, alone)]
    return Agreement(tau, _p(tau, inherited, alone), len(alone), len(best[0] & best[1]), n_top)


def kendall_tau(a: Scores, b: Scores) -> float:
    """Return Kendall's tau-b: concordant less discordant pairs, over those that are not tied.

    ``(C - D) / sqrt((n0 - ties_a) * (n0 - ties_b))``; NaN where all of one are tied.

    >>> kendall_tau([1, 2, 3, 4], [1, 3, 2, 4])
    0.6666666666666666
    """
    signs = [np.sign(np.subtract.outer(x, x)) for x in (np.asarray(a, float), np.asarray(b, float))]
    untied = math.sqrt(np.abs(signs[0]).sum() * np.abs(signs[1]).sum())
    return float((signs[0] * signs[1]).sum() / untied) if untied else float("nan")


def spread_out(scores: Scores, n: int) -> list[int]:
    """Return the indices of ``n`` scores, evenly from the best to the worst by rank.

    >>> spread_out([5.0, 1.0, 4.0, 2.0, 3.0], 3)
    [0, 4, 1]
    """
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    n = min(n, len(order))
    places = [round(i * (len(order) - 1) / max(1, n - 1)) for i in range(n)]
    return [order[place] for place in places]


def _p(tau: float, a: Scores, b: Scores) -> float:
    if math.isnan(tau):
        return float("nan")
    signs = np.sign(np.subtract.outer(np.asarray(a, float), np.asarray(a, float)))
    others = np.sign(np.subtract.outer(np.asarray(b, float), np.asarray(b, float)))
    reached = (signs * others).sum()
    sums = [(signs * others[np.ix_(order, order)]).sum() for order in _orders(len(b))]
    return statistics.fmean(total >= reached - 1e-9 for total in sums)


def _orders(n: int) -> Sequence[npt.NDArray[np.int64]]:
    if n <= _MOST_EXACT:
        return [np.array(order) for order in permutations(range(n))]
    rng = np.random.default_rng(0)
    return [rng.permutation(n) for _ in range(_N_SHUFFLES)]

# SPDX-License-Identifier: Apache-2.0
"""In which order the items of each layer stand, and where: few crossings, short edges, no overlaps."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["crossings", "ordered", "placed", "spread"]

N_SWEEPS, N_LAST = 40, 20
BOX_PULL, MIXED_PULL, BEND_PULL = 1.0, 2.0, 8.0
"""How much a neighbour counts: edges are rather straight than boxes in the middle."""

Neighbours = Sequence[Sequence[int]]
"""For each item those in the layer before, or in the layer after."""


def ordered(rows: Sequence[Sequence[int]], before: Neighbours, after: Neighbours) -> list[list[int]]:
    """Return the rows in an order of few crossings: each item at the mean place of its neighbours, in turns.

    Args:
        rows: the items of each layer.
        before: of each item its neighbours in the row before.
        after: in the row after.

    >>> ordered([[0, 1], [2, 3]], before=[[], [], [1], [0]], after=[[3], [2], [], []])
    [[0, 1], [3, 2]]
    """
    now = [list(row) for row in rows]
    best, fewest = now, crossings(now, after)
    for sweep in range(N_SWEEPS):
        if not fewest:
            break
        now = [list(row) for row in now]
        forward = sweep % 2 == 0
        neighbours = before if forward else after
        for index in range(1, len(now)) if forward else range(len(now) - 2, -1, -1):
            other = {item: place for place, item in enumerate(now[index - 1 if forward else index + 1])}
            # Every other pair of sweeps turns ties around, which leaves orders that cannot improve otherwise.
            tie = 1 if sweep % 4 < 2 else -1
            keys = {
                item: (_mean([other[n] for n in neighbours[item]], place), tie * place)
                for place, item in enumerate(now[index])
            }
            now[index].sort(key=lambda item, keys=keys: keys[item])  # type: ignore[misc]
        now = _exchanged(now, before, after)
        if (count := crossings(now, after)) < fewest:
            best, fewest = now, count
    return best


def crossings(rows: Sequence[Sequence[int]], after: Neighbours) -> int:
    """Return how many pairs of edges cross.

    >>> crossings([[0, 1], [2, 3]], [[3], [2], [], []])
    1
    """
    count = 0
    for row, following in pairwise(rows):
        place = {item: index for index, item in enumerate(following)}
        seen: list[int] = []
        for item in row:
            ends = [place[n] for n in after[item]]
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def placed(
    rows: Sequence[Sequence[int]],
    sizes: Sequence[float],
    before: Neighbours,
    after: Neighbours,
    is_box: Sequence[bool],
    gap: float,
) -> list[float]:
    """Return the centre of each item across: near its neighbours, in order, without overlaps, from 0 on.

    Args:
        rows: the items of each layer, in order.
        sizes: extents across.
        before: neighbours in the row before.
        after: neighbours in the row after.
        is_box: whether an item is a box, and not an edge that passes.
        gap: the least distance of two in a row.
    """
    at = [0.0] * len(sizes)
    for row in rows:
        whole = sum(sizes[i] for i in row) + gap * (len(row) - 1)
        start = -whole / 2
        for i in row:
            at[i] = start + sizes[i] / 2
            start += sizes[i] + gap
    pulls = (BEND_PULL, MIXED_PULL, BOX_PULL)
    for sweep in range(N_SWEEPS):
        is_last = sweep >= N_SWEEPS - N_LAST  # in the end both sides count
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted, weights = [], []
            for i in row:
                near = [*before[i], *after[i]] if is_last else (before[i] if sweep % 2 == 0 else after[i])
                pull = [(at[n], pulls[is_box[i] + is_box[n]]) for n in near]
                total = sum(weight for _, weight in pull)
                wanted.append(sum(a * w for a, w in pull) / total if pull else at[i])
                weights.append(total or BOX_PULL)
            for i, place in zip(row, spread(wanted, weights, [sizes[i] for i in row], gap), strict=True):
                at[i] = place
    lowest = min((at[i] - sizes[i] / 2 for row in rows for i in row), default=0.0)
    return [place - lowest for place in at]


def spread(
    wanted: Sequence[float], weights: Sequence[float], sizes: Sequence[float], gap: float
) -> list[float]:
    """Return the places nearest to those wanted, in order and without overlaps.

    It is the weighted least squares under ``x[i + 1] - x[i] >= (sizes[i] + sizes[i + 1]) / 2 + gap``, by
    pooling adjacent violators.

    >>> spread([0, 0], [1, 1], [1, 1], 0.5)
    [-0.75, 0.75]
    """
    offsets = [0.0]
    for a, b in pairwise(sizes):
        offsets.append(offsets[-1] + (a + b) / 2 + gap)
    pools: list[tuple[float, float, int]] = []  # mean, weight, count
    for want, weight, offset in zip(wanted, weights, offsets, strict=False):
        mean, total, count = want - offset, weight, 1
        while pools and pools[-1][0] >= mean:
            other, heavy, many = pools.pop()
            mean = (mean * total + other * heavy) / (total + heavy)
            total, count = total + heavy, count + many
        pools.append((mean, total, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def _exchanged(rows: list[list[int]], before: Neighbours, after: Neighbours) -> list[list[int]]:
    """Exchange neighbours in a row wherever that leaves fewer crossings."""
    for index, row in enumerate(rows):
        places: dict[int, int] = {}
        for other in (index - 1, index + 1):
            if 0 <= other < len(rows):
                places |= {item: place for place, item in enumerate(rows[other])}
        for position in range(len(row) - 1):
            a, b = row[position], row[position + 1]
            change = 0
            for near in (before, after):
                ends = [(places[m], places[n]) for m in near[a] for n in near[b]]
                change += sum(m < n for m, n in ends) - sum(m > n for m, n in ends)
            if change < 0:
                row[position], row[position + 1] = b, a
    return rows


def _mean(places: Sequence[int], default: int) -> float:
    return sum(places) / len(places) if places else float(default)

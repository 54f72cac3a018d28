# SPDX-License-Identifier: Apache-2.0
"""Pareto dominance for one newcomer against a front that is already clean.

Costs: ``m`` numbers a point, lower is better. ``a`` dominates ``b`` when it is nowhere higher and
somewhere lower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["dominates", "enter"]


def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether point ``a`` dominates point ``b``.

    >>> dominates((1, 2), (1, 3)), dominates((1, 2), (1, 2)), dominates((0, 9), (1, 2))
    (True, False, False)
    """
    return all(x <= y for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b)


def enter(point: Sequence[float], front: Mapping[int, Sequence[float]]) -> tuple[bool, list[int]]:
    """Return whether a new point joins the front, and which members it drives out.

    Equal points all stay. Members do not dominate each other, so that a point that is dominated by
    one cannot dominate another.

    >>> enter((1, 1), {7: (2, 2), 8: (0, 3), 9: (1, 1)})
    (True, [7])
    >>> enter((3, 3), {7: (2, 2), 8: (0, 3), 9: (1, 1)})
    (False, [])

    Args:
        point: its ``m`` costs.
        front: the members' costs, by id.
    """
    if any(dominates(member, point) for member in front.values()):
        return False, []
    return True, [key for key, member in front.items() if dominates(point, member)]

# SPDX-License-Identifier: Apache-2.0
"""Courses of searches that were never run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archloom.report import Course, course_of
from archloom.search_spaces import SearchSpace


def reported(space: SearchSpace, n: int, **told: Sequence[float]) -> dict[int, dict[str, float]]:
    """Return what a run reports over ``n`` epochs; a label weighs what is told of it, and else 0.2."""
    rows: list[dict[str, Any]] = space.to_json()["decisions"]
    sites = {row.get("group", row["name"]): row["candidates"] for row in rows}
    pairs = [(f"{site}={label}", label) for site, labels in sites.items() for label in labels]
    return {
        epoch + 1: {
            "entropy": 1.0 - epoch / 100,
            **{key: told.get(label, [0.2] * n)[epoch] for key, label in pairs},
            "skips": float(epoch),
            "seconds": 1.5,
        }
        for epoch in range(n)
    }


def course(space: SearchSpace, n: int = 3, row: int = 0, **told: Sequence[float]) -> Course:
    """Return such a course, up to an architecture of the space."""
    choices = space.architecture(space.at([row])).choices
    found = course_of(reported(space, n, **told), n, space.to_json(), choices)
    assert found is not None
    return found

# SPDX-License-Identifier: Apache-2.0
"""Many searches in parallel processes, in whatever order they end; a seed's result does not depend on it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from archloom.bench.runs import Curve, Problem, search_once

__all__ = ["run_all"]

Strategies = Sequence[Mapping[str, Any] | str]


def run_all(
    problems: Sequence[Problem],
    strategies: Strategies,
    seeds: Sequence[int],
    *,
    processes: int = 1,
    on_end: Callable[[int, int], None] | None = None,
) -> list[Curve]:
    """Search every problem with every strategy and every seed.

    Args:
        problems: what is searched.
        strategies: as in a study file each.
        seeds: of the searches.
        processes: how many search at a time; in this one where it is 1.
        on_end: called with how many searches have ended, and how many there are.

    Returns:
        The curves, in the order of problems, strategies and seeds.

    Raises:
        ArchloomError: what the first search that failed raised.
    """
    jobs = [(problem, strategy, seed) for problem in problems for strategy in strategies for seed in seeds]
    curves: dict[int, Curve] = {}
    for place, curve in _searched(jobs, processes):
        curves[place] = curve
        if on_end is not None:
            on_end(len(curves), len(jobs))
    return [curves[place] for place in range(len(jobs))]


def _searched(
    jobs: Sequence[tuple[Problem, Mapping[str, Any] | str, int]], processes: int
) -> Iterator[tuple[int, Curve]]:
    if processes == 1:
        for place, job in enumerate(jobs):
            yield place, search_once(*job)
        return
    # A fresh interpreter each: a fork of a process with threads may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(jobs) or 1), mp_context=context) as pool:
        waiting = {pool.submit(search_once, *job): place for place, job in enumerate(jobs)}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:  # one has failed, or somebody has interrupted us
            pool.shutdown(wait=False, cancel_futures=True)

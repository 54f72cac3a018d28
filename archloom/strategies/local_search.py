# SPDX-License-Identifier: Apache-2.0
"""Local search: climb from a random start, one change at a time, and start again at the top."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

from archloom.contracts import Finished, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError
from archloom.strategies.neighbourhood import neighbourhood

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["LocalSearch"]

MAX_REJECTIONS = 64
BATCH = 4096
MAX_REMEMBERED = 64
NEIGHBOURS = 1
"""The attempt number under which neighbourhoods are drawn; proposals draw under 0."""

ENQUEUED = -1
"""The place of an architecture that somebody else proposed: before all of the strategy's own."""

_Fitness = tuple[float, float]
"""Violation, then cost; lower is better."""


@final
@dataclass(frozen=True, eq=False)
class _Peak:
    """An architecture that has been measured, and what lies one change away from it.

    Args:
        fitness: violation and cost.
        neighbours: key to row.
    """

    fitness: _Fitness
    neighbours: dict[bytes, Genotypes]


@final
class LocalSearch(Strategy):
    """Hill climbing with restarts.

    The first ``n_initial`` proposals are random, and the best of them is the incumbent. After that each
    proposal is a neighbour of the incumbent that was not proposed before, in random order. A neighbour
    that is better becomes the incumbent. When all neighbours have been proposed and none is better, the
    incumbent is a local optimum, and the search starts again from a new random architecture. What it has
    proposed it never proposes again; when a finite space is used up it ends.

    A neighbour differs by one changed choice (decisions that the change opens are drawn) or by a small step
    of one float, up or down, on the float's scale. With constraints the lesser violation is better, whatever
    the objective; a failed trial is never an incumbent.

    White, Nolen, Savani: Exploring the Loss Landscape in Neural Architecture Search, UAI 2021,
    arXiv:2005.02960 (its title was "Local Search is State of the Art for NAS Benchmarks"). Den Ottelander,
    Dushatskiy, Virgolin, Bosman: Local Search is a Remarkably Strong Baseline for Neural Architecture
    Search, EMO 2021, arXiv:2004.08996.

    Args:
        n_initial: random proposals before the first climb.
        accept: ``first`` moves to a better neighbour as soon as it is known, ``best`` to the best neighbour
            when all are known.
        float_step: standard deviation of a float's step, as a share of its range.

    Raises:
        ConfigError: no initial proposal, another word for ``accept``, or a step that is not above zero.

    Example:
        >>> import pyglove as pg
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.List([pg.oneof(list(range(10))) for _ in range(3)]))
        >>> study = Study(space, LocalSearch(n_initial=2), lambda a: sum(a.value), {"total": "maximize"})
        >>> study.run(trials=150).best.values
        (27.0,)
    """

    supports: ClassVar[frozenset[str]] = frozenset({"constraints", "floats"})

    space: SearchSpace

    def __init__(
        self, *, n_initial: int = 10, accept: Literal["first", "best"] = "first", float_step: float = 0.1
    ):
        if n_initial < 1:
            raise ConfigError(f"n_initial is a whole number of at least 1, got {n_initial}")
        if accept not in ("first", "best"):
            raise ConfigError(f"accept is first or best, got {accept!r}")
        if not 0.0 < float_step <= 1.0:
            raise ConfigError(
                f"float_step is a share of a float's range, above 0 and up to 1, got {float_step}"
            )
        self._n_initial = n_initial
        self._accept = accept
        self._float_step = float_step

    @property
    def n_startup(self) -> int:
        """The random points that the first climb starts from."""
        return self._n_initial

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nothing is known yet."""
        super().setup(space, objectives, seed)
        self._places: dict[bytes, int] = {}
        self._known: dict[bytes, _Fitness] = {}
        self._n_told = 0
        self._incumbent: _Peak | None = None
        self._remembered: dict[bytes, dict[bytes, Genotypes]] = {}

    def ask(self, n: int) -> Genotypes:
        """Propose up to ``n`` architectures that were not proposed before."""
        made = []
        for _ in range(n):
            row = self._propose(self.n_asked)
            if row is None:
                break
            self._places[row.keys()[0]] = self.n_asked
            self.n_asked += 1
            made.append(row)
        return Genotypes.concatenate(made) if made else self.space.sample(0, self.rng(self.n_asked))

    def tell(self, finished: Finished) -> None:
        """Move where one is better."""
        keys = finished.genotypes.keys()
        for i, key in enumerate(keys):
            self._known[key] = self._fitness(finished, i)
            self._places.setdefault(key, ENQUEUED)
            self._n_told += 1
            self._incumbent = self._after(key, finished.genotypes[i])

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Rebuild the state.

        It is a function of what was proposed, in order, and of what has finished, in order: not of when
        an ``ask`` came between two ``tell``.
        """
        for place, key in enumerate(proposed.keys()):
            self._places.setdefault(key, place)
        super().recover(proposed, finished)

    # ------------------------------------------------------------------ climbing

    def _after(self, key: bytes, row: Genotypes) -> _Peak | None:
        """Return the incumbent after a trial has become known."""
        fitness, place = self._known[key], self._places[key]
        incumbent = self._advanced(self._incumbent, place)
        if incumbent is None:
            return self._peak(key, row) if fitness < _FAILED else None
        takes_any = self._accept == "first" or self._n_told <= self._n_initial
        return self._peak(key, row) if takes_any and fitness < incumbent.fitness else incumbent

    def _advanced(self, incumbent: _Peak | None, place: int) -> _Peak | None:
        """Return the incumbent for a proposal at a place: ``None`` where a new climb begins.

        A climb is over when all neighbours were proposed before that place and none known is better. To ask
        for the place, not for what is known by now, makes resuming exact with trials still on their way.
        """
        while incumbent is not None:
            is_done = all(self._places.get(key, place) < place for key in incumbent.neighbours)
            if not is_done and self._accept == "best":
                return incumbent
            known = [key for key in incumbent.neighbours if key in self._known]
            best = min(known, key=self._known.__getitem__, default=None)
            if best is not None and self._known[best] < incumbent.fitness:
                incumbent = self._peak(best, incumbent.neighbours[best])
            elif is_done:
                return None
            else:
                return incumbent
        return None

    def _propose(self, proposal: int) -> Genotypes | None:
        incumbent = None if proposal < self._n_initial else self._advanced(self._incumbent, proposal)
        if incumbent is not None:
            new = [row for key, row in incumbent.neighbours.items() if key not in self._places]
            if new:
                return new[int(self.rng(proposal).integers(len(new)))]
        return self._start(proposal)

    def _peak(self, key: bytes, row: Genotypes) -> _Peak:
        """Return a known architecture with its neighbours, a function of the seed and the architecture."""
        if key not in self._remembered:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            number = int.from_bytes(blake2b(key, digest_size=4).digest())
            rows = neighbourhood(self.space, row, self.rng(number, NEIGHBOURS), self._float_step)
            self._remembered[key] = {k: rows[i] for i, k in enumerate(rows.keys()) if k != key}
        return _Peak(self._known[key], self._remembered[key])

    def _fitness(self, finished: Finished, i: int) -> _Fitness:
        if finished.states[i] == State.FAIL:
            return _FAILED
        cost = float(finished.values[i, 0]) * self.objectives[0].sign
        return _known(float(finished.violations[i])), _known(cost)

    # ------------------------------------------------------------------ starting

    def _start(self, proposal: int) -> Genotypes | None:
        """Draw an architecture that was not proposed before, ``None`` where there is none."""
        rng, size = self.rng(proposal), self.space.size
        if size is not None and len(self._places) >= size:
            return None
        for n in (*(1,) * MAX_REJECTIONS, BATCH):
            row = self._first_new(self.space.sample(n, rng))
            if row is not None:
                return row
        return None if size is None else self._next_new(int(rng.integers(min(size, 2**62))), size)

    def _next_new(self, first: int, size: int) -> Genotypes | None:
        """Look through the ranks from ``first`` on; among more ranks than proposals one is new."""
        for block in range(0, min(size, len(self._places) + 1), BATCH):
            ranks = [(first + block + i) % size for i in range(min(BATCH, size))]
            row = self._first_new(self.space.at(ranks))
            if row is not None:
                return row
        return None

    def _first_new(self, rows: Genotypes) -> Genotypes | None:
        new = (i for i, key in enumerate(rows.keys()) if key not in self._places)
        found = next(new, None)
        return None if found is None else rows[found]


def _known(number: float) -> float:
    """Return a number, or where it is none the worst: compared with others it would be neither."""
    return math.inf if math.isnan(number) else number


_FAILED: _Fitness = (math.inf, math.inf)

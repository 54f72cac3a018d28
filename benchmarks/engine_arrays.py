# SPDX-License-Identifier: Apache-2.0
"""Random architectures a second, against ``pg.random_dna``; all of ours are valid, and checked to be."""

from __future__ import annotations

import random
import time
from functools import partial

import numpy as np
import pyglove as pg

from archloom.search_spaces import SearchSpace
from archloom.search_spaces.cell import cell
from archloom.search_spaces.nasbench201 import nasbench201
from benchmarks.measuring import Row, compared, in_turn

__all__ = ["measure"]


def two_cells() -> SearchSpace:
    """Make DARTS' space: a normal and a reduction cell of four nodes."""
    edge = cell(nodes=4).template.value.cell
    return SearchSpace(pg.Dict(normal=edge.clone(deep=True), reduction=edge.clone(deep=True)))


def ours(space: SearchSpace, n: int) -> float:
    """Return the seconds an architecture, drawn as an array."""
    started = time.perf_counter()
    rows = space.sample(n, np.random.default_rng(0))
    seconds = (time.perf_counter() - started) / n
    assert space.is_legal(rows[:: n // 1000]).all()
    return seconds


def pygloves(space: SearchSpace, n: int) -> float:
    """Return the seconds a DNA, drawn by PyGlove."""
    spec, rng = space.dna_spec, random.Random(0)
    started = time.perf_counter()
    for _ in range(n):
        pg.random_dna(spec, rng)
    return (time.perf_counter() - started) / n


def measure(n_rounds: int = 5) -> list[Row]:
    """Compare; about ten seconds."""
    spaces = {"NAS-Bench-201": (nasbench201(), 1_000_000), "two DARTS cells": (two_cells(), 200_000)}
    rows = []
    for name, (space, n) in spaces.items():
        mine, (theirs,) = in_turn(partial(ours, space, n), [partial(pygloves, space, 50)], n_rounds)
        rows.append(compared(f"random architectures, {name}", mine, "pg.random_dna", theirs, 1000))
    return rows

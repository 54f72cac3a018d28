"""The compiled space and PyGlove agree: same validity, same count, DNA exact both ways."""

from __future__ import annotations

import random

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Genotypes
from archloom.errors import SpaceError
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.dna import to_numbers
from tests.search_spaces.templates import TEMPLATES, space_of

N_POINTS = 1_000  # a template; eleven templates


@pytest.fixture(scope="module", params=sorted(TEMPLATES))
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return space_of(request.param)


def test_eleven_templates() -> None:
    assert len(TEMPLATES) == 11


def test_same_count(space: SearchSpace) -> None:
    theirs = space.dna_spec.space_size
    assert (space.size if space.size is not None else -1) == theirs


@pytest.mark.slow
def test_pyglove_points_are_ours(space: SearchSpace) -> None:
    """Each random DNA of theirs is a legal row of ours, and comes back equal."""
    source = random.Random(0)
    for _ in range(N_POINTS // 2):
        theirs = pg.random_dna(space.dna_spec, source)
        row = space.from_dna(theirs)
        assert space.is_legal(row).all()
        assert to_numbers(space.points, row) == theirs.to_numbers()
    assert space.to_dna(row) == theirs


@pytest.mark.slow
def test_our_points_are_pygloves(space: SearchSpace) -> None:
    """Each sampled row is a DNA that they accept, and comes back bit for bit."""
    rows = space.sample(N_POINTS // 2, np.random.default_rng(0))
    for i in range(len(rows)):
        dna = space.to_dna(rows[i])
        space.dna_spec.validate(dna)
        assert space.from_dna(dna).keys() == rows[i].keys()


@pytest.mark.slow
def test_same_validity(space: SearchSpace) -> None:
    """Rows with random choices, legal or not, are judged as PyGlove judges them."""
    rng = np.random.default_rng(1)
    rows = space.sample(60, rng)
    n_illegal = 0
    for i in range(len(rows)):
        choices = rows.choices[i : i + 1].copy()
        active = np.flatnonzero(choices[0] >= 0)
        column = rng.choice(active)
        highest = max(len(d.candidates) for d in space.decisions)
        choices[0, column] = rng.integers(0, highest + 1)
        changed = Genotypes(choices, rows.floats[i : i + 1])
        ours = bool(space.is_legal(changed)[0])
        n_illegal += not ours
        assert ours == _pyglove_accepts(space, changed)
    assert n_illegal > 0


def _pyglove_accepts(space: SearchSpace, row: Genotypes) -> bool:
    """Whether the row is what PyGlove's own reading of its numbers gives back."""
    try:
        dna = space.to_dna(row)
        space.dna_spec.validate(dna)
        return space.from_dna(dna).keys() == row.keys()
    except (ValueError, IndexError, SpaceError):
        return False


def test_decoded_value_is_pygloves(space: SearchSpace) -> None:
    row = space.sample(1, np.random.default_rng(2))
    value = space.decode(row)
    if not space.settings:
        assert pg.eq(value, space.template.decode(space.to_dna(row)))
    assert not pg.contains(value, type=pg.hyper.HyperValue)

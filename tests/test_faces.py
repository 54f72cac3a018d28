"""The faces of the packages: what they offer is there, listed, and misspelt names are answered."""

from __future__ import annotations

import importlib

import pytest

import archloom

FACES = ["archloom", "archloom.evaluators", "archloom.search_spaces", "archloom.strategies"]


@pytest.mark.parametrize("name", FACES)
def test_everything_offered_is_there(name: str) -> None:
    face = importlib.import_module(name)
    for public in face.__all__:
        assert getattr(face, public) is not None
    assert set(face.__all__) <= set(dir(face))
    with pytest.raises(AttributeError):
        _ = face.nothing_of_this_name


def test_a_space_says_how_large_it_is() -> None:
    import pyglove as pg

    assert repr(archloom.SearchSpace(pg.oneof([1, 2]))) == "SearchSpace(2 architectures, 1 decisions)"
    assert "infinitely many" in repr(archloom.SearchSpace(pg.floatv(0.0, 1.0)))

"""A part of a space is that space with the rest held: same names, same candidates, nothing lost."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Genotypes
from archloom.errors import SpaceError
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.parts import Part, Shortlist, every_root, root_names


def whole() -> SearchSpace:
    """Every kind of decision, in an order in which the columns of no part are side by side."""
    template = pg.Dict(
        many=pg.manyof(2, [pg.Dict(x=pg.oneof([1, 2])), "y", "z"], distinct=False, sorted=True),
        rate=pg.floatv(0.1, 1.0, scale="log"),
        op=pg.oneof([pg.Dict(k=pg.oneof([1, 3]), drop=pg.floatv(0.0, 0.5)), "skip"]),
        set=pg.manyof(2, [pg.Dict(w=pg.oneof([8, 16])), "b", "c"], distinct=True, sorted=True),
        order=pg.permutate(["p", "q", "r"]),
    )
    return SearchSpace(template, settings={"training": {"lr": pg.floatv(1e-4, 1e-1), "wd": pg.oneof([0, 1])}})


GROUPS = (["many", "training.lr"], ["op", "order"], ["set"], ["rate", "training.wd"])


def draw(space: SearchSpace, n: int, seed: int = 0) -> Genotypes:
    return space.sample(n, np.random.default_rng(seed))


@pytest.mark.parametrize("names", GROUPS, ids=str)
def test_names_and_candidates_are_those_of_the_whole(names: list[str]) -> None:
    space = whole()
    part = Part(space, names)
    own = {one.name: one for one in space.decisions}
    assert list(part.names) == [name for name in every_root(space) if name in names]
    assert all(one == own[one.name] for one in part.space.decisions)
    mine = {name for name in own if name.startswith(tuple(names))}
    assert {one.name for one in part.space.decisions} == mine


@pytest.mark.parametrize("names", GROUPS, ids=str)
def test_project_and_merge_are_inverse(names: list[str]) -> None:
    space, part = whole(), Part(whole(), names)
    rows, others = draw(space, 200), draw(space, 200, 1)
    mine = part.project(rows)
    assert part.space.is_legal(mine).all()
    assert part.merge(rows, mine).keys() == rows.keys()
    mixed = part.merge(others, mine)
    assert space.is_legal(mixed).all()
    assert part.project(mixed).keys() == mine.keys()
    rest = Part(space, [name for name in every_root(space) if name not in names])
    assert rest.project(mixed).keys() == rest.project(others).keys()
    for i in range(20):
        chosen = space.architecture(mixed[i]).choices
        assert part.space.architecture(mine[i]).choices.items() <= chosen.items()


def test_one_held_row_serves_all_and_is_left_as_it_was() -> None:
    space = whole()
    part, held = Part(space, ["op"]), draw(space, 1)
    before = held.keys()
    merged = part.merge(held, draw(part.space, 30))
    assert len(merged) == 30
    assert space.is_legal(merged).all()
    assert held.keys() == before
    assert len(part.merge(held, draw(part.space, 0))) == 0


@pytest.mark.parametrize("names", GROUPS, ids=str)
def test_a_part_is_varied_within_itself_and_speaks_dna(names: list[str]) -> None:
    part = Part(whole(), names)
    rows, rng = draw(part.space, 50), np.random.default_rng(2)
    assert part.space.is_legal(part.space.mutate(rows, rng)).all()
    assert part.space.is_legal(part.space.crossover(rows, rows[::-1], rng)).all()
    for i in range(20):
        assert part.space.from_dna(part.space.to_dna(rows[i])).keys() == rows[i].keys()
        assert part.space.from_choices(part.space.choices(rows[i])).genotype.keys() == rows[i].keys()


def test_sizes_multiply() -> None:
    space = SearchSpace(pg.List([pg.manyof(2, list("abcd")), pg.oneof([1, 2, 3]), pg.permutate([1, 2, 3])]))
    parts = [Part(space, ["[0]", "[2]"]), Part(space, ["[1]"])]
    assert space.size == (parts[0].space.size or 0) * (parts[1].space.size or 0)
    held = [parts[1].merge(draw(space, 1), parts[1].space.at([i])) for i in range(3)]
    products = [parts[0].merge(row, parts[0].space.enumerate()) for row in held]
    everything = set(Genotypes.concatenate(products).keys())
    assert everything == set(space.enumerate().keys())


def test_pyglove_draws_the_points_of_a_part() -> None:
    space = SearchSpace(
        pg.Dict(a=pg.oneof(list("xyz")), b=pg.manyof(2, [pg.oneof([1, 2]), 3, 4], sorted=True))
    )
    part = Part(space, ["b"])
    drawn = set()
    sweep = pg.geno.Sweeping()
    sweep.setup(part.space.dna_spec)
    while (dna := _next(sweep)) is not None:
        drawn.add(part.space.from_dna(dna).keys()[0])
    assert drawn == set(part.space.enumerate().keys())


def _next(sweep: pg.DNAGenerator) -> pg.DNA | None:
    try:
        return sweep.propose()
    except StopIteration:
        return None


def test_a_tie_across_the_cut_holds_in_the_merged_row() -> None:
    template = pg.Dict(width=pg.oneof([8, 16]), depth=pg.oneof([1, 2]), head=pg.hyper.reference("width"))
    space = SearchSpace(template)
    part = Part(space, ["width"])
    held = space.from_choices({"width": "8", "depth": "2"}).genotype
    value = space.architecture(part.merge(held, part.space.at([1]))).value
    assert (value.width, value.head, value.depth) == (16, 16, 2)


def test_a_part_without_decisions_has_one_point() -> None:
    space = whole()
    nothing, rows = Part(space, []), draw(space, 5)
    assert nothing.space.size == 1
    assert nothing.merge(rows, draw(nothing.space, 5)).keys() == rows.keys()


def test_leading_paths_end_where_names_do() -> None:
    space = SearchSpace(
        pg.Dict(
            stem=pg.Dict(k=pg.oneof([1, 3]), w=pg.oneof([8, 16])),
            stem2=pg.oneof([1, 2]),
            layers=pg.List([pg.oneof([1, 2]), pg.Dict(a=pg.oneof([1, 2]))]),
        )
    )
    assert root_names(space, ["stem"]) == ["stem.k", "stem.w"]
    assert root_names(space, ["layers[1]", "stem2"]) == ["stem2", "layers[1].a"]
    assert root_names(space, ["layers"]) == ["layers[0]", "layers[1].a"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ordr", r"'ordr' is neither a decision nor .*; did you mean 'order'\?"),
        ("op({drop: choice, k: choice}).k", r"is a part of 'op', which is not cut: name 'op'"),
        ("set[0]", r"'set\[0\]' is a part of 'set', which is not cut: name 'set'"),
        ("trainin", r"did you mean 'training\.(lr|wd)'\?"),
    ],
)
def test_says_what_is_no_root_decision(name: str, message: str) -> None:
    space = whole()
    inside = [one.name for one in space.decisions if one.name.startswith("op(") and one.name.endswith(".k")]
    with pytest.raises(SpaceError, match=message):
        Part(space, [inside[0] if name.startswith("op(") else name])


def test_a_part_is_for_searching_only() -> None:
    part = Part(whole(), ["op"])
    with pytest.raises(SpaceError, match="merge its rows into the whole"):
        _ = part.space.architecture(draw(part.space, 1)).value
    with pytest.raises(SpaceError, match="give them to the whole"):
        part.space.with_settings({"training": {"epochs": pg.oneof([1, 2])}})
    assert part.space.fingerprint == Part(whole(), ["op"]).space.fingerprint
    assert part.space.fingerprint != Part(whole(), ["set"]).space.fingerprint


def test_a_shortlist_holds_its_rows_times_all_else() -> None:
    space = whole()
    listed = Part(space, ["op", "training.lr"])
    free = Part(space, [name for name in every_root(space) if name not in listed.names])
    rows = draw(listed.space, 3)
    short = Shortlist(space, listed, rows, free)
    drawn = short.merge(draw(short.space, 300))
    assert space.is_legal(drawn).all()
    assert short.holds(drawn).all()
    assert set(listed.project(drawn).keys()) == set(rows.keys())
    assert short.merge(short.project(drawn)).keys() == drawn.keys()
    assert not short.holds(draw(space, 50)).any()
    assert len(short.merge(draw(short.space, 0))) == 0
    for i in range(10):
        row = draw(short.space, 1, i)
        assert short.space.from_dna(short.space.to_dna(row)).keys() == row.keys()


def test_a_shortlist_needs_different_rows() -> None:
    space = SearchSpace(pg.Dict(a=pg.oneof([1, 2]), b=pg.oneof([1, 2])))
    a, b = Part(space, ["a"]), Part(space, ["b"])
    for ranks in ([], [0, 0]):
        with pytest.raises(SpaceError, match=f"at least one row and none twice, got {len(ranks)}"):
            Shortlist(space, a, a.space.at(ranks), b)

"""The parts of evolution: who inherits what, what changes, and that all of it is legal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Genotypes
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies.operators import Operators, tournament


def flat(d: int = 8) -> SearchSpace:
    return SearchSpace(pg.List([pg.oneof(list("abcde")) for _ in range(d)]))


def floats() -> SearchSpace:
    return SearchSpace(
        pg.Dict(x=pg.floatv(0.0, 10.0), lr=pg.floatv(1e-4, 1.0, scale="log"), constant=pg.floatv(2.0, 2.0))
    )


def mixed() -> SearchSpace:
    """Every kind of decision there is, some below others."""
    cell = pg.Dict(k=pg.oneof([1, 3, 5]), width=pg.floatv(0.5, 2.0))
    return SearchSpace(
        pg.Dict(
            op=pg.oneof([cell, "skip"]),
            a=pg.manyof(2, list("abcd"), distinct=True, sorted=True),
            b=pg.manyof(3, [pg.Dict(x=pg.oneof([1, 2]), y=pg.floatv(0.0, 1.0)), "y"], distinct=False),
            p=pg.permutate([1, 2, 3]),
            lr=pg.floatv(1e-4, 1.0, scale="log"),
            only=pg.oneof(["one"]),
        )
    )


def rows_of(space: SearchSpace, n: int, seed: int = 0) -> Genotypes:
    return space.sample(n, np.random.default_rng(seed))


@pytest.mark.parametrize(
    "vary",
    [
        lambda o, a, b, rng: o.uniform(a, b, rng),
        lambda o, a, b, rng: o.cut(a, b, rng, n_cuts=1),
        lambda o, a, b, rng: o.cut(a, b, rng, n_cuts=2),
        lambda o, a, b, rng: o.uniform(*o.blend(a, b, rng), rng),
        lambda o, a, b, rng: o.mutate_one(a, rng),
        lambda o, a, b, rng: o.mutate_one(a, rng, index=None),
        lambda o, a, b, rng: o.mutate_each(a, rng),
        lambda o, a, b, rng: o.mutate_each(a, rng, probability=0.5),
    ],
    ids=["uniform", "one_point", "two_point", "blend", "one", "one_anew", "each", "half"],
)
def test_children_are_legal_and_parents_untouched(
    vary: Callable[[Operators, Genotypes, Genotypes, np.random.Generator], Genotypes],
) -> None:
    space = mixed()
    a, b = rows_of(space, 200), rows_of(space, 200, seed=1)
    before = a.keys(), b.keys()
    children = vary(Operators(space), a, b, np.random.default_rng(2))
    assert space.is_legal(children).all()
    assert (a.keys(), b.keys()) == before
    assert children.keys() != a.keys()


def test_uniform_takes_each_gene_from_either_parent() -> None:
    space = flat()
    a, b = space.at([0] * 2000), space.at([space.size - 1] * 2000)  # type: ignore[operator]
    children = Operators(space).uniform(a, b, np.random.default_rng(0)).choices
    assert set(np.unique(children)) == {0, 4}
    assert (children == 4).mean(axis=0) == pytest.approx(0.5, abs=0.05)
    pairs = (children[:, 0] == children[:, 1]).mean()
    assert pairs == pytest.approx(0.5, abs=0.05)
    few = Operators(space).uniform(a, b, np.random.default_rng(0), share=0.1).choices
    assert (few == 4).mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("n_cuts", [1, 2, 3])
def test_cuts_leave_pieces(n_cuts: int) -> None:
    space = flat()
    a, b = space.at([0] * 500), space.at([space.size - 1] * 500)  # type: ignore[operator]
    children = Operators(space).cut(a, b, np.random.default_rng(0), n_cuts=n_cuts).choices
    assert ((np.diff(children, axis=1) != 0).sum(axis=1) == n_cuts).all()
    assert (np.diff(children, axis=1) != 0).any(axis=0).all()
    assert (children[:, 0] == 0).all()


def test_more_cuts_than_places_alternate() -> None:
    space = flat(3)
    children = Operators(space).cut(space.at([0]), space.at([124]), np.random.default_rng(0), n_cuts=9)
    assert children.choices.tolist() == [[0, 4, 0]]


def test_a_cut_is_needed() -> None:
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        Operators(flat()).cut(flat().at([0]), flat().at([1]), np.random.default_rng(0), n_cuts=0)


def test_a_group_is_inherited_as_a_whole() -> None:
    space = SearchSpace(pg.List([pg.manyof(3, list("abcdefgh"), distinct=True) for _ in range(4)]))
    a, b = rows_of(space, 300), rows_of(space, 300, seed=1)
    operators, rng = Operators(space), np.random.default_rng(0)
    assert operators.n_genes == 4
    for children in (operators.uniform(a, b, rng), operators.cut(a, b, rng)):
        for group in (slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 12)):
            from_a = (children.choices[:, group] == a.choices[:, group]).all(axis=1)
            from_b = (children.choices[:, group] == b.choices[:, group]).all(axis=1)
            assert (from_a | from_b).all()


def test_what_only_one_parent_has_comes_from_it() -> None:
    space = SearchSpace(pg.Dict(op=pg.oneof([pg.Dict(k=pg.oneof(list(range(50)))), "skip"])))
    a, b = space.at([7] * 40), space.at([50] * 40)
    for mother, father in ((a, b), (b, a)):
        children = Operators(space).uniform(mother, father, np.random.default_rng(0)).choices
        assert {tuple(row) for row in children.tolist()} == {(0, 7), (1, -1)}


def test_a_float_that_only_one_parent_has_comes_from_it() -> None:
    space = SearchSpace(pg.oneof([pg.Dict(x=pg.floatv(0.0, 1.0)), "skip"]))
    rows = rows_of(space, 40)
    a, b = rows[rows.choices[:, 0] == 0], rows[rows.choices[:, 0] == 1]
    n = min(len(a), len(b))
    for mother, father in ((a[:n], b[:n]), (b[:n], a[:n])):
        children = Operators(space).uniform(mother, father, np.random.default_rng(0))
        is_open = children.choices[:, 0] == 0
        assert 0 < is_open.sum() < n
        assert (children.floats[is_open] == a.floats[:n][is_open]).all()
        assert np.isnan(children.floats[~is_open]).all()


def test_blend_keeps_the_middle_and_stays_near() -> None:
    space = floats()
    a, b = rows_of(space, 1000), rows_of(space, 1000, seed=1)
    made_a, made_b = Operators(space).blend(a, b, np.random.default_rng(0))
    assert space.is_legal(made_a).all()
    assert space.is_legal(made_b).all()
    x, y, distance = made_a.floats[:, 0], made_b.floats[:, 0], np.abs(a.floats[:, 0] - b.floats[:, 0])
    inside = (np.minimum(x, y) > 0.0) & (np.maximum(x, y) < 10.0)
    assert (x + y)[inside] == pytest.approx((a.floats[:, 0] + b.floats[:, 0])[inside])
    assert np.median(np.abs(x - a.floats[:, 0]) / distance) < 0.05
    wide, _ = Operators(space).blend(a, b, np.random.default_rng(0), index=1.0)
    assert np.median(np.abs(wide.floats[:, 0] - a.floats[:, 0]) / distance) > 0.08


def test_blend_works_on_the_scale_of_the_float() -> None:
    space = floats()
    a, b = rows_of(space, 1000), rows_of(space, 1000, seed=1)
    made_a, made_b = Operators(space).blend(a, b, np.random.default_rng(0))
    products, before = made_a.floats[:, 1] * made_b.floats[:, 1], a.floats[:, 1] * b.floats[:, 1]
    inside = (made_a.floats[:, 1] * 0.999 > 1e-4) & (made_b.floats[:, 1] * 0.999 > 1e-4)
    inside &= (made_a.floats[:, 1] < 0.999) & (made_b.floats[:, 1] < 0.999)
    assert np.log(products[inside]) == pytest.approx(np.log(before[inside]))


def test_blend_leaves_what_one_parent_lacks() -> None:
    space = SearchSpace(pg.oneof([pg.Dict(x=pg.floatv(0.0, 1.0)), "skip"]))
    rows = rows_of(space, 40)
    with_float, without = rows[rows.choices[:, 0] == 0], rows[rows.choices[:, 0] == 1]
    n = min(len(with_float), len(without))
    made, other = Operators(space).blend(with_float[:n], without[:n], np.random.default_rng(0))
    assert (made.floats == with_float.floats[:n]).all()
    assert np.isnan(other.floats).all()


def test_mutate_one_changes_exactly_one_decision() -> None:
    space = flat()
    rows = rows_of(space, 500)
    made = Operators(space).mutate_one(rows, np.random.default_rng(0))
    changed = made.choices != rows.choices
    assert (changed.sum(axis=1) == 1).all()
    assert changed.any(axis=0).all()


def test_a_float_moves_by_a_step_or_is_drawn_anew() -> None:
    space = floats()
    rows = rows_of(space, 2000)
    operators = Operators(space)
    made = operators.mutate_one(rows, np.random.default_rng(0))
    changed = made.floats != rows.floats
    assert (changed.sum(axis=1) == 1).all()
    assert changed.any(axis=0).tolist() == [True, True, False]
    steps = np.abs(made.floats - rows.floats)[changed[:, 0], 0]
    anew = operators.mutate_one(rows, np.random.default_rng(0), index=None)
    leaps = np.abs(anew.floats - rows.floats)[anew.floats[:, 0] != rows.floats[:, 0], 0]
    assert steps.mean() < 0.8
    assert leaps.mean() == pytest.approx(10 / 3, abs=0.3)
    ups = (made.floats > rows.floats)[changed[:, 0], 0]
    assert ups.mean() == pytest.approx(0.5, abs=0.06)


def test_mutate_each_changes_one_on_average() -> None:
    space = flat()
    rows = rows_of(space, 4000)
    operators = Operators(space)
    counts = (operators.mutate_each(rows, np.random.default_rng(0)).choices != rows.choices).sum(axis=1)
    assert counts.mean() == pytest.approx(1.0, abs=0.08)
    assert (counts == 0).mean() == pytest.approx((7 / 8) ** 8, abs=0.04)
    none = operators.mutate_each(rows, np.random.default_rng(0), probability=0.0)
    assert none.keys() == rows.keys()


def test_mutation_counts_active_decisions_that_have_an_alternative() -> None:
    below = {f"k{i}": pg.oneof([1, 2, 3]) for i in range(20)}
    fixed = {f"c{i}": pg.oneof(["one"]) for i in range(20)}
    space = SearchSpace(
        pg.Dict(n=pg.oneof(list(range(90))), op=pg.oneof([pg.Dict(below), *"abcdefgh"]), **fixed)
    )
    row = space.from_choices({"n": "0", "op": "a", **dict.fromkeys(fixed, "one")}).genotype
    rows = Genotypes.concatenate([row] * 4000)
    made = Operators(space).mutate_each(rows, np.random.default_rng(0))
    is_same = (made.choices == rows.choices).all(axis=1)
    assert is_same.mean() == pytest.approx(1 / 4, abs=0.03)  # two decisions, each with one half


def test_mutation_counts_floats_that_have_an_alternative() -> None:
    rows = rows_of(floats(), 6000)
    made = Operators(floats()).mutate_each(rows, np.random.default_rng(0))
    is_same = (made.floats == rows.floats).all(axis=1)
    assert is_same.mean() == pytest.approx(1 / 4, abs=0.02)  # two of the three can change


def test_a_space_of_one_point_is_left_alone() -> None:
    space = SearchSpace(pg.Dict(op=pg.oneof(["one"])))
    row, operators = space.at([0]), Operators(space)
    rng = np.random.default_rng(0)
    for made in (operators.mutate_each(row, rng), operators.cut(row, row, rng)):
        assert made.keys() == row.keys()


def test_tournaments_prefer_the_first_places_as_the_law_says() -> None:
    places = np.arange(10)
    winners = tournament(places, 20_000, np.random.default_rng(0))
    # The best of two draws with replacement: (2 (n - i) - 1) / n^2.
    expected = [(2 * (10 - i) - 1) / 100 for i in range(10)]
    assert np.bincount(winners, minlength=10) / 20_000 == pytest.approx(expected, abs=0.01)


def test_tournaments_of_equals_are_decided_by_chance() -> None:
    winners = tournament(np.zeros(4, dtype=np.intp), 8000, np.random.default_rng(0), size=3)
    assert np.bincount(winners) / 8000 == pytest.approx([0.25] * 4, abs=0.03)

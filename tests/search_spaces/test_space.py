"""Sampling, variation, enumeration, encoding and names of compiled spaces."""

from __future__ import annotations

import enum
from collections import Counter
from typing import Any

import numpy as np
import pyglove as pg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archloom.contracts import Genotypes
from archloom.errors import SpaceError
from archloom.search_spaces import SearchSpace
from tests.search_spaces.templates import TEMPLATES, Conv, space_of

FINITE = sorted(set(TEMPLATES) - {"floats"})


@pytest.mark.parametrize("name", FINITE)
def test_enumerates_each_architecture_once(name: str) -> None:
    space = space_of(name)
    everything = space.enumerate()
    assert len(everything) == space.size == len(set(everything.keys()))
    assert space.is_legal(everything).all()


@pytest.mark.parametrize("name", FINITE)
def test_samples_uniformly_over_architectures(name: str) -> None:
    space = space_of(name)
    assert space.size is not None
    n = 40 * space.size if space.size < 2_000 else 4 * space.size
    seen = Counter(space.sample(n, np.random.default_rng(0)).keys())
    expected = n / space.size
    statistic = sum((count - expected) ** 2 for count in seen.values()) / expected
    statistic += expected * (space.size - len(seen))
    # Chi-square with size-1 degrees of freedom: mean size-1, deviation sqrt(2 (size-1)).
    assert abs(statistic - (space.size - 1)) < 5 * np.sqrt(2 * (space.size - 1))


def test_samples_uniformly_over_decisions() -> None:
    space = SearchSpace(pg.oneof([pg.Dict(a=pg.oneof([1, 2, 3, 4])), "x"]))
    rows = space.sample(4_000, np.random.default_rng(0), uniform_over="decisions")
    assert 0.46 < (rows.choices[:, 0] == 0).mean() < 0.54
    rows = space.sample(4_000, np.random.default_rng(0))
    assert 0.77 < (rows.choices[:, 0] == 0).mean() < 0.83


@pytest.mark.parametrize("name", sorted(TEMPLATES))
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_variation_stays_legal(name: str, seed: int) -> None:
    space, rng = space_of(name), np.random.default_rng(seed)
    a, b = space.sample(20, rng), space.sample(20, rng)
    mutants, mixed = space.mutate(a, rng), space.crossover(a, b, rng)
    assert space.is_legal(mutants).all()
    assert all(new != old for new, old in zip(mutants.keys(), a.keys(), strict=True))
    assert space.is_legal(mixed).all()
    neighbours = space.neighbours(a[0], rng)
    assert space.is_legal(neighbours).all()
    assert a[0].keys()[0] not in set(neighbours.keys())


def test_mutation_changes_one_decision_and_reaches_every_neighbour() -> None:
    space = space_of("flat")
    row = space.at([0])
    parents = Genotypes.concatenate([row] * 500)
    mutants = space.mutate(parents, np.random.default_rng(0))
    assert ((mutants.choices != parents.choices).sum(axis=1) == 1).all()
    assert set(mutants.keys()) == set(space.neighbours(row, np.random.default_rng(0)).keys())
    assert len(set(mutants.keys())) == 2 + 1 + 2


def test_mutation_of_a_permutation_swaps() -> None:
    space = space_of("permutation")
    mutants = space.mutate(space.sample(200, np.random.default_rng(0)), np.random.default_rng(1))
    assert (np.sort(mutants.choices[:, :4], axis=1) == np.arange(4)).all()


def test_nothing_to_mutate() -> None:
    space = SearchSpace(pg.Dict(only=pg.oneof(["this"])))
    row = space.sample(1, np.random.default_rng(0))
    assert space.mutate(row, np.random.default_rng(0)).keys() == row.keys()
    assert len(space.neighbours(row, np.random.default_rng(0))) == 0


def test_a_constant_is_a_space_of_one() -> None:
    space = SearchSpace(pg.Dict(x=1))
    assert space.size == 1
    row = space.enumerate()
    assert len(row) == 1
    assert space.decode(row).x == 1
    assert len(space.mutate(row, np.random.default_rng(0))) == 1


def test_crossover_takes_from_both() -> None:
    space = SearchSpace(pg.List([pg.oneof([0, 1]) for _ in range(30)]))
    zeros, ones = space.at([0]), space.at([2**30 - 1])
    share = space.crossover(zeros, ones, np.random.default_rng(0)).choices.mean()
    assert 0.1 < share < 0.9


def test_names_hold_no_index_and_survive_growth() -> None:
    def template(*more: Any) -> Any:
        return pg.Dict(op=pg.oneof([Conv(kernel=pg.oneof([3, 5])), "skip", *more]))

    small = SearchSpace(template())
    grown = SearchSpace(template("pool", Conv(act="gelu", kernel=pg.oneof([1, 2]))))
    assert [d.name for d in small.decisions] == ["op", "op(Conv).kernel"]
    assert {d.name for d in small.decisions} <= {d.name for d in grown.decisions}
    old = small.architecture(small.at([1]))
    assert grown.from_choices(old.choices).choices == old.choices
    assert grown.from_choices(old.choices).key == old.key
    assert small.fingerprint != grown.fingerprint


def test_distinct_candidates_share_their_decisions() -> None:
    """A DARTS cell of four nodes is 22 decisions, not 36."""

    def edges(i: int) -> list[Any]:
        return [pg.Dict(source=j, op=pg.oneof(list("abcdefg"))) for j in range(i)]

    space = SearchSpace(pg.List([pg.manyof(2, edges(i), distinct=True, sorted=True) for i in (2, 3, 4, 5)]))
    assert len(space.decisions) == 22
    assert space.size == 1_037_664_180
    rows = space.at([0, space.size - 1])
    assert space.is_legal(rows).all()


def test_huge_spaces_are_counted_exactly_and_sampled() -> None:
    space = SearchSpace(pg.List([pg.oneof(list("abcdefghij")) for _ in range(40)]))
    assert space.size == 10**40
    assert space.at([10**40 - 1]).choices.min() == 9
    assert space.is_legal(space.sample(10, np.random.default_rng(0))).all()
    with pytest.raises(SpaceError, match="at most 20000000"):
        space.enumerate()


def test_encodings() -> None:
    space = space_of("conditional")
    rows = space.enumerate()
    one_hot, ordinal = space.one_hot(rows), space.ordinal(rows)
    assert one_hot.shape == (8, 3 + 2 + 2)
    assert ordinal.shape == (8, 3)
    assert len(np.unique(one_hot, axis=0)) == len(np.unique(ordinal, axis=0)) == 8
    inactive = rows.choices[:, 1] < 0
    assert (one_hot[inactive, 3:5] == 0).all()
    assert (ordinal[inactive, 1] == -1).all()


def test_floats_are_scaled_in_encodings() -> None:
    space = SearchSpace(pg.Dict(lr=pg.floatv(1e-4, 1e-2, scale="log"), d=pg.floatv(0.0, 2.0)))
    row = space.from_choices({"lr": 1e-3, "d": 0.5}).genotype
    assert space.one_hot(row)[0] == pytest.approx([0.5, 0.25])
    assert space.size is None
    with pytest.raises(SpaceError, match="infinite"):
        space.at([0])


@pytest.mark.parametrize("scale", ["linear", "log", "rlog"])
def test_float_scales_round_trip(scale: str) -> None:
    space = SearchSpace(pg.Dict(x=pg.floatv(0.1, 10.0, scale=scale)))
    rows = space.sample(200, np.random.default_rng(0))
    assert space.is_legal(rows).all()
    (point,) = space.points
    for value in rows.floats[:, 0]:
        assert point.from_unit(point.to_unit(value)) == pytest.approx(value)  # type: ignore[union-attr]


def test_architecture_reads_well() -> None:
    space = space_of("darts")
    architecture = space.architecture(space.at([5]))
    assert architecture.choices["[0][0]"] == "from_0"
    assert "[0](from_0).op=" in architecture.text
    assert repr(architecture) == f"Architecture({architecture.text})"
    assert len(architecture.key) == 20
    assert architecture.value[0][0].source == 0


def test_canonical_form_joins_what_means_the_same() -> None:
    space = SearchSpace(
        pg.Dict(a=pg.oneof(["x", "y"]), b=pg.oneof(["x", "y"])),
        canonical=lambda choices: "".join(sorted(str(v) for v in choices.values())),
        text=lambda choices: "-".join(str(v) for v in choices.values()),
    )
    architectures = [space.architecture(space.at([i])) for i in range(4)]
    assert len({a.key for a in architectures}) == 3
    assert {space.key(a.choices, is_canonical=False) for a in architectures}.__len__() == 4
    assert [a.text for a in architectures] == ["x-x", "y-x", "x-y", "y-y"]


def test_space_describes_itself_in_json() -> None:
    rows = {row["name"]: row for row in space_of("floats").to_json()["decisions"]}
    assert rows["many[0]"] == {
        "name": "many[0]",
        "candidates": ["{w: choice}", "x", "y"],
        "group": "many",
        "distinct": False,
        "sorted": True,
    }
    assert rows["lr"] == {"name": "lr", "low": 1e-4, "high": 1e-1, "scale": "log"}
    assert space_of("tied").to_json()["template"]["first"] == {
        "type": "Conv",
        "kernel": {"reference": ["k"]},
        "act": {"oneof": ["r", "g"]},
    }


def test_named_placeholders_keep_their_name() -> None:
    space = SearchSpace(pg.Dict(a=pg.oneof([1, 2], name="width")))
    assert [d.name for d in space.decisions] == ["width"]


def test_ties_follow_their_reference() -> None:
    space = space_of("tied")
    for i in range(len(space.enumerate())):
        value = space.architecture(space.at([i])).value
        assert value.first.kernel == value.k


class Plain:
    """Has no name of its own."""


class Size(enum.Enum):
    """A candidate with a name."""

    SMALL = 1
    LARGE = 2


def test_labels_of_enums_and_sets_are_stable() -> None:
    space = SearchSpace(pg.Dict(a=pg.oneof([Size.SMALL, Size.LARGE]), b=pg.oneof([{"y", "x"}, max])))
    assert [d.candidates for d in space.decisions] == [("SMALL", "LARGE"), ("{x, y}", "max")]


def test_named_copies_are_named_by_their_path() -> None:
    candidates = [Conv(kernel=pg.oneof([1, 2], name="kernel")), "x"]
    space = SearchSpace(pg.Dict(m=pg.manyof(2, candidates, distinct=False)))
    assert [d.name for d in space.decisions][2:] == ["m[0](Conv).kernel", "m[1](Conv).kernel"]


def test_a_constant_is_part_of_the_fingerprint() -> None:
    def template(width: int) -> SearchSpace:
        return SearchSpace(pg.Dict(a=pg.oneof([1, 2]), width=width))

    assert template(8).fingerprint == template(8).fingerprint != template(9).fingerprint


@pytest.mark.slow
def test_a_thousand_candidates_compile_and_mutate() -> None:
    space = SearchSpace(pg.Dict(few=pg.manyof(2, list(range(2_000))), one=pg.oneof(list(range(20_000)))))
    rows = space.sample(500, np.random.default_rng(0))
    mutants = space.mutate(rows, np.random.default_rng(1))
    assert space.is_legal(mutants).all()
    assert ((mutants.choices != rows.choices).any(axis=1)).all()


def test_a_float_without_room_is_not_mutated() -> None:
    space = SearchSpace(pg.Dict(x=pg.floatv(2.0, 2.0), y=pg.oneof([1, 2])))
    rows = space.sample(50, np.random.default_rng(0))
    assert (space.mutate(rows, np.random.default_rng(1)).choices != rows.choices).all()


class Holder(pg.Object):
    """Holds anything."""

    x: Any


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            lambda: pg.Dict(t=(pg.oneof([1, 2]), 3)),
            r"t\[0\]: a placeholder inside a tuple would be ignored; use a list",
        ),
        (
            lambda: pg.Dict(a=pg.oneof([1, 2], name="q"), b=pg.oneof([1, 2], name="q")),
            "two decisions are named 'q'",
        ),
        (lambda: pg.Dict(a=pg.oneof([Holder(x=(pg.oneof([1, 2]),)), 3])), "inside a tuple"),
        (lambda: pg.Dict(a=pg.oneof(["x", "x"])), "a: candidates 0 and 1 are both called 'x'"),
        (
            lambda: pg.Dict(a=pg.oneof([Conv(kernel=pg.oneof([1])), Conv(kernel=pg.oneof([2]))])),
            "both called 'Conv'",
        ),
        (
            lambda: pg.Dict(a=pg.evolve(Conv(), lambda *args: None)),
            "only oneof, manyof, permutate and floatv",
        ),
        (lambda: pg.oneof([Plain(), "skip"]), "candidate 0: .* has no name that stays the same"),
        (lambda: pg.oneof(list(np.arange(3))), "candidate 0 is a int64, .*tolist"),
        (
            lambda: pg.Dict(a=pg.manyof(2, [1, 2, 3]), b=pg.oneof([1, 2], name="a[0]")),
            "two decisions are named",
        ),
        (lambda: pg.Dict(a=pg.oneof([1, 2]), b=pg.hyper.reference("zzz")), "b: a reference needs a target"),
        (
            lambda: pg.Dict(a=pg.oneof([pg.Dict(x=1), "leaf"]), b=pg.hyper.reference("a.x")),
            "b: a reference needs a target in every architecture",
        ),
        (lambda: pg.floatv(float("-inf"), float("inf")), "floatv needs finite bounds"),
        (lambda: pg.manyof(0, [1, 2]), "at least one candidate, got 0"),
    ],
)
def test_refuses_what_would_break_in_silence(template: Any, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        SearchSpace(template())


@pytest.mark.slow
def test_too_many_candidates() -> None:
    with pytest.raises(SpaceError, match="at most 32767 candidates, got 40000; use floatv"):
        SearchSpace(pg.Dict(a=pg.oneof(list(range(40_000)))))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"a": "1", "b": "x"}, "c: a choice is missing"),
        ({"a": "1", "b": "x", "d": "p"}, "'d' is not a decision; there are: "),
        ({"a": "9", "b": "x", "c": "none"}, "a: there is no candidate '9'"),
        ({"a": "1", "b": "x", "c": "none", "d": "1"}, "'d' is not a decision"),
    ],
)
def test_wrong_choices(choices: dict[str, str | float], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        space_of("flat").from_choices(choices)


def test_choices_that_are_not_active_or_not_distinct() -> None:
    space = space_of("conditional")
    with pytest.raises(SpaceError, match=r"'op\(Conv\).kernel' is not active here"):
        space.from_choices({"op": "skip", "op(Conv).kernel": "3", "n": "1"})
    with pytest.raises(SpaceError, match="break a distinct or sorted group"):
        space_of("permutation").from_choices({"p[0]": "a", "p[1]": "a", "p[2]": "c", "p[3]": "d", "q": "1"})


def test_wrong_dna() -> None:
    space = space_of("flat")
    with pytest.raises(SpaceError, match="too short"):
        space.from_dna(pg.DNA([0, 1]))
    with pytest.raises(SpaceError, match="too long"):
        space.from_dna(pg.DNA([0, 1, 2, 0]))
    with pytest.raises(SpaceError, match="from 0 to 2, got 7"):
        space.from_dna(pg.DNA([7, 1, 2]))
    with pytest.raises(SpaceError, match="not a point"):
        space_of("permutation").from_dna(pg.DNA([[0, 0, 1, 2], 1]))


def test_ranks_outside() -> None:
    with pytest.raises(SpaceError, match="ranks go from 0 to 17, got 3 to 18"):
        space_of("flat").at([3, 18])


def test_no_ranks_are_no_architectures() -> None:
    space = SearchSpace(pg.Dict(order=pg.permutate([1, 2, 3]), pair=pg.manyof(2, [4, 5, 6])))
    assert len(space.at([])) == 0

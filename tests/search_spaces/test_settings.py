"""Decisions outside the network: named, drawn, hashed and decoded beside the architecture's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.errors import SpaceError
from archloom.search_spaces import SPACES, SearchSpace
from archloom.search_spaces.settings import holds_choice
from tests.search_spaces.templates import TEMPLATES, Conv

Choices = Mapping[str, str | float]


def plain() -> dict[str, dict[str, Any]]:
    """Settings whose candidates are plain values, read without PyGlove."""
    return {
        "training": {
            "lr": pg.floatv(1e-4, 1e-1, scale="log"),
            "batch_size": pg.oneof([32, 64]),
            "steps": pg.manyof(2, [1, 2, 3], distinct=True, sorted=True),
            "epochs": 3,
        },
        "augmentation": {"flip": pg.oneof([True, None])},
    }


def nested() -> dict[str, dict[str, Any]]:
    """Settings with decisions of their own below a candidate, in a mapping, and tied to each other."""
    return {
        "training": {
            "optimizer": pg.oneof([Conv(kernel=pg.oneof([1, 2])), "adam"]),
            "data_options": {"n_train": pg.oneof([100, 200]), "parts": [pg.floatv(0.0, 1.0), 2]},
        },
        "after": {"n": pg.hyper.reference("training.data_options.n_train")},
    }


def draw(space: SearchSpace, n: int = 20, seed: int = 0) -> list[Any]:
    rows = space.sample(n, np.random.default_rng(seed))
    return [space.architecture(rows[i]) for i in range(n)]


def test_names_follow_the_owner_and_leave_the_architectures_alone() -> None:
    network = SearchSpace(TEMPLATES["floats"]())
    names = [decision.name for decision in network.decisions]
    space = network.with_settings(nested())
    assert [d.name for d in space.decisions if not d.name.startswith("training.")] == names
    assert [d.name for d in space.decisions if d.name.startswith("training.")] == [
        "training.optimizer",
        "training.optimizer(Conv).kernel",
        "training.data_options.n_train",
        "training.data_options.parts[0]",
    ]
    assert network.settings == {} != space.settings


@pytest.mark.parametrize("settings", [plain, nested])
def test_decodes_what_pyglove_decodes(settings: Any) -> None:
    """PyGlove's own reading of both in one value, from the same numbers, is the oracle."""
    template = TEMPLATES["distinct_unsorted"]()
    space = SearchSpace(template, settings=plain() if settings is plain else _untied())
    both = pg.template(pg.Dict(network=template, settings=pg.Dict(space.settings)))
    for architecture in draw(space, 6):
        dna = space.to_dna(architecture.genotype)
        assert space.from_dna(dna).keys() == architecture.genotype.keys()
        theirs = both.decode(pg.DNA.from_numbers(dna.to_numbers(), both.dna_spec()))
        assert pg.eq(theirs.network, architecture.value)
        assert pg.eq(theirs.settings, pg.Dict(architecture.settings))
        assert type(architecture.settings) is type(architecture.settings["training"]) is dict


def _untied() -> dict[str, dict[str, Any]]:
    settings = nested()
    del settings["after"]
    return settings


def test_references_count_from_the_root_of_their_part() -> None:
    space = SearchSpace(TEMPLATES["tied"](), settings=nested())
    for architecture in draw(space):
        assert architecture.value.first.kernel == architecture.value.k
        settings = architecture.settings
        assert settings["after"]["n"] == settings["training"]["data_options"]["n_train"]
        assert type(settings["training"]["data_options"]) is dict
        assert type(settings["training"]["data_options"]["parts"]) is list


def test_plain_settings_are_read_without_pyglove(monkeypatch: pytest.MonkeyPatch) -> None:
    space = SPACES.get("mlp")().with_settings(plain())
    monkeypatch.setattr(SearchSpace, "to_dna", None)
    monkeypatch.setattr(pg.DNA, "from_numbers", None)
    for architecture in draw(space):
        training, choices = architecture.settings["training"], architecture.choices
        assert training["lr"] == choices["training.lr"]
        assert str(training["batch_size"]) == choices["training.batch_size"]
        assert [str(s) for s in training["steps"]] == [choices[f"training.steps[{i}]"] for i in (0, 1)]
        assert training["epochs"] == 3
        assert architecture.settings["augmentation"]["flip"] in (True, None)


def test_pyglove_algorithms_drive_it() -> None:
    space = SearchSpace(TEMPLATES["conditional"](), settings=_untied())
    generator = pg.geno.Random(seed=1)
    generator.setup(space.dna_spec)
    rows = [space.from_dna(generator.propose()) for _ in range(12)]
    assert all(space.is_legal(row).all() for row in rows)
    assert {space.choices(row)["training.optimizer"] for row in rows} == {"Conv", "adam"}


def test_a_space_of_settings_alone() -> None:
    space = SearchSpace(pg.Dict(width=8), settings={"training": {"batch_size": pg.oneof([32, 64, 128])}})
    assert space.size == 3
    everything = [space.architecture(space.at([i])) for i in range(3)]
    assert [a.settings["training"]["batch_size"] for a in everything] == [32, 64, 128]
    assert {a.value.width for a in everything} == {8}
    assert everything[0].text == "training.batch_size=32"
    assert len({a.key for a in everything}) == 3
    mutants = space.mutate(space.at([0, 1, 2]), np.random.default_rng(0))
    assert (mutants.choices[:, 0] != [0, 1, 2]).all()
    assert space.one_hot(space.enumerate()).tolist() == np.eye(3).tolist()


def test_mutation_and_crossover_reach_settings() -> None:
    space = SearchSpace(TEMPLATES["flat"](), settings=plain())
    rows = space.sample(400, np.random.default_rng(0))
    mutants = space.mutate(rows, np.random.default_rng(1))
    changed = (mutants.choices != rows.choices).any(axis=0)
    assert changed.all()
    assert (mutants.floats != rows.floats).any()
    mixed = space.crossover(rows, rows[::-1], np.random.default_rng(2))
    taken = mixed.floats == rows.floats
    assert space.is_legal(mixed).all()
    assert taken.any()
    assert not taken.all()
    assert space.ordinal(rows).shape == (400, 3 + 4 + 1)


def test_families_see_their_own_choices_only() -> None:
    """Isomorphic cells share a key where settings are equal; the family's words come first."""
    seen: list[Choices] = []

    def canonical(choices: Choices) -> str:
        seen.append(choices)
        return "".join(sorted(str(label) for label in choices.values()))

    network = SearchSpace(
        pg.Dict(a=pg.oneof(["x", "y"]), b=pg.oneof(["x", "y"])),
        canonical=canonical,
        text=lambda choices: "+".join(str(label) for label in choices.values()),
    )
    space = network.with_settings({"training": {"batch_size": pg.oneof([32, 64])}})
    everything = [space.architecture(space.at([i])) for i in range(8)]
    assert len({a.key for a in everything}) == 3 * 2
    assert len({space.key(a.choices, is_canonical=False) for a in everything}) == 8
    assert {tuple(choices) for choices in seen} == {("a", "b")}
    assert everything[6].text == "x+y; training.batch_size=64"
    assert space.canonical(everything[6].choices) != network.canonical({"a": "x", "b": "y"})


def test_numbers_are_short_in_words_and_exact_in_choices() -> None:
    space = SearchSpace(pg.oneof(["x"]), settings={"t": {"lr": pg.floatv(0.0, 1.0)}})
    architecture = space.from_choices({"value": "x", "t.lr": 0.123456789})
    assert architecture.text == "value=x; t.lr=0.1235"
    assert architecture.settings == {"t": {"lr": 0.123456789}}
    assert space.from_choices({"value": "x", "t.lr": 0.1234}).key != architecture.key


def test_settings_are_part_of_description_and_fingerprint() -> None:
    network = SPACES.get("mlp")()
    spaces = [
        network,
        network.with_settings({"training": {"batch_size": pg.oneof([32, 64])}}),
        network.with_settings({"training": {"batch_size": pg.oneof([32, 64]), "epochs": 1}}),
        network.with_settings({"training": {"batch_size": pg.oneof([32, 65])}}),
    ]
    assert len({space.fingerprint for space in spaces}) == 4
    assert network.with_settings({}).fingerprint == network.fingerprint
    assert "settings" not in network.to_json()
    assert spaces[1].to_json()["settings"] == {"training": {"batch_size": {"oneof": [32, 64]}}}
    assert spaces[1].to_json()["template"] == network.to_json()["template"]


def test_settings_are_added_one_after_the_other() -> None:
    one = {"training": {"lr": pg.floatv(0.1, 1.0)}}
    other = {"training": {"batch_size": pg.oneof([1, 2])}, "costs": {"seed": pg.oneof([1, 2])}}
    space = SearchSpace(pg.oneof(["x", "y"])).with_settings(one).with_settings(other)
    names = [decision.name for decision in space.decisions]
    assert names == ["value", "training.batch_size", "costs.seed", "training.lr"]
    with pytest.raises(SpaceError, match=r"a setting training.lr already.*owner='training_2'"):
        space.with_settings(one)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([1], "read {owner: {option: value}}, got"),
        ({"training": pg.oneof([1, 2])}, "settings of 'training' map options to values, got OneOf"),
        ({"training": {"lr": 0.1}}, "settings of 'training' hold no decision.*constants go to the evaluator"),
        ({"my training": {"lr": pg.oneof([1, 2])}}, "are names.*got 'my training'"),
        ({"training": {"lr.x": pg.oneof([1, 2])}}, "are names.*got 'lr.x'"),
        ({"training": {1: pg.oneof([1, 2])}}, "are names.*got 1"),
        (
            {"training": {"betas": (pg.oneof([1, 2]), 3)}},
            r"training.betas\[0\]: a placeholder inside a tuple",
        ),
        ({"training": {"lr": pg.oneof([0.1, 0.1])}}, "training.lr: candidates 0 and 1 are both called '0.1'"),
        ({"training": {"lr": pg.hyper.reference("op")}}, "training.lr: a reference needs a target"),
        ({"b": {"c": pg.oneof([1, 2])}}, "two decisions are named 'b.c'"),
    ],
)
def test_refuses_wrong_settings(settings: Any, message: str) -> None:
    template = pg.Dict(op=pg.oneof(["x", "y"]), b=pg.Dict(c=pg.oneof([1, 2])))
    with pytest.raises(SpaceError, match=message):
        SearchSpace(template, settings=settings)


def test_finds_placeholders_anywhere() -> None:
    assert holds_choice(Conv(kernel=pg.oneof([1, 2])))
    assert holds_choice({"a": [{"b": pg.hyper.reference("c")}]})
    assert holds_choice(pg.Dict(a=[(1, {2, 3}), (pg.floatv(0.0, 1.0),)]))
    assert not holds_choice({"a": [Conv(), (1,), {2}, max, None]})

# SPDX-License-Identifier: Apache-2.0
"""``search strategies``, ``spaces``, ``evaluators`` and ``blueprints``: what a study file may name."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from archloom import config
from archloom.cli._registered import registry_of
from archloom.config._arguments import arguments_of, options_of, summary_of, type_words
from archloom.testing.quick import followers

Search = Callable[..., Any]

VERBS = {
    "strategies": "strategies",
    "spaces": "search_spaces",
    "evaluators": "evaluators",
    "blueprints": "blueprints",
}


@pytest.mark.parametrize(("verb", "kind"), VERBS.items())
def test_every_name_stands_there_with_a_sentence(search: Search, verb: str, kind: str) -> None:
    result = search(verb)
    assert result.code == 0
    rows = json.loads(search(verb, "-f", "json").out)[kind]
    assert [row["name"] for row in rows] == registry_of(kind).names()
    for row in rows:
        assert row["description"], row["name"]
        assert row["problem"] is None
        assert any(line.startswith(row["name"] + " ") for line in result.out.splitlines())
    assert max(map(len, result.out.splitlines())) <= 80


@pytest.mark.parametrize(("verb", "kind"), VERBS.items())
def test_every_option_is_documented(verb: str, kind: str) -> None:
    registry = registry_of(kind)
    for name in registry.names():
        bare = [option.name for option in options_of(registry.get(name)) if not option.description]
        assert bare == [], f"search {verb} {name}"


def test_one_shows_its_options_and_what_to_paste(search: Search) -> None:
    result = search("strategies", "regularized_evolution")
    assert "population_size  integer, default 100" in result.out
    assert "members alive" in result.out
    assert "arXiv:1802.01548" in result.out
    pasted = result.out.split("In a study file")[1]
    data = YAML(typ="safe").load(pasted)
    assert data["strategy"]["name"] == "regularized_evolution"
    text = Path("fast.yaml").read_text().replace("strategy: random\n", pasted)
    Path("fast.yaml").write_text(text)
    assert search("run", "fast.yaml", "-q").code == 0
    data = json.loads(search("strategies", "regularized_evolution", "-f", "json").out)
    assert data["path"] == "archloom.strategies.regularized_evolution:RegularizedEvolution"
    rows = list(csv.DictReader(io.StringIO(search("strategies", "random", "-f", "csv").out)))
    assert rows[0]["name"] == "uniform_over"


def test_what_must_be_given_is_said(search: Search) -> None:
    result = search("evaluators", "training")
    assert "data" in result.out
    assert "text, must be given" in result.out
    assert "  data: digits\n" in result.out
    assert "  function: ...\n" in search("evaluators", "function").out
    assert "float32 | bfloat16 | float16, default float32" in result.out


def test_names_with_options_of_their_own_stand_there_with_them(search: Search) -> None:
    out = search("evaluators", "supernet").out
    shown = out.split("sampler, with sampler_options")[1].split("In a study file")[0]
    assert "{n_bins: 8, low: null, high: null, n_drawn: 500}" in shown
    assert "path_count  Sums of as many paths" in shown
    assert "samplers  " not in out
    taken = json.loads(search("evaluators", "supernet", "-f", "json").out)["taken"]
    assert sorted(taken) == ["data", "sampler", "task"]
    samplers = {row["name"]: row["options"] for row in taken["sampler"]}
    assert samplers["uniform"] == {"n_paths": 1, "uniform_over": "decisions"}
    assert json.loads(search("evaluators", "costs", "-f", "json").out)["taken"].keys() == {"data"}


def _pasted(search: Search, verb: str, name: str) -> dict[str, Any]:
    out = search(verb, name).out
    pasted: dict[str, Any] = YAML(typ="safe").load(out.split("In a study file")[1])
    return pasted


@pytest.mark.parametrize("name", registry_of("blueprints").names())
def test_a_blueprint_as_pasted_is_a_space_that_fits(search: Search, name: str) -> None:
    study: dict[str, Any] = {
        "study": "pasted",
        "strategy": "random",
        "evaluator": {"name": "costs", "data": "digits"},
        "objectives": {"params": "minimize"},
        "budget": {"trials": 1},
    }
    pasted = _pasted(search, "blueprints", name)
    study |= pasted
    with Path("pasted.yaml").open("w") as file:
        YAML(typ="safe").dump(study, file)
    assert config.load("pasted.yaml").space.decisions
    assert f"'{name}'" in str(pasted)
    checked = search("space", "check", "pasted.yaml", "-n", "6", "-q")
    assert checked.code == 0, checked.out + checked.err


PASTED = [
    *(("strategies", name) for name in registry_of("strategies").names()),
    *(("spaces", name) for name in registry_of("search_spaces").names()),
    *(("evaluators", name) for name in ("costs", "latency", "memory", "training")),
]
METRICS = {"latency": "latency_ms", "memory": "memory_mb", "training": "loss"}


@pytest.mark.parametrize(("verb", "name"), PASTED)
def test_what_is_pasted_is_complete(search: Search, verb: str, name: str) -> None:
    study: dict[str, Any] = {
        "study": "pasted",
        "space": "mlp",
        "strategy": "random",
        "evaluator": {"name": "costs", "data": "digits"},
        "objectives": {METRICS.get(name, "params"): "minimize"},
        "budget": {"trials": 1},
    }
    if name in {*followers(), "relaxed"}:
        study |= {"space": {"name": "nasbench201", "channels": 4, "n_cells": 1}, "strategy": "darts"}
        study |= {"evaluator": {"name": "relaxed", "data": "digits"}, "objectives": {"loss": "minimize"}}
    study |= _pasted(search, verb, name)
    with Path("pasted.yaml").open("w") as file:
        YAML(typ="safe").dump(study, file)
    study_file = config.load("pasted.yaml")
    with study_file.study().store:  # objectives are answered, too
        pass


@pytest.mark.parametrize(
    ("verb", "name", "line"),
    [
        ("blueprints", "conv", "activations  elu, gelu,"),
        ("blueprints", "edge", "operations  avg_pool_3x3,"),
        ("spaces", "mlp", "activations  elu, gelu,"),
        ("evaluators", "training", "augmentations  crop, cutmix, cutout,"),
        ("evaluators", "training", "fashion_mnist  Return 50,000 images"),
    ],
)
def test_names_that_an_option_takes_are_listed(search: Search, verb: str, name: str, line: str) -> None:
    out = search(verb, name).out
    assert f"\n{line}" in out
    assert "ACTIVATIONS" not in out


def test_spaces_end_with_where_trees_are_told(search: Search) -> None:
    from archloom.search_spaces.literal.words import WORDS

    end = search("spaces").out.split("\n\n", 1)[1]
    for word in (*WORDS, "parts", "args", "of"):
        assert f"'{word}'" in end, word
    assert "docs/reference/study_file.md" in end


def test_a_thing_of_one_s_own(search: Search) -> None:
    Path("mine.py").write_text('def space(*, width: int = 3):\n    """Make mine."""\n')
    result = search("spaces", "mine:space")
    sys.modules.pop("mine", None)
    assert result.code == 0, result.err
    assert "Make mine." in result.out
    assert "space:\n  name: mine:space\n  width: 3\n" in result.out
    assert search("spaces", "no_such:thing").code == 2


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_name_is_refused(search: Search, verb: str) -> None:
    result = search(verb, "zzz")
    assert (result.code, result.out) == (2, "")
    assert "'zzz' is not one of the" in result.err


def test_types_in_words() -> None:
    assert type_words(list[int] | None) == "list of integers | null"
    assert type_words(str | Any) == "anything" or "text" in type_words(str | Any)
    assert type_words(dict[str, Any]) == "mapping"
    assert type_words(bool) == "true | false"


def test_docstrings_are_read_as_they_are_written() -> None:
    class Outer:
        """Do one thing. Then another.

        Args:
            first (int): what ``comes``
                first: always.

            second: the next.

        Raises:
            ValueError: never.
        """

        def __init__(self, first: int, second: int = 2, *, third: int = 3):
            """Make it.

            Args:
                third: the last.
            """

    assert summary_of(Outer) == "Do one thing."
    assert arguments_of(Outer) == {
        "first": "what comes first: always.",
        "second": "the next.",
        "third": "the last.",
    }

    class Inner(Outer):
        pass

    assert summary_of(Inner) == ""

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

from archloom.cli._registered import registry_of
from archloom.config._arguments import arguments_of, options_of, summary_of, type_words

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
    assert "  data: ...\n" in result.out
    assert "float32 | bfloat16 | float16, default float32" in result.out


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

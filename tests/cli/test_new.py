# SPDX-License-Identifier: Apache-2.0
"""``search new``: study files to begin with."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archloom import config
from archloom.cli.new import KINDS, written

Search = Callable[..., Any]


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """Let each test import its own modules."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("my_"):
            del sys.modules[name]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_sound_and_commented(search: Search, kind: str) -> None:
    result = search("new", kind)
    assert result.code == 0, result.err
    assert result.out.splitlines()[-1] == f"  search run {kind}.yaml"
    study_file = config.load(f"{kind}.yaml")
    assert study_file.name == kind
    assert study_file.space.decisions
    lines = [line for line in Path(f"{kind}.yaml").read_text().splitlines() if line.strip()]
    assert [line for line in lines if "#" not in line and not line.rstrip().endswith(":")] == []
    assert max(map(len, lines)) <= 120
    assert not any("my-study" in path.read_text() for path in Path().glob("*.yaml"))
    assert not any("SPDX" in path.read_text() for path in Path().glob(f"*{kind}*"))


@pytest.mark.parametrize("name", ["x.yaml", "a-rather-long-name-for-a-study.yml"])
@pytest.mark.parametrize("kind", KINDS)
def test_comments_stay_in_one_column(kind: str, name: str) -> None:
    text = next(iter(written(kind, Path(name)).values()))
    lines = text.splitlines()
    columns = {line.rindex("  #") for line in lines if "  #" in line and not line.startswith("#")}
    assert len(columns) == 1
    told = {line.rindex("  ") for line in lines if line.startswith("#   search")}
    assert len(told) == 1


@pytest.mark.parametrize("kind", ["tabular", "function"])
def test_what_needs_no_training_runs(search: Search, kind: str) -> None:
    assert search("new", kind, "first try.yaml").code == 0
    result = search("run", "first try.yaml", "-q", "-f", "json")
    assert result.code == 0, result.err
    data = json.loads(result.out)
    assert data["study"] == "first-try"
    assert data["counts"]["COMPLETE"] == data["n_evaluations"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["digits", "module", "latency"])
def test_what_is_trained_runs(search: Search, kind: str) -> None:
    assert search("new", kind).code == 0
    result = search("run", f"{kind}.yaml", "budget.trials=2", "-q", "-f", "json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["counts"]["FAIL"] == 0


def test_digits_is_what_comes_without_a_kind(search: Search) -> None:
    assert search("new", "mine.yml").code == 0
    assert config.load("mine.yml").data == ("digits", {})
    assert search("new").code == 0
    assert Path("digits.yaml").exists()


def test_nothing_is_overwritten_unasked(search: Search) -> None:
    assert search("new", "function", "f.yaml").code == 0
    Path("f.yaml").unlink()
    Path("my_f.py").write_text("mine")
    result = search("new", "function", "f.yaml")
    assert (result.code, result.out) == (2, "")
    assert "my_f.py is there already" in result.err
    assert "--force" in result.err
    assert not Path("f.yaml").exists()
    assert Path("my_f.py").read_text() == "mine"
    assert search("new", "function", "f.yaml", "--force").code == 0
    assert "def score" in Path("my_f.py").read_text()


def test_a_file_elsewhere_is_told_with_its_folder(search: Search) -> None:
    Path("a folder").mkdir()
    data = json.loads(search("new", "module", "a folder/net.yaml", "-f", "json").out)
    assert data == {
        "files": ["a folder/net.yaml", "a folder/my_net.py"],
        "next": ["cd 'a folder'", "search run net.yaml"],
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("new", "digit"), "there is no kind 'digit' of study file; did you mean 'digits'?"),
        (("new", "digits", "study.txt"), "a study file ends in .yaml or .yml, got 'study.txt'"),
        (("new", "digits", "no/such/x.yaml"), "there is no folder 'no/such' to write x.yaml to"),
    ],
)
def test_bad_input(search: Search, words: tuple[str, ...], message: str) -> None:
    result = search(*words)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_a_strange_name_makes_sound_names() -> None:
    texts = written("function", Path("é (1).yaml"))
    assert "my_é_1.py" in {path.name for path in texts}
    assert "study: é-1" in texts[Path("é (1).yaml")]

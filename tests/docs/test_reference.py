# SPDX-License-Identifier: Apache-2.0
"""The reference is what the code says, and leaves nothing out."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import archloom
from archloom.cli._verbs import SPACE_VERBS, STORAGE_VERBS, VERBS
from archloom.evaluators import AUGMENTATIONS, DATASETS, EVALUATORS, TASKS
from archloom.evaluators.supernet import SAMPLERS
from archloom.search_spaces import SPACES
from archloom.search_spaces.blueprints import BLUEPRINTS
from archloom.search_spaces.operations import OPERATIONS
from archloom.strategies import PRUNERS, STRATEGIES
from tests.docs.pages import DOCS

PAGES = ("cli", "study_file", "python")
SEARCHED = (SPACES, BLUEPRINTS, STRATEGIES, PRUNERS)


def page(name: str) -> str:
    return (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")


def headings(name: str) -> set[str]:
    return set(re.findall(r"^#+ `?([^`\n]+)`?$", page(name), flags=re.MULTILINE))


@pytest.mark.slow
def test_is_not_stale(tmp_path: Path) -> None:
    script = DOCS / "build_reference.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=120)
    stale = [name for name in PAGES if (tmp_path / f"{name}.md").read_text(encoding="utf-8") != page(name)]
    assert not stale, f"docs/reference: {', '.join(stale)} is stale; write it anew with: make docs"


def test_every_verb_has_its_help() -> None:
    groups = {"space": SPACE_VERBS, "storage": STORAGE_VERBS}
    verbs = {f"search {verb.name}" for verb in VERBS}
    verbs |= {f"search {group} {verb.name}" for group, inside in groups.items() for verb in inside}
    assert headings("cli") >= verbs
    assert page("cli").count("Usage: search") == len(verbs) + 1


def test_every_registered_name_is_explained() -> None:
    registries = (*SEARCHED, EVALUATORS, DATASETS, TASKS, AUGMENTATIONS, SAMPLERS)
    named = {name for registry in registries for name in registry.names()}
    foreign = {plugin.name for registry in registries for plugin in registry.plugins()}
    assert headings("study_file") >= named - foreign
    assert all(f"`{name}`" in page("study_file") for name in OPERATIONS.names())
    assert "| `population_size` | integer | `100` | members alive" in page("study_file")


@pytest.mark.parametrize(
    "package",
    [f"archloom.{m.name}" for m in pkgutil.iter_modules(archloom.__path__) if m.ispkg] + ["archloom"],
)
def test_every_public_name_is_explained(package: str) -> None:
    if package == "archloom.cli":  # a command, whose reference is a page of its own
        return
    known = headings("python")
    assert {f"{package}.{name}" for name in importlib.import_module(package).__all__} <= known


def test_python_page_is_well_formed() -> None:
    assert page("python").count("\n```") % 2 == 0
    assert " at 0x" not in page("python")
    assert "``" not in page("python").replace("```", "")
    assert re.search(r"/(root|home|tmp)/", "".join(map(page, PAGES))) is None

# SPDX-License-Identifier: Apache-2.0
"""Every tutorial is followed from its first line to its last, in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, FENCE, blocks, files, follow, strangers

TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_follow(page: Path, tmp_path: Path) -> None:
    follow(page, tmp_path)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_takes_minutes_to_read_and_shows_what_is_printed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    prose = FENCE.sub("", text).split()
    assert 300 <= len(prose) <= 1000
    assert len(text.splitlines()) <= 250
    languages = {block.language for block in blocks(page)}
    assert languages >= {"sh", "text"}
    assert languages <= {"sh", "text", "yaml", "python", "csv", "sql"}  # nothing else is understood


def test_a_first_search_takes_fifteen_lines_of_yaml_and_ten_of_python() -> None:
    """Beside the model, which its owner has already."""
    saved = files(DOCS / "tutorials" / "own_model.md")
    assert len(saved["first.yaml"].splitlines()) <= 15
    assert len([line for line in saved["data.py"].splitlines() if line.strip()]) <= 10


def test_words_that_nobody_printed_are_strangers() -> None:
    printed = "trial  accuracy\n    3    0.98  conv"
    assert strangers("trial  accuracy\n    7    0.11  pool", printed, {"pool"}) == set()
    assert strangers("trial  latency_ms", printed, {"pool"}) == {"latency"}


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
        assert (page.parent / target).exists(), target

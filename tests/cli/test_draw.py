# SPDX-License-Identifier: Apache-2.0
"""``search show --draw``: a trial's architecture as a picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Search = Callable[..., Any]


@pytest.fixture
def ran(search: Search) -> Search:
    """Have run ``fast.yaml``."""
    assert search("run", "fast.yaml", "-q", "budget.trials=2").code == 0
    return search


def test_draws_and_says_where(ran: Search) -> None:
    result = ran("show", "fast.yaml", "0", "--draw", "net.svg")
    assert result.code == 0
    assert "net.svg" in result.out
    text = Path("net.svg").read_text()
    assert "fast, trial 0: score" in text
    assert "dense" in text
    data = json.loads(ran("show", "fast.yaml", "best", "--draw", "net.png", "-f", "json").out)
    assert data["picture"] == "net.png"
    assert Path("net.png").read_bytes().startswith(b"\x89PNG")
    assert "picture" not in json.loads(ran("show", "fast.yaml", "best", "-f", "json").out)


def test_replaces_a_picture_and_needs_no_file(ran: Search) -> None:
    Path("net.svg").write_text("old")
    Path("fast.yaml").unlink()
    refused = ran("show", "fast", "1", "--store", "fast.db", "--draw", "net.svg")
    assert refused.code != 0
    assert "--trust" in refused.err  # its evaluator is code that the database names
    assert Path("net.svg").read_text() == "old"
    result = ran("show", "fast", "1", "--store", "fast.db", "--draw", "net.svg", "--trust")
    assert result.code == 0
    assert "<svg" in Path("net.svg").read_text()


def test_says_what_a_picture_is_called(ran: Search) -> None:
    refused = ran("show", "fast.yaml", "0", "--draw", "net.pdf")
    assert refused.code != 0
    assert ".svg or .png" in refused.err
    refused = ran("show", "fast.yaml", "0", "--draw", "nowhere/net.svg")
    assert refused.code != 0
    assert "no folder 'nowhere'" in refused.err

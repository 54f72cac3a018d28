"""Results as JSON: what could steer a terminal is written as an escape, and reads back as it was."""

from __future__ import annotations

import json

import pytest

from archloom.cli._output import write


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\x9b31m", "\u202eabc", "\u2066x", "\x7f"])
def test_json_steers_no_terminal_and_loses_nothing(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    write({"name": hostile, "kept": "ünï 🧬"}, "json", [])
    text = capsys.readouterr().out
    assert hostile not in text
    assert "ünï 🧬" in text
    assert json.loads(text) == {"name": hostile, "kept": "ünï 🧬"}

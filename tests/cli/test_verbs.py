# SPDX-License-Identifier: Apache-2.0
"""The verbs as a whole: their help, how fast it comes, and what a shell is offered."""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from archloom.cli import _waiting
from archloom.cli._complete import complete_file, complete_registered, complete_study
from archloom.cli._help import panel
from archloom.cli._verbs import SPACE_VERBS, STORAGE_VERBS, VERBS, Verb
from archloom.cli._waiting import counted, waiting

Search = Callable[..., Any]

GROUPS = {"space": SPACE_VERBS, "storage": STORAGE_VERBS}
FOUND = [("archloom.cli", verb) for verb in VERBS]
FOUND += [(f"archloom.cli.{group}", verb) for group, verbs in GROUPS.items() for verb in verbs]


@pytest.mark.parametrize(("package", "verb"), FOUND, ids=lambda item: getattr(item, "name", ""))
def test_every_verb_has_help_and_its_first_sentence_is_in_the_list(
    search: Search, package: str, verb: Verb
) -> None:
    words = (*package.split(".")[2:], *verb.name.split())
    result = search(*words, "--help")
    assert result.code == 0
    assert f"Usage: search {' '.join(words)}" in result.out
    assert " ".join(verb.help.split()[:3]) in result.out
    module = importlib.import_module(f"{package}.{verb.module}")
    if verb.name not in GROUPS:
        doc = " ".join(str(getattr(module, verb.python_name).__doc__).split("\n\n")[0].split())
        assert doc == verb.help


def test_the_list_has_every_verb_under_a_heading(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    result = search("--help")
    assert result.code == 0
    lines = result.out.splitlines()
    for verb in VERBS:
        assert any(line.startswith(f"│ {verb.name} ") for line in lines), verb.name
    for title in ("Search", "Look", "Environment", "Options"):
        assert any(line.startswith(f"╭─ {title} ") for line in lines), title
    assert "--install-completion" in result.out
    assert max(map(len, lines)) <= 80
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, search("--help").out.splitlines())) <= 40


def test_the_list_is_light() -> None:
    code = "from archloom.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nimport sys\n"
    code += "heavy = ('rich.console', 'archloom.cli.run', 'numpy', 'torch')\n"
    code += "print('LOADED', *[name for name in heavy if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_every_module_of_the_cli_is_a_verb_or_private() -> None:
    folder = Path(importlib.import_module("archloom.cli").__file__ or "").parent
    found = {f"archloom.cli.{verb.module}" for verb in VERBS}
    found |= {f"archloom.cli.{group}.{verb.module}" for group, verbs in GROUPS.items() for verb in verbs}
    there = {
        ".".join(("archloom.cli", *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
        for path in folder.rglob("*.py")
        if not path.name.removeprefix("__init__").startswith("_") and "templates" not in path.parts
    }
    assert there == found | {"archloom.cli"}


def test_a_verb_does_more_when_another_word_follows(search: Search) -> None:
    result = search("trials", "--help")
    assert "Usage: search trials [OPTIONS]" in result.out
    lines = result.out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("╭─ Commands ─"))
    inner = [verb.name.split()[1] for verb in VERBS if verb.name.startswith("trials ")]
    assert inner == ["tag", "invalidate", "restore", "reevaluate"]
    for name in inner:
        assert any(line.startswith(f"│ {name} ") for line in lines[start:]), name
        assert f"Usage: search trials {name} [OPTIONS]" in search("trials", name, "--help").out
    assert "did you mean 'invalidate'?" in search("trials", "invalidat", "fast", "3").err
    assert search("trials", "invalidat", "fast", "3").code == 2


def test_a_study_that_is_called_like_a_command_is_reached(search: Search) -> None:
    from archloom.contracts import Objective
    from archloom.store import Store, StudyRecord

    with Store("fast.db") as store:
        store.create_study(StudyRecord("tag", 0, (Objective("score"),)))
    for words in (("--store", "fast.db", "--", "tag"), ("--", "tag"), ("--store", "fast.db", "tag")):
        at = () if "--store" in words else ("--store", "fast.db")
        result = search("trials", *at, *words)
        assert (result.code, result.out) == (0, "study 'tag' has no trial yet\n"), words
    assert "Missing argument 'STUDY'" in search("trials", "tag").err


def test_nothing_at_all_shows_the_help(search: Search) -> None:
    for words in ((), ("space",)):
        result = search(*words)
        assert (result.code, result.err) == (2, "")
        assert "Usage: search" in result.out


def test_a_misspelt_verb_is_answered_with_the_nearest(search: Search) -> None:
    assert "did you mean 'best'?" in search("bset").err
    assert "did you mean 'show'?" in search("space", "shw").err


def test_a_terminal_that_cannot_draw_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    lines = panel("Look", [("best", "Show it.")], 40)
    assert lines[0].startswith("+- Look -")
    assert "".join(lines).isascii()


def test_what_nobody_expected_is_one_line(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr("archloom.config.default_store", broken)
    result = search("status")
    assert (result.code, result.out) == (1, "")
    assert result.err == "unexpected ZeroDivisionError: by zero (with --debug: where)\n"
    assert "Traceback" in search("status", "--debug").err


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("search tr", ["trials"]),
        ("search space c", ["count", "check"]),
        ("search strategies reg", ["regularized_evolution"]),
        ("search space show ml", ["mlp"]),
        ("search best fa", ["fast", "fast.yaml"]),
        ("search best --store fast.db fas", ["fast", "fast.yaml"]),
        ("search trials fast --format y", ["yaml"]),
        ("search trials rest", ["restore"]),
        ("search trials fa", ["fast", "fast.yaml"]),
        ("search trials tag fa", ["fast", "fast.yaml"]),
        ("search new fu", ["function"]),
    ],
)
def test_a_shell_is_offered_names(search: Search, words: str, offered: list[str]) -> None:
    from archloom.contracts import Objective
    from archloom.store import Store, StudyRecord

    with Store("fast.db") as store:
        store.create_study(StudyRecord("fast", 0, (Objective("score"),)))
    assert _offered(words, ARCHLOOM_STORE="fast.db") == offered


def test_completion_never_raises(search: Search) -> None:
    Path("broken.db").write_text("not a database")
    for store in ("nowhere.db", "nonsense://", ["broken.db"]):
        assert complete_study(SimpleNamespace(params={"store": store}), "no") == []
    assert complete_study(None, "no") == []
    assert complete_file("no/such/folder/") == []
    assert complete_registered("strategies")("zzz") == []
    assert _offered("search best no", ARCHLOOM_STORE="broken.db") == []


def _offered(words: str, **environment: str) -> list[str]:
    """Complete the last word as bash would have it done."""
    variables = {
        "_SEARCH_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    code = "from archloom.cli import main; main([])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.stdout.split()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_work_shows_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(_waiting, "PATIENCE", 0.0)
    err = _Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    assert list(counted(iter("abc"), 3, "checking")) == ["a", "b", "c"]
    assert "checking" in err.getvalue()
    with waiting("reading"):
        time.sleep(0.1)
    assert "reading" in err.getvalue()
    monkeypatch.setattr(_waiting, "PATIENCE", 60.0)
    monkeypatch.setattr(sys, "stderr", silent := _Terminal())
    assert list(counted(iter("abc"), 3, "checking", quiet=True)) == ["a", "b", "c"]
    with waiting("reading"):
        pass
    with waiting("reading", quiet=True):
        pass
    assert silent.getvalue() == ""

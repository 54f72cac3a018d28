# SPDX-License-Identifier: Apache-2.0
"""``search storage``: what a database is, whether it is sound, and how it is brought up to date."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archloom.contracts import Objective
from archloom.store import Proposal, Store, StudyRecord, schema

Search = Callable[..., Any]
FROZEN = Path(__file__).parents[1] / "store" / "frozen" / "0001.sqlite.sql"
NEWEST = schema.REVISIONS[-1]


@pytest.fixture
def new(search: Search, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of a study that waits, in the working folder of ``search``."""
    monkeypatch.setenv("ARCHLOOM_STORE", "sqlite:///a.db")
    with Store("a.db") as store:
        study = store.create_study(StudyRecord("demo [b]x\x1b[31m", 0, (Objective("score"),)))
        store.propose(study, 0, [Proposal("k", "op=1", {"op": "1"}, seed=0)])
    return Path("a.db")


@pytest.fixture
def old(search: Search, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that the first archloom wrote."""
    monkeypatch.setenv("ARCHLOOM_STORE", "sqlite:///old.db")
    with closing(sqlite3.connect("old.db")) as connection:
        connection.executescript(FROZEN.read_text(encoding="utf-8"))
    return Path("old.db")


def test_info(search: Search, new: Path) -> None:
    out = search("storage", "info").out
    facts = dict(line.split(None, 1) for line in out.splitlines())
    assert facts["database"] == "sqlite:///a.db"
    assert facts["engine"].startswith("SQLite 3.")
    assert (facts["schema"], facts["studies"], facts["trials"]) == (NEWEST, "1", "1 WAITING")
    assert (facts["journal"], facts["writable"]) == ("wal", "yes")
    found = json.loads(search("storage", "info", "--format", "json").out)
    assert found["n_trials"] == {"WAITING": 1}
    assert found["n_bytes"] == new.stat().st_size
    assert search("storage", "info", "-f", "csv").out.startswith("store,engine,revision,")


def test_info_of_an_older_one(search: Search, old: Path) -> None:
    out = search("storage", "info").out
    assert f"0001, older than {NEWEST}: 'search storage upgrade'" in out
    assert old.stat().st_size == old.stat().st_size


def test_a_sound_one(search: Search, new: Path) -> None:
    done = search("storage", "check")
    assert (done.code, done.out, done.err) == (0, "the database is sound\n", "")
    assert json.loads(search("storage", "check", "-f", "json").out) == {"is_sound": True, "findings": []}
    assert search("storage", "check", "-f", "csv").out == "law,study,text\n"


def test_a_broken_one(search: Search, new: Path) -> None:
    with closing(sqlite3.connect(new)) as connection:
        connection.execute("UPDATE studies SET config = '{'")
        connection.commit()
    done = search("storage", "check")
    assert done.code == 1
    assert done.out.splitlines() == [
        "1 thing wrong",
        "",
        r"demo [b]x\x1b[31m: its config is no JSON object [documents]",
    ]
    done = search("storage", "check", "-f", "json")
    assert done.code == 1
    (finding,) = json.loads(done.out)["findings"]
    assert finding == {
        "law": "documents",
        "study": "demo [b]x\x1b[31m",
        "text": "its config is no JSON object",
    }


def test_one_study(search: Search, new: Path) -> None:
    done = search("storage", "check", "demo [b]x\x1b[31m")
    assert done.code == 0
    assert "\x1b" not in done.out
    done = search("storage", "check", "nothing")
    assert done.code == 1
    assert r"no study 'nothing' in sqlite:///a.db; there are: demo [b]x\x1b[31m" in done.err


def test_upgrade(search: Search, old: Path) -> None:
    refused = search("status")
    assert refused.code == 1
    assert "search storage upgrade" in refused.err
    done = search("storage", "upgrade")
    assert done.out.splitlines() == [
        f"sqlite:///old.db: upgraded from schema 0001 to {NEWEST}",
        "as it was: old.db.bak-0001",
    ]
    assert search("status").code == 0
    again = search("storage", "upgrade")
    assert (again.code, again.out) == (
        0,
        f"sqlite:///old.db has the schema {NEWEST} already: nothing to do\n",
    )
    assert sorted(path.name for path in Path().glob("old.db*")) == ["old.db", "old.db.bak-0001"]


def test_upgrade_for_programs_and_without_a_copy(search: Search, old: Path) -> None:
    found = json.loads(search("storage", "upgrade", "--no-backup", "--format", "json").out)
    assert found == {"store": "sqlite:///old.db", "from": "0001", "to": NEWEST, "backup": None}
    assert not Path("old.db.bak-0001").exists()


def test_upgrade_makes_no_database(search: Search) -> None:
    done = search("storage", "upgrade", "--store", "none.db")
    assert (done.code, done.err) == (1, "cannot open sqlite:///none.db: there is no file none.db\n")
    assert not Path("none.db").exists()

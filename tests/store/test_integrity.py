# SPDX-License-Identifier: Apache-2.0
"""A sound database has nothing to tell of; each way of breaking one is found, and told in one line."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine

from archloom.contracts import Objective, State
from archloom.errors import StoreError, StudyNotFoundError
from archloom.store import Outcome, Proposal, Store, StudyRecord, schema
from archloom.store.integrity import Finding, bring_up_to_date, check, describe
from archloom.store.invariants import LAWS, efficient
from archloom.store.soundness import VIEWS

Break = Callable[[str], None]
N = 30


@pytest.fixture
def full(url: str, tmp_path: Path) -> str:
    """Two objectives, thirty trials in every state but RUNNING, a file, a repeat, a view; done."""
    rng = np.random.default_rng(0)
    weights = tmp_path / "weights"
    weights.touch()
    with Store(url) as store:
        goals = (Objective("validation/accuracy"), Objective("params", "minimize"))
        study = store.create_study(StudyRecord("demo", 0, goals, ("params <= 9",)))
        store.propose(study, 0, [Proposal(f"k{i}", "a", {"op": str(i)}, seed=i) for i in range(N)])
        store.claim_many(study, N - 1)
        outcomes = {}
        for i in rng.permutation(N - 1).tolist():
            values = {"validation/accuracy": float(rng.integers(9)), "params": float(rng.integers(9))}
            files = {"weights": str(weights)} if i == 1 else {}
            outcomes[i] = Outcome(State.COMPLETE, values, violation=float(i % 7 == 0), artifacts=files)
        outcomes[3] = Outcome(State.FAIL, {}, reason="x")
        outcomes[4] = Outcome(State.PRUNED, {"params": 1.0}, reason="x")
        store.finish_many(study, outcomes)
        store.refresh_wide(study)
        store.set_status(study, "done")
        other = store.create_study(StudyRecord("other", 0, (Objective("loss", "minimize"),)))
        store.propose(other, 0, [Proposal("k", "a", {"op": "a"}, seed=0)])
    return url


@pytest.fixture
def alter(full: str) -> Break:
    """Run SQL behind archloom's back, its constraints off."""

    def run(text: str) -> None:
        engine = create_engine(full)
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            else:
                for name in (
                    "finish_order",
                    "value",
                    "started_at",
                    "finished_at",
                    "is_pareto",
                    "state",
                    "seconds",
                ):
                    connection.exec_driver_sql(
                        f"ALTER TABLE trials DROP CONSTRAINT IF EXISTS ck_trials_{name}"
                    )
            connection.exec_driver_sql(text)
        engine.dispose()

    return run


def test_a_sound_one_has_nothing_to_tell(full: str) -> None:
    assert check(full) == []
    assert check(full, "demo") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("UPDATE trials SET number = 99 WHERE number = 29", ("numbers", "not dense: 30 from 0 to 99")),
        (
            "UPDATE trials SET finish_order = 99 WHERE finish_order = 28",
            ("order", "trials ended are not dense: 29 from 0 to 99"),
        ),
        (
            "UPDATE trials SET state = 'LOST' WHERE number = 5",
            ("states", "trial 5: a state that there is not"),
        ),
        (
            "UPDATE trials SET started_at = created_at WHERE number = 29",
            ("states", "trial 29: WAITING, yet begun"),
        ),
        (
            "UPDATE trials SET seconds = NULL WHERE number = 5",
            ("states", "trial 5: ended without saying when"),
        ),
        (
            "DELETE FROM metrics WHERE name = 'params' AND trial_id = 6",
            ("objectives", "trial 5: COMPLETE without a finite params"),
        ),
        (
            "UPDATE metrics SET value = 9e999 WHERE name = 'accuracy' AND trial_id = 6",
            ("objectives", "trial 5: COMPLETE without a finite validation/accuracy"),
        ),
        (
            "UPDATE trials SET value = 77 WHERE number IN (5, 6)",
            ("objectives", "trials 5, 6: a value that is not their validation/accuracy"),
        ),
        ("UPDATE trials SET is_pareto = (1 = 0)", ("front", "on the Pareto front, but not marked")),
        (
            "UPDATE trials SET is_pareto = (1 = 1) WHERE number = 3",
            ("front", "trial 3: marked as on the Pareto front, which they are not"),
        ),
        (
            "UPDATE trials SET reused_from = 29 WHERE number = 5",
            ("served", "trial 5: served the result of a trial that has none of its own"),
        ),
        ("UPDATE artifacts SET path = '/nowhere/at/all'", ("files", "trial 1: files that are not there")),
        ("UPDATE studies SET config = '[' WHERE id = 1", ("documents", "its config is no JSON object")),
        ("DROP VIEW wide_demo", ("views", "its view wide_demo is missing")),
        ("DROP VIEW best", ("tables", "the view best is missing")),
        ("DROP INDEX ix_trials_best", ("tables", "the index ix_trials_best of trials is missing")),
        ("DROP TABLE tags", ("tables", "the table tags is missing")),
    ],
)
def test_each_law_is_held(full: str, alter: Break, text: str, expected: tuple[str, str]) -> None:
    if "9e999" in text and not full.startswith("sqlite"):
        text = text.replace("9e999", "'Infinity'")
    alter(text)
    law, words = expected
    told = [finding.text for finding in check(full) if finding.law == law]
    assert any(words in line for line in told), check(full)
    assert all("\n" not in line for line in told)


def test_a_running_trial_of_a_worker_that_is_gone(full: str) -> None:
    code = (
        "import os, sys; from archloom.store import Store; store = Store(sys.argv[1]); "
        "study = store.study('other').id; store.workers.join(study); store.claim(study); os._exit(0)"
    )
    with Store(full) as store:
        other = store.study("other").id or 0
        store.workers.join(other)
        trial = store.claim(other)
        assert trial is not None
        assert [finding for finding in check(full) if finding.law == "workers"] == []
        store.reopen(other)
    subprocess.run([sys.executable, "-c", code, full], check=True)
    assert check(full) == [
        Finding("workers", "other", "trial 0: RUNNING with their worker gone (the next run takes them up)")
    ]
    assert check(full, "demo") == []


def test_rows_that_point_nowhere(full: str) -> None:
    if not full.startswith("sqlite"):
        pytest.skip("PostgreSQL holds references itself")
    with closing(sqlite3.connect(full.removeprefix("sqlite:///"))) as connection:
        connection.execute("DELETE FROM trials WHERE number = 29")
        connection.commit()
    assert ("a row of decisions points to a row of trials that is not there") in {f.text for f in check(full)}


def test_a_study_that_is_not_there(full: str) -> None:
    with pytest.raises(StudyNotFoundError, match=r"no study 'demos' in .*; did you mean 'demo'"):
        check(full, "demos")


def test_many_are_counted(full: str, alter: Break) -> None:
    alter("UPDATE trials SET value = 77 WHERE state = 'COMPLETE'")
    (told,) = [finding.text for finding in check(full) if finding.law == "objectives"]
    assert " and 22 more: a value that is not" in told


def test_every_law_says_what_it_is() -> None:
    assert all(law.__doc__ for law in LAWS.values())


def test_the_views_are_those_that_are_made(tmp_path: Path) -> None:
    Store(tmp_path / "a.db").close()
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        made = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert made == set(VIEWS)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_efficient_is_what_its_definition_says(m: int) -> None:
    costs = np.random.default_rng(m).integers(0, 6, (200, m)).astype(float)
    dominated = [any((other <= point).all() and (other < point).any() for other in costs) for point in costs]
    assert efficient(costs).tolist() == [not each for each in dominated]


class TestDescribe:
    def test_facts(self, full: str) -> None:
        facts = describe(full)
        assert (facts.revision, facts.newest) == (schema.REVISIONS[-1], schema.REVISIONS[-1])
        assert facts.n_studies == 2
        assert facts.n_trials == {"COMPLETE": 27, "FAIL": 1, "PRUNED": 1, "WAITING": 2}
        assert facts.n_bytes > 50_000
        assert facts.is_writable
        assert facts.journal == ("wal" if full.startswith("sqlite") else None)
        assert facts.engine.startswith("SQLite 3." if full.startswith("sqlite") else "PostgreSQL 1")

    def test_nothing_of_ours(self, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
            connection.execute("CREATE TABLE songs (name TEXT)")
        with pytest.raises(StoreError, match="holds no archloom store; it holds the table 'songs'"):
            describe(tmp_path / "x.db")

    def test_a_password_is_not_told(self) -> None:
        with pytest.raises(StoreError, match=r"me:\*\*\*@127.0.0.1:1"):
            describe("postgresql://me:secret@127.0.0.1:1/x")


class TestUpgrade:
    def test_a_copy_is_never_written_over(self, tmp_path: Path) -> None:
        path = _old(tmp_path)
        Path(f"{path}.bak-0001").write_text("mine")
        done = bring_up_to_date(path)
        assert done.backup is not None
        assert done.backup.name == "old.db.bak-0001-2"
        assert Path(f"{path}.bak-0001").read_text() == "mine"

    def test_none_is_made_where_none_is_wanted(self, tmp_path: Path) -> None:
        path = _old(tmp_path)
        assert bring_up_to_date(path, backs_up=False).backup is None
        assert [each.name for each in tmp_path.iterdir()] == ["old.db"]

    def test_where_no_copy_can_be_made_nothing_is_upgraded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = _old(tmp_path)

        def full_disk(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("archloom.store.integrity.shutil.copymode", full_disk)
        with pytest.raises(StoreError, match="No space left on device; nothing was upgraded"):
            bring_up_to_date(path)
        assert describe(path).revision == "0001"
        assert [each.name for each in tmp_path.iterdir()] == ["old.db"]


def _old(folder: Path) -> Path:
    path = folder / "old.db"
    script = (Path(__file__).parent / "frozen" / "0001.sqlite.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path

# SPDX-License-Identifier: Apache-2.0
"""Every database that a released archloom wrote is refused, upgraded, and is then like any other."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from archloom.contracts import Objective, State
from archloom.errors import StoreError
from archloom.store import Outcome, Proposal, Store, StudyRecord, schema
from archloom.store.integrity import bring_up_to_date, check
from tests.store.test_migrations import describe

FOLDER = Path(__file__).parent / "frozen"
TIME = re.compile(r"(?<=T\d\d:\d\d:\d\d\.\d{6})\+00:00\b")
OLDER = sorted(
    path.stem for path in FOLDER.glob("*.sql") if not path.stem.startswith(f"{schema.REVISIONS[-1]}.")
)


def told(url: str) -> list[dict[str, Any]]:
    """What a store tells of itself, as JSON."""
    with Store(url, must_exist=True) as store:
        return [_study(store, study) for study in store.studies()]


def _study(store: Store, study: Any) -> dict[str, Any]:
    trials = store.trials(study.id)
    names = sorted(
        {name for trial in trials for name in trial.metrics} | {"train/loss", "validation/accuracy", "loss"}
    )
    found: dict[str, Any] = {
        "study": asdict(study),
        "trials": [asdict(trial) for trial in trials],
        "curves": {name: store.curves(study.id, name) for name in names},
        "events": [event._asdict() for event in store.events(study.id)],
        "counts": {str(state): n for state, n in store.counts(study.id).items()},
        "best": [trial.number for trial in store.best(study.id, 99)],
        "pareto": [trial.number for trial in store.pareto(study.id)],
    }
    plain: dict[str, Any] = _plain(found)
    return plain


def _plain(value: Any) -> Any:
    """JSON as it comes back from a file: keys are text, what is not finite is spelled, UTC is Z."""
    if isinstance(value, str):
        return TIME.sub("Z", value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def golden(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return [_plain(study) for study in found]


@pytest.fixture(params=OLDER)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def url(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database as it was left, loaded anew."""
    script = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    if name.endswith("sqlite"):
        connection = sqlite3.connect(tmp_path / "old.db")
        connection.executescript(script)
        connection.close()
        return f"sqlite:///{tmp_path}/old.db"
    found: str = request.getfixturevalue("postgres_url")
    engine = create_engine(found)
    with engine.begin() as database:
        driver: Any = database.connection.driver_connection
        driver.execute(script)
    engine.dispose()
    return found


def test_it_is_refused_and_the_way_out_is_named(url: str) -> None:
    with pytest.raises(StoreError, match="search storage upgrade"):
        Store(url)
    with pytest.raises(StoreError, match="search storage upgrade"):
        check(url)


def test_everything_is_kept(url: str, name: str) -> None:
    upgrade = bring_up_to_date(url)
    assert (upgrade.old, upgrade.new) == (name.split(".")[0], schema.REVISIONS[-1])
    assert (upgrade.backup is not None) == name.endswith("sqlite")
    for now, before in zip(told(url), golden(name), strict=True):
        for number, (trial, old) in enumerate(zip(now.pop("trials"), before.pop("trials"), strict=True)):
            # Since 0002 the first twenty digits of a key are kept.
            assert trial["key"] in (old["key"], old["key"][:20]), number
            assert {key: trial[key] for key in old} == old | {"key": trial["key"]}, number
        study, old = now.pop("study"), before.pop("study")
        assert {key: study[key] for key in old} == old
        assert now == before


def test_what_is_new_is_filled_in(url: str) -> None:
    bring_up_to_date(url)
    with Store(url) as store:
        for study in store.studies():
            assert study.id is not None
            ended = [trial for trial in store.trials(study.id) if trial.state.is_finished]
            by_time = sorted(ended, key=lambda trial: str(trial.finished_at))
            assert [trial.finish_order for trial in by_time] == list(range(len(ended)))
            assert all(
                trial.finish_order is None for trial in store.trials(study.id) if not trial.state.is_finished
            )
            assert {(trial.n_lost, trial.excluded) for trial in ended} == {(0, "")}
            assert store.refresh_wide(study.id)


def test_it_is_sound_but_for_who_was_at_work_and_the_files_that_are_gone(url: str) -> None:
    bring_up_to_date(url)
    assert {finding.law for finding in check(url)} <= {"workers", "files"}


def test_new_work_can_be_done_in_it(url: str) -> None:
    bring_up_to_date(url)
    with Store(url) as store:
        study = store.studies()[0]
        assert study.id is not None
        n = len(store.trials(study.id))
        assert store.propose(study.id, 99, [Proposal("new", "op=conv", {"op": "conv"}, seed=1)]) == [n]
        assert store.claim(study.id) is not None
        metrics = {goal.metric: -1e9 if goal.direction == "minimize" else 1e9 for goal in study.objectives}
        assert store.finish(study.id, n, Outcome(State.COMPLETE, metrics)).is_pareto
        assert [trial.number for trial in store.pareto(study.id)] == [n]
        assert store.trial(study.id, n).finish_order == n
        other = store.create_study(StudyRecord("another", 0, (Objective("loss", "minimize"),)))
        assert store.propose(other, 0, [Proposal("k", "a", {"a": 0.5}, seed=1)]) == [0]
        store.reopen(store.studies()[1].id or 0)
    assert {finding.law for finding in check(url)} <= {"files"}


def test_its_schema_is_that_of_a_fresh_one(url: str, tmp_path: Path) -> None:
    bring_up_to_date(url)
    upgraded = {name: each for name, each in describe(url).items() if "wide_" not in name}
    if url.startswith("sqlite"):
        fresh = f"sqlite:///{tmp_path}/fresh.db"
        Store(fresh).close()
        expected = describe(fresh)
        tables = {f"definition of {table}" for table in schema.metadata.tables}
        upgraded, expected = (
            {name: each for name, each in found.items() if name not in tables}
            for found in (upgraded, expected)
        )
    else:
        engine = create_engine(url)
        with engine.begin() as connection:
            own = connection.exec_driver_sql("SELECT current_schema()").scalar()
            connection.exec_driver_sql(f"DROP SCHEMA {own} CASCADE")
            connection.exec_driver_sql(f"CREATE SCHEMA {own}")
        engine.dispose()
        Store(url).close()
        expected = describe(url)
    upgraded["views"] = [view for view in upgraded["views"] if not view.startswith("wide_")]
    assert upgraded == expected


def test_a_second_upgrade_has_nothing_to_do(url: str) -> None:
    bring_up_to_date(url)
    again = bring_up_to_date(url)
    assert (again.old, again.backup) == (again.new, None)


def test_the_copy_is_the_old_database(url: str, name: str, tmp_path: Path) -> None:
    if not name.endswith("sqlite"):
        pytest.skip("of PostgreSQL, whoever upgrades it makes a dump")
    first = bring_up_to_date(url).backup
    assert first is not None
    assert first.name == f"old.db.bak-{name.split('.')[0]}"
    copy = f"sqlite:///{first}"
    with pytest.raises(StoreError, match="search storage upgrade"):
        Store(copy)
    bring_up_to_date(copy, backs_up=False)
    assert told(copy) == told(url)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.db", first.name]


def test_every_release_has_left_its_pair() -> None:
    for revision in schema.REVISIONS[:-1]:
        for engine in ("sqlite", "postgresql"):
            assert f"{revision}.{engine}" in OLDER
            assert golden(f"{revision}.{engine}")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(told(sys.argv[1]), indent=1, ensure_ascii=False, allow_nan=False) + "\n")

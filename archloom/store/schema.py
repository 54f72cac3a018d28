# SPDX-License-Identifier: Apache-2.0
"""The tables, with the constraints that make wrong states impossible.

A change here needs a revision in ``migrations`` and its name at the end of ``REVISIONS``; a test
holds the two ways to a database, ``create_all`` and the migrations, equal.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    text,
    true,
)

__all__ = [
    "COUNTS_AS_BEST",
    "REVISIONS",
    "STATUSES",
    "VERSION_TABLE",
    "artifacts",
    "curves",
    "decisions",
    "events",
    "metadata",
    "metrics",
    "objectives",
    "predictions",
    "revisions",
    "run_metrics",
    "runs",
    "studies",
    "tags",
    "trials",
    "version",
    "workers",
]

REVISIONS = ("0001", "0002")
"""Every revision of the schema, oldest first; the last is what this archloom reads and writes."""

VERSION_TABLE = "archloom_schema"
"""Our own, not Alembic's ``alembic_version``: other programs may keep theirs in the same database."""

STATUSES = ("running", "stopped", "done")
"""What a study may be."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


_SPLITS = "split IN ('', 'train', 'validation', 'test')"
_STATES = "state IN ('WAITING', 'RUNNING', 'COMPLETE', 'PRUNED', 'FAIL')"


def _study_id(*, primary_key: bool = False, index: bool = False) -> Column[int]:
    parent = ForeignKey("studies.id", ondelete="CASCADE")
    return Column("study_id", parent, nullable=False, primary_key=primary_key, index=index)


def _trial_id(*, primary_key: bool = False) -> Column[int]:
    parent = ForeignKey("trials.id", ondelete="CASCADE")
    return Column("trial_id", parent, nullable=False, primary_key=primary_key)


def _worker_id() -> Column[int]:
    return Column("worker_id", ForeignKey("workers.id", ondelete="SET NULL"))


def _time(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _index(name: str, *columns: Column[Any], where: ColumnElement[bool], unique: bool = False) -> None:
    """Index the rows that meet a condition, which is what keeps an index small."""
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


version = Table(
    VERSION_TABLE,
    metadata,
    Column("version_num", String(32), nullable=False, primary_key=True),
)
# Alembic names the key of its version table itself.
version.primary_key.name = f"{VERSION_TABLE}_pkc"

studies = Table(
    "studies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("seed", BigInteger, nullable=False),
    _time("created_at"),
    Column("archloom_version", Text, nullable=False),
    Column("space", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("constraints", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # What the run at hand may spend, so that every worker knows.
    Column("max_trials", Integer),
    Column("budget", Text, nullable=False, server_default="evaluations"),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint("max_trials > 0", name="max_trials"),
    CheckConstraint("budget IN ('evaluations', 'proposals')", name="budget"),
    CheckConstraint("status IN ('running', 'stopped', 'done')", name="status"),
)

objectives = Table(
    "objectives",
    metadata,
    _study_id(primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("metric", Text, nullable=False),
    Column("split", Text, nullable=False),
    Column("direction", Text, nullable=False),
    UniqueConstraint("study_id", "split", "metric"),
    CheckConstraint("position >= 0", name="position"),
    CheckConstraint(_SPLITS, name="split"),
    CheckConstraint("direction IN ('maximize', 'minimize')", name="direction"),
    sqlite_with_rowid=False,
)

revisions = Table(
    "revisions",
    metadata,
    _study_id(primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _time("at"),
    Column("first_trial", Integer, nullable=False),
    Column("space", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("detail", Text, nullable=False),
    CheckConstraint("number >= 0", name="number"),
    sqlite_with_rowid=False,
)

workers = Table(
    "workers",
    metadata,
    Column("id", Integer, primary_key=True),
    _study_id(index=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    # What tells this process from a later one of the same number: machine, boot, start.
    Column("process", Text, nullable=False),
    Column("is_proposer", Boolean, nullable=False, server_default=false()),
    Column("n_slots", Integer, nullable=False, server_default="0"),
    # Raised with every sign of life. Others watch it change by their own clocks, for clocks disagree.
    Column("n_beats", Integer, nullable=False, server_default="0"),
    _time("started_at"),
    _time("renewed_at"),
    _time("ended_at", nullable=True),
    CheckConstraint("n_slots >= 0", name="n_slots"),
    CheckConstraint("NOT is_proposer OR ended_at IS NULL", name="is_proposer"),
)
_index("uq_workers_proposer", workers.c.study_id, where=workers.c.is_proposer == true(), unique=True)

trials = Table(
    "trials",
    metadata,
    Column("id", Integer, primary_key=True),
    _study_id(),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("architecture", Text, nullable=False),
    Column("ask", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("fidelity", Text),
    Column("violation", Double, nullable=False, server_default="0"),
    Column("is_pareto", Boolean, nullable=False, server_default=false()),
    Column("reused_from", Integer),
    Column("reason", Text, nullable=False, server_default=""),
    Column("traceback", Text, nullable=False, server_default=""),
    _time("created_at"),
    _time("started_at", nullable=True),
    _time("finished_at", nullable=True),
    Column("seconds", Double),
    # The first objective's.
    Column("value", Double),
    Column("excluded", Text, nullable=False, server_default=""),
    Column("finish_order", Integer),
    _worker_id(),
    Column("n_lost", Integer, nullable=False, server_default="0"),
    UniqueConstraint("study_id", "number"),
    ForeignKeyConstraint(["study_id", "reused_from"], ["trials.study_id", "trials.number"]),
    CheckConstraint("number >= 0", name="number"),
    CheckConstraint(_STATES, name="state"),
    CheckConstraint("violation >= 0", name="violation"),
    CheckConstraint("excluded IN ('', 'outside', 'invalid')", name="excluded"),
    CheckConstraint(
        "NOT is_pareto OR (state = 'COMPLETE' AND violation = 0 AND excluded = '')", name="is_pareto"
    ),
    CheckConstraint("state <> 'COMPLETE' OR value IS NOT NULL", name="value"),
    CheckConstraint("reused_from <> number", name="reused_from"),
    CheckConstraint("n_lost >= 0", name="n_lost"),
    CheckConstraint("(state = 'WAITING') = (started_at IS NULL)", name="started_at"),
    CheckConstraint("(state IN ('WAITING', 'RUNNING')) = (finished_at IS NULL)", name="finished_at"),
    CheckConstraint("(finished_at IS NULL) = (finish_order IS NULL)", name="finish_order"),
    CheckConstraint("(finished_at IS NULL) = (seconds IS NULL)", name="seconds"),
)
# Those that have not ended: few, however many trials there are.
_index(
    "ix_trials_open",
    trials.c.study_id,
    trials.c.state,
    trials.c.number,
    where=trials.c.finished_at.is_(None),
)
Index("ix_trials_study_id_key", trials.c.study_id, trials.c.key)
_index(
    "uq_trials_finish_order",
    trials.c.study_id,
    trials.c.finish_order,
    where=trials.c.finish_order.is_not(None),
    unique=True,
)
COUNTS_AS_BEST = and_(
    trials.c.state == text("'COMPLETE'"), trials.c.violation == text("0"), trials.c.excluded == text("''")
)
"""Which trials may be the best; spelled out, so that the databases see that an index holds them."""
_index("ix_trials_best", trials.c.study_id, trials.c.value, where=COUNTS_AS_BEST)
_index(
    "ix_trials_front",
    trials.c.study_id,
    trials.c.is_pareto,
    trials.c.number,
    where=trials.c.is_pareto == true(),
)
_index(
    "ix_trials_study_id_reused_from",
    trials.c.study_id,
    trials.c.reused_from,
    where=trials.c.reused_from.is_not(None),
)

decisions = Table(
    "decisions",
    metadata,
    _trial_id(primary_key=True),
    Column("name", Text, primary_key=True),
    Column("choice", Text, nullable=False),
    Column("value", Double),
    # The label "3" has a value too; only this column tells it from the number 3.0.
    Column("is_float", Boolean, nullable=False),
    CheckConstraint("NOT is_float OR value IS NOT NULL", name="is_float"),
    sqlite_with_rowid=False,
)

metrics = Table(
    "metrics",
    metadata,
    _trial_id(primary_key=True),
    Column("split", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Double),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint(_SPLITS, name="split"),
    sqlite_with_rowid=False,
)

curves = Table(
    "curves",
    metadata,
    _trial_id(primary_key=True),
    Column("split", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("value", Double),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint(_SPLITS, name="split"),
    sqlite_with_rowid=False,
)

artifacts = Table(
    "artifacts",
    metadata,
    _trial_id(primary_key=True),
    Column("name", Text, primary_key=True),
    Column("path", Text, nullable=False),
    sqlite_with_rowid=False,
)

tags = Table(
    "tags",
    metadata,
    _trial_id(primary_key=True),
    Column("tag", Text, primary_key=True),
    CheckConstraint("tag <> ''", name="tag"),
    sqlite_with_rowid=False,
)

predictions = Table(
    "predictions",
    metadata,
    _trial_id(primary_key=True),
    Column("predictor", Text, primary_key=True),
    Column("split", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("mean", Double, nullable=False),
    Column("std", Double),
    _time("at"),
    CheckConstraint(_SPLITS, name="split"),
    CheckConstraint("std >= 0", name="std"),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    _study_id(),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    _worker_id(),
    Column("n_lost", Integer, nullable=False, server_default="0"),
    Column("checkpoint", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    _time("created_at"),
    _time("started_at", nullable=True),
    _time("finished_at", nullable=True),
    Column("seconds", Double),
    UniqueConstraint("study_id", "name"),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint("state IN ('WAITING', 'RUNNING', 'COMPLETE', 'FAIL')", name="state"),
    CheckConstraint("n_lost >= 0", name="n_lost"),
    CheckConstraint("(state IN ('WAITING', 'RUNNING')) = (finished_at IS NULL)", name="finished_at"),
)

run_metrics = Table(
    "run_metrics",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, primary_key=True),
    Column("split", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("value", Double),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint(_SPLITS, name="split"),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    _study_id(index=True),
    Column("trial_id", ForeignKey("trials.id", ondelete="CASCADE"), index=True),
    _time("at"),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

# SPDX-License-Identifier: Apache-2.0
"""The tables, with the constraints that make wrong states impossible.

A change here needs a revision in ``migrations`` and its name at the end of ``REVISIONS``; a test
holds the two ways to a database, ``create_all`` and the migrations, equal.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
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
    false,
    true,
)

__all__ = [
    "REVISIONS",
    "STATUSES",
    "VERSION_TABLE",
    "artifacts",
    "decisions",
    "events",
    "metadata",
    "metrics",
    "objectives",
    "studies",
    "trials",
    "version",
]

REVISIONS = ("0001",)
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


def _study_id(*, primary_key: bool = False, index: bool = False) -> Column[int]:
    parent = ForeignKey("studies.id", ondelete="CASCADE")
    return Column("study_id", parent, nullable=False, primary_key=primary_key, index=index)


def _trial_id(*, primary_key: bool = False) -> Column[int]:
    parent = ForeignKey("trials.id", ondelete="CASCADE")
    return Column("trial_id", parent, nullable=False, primary_key=primary_key)


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
    Column("created_at", Text, nullable=False),
    Column("archloom_version", Text, nullable=False),
    Column("space", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("constraints", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("name <> ''", name="name"),
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
    CheckConstraint("split IN ('', 'train', 'validation', 'test')", name="split"),
    CheckConstraint("direction IN ('maximize', 'minimize')", name="direction"),
    sqlite_with_rowid=False,
)

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
    Column("created_at", Text, nullable=False),
    Column("started_at", Text),
    Column("finished_at", Text),
    Column("seconds", Double),
    UniqueConstraint("study_id", "number"),
    ForeignKeyConstraint(["study_id", "reused_from"], ["trials.study_id", "trials.number"]),
    CheckConstraint("number >= 0", name="number"),
    CheckConstraint("state IN ('WAITING', 'RUNNING', 'COMPLETE', 'PRUNED', 'FAIL')", name="state"),
    CheckConstraint("violation >= 0", name="violation"),
    CheckConstraint("NOT is_pareto OR (state = 'COMPLETE' AND violation = 0)", name="is_pareto"),
    CheckConstraint("reused_from <> number", name="reused_from"),
    CheckConstraint("(state = 'WAITING') = (started_at IS NULL)", name="started_at"),
    CheckConstraint("(state IN ('WAITING', 'RUNNING')) = (finished_at IS NULL)", name="finished_at"),
    CheckConstraint("(finished_at IS NULL) = (seconds IS NULL)", name="seconds"),
)
# Those that have not ended: few, however many trials there are.
Index(
    "ix_trials_open",
    trials.c.study_id,
    trials.c.state,
    trials.c.number,
    sqlite_where=trials.c.finished_at.is_(None),
    postgresql_where=trials.c.finished_at.is_(None),
)
Index("ix_trials_study_id_key", trials.c.study_id, trials.c.key)
Index(
    "ix_trials_front",
    trials.c.study_id,
    trials.c.is_pareto,
    trials.c.number,
    sqlite_where=trials.c.is_pareto == true(),
    postgresql_where=trials.c.is_pareto == true(),
)
Index(
    "ix_trials_study_id_reused_from",
    trials.c.study_id,
    trials.c.reused_from,
    sqlite_where=trials.c.reused_from.is_not(None),
    postgresql_where=trials.c.reused_from.is_not(None),
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
    _trial_id(),
    Column("name", Text, nullable=False),
    Column("step", Integer),
    Column("split", Text, nullable=False),
    Column("value", Double),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint("split IN ('', 'train', 'validation', 'test')", name="split"),
)
# Final metrics have no step, and NULLs are distinct: two indexes, of which each row is in one.
Index(
    "uq_metrics_step",
    metrics.c.trial_id,
    metrics.c.split,
    metrics.c.name,
    metrics.c.step,
    unique=True,
    sqlite_where=metrics.c.step.is_not(None),
    postgresql_where=metrics.c.step.is_not(None),
)
Index(
    "uq_metrics_final",
    metrics.c.trial_id,
    metrics.c.split,
    metrics.c.name,
    unique=True,
    sqlite_where=metrics.c.step.is_(None),
    postgresql_where=metrics.c.step.is_(None),
)

artifacts = Table(
    "artifacts",
    metadata,
    _trial_id(primary_key=True),
    Column("name", Text, primary_key=True),
    Column("path", Text, nullable=False),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    _study_id(index=True),
    Column("trial_id", ForeignKey("trials.id", ondelete="CASCADE"), index=True),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

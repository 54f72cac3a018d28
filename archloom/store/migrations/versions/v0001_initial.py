# SPDX-License-Identifier: Apache-2.0
"""The first schema: studies, objectives, trials, decisions, metrics, artifacts, events and three views."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from archloom.store.views import create_views

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SPLITS = "split IN ('', 'train', 'validation', 'test')"


def upgrade() -> None:
    """Create everything."""
    _create_studies()
    _create_trials()
    _create_results()
    _create_events()
    create_views(op.get_bind(), revision)


def _text(name: str, **options: object) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), **{"nullable": False, **options})  # type: ignore[arg-type]


def _parent(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def _create_studies() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("name"),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        _text("created_at"),
        _text("archloom_version"),
        _text("space"),
        _text("fingerprint"),
        _text("config"),
        _text("constraints"),
        _text("status"),
        _text("reason"),
        sa.PrimaryKeyConstraint("id", name="pk_studies"),
        sa.UniqueConstraint("name", name="uq_studies_name"),
        sa.CheckConstraint("name <> ''", name=op.f("ck_studies_name")),
        sa.CheckConstraint("status IN ('running', 'stopped', 'done')", name=op.f("ck_studies_status")),
    )
    op.create_table(
        "objectives",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        _text("metric"),
        _text("split"),
        _text("direction"),
        sa.PrimaryKeyConstraint("study_id", "position", name="pk_objectives"),
        _parent("objectives", "study_id", "studies"),
        sa.UniqueConstraint("study_id", "split", "metric", name="uq_objectives_study_id_split_metric"),
        sa.CheckConstraint("position >= 0", name=op.f("ck_objectives_position")),
        sa.CheckConstraint(_SPLITS, name=op.f("ck_objectives_split")),
        sa.CheckConstraint("direction IN ('maximize', 'minimize')", name=op.f("ck_objectives_direction")),
        sqlite_with_rowid=False,
    )


def _create_trials() -> None:
    op.create_table(
        "trials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("state"),
        _text("key"),
        _text("architecture"),
        sa.Column("ask", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        _text("fidelity", nullable=True),
        sa.Column("violation", sa.Double(), server_default="0", nullable=False),
        sa.Column("is_pareto", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reused_from", sa.Integer()),
        _text("reason", server_default=""),
        _text("traceback", server_default=""),
        _text("created_at"),
        _text("started_at", nullable=True),
        _text("finished_at", nullable=True),
        sa.Column("seconds", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
        _parent("trials", "study_id", "studies"),
        sa.UniqueConstraint("study_id", "number", name="uq_trials_study_id_number"),
        sa.ForeignKeyConstraint(
            ["study_id", "reused_from"],
            ["trials.study_id", "trials.number"],
            name="fk_trials_study_id_reused_from",
        ),
        sa.CheckConstraint("number >= 0", name=op.f("ck_trials_number")),
        sa.CheckConstraint(
            "state IN ('WAITING', 'RUNNING', 'COMPLETE', 'PRUNED', 'FAIL')", name=op.f("ck_trials_state")
        ),
        sa.CheckConstraint("violation >= 0", name=op.f("ck_trials_violation")),
        sa.CheckConstraint(
            "NOT is_pareto OR (state = 'COMPLETE' AND violation = 0)", name=op.f("ck_trials_is_pareto")
        ),
        sa.CheckConstraint("reused_from <> number", name=op.f("ck_trials_reused_from")),
        sa.CheckConstraint("(state = 'WAITING') = (started_at IS NULL)", name=op.f("ck_trials_started_at")),
        sa.CheckConstraint(
            "(state IN ('WAITING', 'RUNNING')) = (finished_at IS NULL)", name=op.f("ck_trials_finished_at")
        ),
        sa.CheckConstraint("(finished_at IS NULL) = (seconds IS NULL)", name=op.f("ck_trials_seconds")),
    )
    _create_partial_index(
        "ix_trials_open", "trials", ["study_id", "state", "number"], sa.column("finished_at").is_(None)
    )
    op.create_index("ix_trials_study_id_key", "trials", ["study_id", "key"])
    _create_partial_index(
        "ix_trials_front", "trials", ["study_id", "is_pareto", "number"], sa.column("is_pareto") == sa.true()
    )
    _create_partial_index(
        "ix_trials_study_id_reused_from",
        "trials",
        ["study_id", "reused_from"],
        sa.column("reused_from").is_not(None),
    )


def _create_partial_index(
    name: str, table: str, columns: list[str], where: sa.ColumnElement[bool], *, unique: bool = False
) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _create_results() -> None:
    op.create_table(
        "decisions",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        _text("name"),
        _text("choice"),
        sa.Column("value", sa.Double()),
        sa.Column("is_float", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("trial_id", "name", name="pk_decisions"),
        _parent("decisions", "trial_id", "trials"),
        sa.CheckConstraint("NOT is_float OR value IS NOT NULL", name=op.f("ck_decisions_is_float")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "metrics",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        _text("name"),
        sa.Column("step", sa.Integer()),
        _text("split"),
        sa.Column("value", sa.Double()),
        _parent("metrics", "trial_id", "trials"),
        sa.CheckConstraint("name <> ''", name=op.f("ck_metrics_name")),
        sa.CheckConstraint(_SPLITS, name=op.f("ck_metrics_split")),
    )
    _create_partial_index(
        "uq_metrics_step",
        "metrics",
        ["trial_id", "split", "name", "step"],
        sa.column("step").is_not(None),
        unique=True,
    )
    _create_partial_index(
        "uq_metrics_final", "metrics", ["trial_id", "split", "name"], sa.column("step").is_(None), unique=True
    )
    op.create_table(
        "artifacts",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        _text("name"),
        _text("path"),
        sa.PrimaryKeyConstraint("trial_id", "name", name="pk_artifacts"),
        _parent("artifacts", "trial_id", "trials"),
        sqlite_with_rowid=False,
    )


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("trial_id", sa.Integer()),
        _text("at"),
        _text("kind"),
        _text("detail"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        _parent("events", "study_id", "studies"),
        _parent("events", "trial_id", "trials"),
    )
    op.create_index("ix_events_study_id", "events", ["study_id"])
    op.create_index("ix_events_trial_id", "events", ["trial_id"])

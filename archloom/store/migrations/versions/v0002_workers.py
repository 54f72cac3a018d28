# SPDX-License-Identifier: Apache-2.0
"""Workers, the order of finishing, revisions, tags, runs and predictions; curves apart from final metrics.

Final metrics had an index of their own beside the table, which was larger than what it indexed: they
are keyed by trial now, and what is reported step by step lies in ``curves``.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from archloom.store.views import create_views

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SPLITS = "split IN ('', 'train', 'validation', 'test')"
_STATES = "state IN ('WAITING', 'RUNNING', 'COMPLETE', 'PRUNED', 'FAIL')"
_ORDERED = """
    SELECT id, row_number() OVER (PARTITION BY study_id ORDER BY finished_at, number) - 1 AS finish_order
    FROM trials WHERE finished_at IS NOT NULL
"""
_FIRST = """
    SELECT m.value FROM metrics AS m
    JOIN objectives AS o ON o.position = 0 AND o.metric = m.name AND o.split = m.split
    WHERE m.trial_id = trials.id AND o.study_id = trials.study_id
"""


def upgrade() -> None:
    """Make what is new, and carry over what there is."""
    _drop_views()
    _extend_studies()
    _create_revisions()
    _create_workers()
    _part_metrics()
    if op.get_bind().dialect.name == "sqlite":
        _make_trials_anew()
    else:
        _extend_trials()
    _index_trials()
    _create_tags()
    _create_runs()
    _shorten()
    create_views(op.get_bind(), revision)


def _shorten() -> None:
    """Write times with a Z, and keys with the first 80 bits of the hash, as they are written from now on."""
    times = {
        "studies": ["created_at"],
        "trials": ["created_at", "started_at", "finished_at"],
        "events": ["at"],
        "revisions": ["at"],
    }
    for table, columns in times.items():
        changes = ", ".join(f"{column} = replace({column}, '+00:00', 'Z')" for column in columns)
        op.execute(f"UPDATE {table} SET {changes}")
    op.execute("UPDATE trials SET key = substr(key, 1, 20) WHERE length(key) = 32")


def _text(name: str, **options: object) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), **{"nullable": False, **options})  # type: ignore[arg-type]


def _number(name: str, **options: object) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), **{"nullable": False, **options})  # type: ignore[arg-type]


def _parent(table: str, column: str, parent: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete=ondelete)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _drop_views() -> None:
    views = sa.inspect(op.get_bind()).get_view_names()
    quote = op.get_bind().dialect.identifier_preparer.quote
    for name in ("best", "pareto", "front", *(name for name in views if name.startswith("wide_"))):
        if name in views:
            op.execute(f"DROP VIEW {quote(name)}")


def _extend_studies() -> None:
    with op.batch_alter_table("studies") as batch:
        batch.add_column(sa.Column("max_trials", sa.Integer()))
        batch.add_column(_text("budget", server_default="evaluations"))
        batch.create_check_constraint(op.f("ck_studies_max_trials"), "max_trials > 0")
        batch.create_check_constraint(op.f("ck_studies_budget"), "budget IN ('evaluations', 'proposals')")


def _create_revisions() -> None:
    op.create_table(
        "revisions",
        _number("study_id"),
        _number("number", autoincrement=False),
        _text("at"),
        _number("first_trial"),
        _text("space"),
        _text("fingerprint"),
        _text("config"),
        _text("detail"),
        sa.PrimaryKeyConstraint("study_id", "number", name="pk_revisions"),
        _parent("revisions", "study_id", "studies"),
        _check("revisions", "number", "number >= 0"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO revisions (study_id, number, at, first_trial, space, fingerprint, config, detail) "
        "SELECT id, 0, created_at, 0, space, fingerprint, config, 'created' FROM studies"
    )


def _create_workers() -> None:
    op.create_table(
        "workers",
        _number("id"),
        _number("study_id"),
        _text("host"),
        _number("pid"),
        _text("process"),
        sa.Column("is_proposer", sa.Boolean(), server_default=sa.false(), nullable=False),
        _number("n_slots", server_default="0"),
        _number("n_beats", server_default="0"),
        _text("started_at"),
        _text("renewed_at"),
        _text("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
        _parent("workers", "study_id", "studies"),
        _check("workers", "n_slots", "n_slots >= 0"),
        _check("workers", "is_proposer", "NOT is_proposer OR ended_at IS NULL"),
    )
    op.create_index("ix_workers_study_id", "workers", ["study_id"])
    _create_partial_index(
        "uq_workers_proposer", "workers", ["study_id"], sa.column("is_proposer") == sa.true(), unique=True
    )


def _part_metrics() -> None:
    for name in ("uq_metrics_step", "uq_metrics_final"):
        op.drop_index(name, "metrics")
    op.rename_table("metrics", "metrics_0001")
    for table in ("metrics", "curves"):
        step = [_number("step", autoincrement=False)] if table == "curves" else []
        op.create_table(
            table,
            _number("trial_id"),
            _text("split"),
            _text("name"),
            *step,
            sa.Column("value", sa.Double()),
            sa.PrimaryKeyConstraint("trial_id", "split", "name", *[c.name for c in step], name=f"pk_{table}"),
            _parent(table, "trial_id", "trials"),
            _check(table, "name", "name <> ''"),
            _check(table, "split", _SPLITS),
            sqlite_with_rowid=False,
        )
    op.execute(
        "INSERT INTO metrics (trial_id, split, name, value) "
        "SELECT trial_id, split, name, value FROM metrics_0001 WHERE step IS NULL"
    )
    op.execute(
        "INSERT INTO curves (trial_id, split, name, step, value) "
        "SELECT trial_id, split, name, step, value FROM metrics_0001 WHERE step IS NOT NULL"
    )
    op.drop_table("metrics_0001")


def _new_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("value", sa.Double()),
        _text("excluded", server_default=""),
        sa.Column("finish_order", sa.Integer()),
        sa.Column("worker_id", sa.Integer()),
        _number("n_lost", server_default="0"),
    ]


def _new_checks() -> dict[str, str]:
    return {
        "excluded": "excluded IN ('', 'outside', 'invalid')",
        "is_pareto": "NOT is_pareto OR (state = 'COMPLETE' AND violation = 0 AND excluded = '')",
        "value": "state <> 'COMPLETE' OR value IS NOT NULL",
        "n_lost": "n_lost >= 0",
        "finish_order": "(finished_at IS NULL) = (finish_order IS NULL)",
    }


def _extend_trials() -> None:
    for column in _new_columns():
        op.add_column("trials", column)
    op.execute(
        f"UPDATE trials SET finish_order = o.finish_order FROM ({_ORDERED}) AS o WHERE o.id = trials.id"
    )
    op.execute(f"UPDATE trials SET value = ({_FIRST})")
    op.drop_constraint(op.f("ck_trials_is_pareto"), "trials")
    for name, rule in _new_checks().items():
        op.create_check_constraint(op.f(f"ck_trials_{name}"), "trials", rule)
    op.create_foreign_key(
        "fk_trials_worker_id", "trials", "workers", ["worker_id"], ["id"], ondelete="SET NULL"
    )


def _make_trials_anew() -> None:
    """SQLite adds no constraint to a table that is there."""
    old: list[sa.Column[Any]] = [
        _number("id"),
        _number("study_id"),
        _number("number"),
        _text("state"),
        _text("key"),
        _text("architecture"),
        _number("ask"),
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
    ]
    checks = {
        "number": "number >= 0",
        "state": _STATES,
        "violation": "violation >= 0",
        "reused_from": "reused_from <> number",
        "started_at": "(state = 'WAITING') = (started_at IS NULL)",
        "finished_at": "(state IN ('WAITING', 'RUNNING')) = (finished_at IS NULL)",
        "seconds": "(finished_at IS NULL) = (seconds IS NULL)",
    }
    names = ", ".join(column.name for column in old)
    op.create_table(
        "trials_0002",
        *old,
        *_new_columns(),
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
        _parent("trials", "study_id", "studies"),
        _parent("trials", "worker_id", "workers", "SET NULL"),
        sa.UniqueConstraint("study_id", "number", name="uq_trials_study_id_number"),
        sa.ForeignKeyConstraint(
            ["study_id", "reused_from"],
            ["trials.study_id", "trials.number"],
            name="fk_trials_study_id_reused_from",
        ),
        *[_check("trials", name, rule) for name, rule in {**checks, **_new_checks()}.items()],
    )
    op.execute(
        f"INSERT INTO trials_0002 ({names}, value, finish_order) "
        f"SELECT {', '.join(f'trials.{column.name}' for column in old)}, ({_FIRST}), o.finish_order "
        f"FROM trials LEFT JOIN ({_ORDERED}) AS o ON o.id = trials.id"
    )
    op.drop_table("trials")
    op.rename_table("trials_0002", "trials")
    op.create_index("ix_trials_study_id_key", "trials", ["study_id", "key"])
    _create_partial_index(
        "ix_trials_open", "trials", ["study_id", "state", "number"], sa.column("finished_at").is_(None)
    )
    _create_partial_index(
        "ix_trials_front", "trials", ["study_id", "is_pareto", "number"], sa.column("is_pareto") == sa.true()
    )
    _create_partial_index(
        "ix_trials_study_id_reused_from",
        "trials",
        ["study_id", "reused_from"],
        sa.column("reused_from").is_not(None),
    )


def _index_trials() -> None:
    _create_partial_index(
        "uq_trials_finish_order",
        "trials",
        ["study_id", "finish_order"],
        sa.column("finish_order").is_not(None),
        unique=True,
    )
    counts = sa.text("state = 'COMPLETE' AND violation = 0 AND excluded = ''")
    _create_partial_index("ix_trials_best", "trials", ["study_id", "value"], counts)


def _create_partial_index(
    name: str,
    table: str,
    columns: list[str],
    where: sa.ColumnElement[bool] | sa.TextClause,
    *,
    unique: bool = False,
) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _create_tags() -> None:
    op.create_table(
        "tags",
        _number("trial_id"),
        _text("tag"),
        sa.PrimaryKeyConstraint("trial_id", "tag", name="pk_tags"),
        _parent("tags", "trial_id", "trials"),
        _check("tags", "tag", "tag <> ''"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "predictions",
        _number("trial_id"),
        _text("predictor"),
        _text("split"),
        _text("name"),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("std", sa.Double()),
        _text("at"),
        sa.PrimaryKeyConstraint("trial_id", "predictor", "split", "name", name="pk_predictions"),
        _parent("predictions", "trial_id", "trials"),
        _check("predictions", "split", _SPLITS),
        _check("predictions", "std", "std >= 0"),
        sqlite_with_rowid=False,
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        _number("id"),
        _number("study_id"),
        _text("name"),
        _text("state"),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.Integer()),
        _number("n_lost", server_default="0"),
        _text("checkpoint", server_default=""),
        _text("reason", server_default=""),
        _text("created_at"),
        _text("started_at", nullable=True),
        _text("finished_at", nullable=True),
        sa.Column("seconds", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        _parent("runs", "study_id", "studies"),
        _parent("runs", "worker_id", "workers", "SET NULL"),
        sa.UniqueConstraint("study_id", "name", name="uq_runs_study_id_name"),
        _check("runs", "name", "name <> ''"),
        _check("runs", "state", "state IN ('WAITING', 'RUNNING', 'COMPLETE', 'FAIL')"),
        _check("runs", "n_lost", "n_lost >= 0"),
        _check("runs", "finished_at", "(state IN ('WAITING', 'RUNNING')) = (finished_at IS NULL)"),
    )
    op.create_table(
        "run_metrics",
        _number("run_id"),
        _text("split"),
        _text("name"),
        _number("step", autoincrement=False),
        sa.Column("value", sa.Double()),
        sa.PrimaryKeyConstraint("run_id", "split", "name", "step", name="pk_run_metrics"),
        _parent("run_metrics", "run_id", "runs"),
        _check("run_metrics", "name", "name <> ''"),
        _check("run_metrics", "split", _SPLITS),
        sqlite_with_rowid=False,
    )

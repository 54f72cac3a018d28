# SPDX-License-Identifier: Apache-2.0
"""A database made at once and one made by the migrations are the same."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from archloom.store import Store, migrations, schema
from archloom.testing.stores import complete, study_record

VIEWS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type IN ('view', 'index', 'table')",
    "postgresql": "SELECT viewname, definition FROM pg_views WHERE schemaname = current_schema()",
}
INDEXES = {
    "sqlite": "SELECT 1 AS a, 2 AS b",
    "postgresql": "SELECT indexname, replace(indexdef, current_schema(), '') FROM pg_indexes "
    "WHERE schemaname = current_schema()",
}


def describe(url: str) -> dict[str, Any]:
    engine = create_engine(url)
    found: dict[str, Any] = {}
    with engine.connect() as connection:
        inspector = inspect(connection)
        for table in sorted(inspector.get_table_names()):
            found[table] = {
                "columns": [
                    {**column, "type": str(column["type"])} for column in inspector.get_columns(table)
                ],
                "primary key": inspector.get_pk_constraint(table),
                "foreign keys": sorted(map(str, inspector.get_foreign_keys(table))),
                "unique": sorted(map(str, inspector.get_unique_constraints(table))),
                "checks": sorted(map(str, inspector.get_check_constraints(table))),
                "indexes": sorted(map(index, inspector.get_indexes(table))),
            }
        found["views"] = inspector.get_view_names()
        for text in (VIEWS, INDEXES):
            rows = connection.exec_driver_sql(text[engine.dialect.name])
            found |= {f"definition of {name}": words(definition) for name, definition in rows}
        found["version"] = connection.exec_driver_sql(f"SELECT * FROM {schema.VERSION_TABLE}").all()
    engine.dispose()
    return found


def words(definition: object) -> list[str]:
    # The order of a table's constraints means nothing.
    text = " ".join(str(definition).split())
    return sorted(text.split(", "))


def index(each: Any) -> str:
    return str(
        {**each, "dialect_options": {key: str(value) for key, value in each["dialect_options"].items()}}
    )


@pytest.fixture
def two_sqlite(tmp_path: Path) -> tuple[str, str]:
    return f"sqlite:///{tmp_path}/one.db", f"sqlite:///{tmp_path}/two.db"


def test_sqlite(two_sqlite: tuple[str, str]) -> None:
    made, migrated = two_sqlite
    Store(made).close()
    Store.upgrade(migrated)
    assert describe(made).keys() == describe(migrated).keys()
    assert {"trials", "views", "definition of best", "definition of ix_trials_front"} <= describe(made).keys()
    for name, each in describe(made).items():
        if (
            not name.startswith("definition of")
            or name.removeprefix("definition of ") not in schema.metadata.tables
        ):
            assert each == describe(migrated)[name], name


def test_postgres(postgres_url: str) -> None:
    Store(postgres_url).close()
    made = describe(postgres_url)
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        name = connection.exec_driver_sql("SELECT current_schema()").scalar()
        connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    engine.dispose()
    Store.upgrade(postgres_url)
    assert {"trials", "views", "definition of best", "definition of ix_trials_front"} <= made.keys()
    assert describe(postgres_url) == made


def test_a_migrated_database_works(two_sqlite: tuple[str, str]) -> None:
    Store.upgrade(two_sqlite[0])
    with Store(two_sqlite[0], must_exist=True) as store:
        study = store.create_study(study_record())
        complete(store, study, {"accuracy": 0.5})
        assert len(store.best(study)) == 1


def test_revisions_are_those_that_alembic_knows() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    script = ScriptDirectory.from_config(config)
    assert [each.revision for each in script.walk_revisions()][::-1] == list(schema.REVISIONS)


def test_importing_the_entry_does_nothing() -> None:
    assert callable(importlib.import_module("archloom.store.migrations.env").run)

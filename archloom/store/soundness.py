# SPDX-License-Identifier: Apache-2.0
"""Whether a database is what archloom made: its file, its tables and views, and nothing in it that acts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, inspect, select

from archloom.errors import StoreError
from archloom.store import schema

__all__ = ["damage", "lacking", "revision_of", "strangers"]

VIEWS = ("front", "best", "pareto", "calibration")
_MOST = 20
_GENERATED = (2, 3)


def revision_of(connection: Connection, label: str) -> str:
    """Return the schema revision that a database has.

    Raises:
        StoreError: it is none of ours.
    """
    names = inspect(connection).get_table_names()
    found = connection.scalar(select(schema.version.c.version_num)) if schema.VERSION_TABLE in names else None
    if found is None:
        holds = f"; it holds the table {min(names)!r}" if names else ""
        raise StoreError(f"{label} holds no archloom store{holds}")
    return str(found)


def lacking(connection: Connection, names: Iterable[str] = schema.metadata.tables) -> list[str]:
    """Return which of our tables are not there as tables."""
    return sorted(set(names) - set(inspect(connection).get_table_names()))


def damage(connection: Connection) -> list[str]:
    """Return what the database says is broken in its own pages and references, a line each."""
    if connection.dialect.name != "sqlite":
        return []
    found = [
        f"the file is damaged: {row[0]}"
        for row in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST})")
        if row[0] != "ok"
    ]
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_MOST):
        place = "a row" if row is None else f"row {row}"
        found.append(f"{place} of {table} points to a row of {parent} that is not there")
    return found


def strangers(connection: Connection) -> list[str]:
    """Return how the tables differ from those that archloom makes, a line each.

    A trigger, a generated column, or a view in the place of a table runs what its author wrote
    whenever the table is used.
    """
    return [line for look in _LOOKS for line in look(connection)]


def _missing(connection: Connection) -> Iterable[str]:
    inspector = inspect(connection)
    tables, views = set(inspector.get_table_names()), set(inspector.get_view_names())
    for table in schema.metadata.sorted_tables:
        if table.name not in tables:
            what = "is a view, not a table" if table.name in views else "is missing"
            yield f"the table {table.name} {what}"
            continue
        there = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                yield f"the column {column.name} of {table.name} is missing"
        indexes = {index["name"] for index in inspector.get_indexes(table.name)}
        for index in sorted(str(index.name) for index in table.indexes):
            if index not in indexes:
                yield f"the index {index} of {table.name} is missing"
    for view in VIEWS:
        if view not in views:
            yield f"the view {view} is missing"


def _acting(connection: Connection) -> Iterable[str]:
    text = _TRIGGERS[connection.dialect.name]
    for trigger, table in connection.exec_driver_sql(text):
        yield f"a trigger that archloom did not make, {trigger!r}, acts on {table}"
    if connection.dialect.name != "sqlite":
        return
    for name, sql in connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
        if name not in schema.metadata.tables:
            continue
        if str(sql).lstrip().upper().startswith("CREATE VIRTUAL"):
            yield f"{name} is a virtual table, not one of archloom's"
            continue
        columns = connection.exec_driver_sql("SELECT name, hidden FROM pragma_table_xinfo(?)", (name,))
        for column, hidden in columns:
            if hidden in _GENERATED:
                yield f"the column {column} of {name} is computed, not stored"


_TRIGGERS = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT t.tgname, c.relname FROM pg_catalog.pg_trigger t "
    "JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid "
    "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace",
}
_LOOKS: tuple[Callable[[Connection], Iterable[str]], ...] = (_missing, _acting)

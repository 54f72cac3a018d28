# SPDX-License-Identifier: Apache-2.0
"""From one schema to the next, by Alembic; a fresh database does not need it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

__all__ = ["upgrade"]


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision, in the transaction that the connection is in."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    # A configuration file's "%" begins a substitution; a path may hold one.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

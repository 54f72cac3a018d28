# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: it runs this file under the name ``env_py``; importing it does nothing."""

from __future__ import annotations

from alembic import context

from archloom.store.schema import VERSION_TABLE, metadata


def run() -> None:
    """Run the revisions on the connection that the caller gives, in its transaction."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":
    run()

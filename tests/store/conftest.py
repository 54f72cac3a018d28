# SPDX-License-Identifier: Apache-2.0
"""Databases for a test; of PostgreSQL a schema of its own on the server that the environment names."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from archloom.store import Store
from archloom.testing.stores import study_record


@pytest.fixture
def postgres_url() -> Iterator[str]:
    server = os.environ.get("ARCHLOOM_TEST_POSTGRES")
    if not server:
        pytest.skip("ARCHLOOM_TEST_POSTGRES is not set (postgresql+psycopg://user@host/database)")
    schema = f"archloom_{uuid.uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        try:
            url = make_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
            yield url.render_as_string(hide_password=False)
        finally:
            connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as store:
        yield store


@pytest.fixture
def study(store: Store) -> int:
    return store.create_study(study_record())

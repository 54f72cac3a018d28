# SPDX-License-Identifier: Apache-2.0
"""One's own SQL can read everything and change nothing, on both databases."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url

from archloom.contracts import State
from archloom.errors import StoreError
from archloom.store import Outcome, Proposal, Store, readonly, readonly_postgres, readonly_sqlite
from archloom.store.connect import parse_url
from archloom.store.readonly import READER, reading, select
from archloom.testing.stores import complete, proposals, study_record


@pytest.fixture
def full(url: str) -> str:
    """A database with a study of two trials."""
    with Store(url) as store:
        study = store.create_study(study_record("demo"))
        complete(store, study, {"accuracy": 0.5})
        complete(store, study, {"accuracy": 0.75})
    return url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "a b?#%.db"
    path.parent.mkdir()
    with Store(path) as store:
        complete(store, store.create_study(study_record("demo")), {"accuracy": 0.5})
    gc.collect()
    return path


def everything(url: str) -> list[Any]:
    tables = select(url, "SELECT count(*) FROM trials").rows, select(url, "SELECT * FROM studies").rows
    return [
        *tables,
        select(url, "SELECT * FROM trials ORDER BY id").rows,
        select(url, "SELECT * FROM best").rows,
    ]


class TestReading:
    def test_rows_and_names(self, full: str) -> None:
        answer = select(full, "SELECT study, value FROM best;")
        assert answer == (("study", "value"), [("demo", 0.75)], False)

    def test_parameters_and_what_looks_like_them(self, full: str) -> None:
        text = "SELECT number % 2 AS odd, ':n' AS word, CAST(:n AS TEXT) AS n FROM trials WHERE number >= :n"
        assert select(full, text, {"n": 1}).rows == [(1, ":n", "1")]

    def test_a_limit_says_that_there_is_more(self, full: str) -> None:
        assert len(select(full, "SELECT * FROM trials", limit=1).rows) == 1
        assert select(full, "SELECT * FROM trials", limit=1).is_cut
        assert not select(full, "SELECT * FROM trials", limit=2).is_cut

    def test_no_name_stands_twice(self, full: str) -> None:
        assert select(full, "SELECT number AS a, state AS a FROM trials").columns == ("a", "a_2")

    def test_no_row(self, full: str) -> None:
        assert select(full, "SELECT name FROM studies WHERE 1 = 0") == (("name",), [], False)

    def test_a_writer_does_not_stand_in_the_way(self, full: str) -> None:
        with Store(full) as store, store.transaction():
            store.create_study(study_record("new"))
            assert select(full, "SELECT name FROM studies").rows == [("demo",)]
        assert len(select(full, "SELECT name FROM studies").rows) == 2

    def test_what_others_have_committed_is_seen(self, full: str) -> None:
        with Store(full) as store:
            store.create_study(study_record("new"))
            assert len(select(full, "SELECT name FROM studies").rows) == 2


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (
                "SELECT * FROM trails",
                "there is no table 'trails' at line 1, column 15; did you mean 'trials'",
            ),
            (
                "SELECT nmber FROM trials",
                "there is no column 'nmber' at line 1, column 8; did you mean 'number'",
            ),
            ("SELECT\n 1 FORM trials", "syntax error .*'?\"?trials'?\"? at line 2, column 9"),
            ("SELECT nothing_such(1)", "nothing_such.* at line 1, column 8"),
        ],
    )
    def test_say_where_and_what_is_nearest(self, full: str, text: str, told: str) -> None:
        with pytest.raises(StoreError, match=told):
            select(full, text)

    def test_an_endless_statement_is_stopped(self, full: str) -> None:
        endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"took longer than 0\.2 s"):
            select(full, endless, timeout=0.2)
        assert time.monotonic() - started < 2

    def test_an_endless_answer_is_stopped(self, full: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readonly, "_MOST_BYTES", 1 << 20)
        endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r"
        with pytest.raises(StoreError, match="the answer is larger than 1 MiB"):
            select(full, endless)


WRITES = [
    "DELETE FROM trials",
    "WITH x AS (SELECT 1) DELETE FROM trials",
    "WITH x AS (SELECT 1) INSERT INTO studies SELECT * FROM studies",
    "SELECT 1; DELETE FROM trials",
    "SELECT 1;\nDROP TABLE trials",
    "DROP VIEW best",
    "CREATE TABLE x (y INTEGER)",
    "CREATE TEMP TABLE x (y INTEGER)",
    "BEGIN",
    "COMMIT",
    "VACUUM",
]


@pytest.mark.parametrize("text", WRITES)
def test_every_write_is_refused(full: str, text: str) -> None:
    before = everything(full)
    with pytest.raises(StoreError, match=r"only reading is allowed|one statement at a time"):
        select(full, text)
    assert everything(full) == before


class TestSqlite:
    @pytest.mark.parametrize(
        "text",
        [
            "ATTACH 'x.db' AS x",
            "VACUUM INTO 'x.db'",
            "PRAGMA journal_mode = DELETE",
            "PRAGMA query_only = 0",
            "PRAGMA writable_schema = 1",
            "PRAGMA database_list",
            "SELECT * FROM pragma_database_list",
            "SELECT load_extension('x')",
            "EXPLAIN DELETE FROM trials",
            "UPDATE sqlite_master SET sql = ''",
            "REPLACE INTO trials SELECT * FROM trials",
        ],
    )
    def test_its_own_ways_out_are_closed(self, file: Path, text: str) -> None:
        before = file.read_bytes()
        with pytest.raises(StoreError, match="only reading is allowed"):
            select(file, text)
        assert file.read_bytes() == before
        assert [path.name for path in file.parent.iterdir()] == [file.name]

    @pytest.mark.parametrize(
        "text",
        [
            "PRAGMA table_info(trials)",
            "SELECT name FROM pragma_table_info('trials')",
            "EXPLAIN QUERY PLAN SELECT * FROM trials",
            "SELECT value FROM json_each('[1]')",
            "SELECT count(*) OVER () FROM trials",
            "SELECT json_extract(config, '$') FROM studies",
            "SELECT sql FROM sqlite_master",
        ],
    )
    def test_what_only_looks_is_allowed(self, file: Path, text: str) -> None:
        assert select(file, text).rows

    @pytest.mark.skipif(not hasattr(sqlite3, "SQLITE_DENY"), reason="needs an authorizer")
    def test_the_authorizer_alone_refuses(self, file: Path) -> None:
        """Even on a connection that may write: each wall stands without the others."""
        with closing(sqlite3.connect(file)) as connection:
            with pytest.raises(StoreError, match="would write to studies"):
                readonly_sqlite.ask(connection, "WITH x AS (SELECT 1) UPDATE studies SET name = 'x'", {})
            connection.execute("UPDATE studies SET name = 'y'")  # and it is taken off again
            connection.rollback()

    def test_the_connection_alone_refuses(self, file: Path) -> None:
        for path in (file, _copied(file, "delete")):
            with closing(readonly_sqlite.connect(parse_url(path), "x")) as connection:
                with pytest.raises(sqlite3.OperationalError, match="readonly database"):
                    connection.execute("DELETE FROM trials")
                connection.execute("PRAGMA query_only = 0")
                with pytest.raises(sqlite3.OperationalError, match="readonly database"):
                    connection.execute("DELETE FROM trials")

    def test_a_store_that_is_closed_leaves_nothing_beside_the_file(self, tmp_path: Path) -> None:
        with Store(tmp_path / "a.db") as store:
            complete(store, store.create_study(study_record("demo")), {"accuracy": 0.5})
        assert [path.name for path in tmp_path.iterdir()] == ["a.db"]

    def test_nothing_is_left_beside_the_file(self, file: Path) -> None:
        before = file.stat().st_mtime_ns
        assert select(file, "SELECT 1 FROM trials").rows
        assert [path.name for path in file.parent.iterdir()] == [file.name]
        assert file.stat().st_mtime_ns == before

    def test_a_missing_file_is_not_made(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="there is no file"):
            select(tmp_path / "none.db", "SELECT 1")
        assert list(tmp_path.iterdir()) == []

    def test_memory_is_no_place_to_look(self) -> None:
        with pytest.raises(StoreError, match="is in memory"):
            select("sqlite://", "SELECT 1")

    def test_what_a_crash_left_is_read(self, file: Path) -> None:
        code = "import sqlite3, os, sys; c = sqlite3.connect(sys.argv[1]); "
        code += "c.execute('UPDATE studies SET name = 1'); "
        subprocess.run([sys.executable, "-c", code + "c.commit(); os._exit(0)", str(file)], check=True)
        assert file.with_name(file.name + "-wal").exists()
        assert select(file, "SELECT name FROM studies").rows == [("1",)]

    def test_who_begins_to_write_meanwhile_is_seen(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        once = readonly_sqlite._once
        asked: list[bool] = []

        def _once(path: Path, *rest: Any, is_quiet: bool) -> Any:
            asked.append(is_quiet)
            if is_quiet:
                with Store(file) as store:
                    store.create_study(study_record("late"))
            return once(path, *rest, is_quiet=is_quiet)

        monkeypatch.setattr(readonly_sqlite, "_once", _once)
        assert len(select(file, "SELECT name FROM studies").rows) == 2
        assert asked == [True, False]

    def test_reading_for_ourselves_says_so(self, file: Path) -> None:
        with reading(file) as connection:
            assert connection.exec_driver_sql("SELECT name FROM studies").scalar() == "demo"
        with (
            pytest.raises(StoreError, match="was written to while it was read"),
            reading(file),
            Store(file) as store,
        ):
            store.create_study(study_record("late"))

    def test_many_writers(self, file: Path) -> None:
        is_over = threading.Event()

        def write() -> None:
            with Store(file) as store:
                study = store.studies()[0].id or 0
                while not is_over.is_set():
                    complete(store, study, {"accuracy": 0.5})

        thread = threading.Thread(target=write)
        thread.start()
        try:
            seen = [select(file, "SELECT count(*), max(number) + 1 FROM trials").rows[0] for _ in range(30)]
        finally:
            is_over.set()
            thread.join()
        assert all(n == last for n, last in seen)
        assert sorted(seen) == seen

    def test_text_that_is_no_text_is_shown(self, file: Path) -> None:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("UPDATE studies SET reason = CAST(x'61ff62' AS TEXT)")
            connection.commit()
        assert select(file, "SELECT reason, x'00ff' AS raw FROM studies").rows == [("a\\xffb", b"\x00\xff")]

    @pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")
    @pytest.mark.parametrize("mode", ["wal", "delete"])
    def test_a_folder_that_cannot_be_written(self, file: Path, mode: str, tmp_path: Path) -> None:
        path = file if mode == "wal" else _copied(file, mode)
        ask = _as_nobody if os.getuid() == 0 else _as_myself
        path.chmod(0o444)
        path.parent.chmod(0o555)
        tmp_path.chmod(0o755)
        try:
            assert ask(path, "SELECT name FROM studies") == "[('demo',)] [0]"
        finally:
            path.parent.chmod(0o755)


def _copied(file: Path, mode: str) -> Path:
    """The same in another journal mode."""
    copy = file.with_name("copy.db")
    shutil.copy(file, copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    return copy


def _as_myself(path: Path, text: str) -> str:
    with Store(path, must_exist=True) as store:
        return f"{select(path, text).rows} {[trial.number for trial in store.trials(1)]}"


def _as_nobody(path: Path, text: str) -> str:
    """Ask in a process that has given up root's rights."""
    for parent in path.parents[:-1]:
        if parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    code = (
        "import os, sys; from pathlib import Path; import archloom.store.readonly as r;"
        "from archloom.store import Store; os.setgid(65534); os.setuid(65534); path = Path(sys.argv[1]);"
        "numbers = [trial.number for trial in Store(path, must_exist=True).trials(1)];"
        "print(r.select(path, sys.argv[2]).rows, numbers)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), text], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def server(postgres_url: str) -> Iterator[Callable[..., Any]]:
    """Run SQL as the owner."""
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")

    def run(text: str) -> Any:
        with engine.connect() as connection:
            return connection.exec_driver_sql(text)

    yield run
    engine.dispose()


@pytest.fixture
def reader(server: Callable[..., Any], postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The role that the page on queries has its reader make; roles are the server's, so by another name."""
    schema = make_url(postgres_url).query["options"].split("=")[1]  # type: ignore[union-attr]
    role = f"{READER}_{schema.removeprefix('archloom_')}"
    monkeypatch.setattr(readonly_postgres, "READER", role)
    server(f"CREATE ROLE {role} NOLOGIN")
    try:
        server(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        server(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
        yield role
    finally:
        server(f"DROP OWNED BY {role}")
        server(f"DROP ROLE {role}")


@pytest.fixture
def filled(postgres_url: str) -> str:
    with Store(postgres_url) as store:
        complete(store, store.create_study(study_record("demo")), {"accuracy": 0.5})
    return postgres_url


WAYS_OUT = [
    "COPY (SELECT 1) TO PROGRAM 'touch {canary}'",
    "COPY trials TO '{canary}'",
    "DO $$ BEGIN EXECUTE 'DELETE FROM trials'; END $$",
    "SET ROLE NONE",
    "RESET ROLE",
    "SET TRANSACTION READ WRITE",
    "SELECT set_config('role', 'none', true)",
    "SELECT \"set_config\"('role', 'none', true)",
    "SELECT pg_catalog . set_config /* x */ ('transaction_read_only', 'off', true)",
    "SELECT U&\"\\0073et_config\"('role', 'none', true)",
    "SELECT pg_read_file('/etc/hostname')",
    "SELECT ('/etc/hostname'::text).pg_read_file",
    "SELECT * FROM pg_ls_dir('/')",
    "SELECT lo_import('/etc/hostname')",
    "SELECT lo_export(1, '{canary}')",
    "SELECT query_to_xml('DELETE FROM trials', true, true, '')",
    "SELECT E'a'\n'\\'', set_config('role', 'none', true), ''",
    "SELECT pg_terminate_backend(pg_backend_pid())",
    "SELECT pg_sleep(9)",
    "SELECT nextval('trials_id_seq')",
    "SELECT * INTO x FROM trials",
    "SELECT * FROM trials FOR UPDATE",
    "WITH gone AS (DELETE FROM trials RETURNING 1) SELECT * FROM gone",
    "TABLE trials",
    "EXPLAIN ANALYZE DELETE FROM trials",
    "CALL x()",
    "LISTEN x",
]


class TestPostgres:
    @pytest.mark.parametrize("has_reader", [False, True], ids=["superuser", "reader"])
    def test_its_own_ways_out_are_closed(
        self, filled: str, has_reader: bool, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        if has_reader:
            request.getfixturevalue("reader")
        before = everything(filled)
        canary = tmp_path / "canary"
        tmp_path.chmod(0o777)
        for text in WAYS_OUT:
            with pytest.raises(StoreError):
                raise AssertionError(select(filled, text.format(canary=canary), timeout=5), text)
            assert not canary.exists(), text
        assert everything(filled) == before

    def test_a_function_of_somebody_s_own_is_refused(self, filled: str, server: Callable[..., Any]) -> None:
        server("CREATE FUNCTION mine() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'")
        with pytest.raises(StoreError, match=r"names the function mine\(\), which is not the server's own"):
            select(filled, "SELECT mine()")

    def test_what_only_looks_is_allowed(self, filled: str) -> None:
        text = (
            "SELECT now() IS NOT NULL, random() < 2, pg_total_relation_size('trials') > 0, count(*), "
            "string_agg(state, ','), percentile_cont(0.5) WITHIN GROUP (ORDER BY number) FROM trials"
        )
        assert select(filled, text).rows == [(True, True, True, 1, "COMPLETE", 0.0)]

    def test_it_runs_as_the_reader_where_there_is_one(self, filled: str, reader: str) -> None:
        assert select(filled, "SELECT current_user").rows == [(reader,)]
        assert select(filled, "SELECT count(*) FROM trials").rows == [(1,)]

    def test_a_superuser_becomes_one_who_owns_nothing(self, filled: str) -> None:
        assert select(filled, "SELECT current_user").rows == [("pg_read_all_data",)]

    def test_the_role_alone_refuses(self, filled: str, reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the list of functions, the server still says no."""
        monkeypatch.setattr(readonly_postgres, "_check_functions", lambda *_: None)
        with pytest.raises(StoreError, match="permission denied for function pg_read_file"):
            select(filled, "SELECT pg_read_file('/etc/hostname')")

    def test_the_cursor_alone_refuses(self, filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a look at the words, the server still takes one SELECT and nothing else."""
        monkeypatch.setattr(readonly_postgres, "check_reads", lambda *_: None)
        for text in (
            "SELECT 1; DELETE FROM trials",
            "COPY trials TO '/x'",
            "DO $$ BEGIN END $$",
            "SET ROLE NONE",
        ):
            with pytest.raises(StoreError, match=r"multiple commands|syntax error|only reading"):
                select(filled, text)
        assert select(filled, "SELECT count(*) FROM trials").rows == [(1,)]

    def test_what_the_reader_was_not_granted_is_told(
        self, filled: str, reader: str, server: Callable[..., Any]
    ) -> None:
        server(f"REVOKE SELECT ON trials FROM {reader}")
        with pytest.raises(
            StoreError,
            match=r"denied for table trials \(a statement runs as the role arch",
        ):
            select(filled, "SELECT * FROM trials")

    def test_no_server(self) -> None:
        with pytest.raises(StoreError, match=r"cannot open postgresql\+psycopg://me:\*\*\*@127.0.0.1:1/x"):
            select("postgresql://me:secret@127.0.0.1:1/x", "SELECT 1")


def test_a_study_that_runs_is_not_held_up(full: str) -> None:
    with Store(full) as store:
        study = store.studies()[0].id or 0
        store.propose(study, 9, proposals(1))
        trial = store.claim(study)
        assert trial is not None
        assert select(full, "SELECT count(*) FROM trials WHERE state = 'RUNNING'").rows == [(1,)]
        store.finish(study, trial.number, Outcome(State.FAIL, {}, reason="x"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('SELECT number FROM trials WHERE "valu" > 0.6', "there is no column 'valu' at line 1, column 33"),
        (
            'SELECT number FROM best ORDER BY "validation/acc"',
            "there is no column 'validation/acc' at line 1",
        ),
        ('SELECT count(*) FROM trials WHERE state = "COMPLETE"', "a text stands in single quotes"),
    ],
)
def test_a_quoted_name_of_nothing_is_no_text(file: Path, text: str, told: str) -> None:
    with pytest.raises(StoreError) as caught:
        select(file, text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'SELECT "number" AS "No." FROM trials ORDER BY "No."',
        'SELECT max("value") "the best" FROM "trials" "t" GROUP BY "t"."state"',
        'WITH "mine"("a b") AS (SELECT 1) SELECT "a b" FROM "mine"',
        "SELECT t.\"value\" FROM json_each('[1]') t",
    ],
)
def test_a_quoted_name_of_something_is_read(file: Path, text: str) -> None:
    assert len(select(file, text).rows) == 1


def test_how_a_name_with_brackets_is_written(file: Path) -> None:
    with Store(file) as store:
        study = store.create_study(study_record("deep"))
        store.start(study, 0, [Proposal("k", "a", {"layers[0].width": "8"}, seed=0)], 1)
        store.finish(study, 0, Outcome(State.COMPLETE, {"accuracy": 0.5}))
        store.refresh_wide(study)
    with pytest.raises(StoreError, match=r'is quoted: "layers\[0\]\.width"$'):
        select(file, "SELECT layers[0].width FROM wide_deep")

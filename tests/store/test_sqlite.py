# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest

from archloom.contracts import State
from archloom.errors import StoreError
from archloom.store import Outcome, Store, StudyRecord, schema
from archloom.store.sqlite_file import check_file
from archloom.testing.stores import StoreContract, complete, proposals, query, study_record


class TestSqlite(StoreContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class TestInMemory:
    def test_works_and_is_forgotten(self) -> None:
        for _ in range(2):
            with Store() as store:
                complete(store, store.create_study(study_record()), {"accuracy": 0.5})
                assert len(store.studies()) == 1

    def test_is_shared_by_threads(self) -> None:
        with Store("sqlite://") as store:
            names: list[str] = []
            store.create_study(study_record("seen"))
            thread = threading.Thread(target=lambda: names.extend(each.name for each in store.studies()))
            thread.start()
            thread.join()
        assert names == ["seen"]


class TestReadability:
    def test_best_in_plain_sql(self, path: Path) -> None:
        with Store(path) as store:
            study = store.create_study(study_record("digits", ("validation/accuracy", "max")))
            complete(store, study, {"validation/accuracy": 0.98, "params": 12034, "test/accuracy": 0.97})
            store.refresh_wide(study)
            connection = sqlite3.connect(path)
            connection.row_factory = sqlite3.Row
            best = dict(connection.execute("select * from best").fetchone())
            finished_at = best.pop("finished_at")
            assert best == {
                "study": "digits",
                "trial": 0,
                "architecture": "conv 0",
                "metrics": "accuracy=0.98, params=12034, test/accuracy=0.97",
                "objective": "validation/accuracy",
                "direction": "maximize",
                "value": 0.98,
            }
            assert finished_at[10] == "T"
            assert connection.execute("select julianday(finished_at) > 2460000 from best").fetchone()[0] == 1
            wide = dict(connection.execute("select * from wide_digits").fetchone())
            assert list(wide) == [
                *["number", "state", "lr", "op", "params", "test/accuracy", "accuracy"],
                *["seconds", "violation", "is_pareto", "reused_from", "fidelity"],
                *["excluded", "reason", "finished_at"],
            ]
            names = connection.execute("select name, choice from decisions order by name").fetchall()
            assert [tuple(row) for row in names] == [("lr", "0.0"), ("op", "conv")]
            connection.close()

    def test_a_reader_never_stops_a_writer(self, path: Path) -> None:
        with Store(path) as store:
            study = store.create_study(study_record())
            reader = sqlite3.connect(path, isolation_level=None)
            reader.execute("begin")
            assert reader.execute("select count(*) from trials").fetchone() == (0,)
            complete(store, study, {"accuracy": 0.5})
            assert reader.execute("select count(*) from trials").fetchone() == (0,)
            reader.execute("commit")
            assert reader.execute("select count(*) from trials").fetchone() == (1,)
            reader.close()


class TestSettings:
    def test_durable_and_checked(self, path: Path) -> None:
        with Store(path) as store, store.transaction():
            connection = store._session.connection
            found = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        assert found == ["wal", 2, 1, 30_000]

    def test_front_is_read_by_its_index(self, path: Path) -> None:
        with Store(path), closing(sqlite3.connect(path)) as connection:
            plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM pareto").fetchall()
        assert any("ix_trials_front" in row[3] for row in plan)
        assert not any(row[3].startswith("SCAN m") for row in plan)

    def test_wal_comes_back(self, path: Path) -> None:
        Store(path).close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        Store(path).close()
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


class TestOpening:
    def test_path_and_url_are_the_same(self, path: Path) -> None:
        with Store(str(path)) as store:
            store.create_study(study_record())
            assert store.url == f"sqlite:///{path}"
            assert repr(store) == f"Store('sqlite:///{path}')"
        with Store(f"sqlite:///{path}", must_exist=True) as store:
            assert [each.name for each in store.studies()] == ["digits"]

    def test_missing_file(self, path: Path) -> None:
        with pytest.raises(StoreError, match=f"cannot open sqlite:///{path}: there is no file"):
            Store(path, must_exist=True)
        assert not path.exists()

    def test_empty_file(self, path: Path) -> None:
        path.touch()
        with pytest.raises(StoreError, match="holds no archloom store"):
            Store(path, must_exist=True)
        with Store(path) as store:
            assert store.studies() == []

    def test_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match=f"there is no folder {tmp_path}/no"):
            Store(tmp_path / "no" / "store.db")

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="is a folder"):
            Store(tmp_path)

    def test_unwritable_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # The administrator may write anywhere, so that permissions would not do for every tester.
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        with pytest.raises(StoreError, match=f"the folder {tmp_path} is not writable"):
            Store(tmp_path / "store.db")

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
    def test_folder_that_takes_no_files(self) -> None:
        with pytest.raises(StoreError, match=r"sqlite:////proc/self/store\.db"):
            Store("/proc/self/store.db")

    def test_text_file(self, path: Path) -> None:
        path.write_text("Dear diary, this is not a database. " * 100)
        with pytest.raises(StoreError, match=r"is no database: .* begins with 'Dear diary"):
            Store(path)

    def test_database_of_another_program(self, path: Path) -> None:
        query(f"sqlite:///{path}", "CREATE TABLE photos (x)")
        before = path.read_bytes()
        with pytest.raises(StoreError, match="another program's database: it holds the table 'photos'"):
            Store(path)
        assert path.read_bytes() == before

    @pytest.mark.parametrize("url", ["mysql://host/db", "sqlite+aiosqlite:///x", "oops://"])
    def test_other_databases(self, url: str) -> None:
        with pytest.raises(StoreError, match="a store is sqlite:///FILE or postgresql"):
            Store(url)

    def test_not_a_url(self) -> None:
        with pytest.raises(StoreError, match="not a database URL"):
            Store("postgresql://host:port/db")

    def test_path_with_strange_characters(self, tmp_path: Path) -> None:
        path = tmp_path / "a b%20?x=1#ü.db"
        with Store(path) as store:
            store.create_study(study_record())
            url = store.url
        with Store(url, must_exist=True) as store:
            assert len(store.studies()) == 1
        assert [file.name for file in tmp_path.iterdir()] == [path.name]

    def test_read_only(self, path: Path) -> None:
        with Store(path) as store:
            study = store.create_study(study_record())
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        with Store(f"sqlite:///file:{path}?mode=ro&uri=true", must_exist=True) as store:
            assert [each.name for each in store.studies()] == ["digits"]
            with pytest.raises(StoreError, match="readonly"):
                store.propose(study, 0, proposals(1))

    @pytest.mark.parametrize(
        ("given", "level"), [("", 2), ("?synchronous=full", 2), ("?synchronous=normal", 1)]
    )
    def test_how_hard_a_commit_is(self, path: Path, given: str, level: int) -> None:
        with Store(f"sqlite:///{path}{given}") as store:
            assert store._session.connection.exec_driver_sql("PRAGMA synchronous").scalar() == level
        assert path.exists()

    def test_a_commit_is_full_or_normal(self, path: Path) -> None:
        with pytest.raises(StoreError, match="synchronous is full or normal, got 'off'"):
            Store(f"sqlite:///{path}?synchronous=off")

    def test_closed(self, path: Path) -> None:
        store = Store(path)
        store.close()
        store.close()
        with pytest.raises(StoreError, match="is closed"):
            store.studies()

    def test_many_at_once_create_one(self, path: Path) -> None:
        errors: list[BaseException] = []

        def work() -> None:
            try:
                Store(path).close()
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []

    def test_after_a_fork(self, path: Path) -> None:
        with Store(path) as store:
            store._session._pid += 1
            with pytest.raises(StoreError, match="fork"):
                store.studies()


class TestVersions:
    def stamp(self, path: Path, version: str) -> None:
        Store(path).close()
        query(f"sqlite:///{path}", f"UPDATE {schema.VERSION_TABLE} SET version_num = '{version}'")

    def test_newer(self, path: Path) -> None:
        self.stamp(path, "9999")
        for act in (Store, Store.upgrade):
            with pytest.raises(StoreError, match=r"9999.*newer archloom"):
                act(path)

    def test_older(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stamp(path, "0000")
        monkeypatch.setattr(schema, "REVISIONS", ("0000", "0001"))
        with pytest.raises(StoreError, match=r"older schema 0000.*Store\.upgrade"):
            Store(path)

    def test_upgrade_of_the_newest_changes_nothing(self, path: Path) -> None:
        with Store(path) as store:
            complete(store, store.create_study(study_record()), {"accuracy": 0.5})
            before = store.trials(1)
        Store.upgrade(path)
        with Store(path) as store:
            assert store.trials(1) == before


class TestCrash:
    SCRIPT = """
        import os, signal, sys
        from archloom.contracts import State
        from archloom.store import Outcome, Store
        from archloom.testing.stores import complete, proposals, study_record

        store = Store(sys.argv[1])
        study = store.create_study(study_record())
        complete(store, study, {"accuracy": 0.5}, {"accuracy": 0.6})
        with store.transaction():
            store.propose(study, 1, proposals(3))
            trial = store.claim(study)
            store.finish(study, trial.number, Outcome(State.COMPLETE, {"accuracy": 0.9}))
            store.claim(study)
            os.kill(os.getpid(), signal.SIGKILL)
    """

    def test_killed_in_mid_transaction(self, path: Path) -> None:
        assert run(self.SCRIPT, path).returncode == -signal.SIGKILL
        with Store(path, must_exist=True) as store:
            trials = store.trials(1)
            assert [(trial.number, trial.state, trial.values) for trial in trials] == [
                (0, State.COMPLETE, (0.5,)),
                (1, State.COMPLETE, (0.6,)),
            ]
            assert [trial.number for trial in store.pareto(1)] == [1]
            assert store.propose(1, 1, proposals(1)) == [2]
        for table, n in {"decisions": 6, "metrics": 2, "trials": 3}.items():
            assert query(f"sqlite:///{path}", f"SELECT count(*) AS n FROM {table}") == [{"n": n}]
        assert query(f"sqlite:///{path}", "PRAGMA integrity_check") == [{"integrity_check": "ok"}]

    def test_killed_while_running(self, path: Path) -> None:
        script = self.SCRIPT.replace("with store.transaction():", "if True:")
        assert run(script, path).returncode == -signal.SIGKILL
        with Store(path) as store:
            assert [trial.state for trial in store.trials(1)] == [
                *[State.COMPLETE] * 3,
                State.RUNNING,
                State.WAITING,
            ]
            assert store.reopen(1) == [3]
            claimed = store.claim(1)
            assert claimed is not None
            assert claimed.number == 3

    @pytest.mark.slow
    def test_processes_share_a_file(self, path: Path) -> None:
        with Store(path) as store:
            study = store.create_study(study_record())
            store.propose(study, 0, proposals(30))
        script = """
            import sys
            from archloom.contracts import State
            from archloom.store import Outcome, Store

            with Store(sys.argv[1]) as store:
                while trial := store.claim(1):
                    store.report(1, trial.number, 0, {"loss": 1.0})
                    store.finish(1, trial.number, Outcome(State.COMPLETE, {"accuracy": trial.number / 30}))
        """
        workers = [subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), path]) for _ in range(3)]
        assert [worker.wait() for worker in workers] == [0] * 3
        with Store(path) as store:
            assert store.counts(study)[State.COMPLETE] == 30
            assert len(store.curves(study, "loss")) == 30
            assert [trial.number for trial in store.pareto(study)] == [29]


@pytest.mark.slow
def test_opening_needs_neither_alembic_nor_torch_nor_pandas(path: Path) -> None:
    script = """
        import sys
        from archloom.store import Store

        Store(sys.argv[1]).close()
        print(sorted({"alembic", "torch", "pyglove", "pandas", "pytest"} & set(sys.modules)))
    """
    done = run(script, path)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_refused_row_is_a_store_error(path: Path) -> None:
    with Store(path) as store:
        study = store.create_study(study_record())
        with pytest.raises(StoreError, match="too large"):
            store.create_study(StudyRecord("big", 2**70, study_record().objectives))
        with pytest.raises(StoreError, match="surrogates"):
            store.create_study(study_record("half \ud800"))
        store.propose(study, 0, proposals(1))
        store.claim(study)
        with store.transaction(), pytest.raises(StoreError, match="needs a name"):
            store.finish(study, 0, Outcome(State.FAIL, {"test/": 1.0}))
        assert store.trial(study, 0).state == State.RUNNING


def test_a_file_that_is_being_written_is_not_taken_for_one_cut_short(path: Path) -> None:
    Store(f"sqlite:///{path}").close()
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.truncate(8192)

    def finish() -> None:
        with path.open("r+b") as file:
            file.write(whole)

    writer = threading.Timer(0.3, finish)
    writer.start()
    check_file(path, "the store")
    assert path.stat().st_size == len(whole)
    writer.join()
    with path.open("r+b") as file:
        file.truncate(8192)
    with pytest.raises(StoreError, match="is cut short"):
        check_file(path, "the store")

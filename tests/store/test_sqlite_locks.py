# SPDX-License-Identifier: Apache-2.0
"""Looking at a database file takes no lock from the connections of the same process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archloom.store import Store, integrity
from archloom.store import connect as store_connect
from archloom.store.sqlite_file import check_file, is_wal, state_of
from archloom.testing.store_parts import study_record

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads locks from /proc")

CLOSE = "import sys; from archloom.store import Store; Store(sys.argv[1], must_exist=True).close()"


def n_locks(path: Path) -> int:
    """How many locks anybody holds on a file."""
    inode = f":{path.stat().st_ino} "
    return sum(inode in line for line in Path("/proc/locks").read_text().splitlines())


def test_looking_at_a_file_takes_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(path) as store:
        store.create_study(study_record())
        assert n_locks(path)
        check_file(path, "it")
        assert is_wal(path)
        state_of(path)
        store_connect.again(store.url).close()
        with Store(path, must_exist=True):
            pass
        integrity.check(path)
        integrity.describe(path)
        assert n_locks(path)


def test_another_process_that_closes_leaves_the_wal_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(path) as store:
        store.create_study(study_record("first"))
        store_connect.again(store.url).close()
        subprocess.run([sys.executable, "-c", CLOSE, str(path)], check=True)
        assert Path(f"{path}-wal").exists()
        store.create_study(study_record("kept"))
        with Store(path) as other:
            assert [study.name for study in other.studies()] == ["first", "kept"]


def test_many_files_are_not_all_kept_open(tmp_path: Path) -> None:
    n_before = len(list(Path("/proc/self/fd").iterdir()))
    for i in range(60):
        path = tmp_path / f"{i}.db"
        Store(path).close()
        Store(path, must_exist=True).close()
    assert len(list(Path("/proc/self/fd").iterdir())) < n_before + 30

# SPDX-License-Identifier: Apache-2.0
"""Signs of life: who is at work, who is gone, and by whose clock."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archloom.store import Lease, Store, rows
from archloom.store.process import Process, is_dead, is_here, this_process
from archloom.store.workers import is_gone
from archloom.testing.stores import proposals, study_record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


def sleeper() -> tuple[subprocess.Popen[str], Process]:
    """Start a process and return how it knows itself."""
    program = (
        "from archloom.store.process import this_process as p; print(*p(), sep='|', flush=True); input()"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    host, pid, mark = started.stdout.readline().strip().split("|")
    return started, Process(host, int(pid), mark)


class TestProcess:
    def test_a_process_is_seen_until_it_ends(self) -> None:
        started, process = sleeper()
        assert (is_here(process), is_dead(process)) == (True, False)
        started.communicate("\n")
        assert (is_here(process), is_dead(process)) == (False, True)

    def test_one_that_was_not_waited_for_has_ended_too(self) -> None:
        started, process = sleeper()
        started.kill()
        end = time.monotonic() + 5
        while not is_dead(process) and time.monotonic() < end:
            time.sleep(0.01)
        assert is_dead(process)
        started.communicate()

    @pytest.mark.skipif(
        not Path("/proc/self/stat").exists(), reason="needs /proc to tell when a process began"
    )
    def test_a_later_process_of_the_same_number_is_another(self) -> None:
        mine = this_process()
        earlier = mine._replace(mark=mine.mark.rpartition(" ")[0] + " 1")
        assert is_dead(earlier)

    def test_what_runs_elsewhere_cannot_be_seen(self) -> None:
        elsewhere = Process("other", os.getpid(), "another boot 123")
        assert (is_here(elsewhere), is_dead(elsewhere)) == (False, False)


class TestLease:
    def test_a_worker_gives_signs_of_life(self, path: Path) -> None:
        with Store(path) as store:
            study = store.create_study(study_record())
            mine = Lease(store, study, 0.2)
            mine.take(n_slots=3)
            first = store.workers.records(study)[0]
            end = time.monotonic() + 5
            while store.workers.records(study)[0].n_beats < first.n_beats + 2 and time.monotonic() < end:
                time.sleep(0.02)
            record = store.workers.records(study)[0]
            assert record.n_beats >= first.n_beats + 2
            assert (record.n_slots, record.pid, is_gone(record)) == (3, os.getpid(), False)
            mine.let_go()
            assert store.workers.records(study) == []

    def test_who_is_silent_for_a_lease_is_gone(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [1000.0]
        monkeypatch.setattr("archloom.store.lease.time.monotonic", lambda: now[0])
        with Store(path) as store, Store(path) as other:
            study = store.create_study(study_record())
            theirs = other.workers.join(study)
            mine = Lease(store, study, 60.0)
            assert [w.id for w in mine.others(at_once=True)[0]] == [theirs]
            now[0] += 59
            assert [w.id for w in mine.others(at_once=True)[0]] == [theirs]
            other.workers.beat(theirs)
            now[0] += 59
            assert [w.id for w in mine.others(at_once=True)[0]] == [theirs]
            now[0] += 61
            alive, gone = mine.others(at_once=True)
            assert (alive, [w.id for w in gone]) == ([], [theirs])

    def test_no_change_of_the_clock_makes_anybody_gone(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Store(path) as store, Store(path) as other:
            study = store.create_study(study_record())
            other.propose(study, 0, proposals(1))
            assert other.claim(study) is not None
            mine = Lease(store, study, 60.0)
            for at in ("1990-01-01T00:00:00.000000Z", "2090-01-01T00:00:00.000000Z"):
                monkeypatch.setattr(rows, "now", lambda at=at: at)
                other.workers.beat(other.workers.join(study))
                alive, gone = mine.others(at_once=True)
                assert (len(alive), gone) == (1, [])

    def test_who_left_trials_running_is_gone_at_once(self, path: Path) -> None:
        with Store(path) as store:
            study = store.create_study(study_record())
            with Store(path) as other:
                other.propose(study, 0, proposals(1))
                claimed = other.claim(study)
            assert claimed is not None
            alive, gone = Lease(store, study, 60.0).others(at_once=True)
            assert (alive, [w.id for w in gone]) == ([], [claimed.worker])

    def test_a_worker_that_was_thought_gone_comes_back(self, path: Path) -> None:
        with Store(path) as store, Store(path) as other:
            study = store.create_study(study_record())
            theirs = other.workers.join(study)
            store.workers.end([theirs])
            assert store.workers.records(study) == []
            other.workers.beat(theirs)
            assert [w.id for w in store.workers.records(study)] == [theirs]

    def test_in_memory_nobody_else_is_looked_for(self) -> None:
        with Store() as store:
            study = store.create_study(study_record())
            mine = Lease(store, study, 60.0)
            mine.take()
            assert mine.others(at_once=True) == ([], [])
            mine.let_go()

# SPDX-License-Identifier: Apache-2.0
"""Studies and workers that go from a database leave it sound."""

from __future__ import annotations

import os
import socket

import pytest

from archloom.contracts import State
from archloom.errors import StoreError, StudyBusyError
from archloom.store import Outcome, Store
from archloom.store.cleaning import delete_study, forget_workers, free_bytes, past_workers, vacuum
from archloom.store.corrections import Corrections
from archloom.store.integrity import check
from archloom.testing.stores import complete, proposals, query, study_record


def test_a_study_goes_and_all_others_stay(url: str) -> None:
    with Store(url) as store:
        for name in ("digits cells", "digits-cells", "other"):
            key = store.create_study(study_record(name))
            complete(store, key, {"accuracy": 0.5}, {"accuracy": 0.7})
            store.propose(key, 1, proposals(1))
            trial = store.claim(key)
            assert trial is not None
            store.finish(
                key,
                trial.number,
                Outcome(State.COMPLETE, {"accuracy": 0.7}, reused_from=1, artifacts={"a": "b"}),
            )
            Corrections(store, key).tag([0], "good")
            store.refresh_wide(key)
            store.set_status(key, "done")
    with Store(url) as store:
        first, second, other = store.studies()
        delete_study(store, first)
        assert store.studies() == [second, other]
        assert second.id is not None
        assert store.refresh_wide(second.id) == "wide_digits_cells"  # it has the free name now
    assert len(query(url, "SELECT * FROM wide_digits_cells")) == 3
    for table in ("trials", "objectives", "events", "workers", "revisions"):
        assert {row["study_id"] for row in query(url, f"SELECT study_id FROM {table}")} == {2, 3}, table
    found = [finding for finding in check(url) if finding.law != "files"]
    assert found == []
    with Store(url) as store, pytest.raises(StoreError, match="has no study 'digits cells' any more"):
        delete_study(store, first)


def test_a_study_that_is_worked_on_stays(url: str) -> None:
    with Store(url) as store, Store(url) as elsewhere:
        study = store.create_study(study_record())
        store.propose(study, 0, proposals(1))
        store.claim(study)
        with pytest.raises(StudyBusyError, match=f"process {os.getpid()} on {socket.gethostname()}: stop it"):
            delete_study(elsewhere, elsewhere.study("digits"))
        assert store.n_trials(study) == 1


def test_workers_of_the_past_are_forgotten_and_no_others(url: str) -> None:
    with Store(url) as store:
        study = store.create_study(study_record())
        complete(store, study, {"accuracy": 0.5})
        mine = store.trial(study, 0).worker
        words = "study_id, host, pid, process, started_at, renewed_at, ended_at"
        now, then = "2999-01-01T00:00:00.000000Z", "2020-01-01T00:00:00.000000Z"
        for ended in (f"'{then}'", f"'{now}'", "NULL", f"'{then}'"):
            query(
                url,
                f"INSERT INTO workers ({words}) VALUES ({study}, 'h', 1, 'm', '{then}', '{then}', {ended})",
            )
        ids = [worker.id for worker in store.workers.records(study, is_all=True)]
        store.propose(study, 0, proposals(1))
        store.claim(study)
        query(url, f"UPDATE trials SET worker_id = {ids[4]} WHERE state = 'RUNNING'")
        assert mine == ids[0]
        assert [worker.id for worker in past_workers(store, study)] == [ids[1]]
        forget_workers(store, study, ids)
        assert [worker.id for worker in store.workers.records(study, is_all=True)] == [ids[0], *ids[2:]]
        assert store.trial(study, 0).worker == mine


def test_only_a_file_is_vacuumed(url: str) -> None:
    Store(url).close()
    if url.startswith("sqlite"):
        vacuum(url)
        assert free_bytes(url) == 0
        return
    assert free_bytes(url) is None
    with pytest.raises(StoreError, match="PostgreSQL sees to that itself"):
        vacuum(url)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import pytest

from archloom.contracts import State
from archloom.errors import StoreError
from archloom.store import Outcome, Store
from archloom.testing.store_reading import front
from archloom.testing.stores import StoreContract, complete, proposals, query, study_record


class TestPostgres(StoreContract):
    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url

    def test_other_tables_may_be_there(self, url: str) -> None:
        query(url, "CREATE TABLE alembic_version (version_num TEXT)")
        with Store(url) as store:
            assert store.studies() == []

    def test_a_table_of_our_name_is_not_taken_over(self, url: str) -> None:
        query(url, "CREATE TABLE trials (x INTEGER)")
        with pytest.raises(StoreError, match="another program's database: it holds the table 'trials'"):
            Store(url)

    def test_must_exist(self, url: str) -> None:
        with pytest.raises(StoreError, match="holds no archloom store"):
            Store(url, must_exist=True)

    def test_no_server(self) -> None:
        with pytest.raises(
            StoreError, match=r"cannot open postgresql\+psycopg://someone:\*\*\*@127.0.0.1:1/x"
        ):
            Store("postgresql://someone:secret@127.0.0.1:1/x")

    def test_comes_back_after_a_lost_connection(self, store: Store, url: str) -> None:
        study = store.create_study(study_record())
        with store.transaction():
            pid = store._session.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        query(url, f"SELECT pg_terminate_backend({pid}, 5000)")
        with pytest.raises(StoreError):
            store.propose(study, 0, proposals(1))
        assert store.propose(study, 0, proposals(1)) == [0]

    def test_a_claim_does_not_wait_for_another(self, store: Store, url: str) -> None:
        study = store.create_study(study_record())
        store.propose(study, 0, proposals(2))
        with Store(url) as other, store.transaction():
            first, second = store.claim(study), other.claim(study)
        assert first is not None
        assert second is not None
        assert (first.number, second.number) == (0, 1)

    def test_many_writers_keep_numbers_dense_and_the_front_clean(self, store: Store, url: str) -> None:
        study = store.create_study(study_record("many", ("a", "max"), ("b", "max")))

        def work(shift: int) -> None:
            with Store(url) as mine:
                for i in range(6):
                    mine.propose(study, i, proposals(2))
                    while trial := mine.claim(study):
                        values = {
                            "a": float((trial.number * 7 + shift) % 5),
                            "b": float(trial.number * 3 % 5),
                        }
                        mine.finish(study, trial.number, Outcome(State.COMPLETE, values))

        threads = [threading.Thread(target=work, args=(shift,)) for shift in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        trials = store.trials(study)
        assert [trial.number for trial in trials] == list(range(48))
        assert all(trial.state == State.COMPLETE for trial in trials)
        costs = {trial.number: [-trial.metrics["a"], -trial.metrics["b"]] for trial in trials}
        assert [trial.number for trial in store.pareto(study)] == front(costs)

    def test_reading_sees_one_state(self, store: Store, url: str) -> None:
        study = store.create_study(study_record())
        complete(store, study, {"accuracy": 0.5})
        with Store(url) as other, other._session.transaction("read"):
            before = other.trials(study)
            complete(store, study, {"accuracy": 0.9})
            assert other.trials(study) == before


def test_a_claim_takes_as_many_as_asked_for_whatever_the_planner_thinks(postgres_url: str) -> None:
    """With the statistics of an empty table, a limit in a subquery was taken anew for every row."""
    with Store(postgres_url) as store:
        study = store.create_study(study_record())
        query(postgres_url, "ANALYZE")
        store.propose(study, 0, proposals(11))
        assert [trial.number for trial in store.claim_many(study, 1)] == [0]
        assert [trial.number for trial in store.claim_many(study, 2, is_news=True)] == [1, 2]

# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102 (the name of a test is the law that it holds)
"""The laws of a store that several processes work on. Part of ``StoreContract``."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from archloom.contracts import State
from archloom.errors import StoreError
from archloom.store import Curve, Outcome, Store, TrialRecord
from archloom.testing.store_parts import complete, proposals, query

__all__ = ["WorkLaws"]


def done(value: float) -> Outcome:
    """Return a COMPLETE outcome."""
    return Outcome(State.COMPLETE, {"accuracy": value})


def claimed(store: Store, study: int) -> TrialRecord:
    """Claim a trial, which must be there."""
    trial = store.claim(study)
    assert trial is not None
    return trial


class WorkLaws:
    """What a store promises to workers; each ``Store`` is one."""

    @pytest.fixture
    def other(self, store: Store, url: str) -> Iterator[Store]:
        """Open the database again, as another process would."""
        del store
        with Store(url, must_exist=True) as other:
            yield other

    def test_a_trial_knows_who_has_it(self, store: Store, other: Store, study: int) -> None:
        store.propose(study, 0, proposals(2))
        mine, theirs = claimed(store, study), claimed(other, study)
        assert mine.worker == store.workers.join(study) != other.workers.join(study) == theirs.worker
        assert store.finish(study, mine.number, done(0.5)).worker == mine.worker
        assert [worker.id for worker in store.workers.records(study)] == [mine.worker, theirs.worker]

    def test_one_worker_proposes_at_a_time(self, store: Store, other: Store, study: int) -> None:
        assert store.workers.step_up(study)
        assert store.workers.step_up(study)
        assert not other.workers.step_up(study)
        assert [worker.is_proposer for worker in store.workers.records(study)] == [True, False]
        store.workers.step_down(study)
        assert other.workers.step_up(study)
        assert not store.workers.is_proposer(study)

    def test_who_has_said_goodbye_proposes_no_more(self, store: Store, other: Store, study: int) -> None:
        assert store.workers.step_up(study)
        store.workers.leave(study)
        assert other.workers.step_up(study)
        assert [worker.ended_at is None for worker in store.workers.records(study, is_all=True)] == [
            False,
            True,
        ]

    def test_trials_of_a_worker_that_is_gone_wait_again_and_fail_in_the_end(
        self, store: Store, other: Store, study: int
    ) -> None:
        store.propose(study, 0, proposals(2))
        for n_lost in range(3):
            trial, kept = claimed(other, study), claimed(store, study)
            other.report(study, trial.number, 0, {"accuracy": 0.25})
            gone = [worker for worker in store.workers.records(study) if worker.id == trial.worker]
            failed = store.rescue.retry_lost(study, gone, 2)
            assert store.curves(study, "accuracy") == ({trial.number: {0: 0.25}} if failed else {})
            store.rescue.let_go(study, reason="for the next round")
            found = store.trial(study, trial.number)
            assert (found.state, found.n_lost) == (
                (State.FAIL, 2) if n_lost == 2 else (State.WAITING, n_lost + 1)
            )
            assert store.trial(study, kept.number).n_lost == 0
            other.workers.leave(study)
        assert "its worker was gone" in found.reason
        assert found.reason.endswith("for the 3. time")
        assert [event.number for event in store.events(study, "reopen")].count(trial.number) == 2

    def test_a_worker_lets_go_of_its_own_trials_only(self, store: Store, other: Store, study: int) -> None:
        store.propose(study, 0, proposals(3))
        mine, kept, theirs = claimed(store, study), claimed(store, study), claimed(other, study)
        assert store.rescue.let_go(study, keep=[kept.number], reason="enough") == [mine.number]
        states = [trial.state for trial in store.trials(study)]
        assert states == [State.WAITING, State.RUNNING, State.RUNNING]
        assert store.trial(study, theirs.number).worker == theirs.worker

    def test_a_late_result_is_kept_and_not_counted(self, store: Store, other: Store, study: int) -> None:
        store.propose(study, 0, proposals(1))
        trial = claimed(other, study)
        store.reopen(study)
        claimed(store, study)
        store.finish(study, trial.number, done(0.5))
        late = other.finish_many(study, {trial.number: done(0.75)}, is_late_noted=True)
        assert late == []
        assert store.trial(study, trial.number).values == (0.5,)
        (event,) = store.events(study, "late")
        assert (event.number, json.loads(event.detail)["metrics"]) == (trial.number, {"accuracy": 0.75})
        assert store.n_finished(study) == 1
        with pytest.raises(StoreError, match="has already ended as COMPLETE"):
            other.finish(study, trial.number, done(0.75))

    def test_the_first_result_counts_whoever_brings_it(self, store: Store, other: Store, study: int) -> None:
        store.propose(study, 0, proposals(1))
        trial, curve = claimed(other, study), Curve()
        curve.add(0, {"accuracy": 0.125})
        curve.unsaved.clear()  # written before, and forgotten by the reopening
        curve.add(1, {"accuracy": 0.25})
        store.reopen(study)
        claimed(store, study)
        store.report(study, trial.number, 7, {"accuracy": 0.875})
        assert not other.report_many(study, trial.number, {2: {"accuracy": 0.5}})
        other.finish_many(study, {trial.number: done(0.75)}, curves={trial.number: curve}, is_late_noted=True)
        assert store.curves(study, "accuracy") == {trial.number: {0: 0.125, 1: 0.25}}
        assert store.finish_many(study, {trial.number: done(0.5)}, is_late_noted=True) == []
        assert store.trial(study, trial.number).worker == other.workers.join(study)

    def test_a_result_for_a_trial_that_waits_again_counts(
        self, store: Store, other: Store, study: int
    ) -> None:
        store.propose(study, 0, proposals(1))
        trial = claimed(other, study)
        store.reopen(study)
        assert other.finish(study, trial.number, done(0.75)).state == State.COMPLETE
        assert store.claim(study) is None

    def test_giving_up_leaves_another_threads_transaction_alone(self, store: Store, study: int) -> None:
        inside, given_up = threading.Event(), threading.Event()

        def work() -> None:
            with store.transaction():
                store.propose(study, 0, proposals(1))
                inside.set()
                given_up.wait(5)

        thread = threading.Thread(target=work)
        thread.start()
        assert inside.wait(5)
        store.abandon()
        given_up.set()
        thread.join()
        assert store.n_open(study)[State.WAITING] == 1

    def test_what_ends_is_numbered_in_its_order(self, store: Store, other: Store, study: int) -> None:
        store.propose(study, 0, proposals(4))
        first, second, third = claimed(store, study), claimed(other, study), claimed(store, study)
        other.finish(study, second.number, done(0.5))
        store.finish_many(study, {third.number: done(0.25), first.number: done(0.75)})
        ended = store.finished_since(study, 0)
        assert [(trial.finish_order, trial.number) for trial in ended] == [(0, 1), (1, 2), (2, 0)]
        assert store.finished_since(study, 2) == ended[2:] == [store.trial(study, 0)]
        assert (store.n_finished(study), store.n_open(study)) == (3, {State.WAITING: 1, State.RUNNING: 0})

    def test_what_is_being_evaluated_is_not_claimed_again(
        self, store: Store, other: Store, study: int
    ) -> None:
        store.propose(study, 0, [*proposals(1), *proposals(1), *proposals(1, "new")])
        first = claimed(store, study)
        (new,) = other.claim_many(study, 3, is_news=True)
        assert (first.key, new.key, new.number) == ("key0", "new0", 2)
        assert other.claim_many(study, 3, is_news=True) == []
        store.finish(study, first.number, done(0.5))
        assert [trial.number for trial in other.claim_many(study, 3, is_news=True)] == [1]

    def test_the_budget_is_one_for_all(self, store: Store, other: Store, study: int) -> None:
        assert store.n_left(study) is None
        store.set_budget(study, 3, "evaluations")
        store.propose(study, 0, proposals(4))
        running = [claimed(store, study), claimed(other, study)]
        assert store.n_left(study) == other.n_left(study) == 1
        assert store.n_left(study, 1) == 2
        store.finish(study, running[0].number, done(0.5))
        store.finish(study, running[1].number, Outcome(State.COMPLETE, {"accuracy": 0.5}, reused_from=0))
        assert (store.n_evaluated(study), store.n_left(study)) == (1, 2)
        store.set_budget(study, 3, "proposals")
        assert (store.standing(study).max_trials, store.n_left(study)) == (3, 1)

    def test_the_mark_changes_with_every_change(self, store: Store, study: int) -> None:
        marks = [store.mark(study)]
        store.propose(study, 0, proposals(1))
        marks.append(store.mark(study))
        store.finish(study, claimed(store, study).number, done(0.5))
        marks.append(store.mark(study))
        store.add_event(study, "note")
        marks.append(store.mark(study))
        assert len(set(marks)) == 4

    def test_the_best_come_by_their_value(self, store: Store, url: str, study: int) -> None:
        complete(store, study, *({"accuracy": value} for value in (0.5, 0.75, 0.25, 0.75)))
        assert [trial.number for trial in store.best(study, 3)] == [1, 3, 0]
        assert [trial.number for trial in store.best(study, 99)] == [1, 3, 0, 2]
        rows = query(url, "SELECT value FROM trials ORDER BY number")
        assert [row["value"] for row in rows] == [0.5, 0.75, 0.25, 0.75]

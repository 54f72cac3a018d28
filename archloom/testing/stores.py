# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102 (the name of a test is the law that it holds)
"""The laws of the store, as a test suite to inherit for each database.

Example::

    class TestMyDatabase(StoreContract):
        @pytest.fixture
        def url(self, tmp_path):
            return f"sqlite:///{tmp_path}/store.db"
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from archloom.contracts import State
from archloom.errors import StoreError, StudyExistsError, StudyNotFoundError
from archloom.store import Outcome, Proposal, Store, StudyRecord
from archloom.testing.store_parts import FLOATS, LABELS, complete, proposals, query, study_record
from archloom.testing.store_reading import ReadingLaws
from archloom.testing.store_work import WorkLaws

__all__ = ["StoreContract", "complete", "proposals", "query", "study_record"]


class StoreContract(ReadingLaws, WorkLaws):
    """What a store promises, whatever the database. Override ``url``."""

    @pytest.fixture
    def url(self) -> str:
        """Return the URL of an empty database that lasts until the test ends."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        """Open the database."""
        with Store(url) as store:
            yield store

    @pytest.fixture
    def study(self, store: Store) -> int:
        """Make a study of one objective."""
        return store.create_study(study_record())

    # Studies

    def test_study_comes_back_as_it_went_in(self, store: Store, url: str) -> None:
        record = study_record("a study", ("validation/accuracy", "max"), ("params", "min"))
        key = store.create_study(record)
        with Store(url, must_exist=True) as again:
            found = again.study("a study")
            assert again.studies() == [found]
        assert (found.id, found.status, found.reason) == (key, "running", "")
        assert found.objectives == record.objectives
        assert found.constraints == record.constraints
        assert (found.space, found.config) == (record.space, record.config)
        assert (found.seed, found.fingerprint) == (7, "f00d")
        assert found.version
        assert found.created_at is not None
        assert found.created_at.endswith("Z")

    def test_name_is_taken_once(self, store: Store, study: int) -> None:
        complete(store, study, {"accuracy": 0.5}, {"accuracy": 0.5})
        with pytest.raises(StudyExistsError, match=r"2 trials.*--resume.*study=NAME"):
            store.create_study(study_record())
        assert len(store.studies()) == 1

    def test_study_not_found_names_the_nearest(self, store: Store, study: int) -> None:
        assert study
        with pytest.raises(StudyNotFoundError, match="did you mean 'digits'"):
            store.study("digit")

    def test_status_and_config_change(self, store: Store, study: int) -> None:
        store.set_status(study, "done", "100 trials")
        store.set_config(study, {"budget": {"trials": 9}})
        found = store.study("digits")
        assert (found.status, found.reason, found.config) == ("done", "100 trials", {"budget": {"trials": 9}})

    def test_wrong_studies_are_refused(self, store: Store, study: int) -> None:
        with pytest.raises(StoreError, match="finished"):
            store.set_status(study, "finished")
        with pytest.raises(StoreError, match="JSON"):
            store.set_config(study, {"x": math.nan})
        with pytest.raises(StoreError, match="objective"):
            store.create_study(StudyRecord("none", 0, ()))
        with pytest.raises(StoreError, match="name"):
            store.create_study(study_record(""))
        with pytest.raises(StoreError, match="no study with the id 99"):
            store.set_status(99, "done")
        assert [each.name for each in store.studies()] == ["digits"]

    def test_two_of_one_objective_are_refused(self, store: Store) -> None:
        with pytest.raises(StoreError):
            store.create_study(study_record("twice", ("accuracy", "max"), ("accuracy", "min")))
        assert store.studies() == []

    # Proposals and claims

    def test_numbers_are_dense_and_claimed_in_order(self, store: Store, study: int) -> None:
        other = store.create_study(study_record("other"))
        assert store.propose(study, 0, proposals(3)) == [0, 1, 2]
        assert store.propose(other, 0, proposals(1)) == [0]
        assert store.propose(study, 1, proposals(2)) == [3, 4]
        assert store.propose(study, 2, []) == []
        claimed = [store.claim(study) for _ in range(6)]
        assert claimed[-1] is None
        assert [(t.number, t.ask, t.state) for t in claimed if t] == [
            (number, ask, State.RUNNING) for number, ask in enumerate([0, 0, 0, 1, 1])
        ]
        assert store.counts(other)[State.WAITING] == 1

    def test_start_is_propose_and_claim_in_one(self, store: Store, study: int) -> None:
        assert store.start(study, 0, [], 1) == []
        started = store.start(study, 0, proposals(3), 2)
        assert [(t.number, t.state) for t in started] == [
            (0, State.RUNNING),
            (1, State.RUNNING),
            (2, State.WAITING),
        ]
        assert started == store.trials(study)
        assert [t.number for t in store.claim_many(study, 5)] == [2]

    def test_several_are_claimed_in_the_order_of_their_numbers(self, store: Store, study: int) -> None:
        store.propose(study, 0, proposals(5))
        assert [t.number for t in store.claim_many(study, 3)] == [0, 1, 2]
        assert [t.number for t in store.claim_many(study, 3)] == [3, 4]
        assert store.claim_many(study, 3) == []

    def test_proposal_comes_back_as_it_went_in(self, store: Store, study: int) -> None:
        choices = {f"float {i}": value for i, value in enumerate(FLOATS)} | {
            f"label '{i}'": label for i, label in enumerate(LABELS)
        }
        store.propose(study, 4, [Proposal("k", "many choices", choices, seed=2**62, fidelity="epochs=1")])
        trial = store.claim(study)
        assert trial is not None
        assert trial.choices == choices
        assert {name: type(choice) for name, choice in trial.choices.items()} == {
            name: type(choice) for name, choice in choices.items()
        }
        assert math.copysign(1.0, float(trial.choices["float 2"])) == -1.0
        assert (trial.key, trial.text, trial.seed) == ("k", "many choices", 2**62)
        assert (trial.fidelity, trial.ask, trial.metrics, trial.values) == ("epochs=1", 4, {}, (None,))
        assert store.trial(study, 0) == trial

    def test_label_has_its_number_beside_it(self, store: Store, url: str, study: int) -> None:
        store.propose(study, 0, [Proposal("k", "t", {"kernel": "3", "lr": 0.5, "op": "conv"}, 0)])
        found = query(url, "SELECT name, choice, value FROM decisions ORDER BY name")
        assert [tuple(row.values()) for row in found] == [
            ("kernel", "3", 3.0),
            ("lr", "0.5", 0.5),
            ("op", "conv", None),
        ]

    @pytest.mark.parametrize("choice", [math.nan, math.inf, "a\0b"])
    def test_wrong_choice_is_refused_with_its_whole_ask(
        self, store: Store, study: int, choice: str | float
    ) -> None:
        with pytest.raises(StoreError, match="'x'"):
            store.propose(study, 0, [*proposals(2), Proposal("k", "t", {"x": choice}, 0)])
        assert store.trials(study) == []

    def test_threads_claim_different_trials(self, store: Store, study: int) -> None:
        store.propose(study, 0, proposals(40))
        claimed: list[int] = []

        def work() -> None:
            while trial := store.claim(study):
                store.finish(study, trial.number, Outcome(State.COMPLETE, {"accuracy": 0.5}))
                claimed.append(trial.number)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(claimed) == list(range(40))
        assert store.counts(study)[State.COMPLETE] == 40

    def test_stores_claim_different_trials(self, store: Store, url: str, study: int) -> None:
        store.propose(study, 0, proposals(4))
        with Store(url) as other:
            claimed = [each.claim(study) for each in (store, other, store, other)]
            assert [trial.number for trial in claimed if trial] == [0, 1, 2, 3]
            assert other.propose(study, 1, proposals(1)) == [4]

    def test_reopen_forgets_what_was_reported(self, store: Store, url: str, study: int) -> None:
        store.propose(study, 0, proposals(3))
        for _ in range(2):
            store.claim(study)
        store.report(study, 0, 0, {"accuracy": 0.1})
        store.finish(study, 1, Outcome(State.COMPLETE, {"accuracy": 0.5}))
        assert store.reopen(study) == [0]
        assert store.reopen(study) == []
        again = store.claim(study)
        assert again is not None
        assert again.number == 0
        assert store.curves(study, "accuracy") == {}
        assert [row["kind"] for row in query(url, "SELECT kind FROM events")] == ["reopen"]

    # Reports

    def test_curves(self, store: Store, study: int) -> None:
        store.propose(study, 0, proposals(2))
        for number in range(2):
            store.claim(study)
            for step in (2, 0, 1):
                store.report(study, number, step, {"validation/accuracy": number + step / 10, "loss": 1.0})
        store.report(study, 0, 1, {"validation/accuracy": 0.75})
        assert store.curves(study, "validation/accuracy") == {
            0: {0: 0.0, 1: 0.75, 2: 0.2},
            1: {0: 1.0, 1: 1.1, 2: 1.2},
        }
        assert store.curves(study, "accuracy") == {}
        assert store.trial(study, 0).metrics == {}

    def test_curve_may_hold_what_is_not_finite(self, store: Store, study: int) -> None:
        store.propose(study, 0, proposals(1))
        store.claim(study)
        for step, value in enumerate([math.nan, math.inf, -math.inf]):
            store.report(study, 0, step, {"loss": value})
        found = store.curves(study, "loss")[0]
        assert math.isnan(found[0])
        assert (found[1], found[2]) == (math.inf, -math.inf)

    def test_only_a_running_trial_reports(self, store: Store, study: int) -> None:
        store.propose(study, 0, proposals(1))
        with pytest.raises(StoreError, match="trial 0 is WAITING"):
            store.report(study, 0, 0, {"loss": 1.0})
        store.claim(study)
        with pytest.raises(StoreError, match="name"):
            store.report(study, 0, 0, {"": 1.0})
        store.finish(study, 0, Outcome(State.PRUNED, {}))
        with pytest.raises(StoreError, match="trial 0 is PRUNED"):
            store.report(study, 0, 0, {"loss": 1.0})

    # Ends

    def test_outcome_comes_back_as_it_went_in(self, store: Store, study: int) -> None:
        store.propose(study, 0, proposals(1))
        store.claim(study)
        metrics = {"accuracy": 0.1 + 0.2, "test/accuracy": 0.25, "params": 2.0**53, "a/b": 1.0}
        outcome = Outcome(
            State.COMPLETE,
            metrics,
            violation=0.5,
            reason="why",
            artifacts={"weights": "runs/0/w.safetensors"},
        )
        trial = store.finish(study, 0, outcome)
        assert trial == store.trial(study, 0)
        assert trial == store.trials(study)[0]
        assert trial.metrics == metrics
        assert (trial.state, trial.values, trial.violation) == (State.COMPLETE, (0.1 + 0.2,), 0.5)
        assert (trial.reason, trial.artifacts) == ("why", {"weights": "runs/0/w.safetensors"})
        assert trial.choices == {"op": "conv", "lr": 0.0}
        assert trial.seconds is not None
        assert trial.seconds >= 0
        assert trial.started_at is not None
        assert trial.finished_at is not None
        assert trial.started_at <= trial.finished_at

    def test_several_end_in_one_commit_or_not_at_all(self, store: Store, study: int) -> None:
        store.start(study, 0, proposals(3), 3)
        done = [Outcome(State.COMPLETE, {"accuracy": value}) for value in (0.5, 0.25, 0.75)]
        store.finish(study, 1, done[1])
        with pytest.raises(StoreError, match="trial 1 has already ended as COMPLETE"):
            store.finish_many(study, {0: done[0], 1: done[1]})
        assert store.trial(study, 0).state == State.RUNNING
        ended = store.finish_many(study, {0: done[0], 2: done[2]})
        assert ended == [store.trial(study, 0), store.trial(study, 2)]
        assert [t.number for t in store.pareto(study)] == [2]
        assert store.finish_many(study, {}) == []

    def test_a_refused_end_leaves_nothing_of_what_came_with_it(
        self, store: Store, url: str, study: int
    ) -> None:
        store.start(study, 0, proposals(2), 2)
        with Store(url) as other:
            other.finish(study, 1, Outcome(State.COMPLETE, {"accuracy": 0.5}))
        done = {n: Outcome(State.COMPLETE, {"accuracy": 0.75}) for n in (0, 1)}
        with store.transaction(), suppress(StoreError):
            store.finish_many(study, done)
        assert (store.trial(study, 0).state, store.trial(study, 0).metrics) == (State.RUNNING, {})
        assert [trial.number for trial in store.pareto(study)] == [1]

    def test_what_another_store_has_ended_never_changes(self, store: Store, url: str, study: int) -> None:
        store.start(study, 0, proposals(1), 1)
        with Store(url) as other:
            other.finish(study, 0, Outcome(State.COMPLETE, {"accuracy": 0.5}))
        with pytest.raises(StoreError, match="trial 0 has already ended as COMPLETE"):
            store.finish(study, 0, Outcome(State.FAIL, {}))
        assert store.trial(study, 0).state == State.COMPLETE

    def test_fronts_of_two_stores_are_one(self, store: Store, url: str, study: int) -> None:
        store.start(study, 0, proposals(3), 3)
        store.finish(study, 0, Outcome(State.COMPLETE, {"accuracy": 0.5}))
        with Store(url) as other:
            other.finish(study, 1, Outcome(State.COMPLETE, {"accuracy": 0.75}))
        store.finish(study, 2, Outcome(State.COMPLETE, {"accuracy": 0.625}))
        assert [t.number for t in store.pareto(study)] == [1]

    def test_an_ended_trial_never_changes(self, store: Store, study: int) -> None:
        (before,) = complete(store, study, {"accuracy": 0.5})
        for state in (State.COMPLETE, State.FAIL):
            with pytest.raises(StoreError, match="already ended as COMPLETE"):
                store.finish(study, 0, Outcome(state, {"accuracy": 0.9}))
        assert store.trials(study) == [before]

    def test_trial_may_end_without_a_claim(self, store: Store, study: int) -> None:
        store.propose(study, 0, proposals(1))
        trial = store.finish(study, 0, Outcome(State.FAIL, {}, reason="refused"))
        assert (trial.state, trial.seconds) == (State.FAIL, 0.0)
        assert store.claim(study) is None

    @pytest.mark.parametrize(
        ("outcome", "words"),
        [
            (Outcome(State.COMPLETE, {"accuracy": math.nan}), "'accuracy' is nan"),
            (Outcome(State.COMPLETE, {"accuracy": math.inf}), "'accuracy' is inf"),
            (Outcome(State.COMPLETE, {"params": 3.0}), "not among its metrics"),
            (Outcome(State.COMPLETE, {"accuracy": 1.0}, violation=-1.0), "violation"),
            (Outcome(State.COMPLETE, {"accuracy": 1.0}, violation=math.nan), "violation"),
            (Outcome(State.RUNNING, {}), "RUNNING"),
            (Outcome(State.COMPLETE, {"accuracy": 1.0}, reused_from=12), "no trial 12"),
            (Outcome(State.COMPLETE, {"accuracy": 1.0}, reused_from=0), "itself"),
        ],
    )
    def test_wrong_end_is_refused(self, store: Store, study: int, outcome: Outcome, words: str) -> None:
        store.propose(study, 0, proposals(1))
        before = store.claim(study)
        with pytest.raises(StoreError, match=words):
            store.finish(study, 0, outcome)
        assert store.trials(study) == [before]

    def test_a_failing_trial_is_data(self, store: Store, study: int) -> None:
        store.propose(study, 0, proposals(1))
        store.claim(study)
        strange = "Traceback:\n  é \ud800 \0 end"
        trial = store.finish(study, 0, Outcome(State.FAIL, {"accuracy": math.nan}, traceback=strange))
        assert trial.traceback == "Traceback:\n  é \\ud800 \\x00 end"
        assert trial.values == (None,)
        found = store.trial(study, 0)
        assert math.isnan(found.metrics["accuracy"])
        assert (found.values, found.traceback) == ((None,), trial.traceback)

    def test_numpy_values_are_plain_inside(self, store: Store, study: int) -> None:
        half: Any = np.float32(0.5)
        seed: Any = np.int64(3)
        store.propose(study, 0, [Proposal("k", "t", {"lr": half}, seed)])
        store.claim(study)
        trial = store.finish(study, 0, Outcome(State.COMPLETE, {"accuracy": half / 2}))
        assert (trial.choices, trial.metrics, trial.seed) == ({"lr": 0.5}, {"accuracy": 0.25}, 3)

    def test_missing_trial(self, store: Store, study: int) -> None:
        with pytest.raises(StoreError, match="no trial 0; it has none"):
            store.trial(study, 0)
        store.propose(study, 0, proposals(2))
        for act in (store.trial, lambda s, n: store.finish(s, n, Outcome(State.FAIL, {}))):
            with pytest.raises(StoreError, match="no trial 2; it has trials 0 to 1"):
                act(study, 2)

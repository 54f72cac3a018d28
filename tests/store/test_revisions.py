# SPDX-License-Identifier: Apache-2.0
"""Revisions: what is recorded of new terms, and what they make of the trials, on both databases."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyglove as pg
import pytest

from archloom.contracts import Architecture, State
from archloom.errors import StoreError
from archloom.search_spaces import SearchSpace
from archloom.store import Outcome, Store
from archloom.store.integrity import check
from archloom.store.revisions import OUTSIDE, Revisions, StudyRevisedError, Verdict
from archloom.strategies import RandomSearch, RegularizedEvolution
from archloom.study import Study
from archloom.testing.store_parts import complete, proposals, study_record


def out(number: int, excluded: str = "outside", violation: float = 0.0, key: str = "key0") -> Verdict:
    return Verdict(number, excluded, key, violation)


def sound(url: str, *but: str) -> None:
    findings = [finding for finding in check(url) if finding.law not in but]
    assert findings == []


def test_a_study_begins_with_revision_0_and_keeps_the_others(store: Store, study: int) -> None:
    complete(store, study, {"accuracy": 0.5}, {"accuracy": 0.7})
    revisions = Revisions(store, study)
    record = replace(
        study_record(), space={"nodes": 3}, fingerprint="beef", config={"a": 1}, constraints=("params <= 7",)
    )
    assert revisions.add(record, "nodes was [1, 2], now 3", []) == 1
    first, second = revisions.records()
    assert (first.number, first.first_trial, first.detail) == (0, 0, "created")
    assert (first.space, first.fingerprint) == ({"nodes": [1, 2]}, "f00d")
    assert (second.number, second.first_trial, second.detail) == (1, 2, "nodes was [1, 2], now 3")
    assert (second.space, second.fingerprint, second.config) == ({"nodes": 3}, "beef", {"a": 1})
    assert second.at > first.at
    found = store.study("digits")
    assert (found.space, found.fingerprint, found.config) == ({"nodes": 3}, "beef", {"a": 1})
    assert found.constraints == ("params <= 7",)
    assert found.objectives == record.objectives
    (event,) = store.events(study, "revision")
    assert event.detail == "revision 1: nodes was [1, 2], now 3"


def test_what_lies_outside_leaves_the_front_and_comes_back(store: Store, study: int, url: str) -> None:
    complete(store, study, {"accuracy": 0.5}, {"accuracy": 0.9}, {"accuracy": 0.7})
    Revisions(store, study).add(study_record(), "less", [out(1)])
    assert [trial.number for trial in store.best(study, 5)] == [2, 0]
    assert [trial.number for trial in store.pareto(study)] == [2]
    assert store.trial(study, 1).excluded == "outside"
    assert store.n_evaluated(study) == 2
    sound(url)
    Revisions(store, study).add(study_record(), "more", [out(1, "")])
    assert [trial.number for trial in store.best(study, 5)] == [1, 2, 0]
    assert [trial.number for trial in store.pareto(study)] == [1]
    sound(url)


def test_violations_and_keys_are_those_of_the_new_terms(store: Store, url: str) -> None:
    record = study_record("two", ("accuracy", "max"), ("params", "min"))
    study = store.create_study(record)
    made = [(0.9, 9.0), (0.8, 5.0), (0.5, 1.0), (0.4, 2.0)]
    complete(store, study, *({"accuracy": accuracy, "params": params} for accuracy, params in made))
    assert [trial.number for trial in store.pareto(study)] == [0, 1, 2]
    Revisions(store, study).add(
        record, "params <= 4", [out(0, "", 1.25, "new"), out(1, "", 0.25), out(2, "outside")]
    )
    assert [trial.number for trial in store.pareto(study)] == [3]
    assert [trial.violation for trial in store.trials(study)] == [1.25, 0.25, 0.0, 0.0]
    assert [trial.key for trial in store.trials(study)] == ["new", "key0", "key0", "key0"]
    assert [trial.number for trial in store.finished_with_key(study, "new")] == [0]
    sound(url)


def test_what_has_not_ended_and_is_outside_ends(store: Store, study: int, url: str) -> None:
    complete(store, study, {"accuracy": 0.5})
    store.propose(study, 1, proposals(4))
    assert store.claim(study) is not None  # 1 is RUNNING
    Revisions(store, study).add(study_record(), "less", [out(1), out(3)])
    trials = store.trials(study)
    assert [trial.state for trial in trials] == [
        *(State.COMPLETE, State.FAIL, State.WAITING, State.FAIL, State.WAITING)
    ]
    assert [trial.finish_order for trial in trials] == [0, 1, None, 2, None]
    assert {trial.reason for trial in trials if trial.excluded} == {f"{OUTSIDE} 1"}
    assert [trial.number for trial in store.claim_many(study, 9)] == [2, 4]
    late = Outcome(State.COMPLETE, {"accuracy": 0.99})
    assert store.finish_many(study, {1: late}, is_late_noted=True) == []
    assert store.best(study)[0].number == 0
    store.finish_many(study, {n: Outcome(State.COMPLETE, {"accuracy": 0.1}) for n in (2, 4)})
    sound(url)


def test_a_revision_is_written_whole_or_not_at_all(store: Store, study: int) -> None:
    complete(store, study, {"accuracy": 0.5}, {"accuracy": 0.9})
    revisions, before = Revisions(store, study), store.trials(study)
    with suppress(KeyError), store.transaction():
        revisions.add(replace(study_record(), fingerprint="beef"), "less", [out(1)])
        raise KeyError
    assert store.trials(study) == before
    assert [revision.number for revision in Revisions(store, study).records()] == [0]
    assert store.study("digits").fingerprint == "f00d"
    with pytest.raises(StoreError, match="a study's config must be JSON"):
        revisions.add(replace(study_record(), config={"a": object()}), "no JSON", [])
    assert Revisions(store, study).is_current()


def test_another_process_learns_of_it(store: Store, study: int, url: str) -> None:
    with Store(url) as other:
        known = Revisions(other, study)
        known.check()
        Revisions(store, study).add(study_record(), "op gains 'skip'", [])
        assert not known.is_current()
        with pytest.raises(
            StudyRevisedError,
            match=r"study 'digits' goes on under other terms since .* \(revision 1: op gains 'skip'\), and "
            "this process knows those of revision 0: start it again",
        ):
            known.check()
        Revisions(other, study).check()


def ops(*names: str) -> SearchSpace:
    return SearchSpace(pg.List([pg.oneof(list(names)) for _ in range(3)]))


def score(architecture: Architecture) -> float:
    return float(sum(ord(letter) for letter in architecture.value))


def test_a_study_grows_shrinks_and_grows_again(url: str, tmp_path: Path) -> None:
    def resumed(space: SearchSpace, strategy: type[RandomSearch | RegularizedEvolution]) -> Study:
        return Study(
            space,
            strategy(),
            score,
            {"value": "maximize"},
            store=url,
            resume=True,
            changes="record",
            artifacts=False,
        )

    first = resumed(ops("a", "b"), RandomSearch).run(trials=8)
    assert first.best.values == (3 * 98.0,)
    first.store.close()
    grown = resumed(ops("a", "b", "c"), RandomSearch).run(trials=27)
    assert grown.n_evaluations == 27
    assert len({trial.key for trial in grown.trials}) == 27
    assert grown.best.values == (3 * 99.0,)
    grown.store.close()
    shrunk = resumed(ops("a", "b"), RandomSearch)
    assert shrunk.best.values == (3 * 98.0,)
    assert sum(trial.excluded == "outside" for trial in shrunk.trials) == 19
    assert shrunk.run(trials=20).stop_reason == "all 8 architectures have been tried"
    shrunk.store.close()
    again = resumed(ops("b", "a", "c"), RegularizedEvolution)
    assert again.best.values == (3 * 99.0,)
    assert all(not trial.excluded for trial in again.trials)
    details = [revision.detail for revision in Revisions(again.store, again.id).records()]
    assert len(details) == 4
    assert "[0] gains 'c', [1] gains 'c', [2] gains 'c'" in details[1]
    assert details[2].endswith("; 19 trials: fall outside the space")
    assert "strategy was 'RandomSearch', now 'RegularizedEvolution'" in details[3]
    again.store.close()
    sound(url)

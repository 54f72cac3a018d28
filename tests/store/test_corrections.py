# SPDX-License-Identifier: Apache-2.0
"""What is corrected stays corrected: fronts, counts and repeats follow, in every process."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import pytest

from archloom.contracts import State
from archloom.errors import StoreError
from archloom.store import Outcome, Proposal, Store
from archloom.store.corrections import Corrections, n_corrections
from archloom.store.front import dominates
from archloom.store.integrity import check
from archloom.testing.stores import complete, proposals, study_record


def _end(store: Store, study: int, outcome: Outcome, key: str = "k") -> int:
    """Propose, claim and end one trial; return its number."""
    store.propose(study, 0, [Proposal(key, "conv 3x3", {"op": "conv", "lr": 0.1})])
    trial = store.claim(study)
    assert trial is not None
    return store.finish(study, trial.number, outcome).number


def _scored(**metrics: float) -> Outcome:
    return Outcome(State.COMPLETE, metrics)


def _served(store: Store, study: int, first: int, key: str = "k") -> int:
    """End a trial that is served the result of another."""
    found = store.trial(study, first)
    return _end(
        store, study, Outcome(found.state, found.metrics, found.violation, reused_from=first), key=key
    )


def _front(store: Store, study: int) -> list[int]:
    return [trial.number for trial in store.pareto(study)]


# Tags


def test_tags_come_and_go_and_are_found(store: Store, study: int) -> None:
    complete(store, study, *({"accuracy": i / 10} for i in range(4)))
    store.propose(study, 1, proposals(1))
    corrections = Corrections(store, study, "ada@lab")
    assert corrections.tag([3, 1, 4, 1], "good one") == [1, 3, 4]
    assert corrections.tag([0, 1], "good one") == [0]
    assert [t.number for t in store.trials(study, where="tag = 'good one'")] == [0, 1, 3, 4]
    assert corrections.untag([1, 2], "good one") == [1]
    assert [t.number for t in store.trials(study, where="tag = 'good one'")] == [0, 3, 4]
    assert [(e.kind, e.number) for e in store.events(study)] == [
        *(("tag", number) for number in (1, 3, 4, 0)),
        ("untag", 1),
    ]
    assert json.loads(store.events(study, "untag")[0].detail) == {"by": "ada@lab", "tag": "good one"}
    assert n_corrections(store, study) == 0  # nothing is to be learnt anew


@pytest.mark.parametrize("tag", ["", "  ", "two\nlines", "nul\0", "half \ud800"])
def test_what_is_no_tag_is_refused(store: Store, study: int, tag: str) -> None:
    complete(store, study, {"accuracy": 0.5})
    with pytest.raises(StoreError, match="a tag is a word"):
        Corrections(store, study).tag([0], tag)
    assert store.events(study) == []


# Invalidate and restore


def test_the_best_that_was_wrong_makes_room_for_the_next(store: Store, study: int) -> None:
    complete(store, study, {"accuracy": 0.5}, {"accuracy": 0.9}, {"accuracy": 0.7}, {"accuracy": 0.7})
    corrections = Corrections(store, study, "ada@lab")
    found = corrections.invalidate([1], "trained on the test set")
    assert (found.numbers, found.repeats, found.new) == ([1], [], {})
    assert _front(store, study) == [2, 3]
    assert store.best(study)[0].number == 2
    assert (store.trial(study, 1).excluded, store.trial(study, 1).metrics) == ("invalid", {"accuracy": 0.9})
    assert store.n_evaluated(study) == 3
    (event,) = store.events(study)
    assert (event.kind, event.number) == ("invalidate", 1)
    assert json.loads(event.detail) == {"by": "ada@lab", "reason": "trained on the test set"}
    assert corrections.invalidate([1], "again").numbers == []  # it is done: nothing changes
    assert len(store.events(study)) == 1
    assert corrections.restore([1]).numbers == [1]
    assert _front(store, study) == [1]
    assert store.trial(study, 1).excluded == ""
    assert corrections.restore([1, 2]).numbers == []
    assert n_corrections(store, study) == 2


def test_what_a_wrong_trial_dominated_comes_back(store: Store) -> None:
    study = store.create_study(study_record("two", ("accuracy", "max"), ("params", "min")))
    points = [(0.5, 5), (0.9, 1), (0.6, 9), (0.4, 9)]
    for accuracy, params in points:
        _end(store, study, _scored(accuracy=accuracy, params=params))
    assert _front(store, study) == [1]
    Corrections(store, study).invalidate([1], "a broken sensor")
    assert _front(store, study) == [0, 2]
    Corrections(store, study).restore([1])
    assert _front(store, study) == [1]


def test_repeats_go_with_what_they_were_served(store: Store, study: int) -> None:
    first = _end(store, study, _scored(accuracy=0.9))
    repeat = _served(store, study, first)
    other = _end(store, study, _scored(accuracy=0.1), key="other")
    assert store.finished_with_key(study, "k")
    corrections = Corrections(store, study)
    with pytest.raises(StoreError, match=r"trial 1 was served the result of trial 0: invalidate that one"):
        corrections.invalidate([repeat, other], "wrong")
    assert [t.excluded for t in store.trials(study)] == ["", "", ""]
    found = corrections.invalidate([first], "wrong")
    assert (found.numbers, found.repeats) == ([first], [repeat])
    assert json.loads(store.events(study)[-1].detail)["with"] == first
    assert store.best(study)[0].number == other
    assert store.finished_with_key(study, "k") == []  # no repeat is served it any more
    assert store.n_evaluated(study) == 1
    found = corrections.restore([first, repeat])
    assert (found.numbers, found.repeats) == ([first, repeat], [])
    assert store.best(study)[0].number == first


def test_a_repeat_that_ends_after_the_correction_counts_no_more_than_its_first(
    store: Store, study: int
) -> None:
    first = _end(store, study, _scored(accuracy=0.9))
    outcome = Outcome(State.COMPLETE, {"accuracy": 0.9}, reused_from=first)  # decided before the correction
    with Store(store.url) as elsewhere:
        Corrections(elsewhere, study).invalidate([first], "wrong")
    repeat = _end(store, study, outcome)
    assert store.trial(study, repeat).excluded == "invalid"
    assert store.best(study) == []
    event = store.events(study)[-1]
    assert (event.kind, event.number, event.detail) == ("invalidate", repeat, '{"with": 0}')
    assert Corrections(store, study).restore([first]).repeats == [repeat]
    assert len(store.best(study, 5)) == 2


@pytest.mark.parametrize("kind", ["invalidate", "reevaluate"])
def test_only_what_has_ended_can_be_wrong(store: Store, study: int, kind: str) -> None:
    complete(store, study, {"accuracy": 0.5})
    store.start(study, 1, proposals(2), 1)
    correct = getattr(Corrections(store, study), kind)
    with pytest.raises(StoreError, match=rf"result to {kind}; trial 1 is RUNNING"):
        correct([0, 1], "wrong")
    with pytest.raises(StoreError, match="trial 2 is WAITING"):
        correct([2], "wrong")
    with pytest.raises(StoreError, match="no trial 9; it has trials 0 to 2"):
        correct([0, 9], "wrong")
    with pytest.raises(StoreError, match="a reason in words; got ' '"):
        correct([0], " ")
    with pytest.raises(StoreError, match="no trial is named"):
        correct([], "wrong")
    assert [t.excluded for t in store.trials(study)] == ["", "", ""]
    assert store.n_trials(study) == 3
    assert store.events(study) == []


def test_failures_can_be_taken_back(store: Store, study: int) -> None:
    number = _end(store, study, Outcome(State.FAIL, {}, reason="out of memory"))
    found = Corrections(store, study).reevaluate([number], "a larger machine")
    assert found.new == {0: 1}
    assert store.n_evaluated(study) == 0


# Reevaluate


def test_reevaluated_is_the_same_architecture_under_a_new_number(store: Store, study: int) -> None:
    store.propose(study, 3, [Proposal("key", "conv 3x3", {"op": "conv", "lr": 1 / 3}, fidelity="epochs=1")])
    assert store.claim(study)
    old = store.finish(study, 0, _scored(accuracy=0.9))
    repeat = _served(store, study, 0)
    corrections = Corrections(store, study, "ada@lab")
    found = corrections.reevaluate([0, repeat], "a driver bug")
    assert (found.numbers, found.repeats, found.new) == ([0, 1], [], {0: 2})
    new = store.trial(study, 2)
    assert (new.state, new.ask, new.excluded) == (State.WAITING, -1, "")
    assert (new.key, new.text, new.choices, new.fidelity) == (old.key, old.text, old.choices, old.fidelity)
    assert new.seed != old.seed
    (event,) = store.events(study, "reevaluate")
    assert json.loads(event.detail) == {"by": "ada@lab", "new": 2, "reason": "a driver bug"}
    assert store.best(study) == []
    claimed = store.claim(study)
    assert claimed is not None
    store.finish(study, claimed.number, _scored(accuracy=0.3))
    assert store.best(study)[0].number == 2
    assert corrections.reevaluate([0], "once more").new == {0: 3}  # it is invalid, and is tried again


def test_withdrawn_trials_end_and_never_count(store: Store, study: int) -> None:
    complete(store, study, {"accuracy": 0.5})
    store.start(study, 1, proposals(3), 1)
    corrections = Corrections(store, study)
    with pytest.raises(StoreError, match="trial 1 is RUNNING"):
        corrections.withdraw([1, 2], "not wanted")
    assert corrections.withdraw([3, 2], "not wanted") == [2, 3]
    found = store.trial(study, 2)
    assert (found.state, found.excluded, found.reason) == (State.PRUNED, "invalid", "not wanted")
    assert (store.n_evaluated(study), store.n_finished(study)) == (1, 3)
    assert [(e.kind, e.number) for e in store.events(study)] == [("withdraw", 2), ("withdraw", 3)]


# Other processes


def test_a_front_that_another_process_remembers_lets_nothing_wrong_through(url: str) -> None:
    with Store(url) as here, Store(url) as elsewhere:
        study = here.create_study(study_record("two", ("accuracy", "max"), ("params", "min")))
        top = _end(here, study, _scored(accuracy=0.9, params=1))
        _end(here, study, _scored(accuracy=0.5, params=5))  # dominated: seen without asking the database
        Corrections(elsewhere, study).invalidate([top], "wrong")
        third = _end(here, study, _scored(accuracy=0.6, params=4))
        assert _front(here, study) == [third]
        Corrections(elsewhere, study).restore([top])
        _end(here, study, _scored(accuracy=0.7, params=3))
        assert _front(here, study) == [top]
        assert check(url) == []


def test_the_same_with_one_objective(url: str) -> None:
    with Store(url) as here, Store(url) as elsewhere:
        study = here.create_study(study_record())
        complete(here, study, {"accuracy": 0.9}, {"accuracy": 0.5})
        Corrections(elsewhere, study).invalidate([0], "wrong")
        complete(here, study, {"accuracy": 0.4}, {"accuracy": 0.6}, {"accuracy": 0.55})
        assert _front(here, study) == [3]
        assert check(url) == []


@pytest.mark.parametrize("goals", [(("accuracy", "max"),), (("accuracy", "max"), ("params", "min"))])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_front_best_and_numbers_are_those_of_what_counts(
    url: str, seed: int, goals: Sequence[tuple[str, str]]
) -> None:
    draw = random.Random(f"{seed} {len(goals)}")
    with Store(url) as one, Store(url) as two:
        study = one.create_study(study_record("digits", *goals))
        for _ in range(35):
            _do_something(draw, draw.choice([one, two]), study)
        _check_truth(one, study)
        _check_truth(two, study)
        assert check(url) == []


def _do_something(draw: random.Random, store: Store, study: int) -> None:
    """End a trial in one of several ways, or correct some that have ended."""
    ended = [trial for trial in store.trials(study) if trial.state.is_finished]
    act = draw.choice(["complete", "complete", "fail", "serve", "invalidate", "restore", "reevaluate"])
    if act == "complete" or not ended:
        metrics = {"accuracy": draw.randint(0, 4) / 4, "params": float(draw.randint(0, 4))}
        outcome = Outcome(State.COMPLETE, metrics, violation=draw.choice([0, 0, 0, 0.5]))
        _end(store, study, outcome, key=f"k{draw.randint(0, 9)}")
    elif act == "fail":
        _end(store, study, Outcome(State.FAIL, {}, reason="by chance"))
    elif act == "serve":
        first = draw.choice([trial for trial in ended if trial.reused_from is None])
        _served(store, study, first.number)
    else:
        firsts = [trial.number for trial in ended if trial.reused_from is None]
        some = draw.sample(firsts, draw.randint(1, min(3, len(firsts))))
        getattr(Corrections(store, study), act)(some, "by chance")


def _check_truth(store: Store, study: int) -> None:
    found = store.trials(study)
    goals = store.study("digits").objectives
    assert [trial.number for trial in found] == list(range(len(found)))
    ended = [trial for trial in found if trial.finish_order is not None]
    assert sorted(trial.finish_order or 0 for trial in ended) == list(range(len(ended)))
    counting = [
        trial
        for trial in found
        if trial.state == State.COMPLETE and not trial.violation and not trial.excluded
    ]
    costs = {
        trial.number: tuple(goal.sign * trial.metrics[goal.metric] for goal in goals)
        for trial in counting
        if trial.reused_from is None
    }
    front = {a for a in costs if not any(dominates(other, costs[a]) for other in costs.values())}
    assert {trial.number for trial in found if trial.is_pareto} == front
    best = store.best(study)
    assert [trial.values[0] for trial in best] == [
        max((trial.values[0] or 0.0 for trial in counting), default=None)
    ][: len(counting)]
    for trial in found:  # a repeat stands and falls with its first
        if trial.reused_from is not None:
            assert trial.excluded == found[trial.reused_from].excluded

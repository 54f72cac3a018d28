# SPDX-License-Identifier: Apache-2.0
"""A study to an Optuna storage and back; studies that Optuna made."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from archloom.contracts import Objective, State
from archloom.errors import ConfigError, StoreError
from archloom.store import Outcome, Proposal, Store, StudyRecord
from archloom.store.exchange import add_study, export_optuna, optuna_rows, read_optuna
from archloom.store.exchange.distributions import distributions_of
from tests.store.exchange.studies import CHOICES


def _export(store: Store, study: StudyRecord, url: str, **options: Any) -> None:
    trials = store.trials(study.id or 0)
    export_optuna(study, trials, store.curves(study.id or 0, study.objectives[0].metric), url, **options)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def there(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/optuna.db"


def _loaded(there: str, name: str = "rich") -> optuna.Study:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return optuna.load_study(study_name=name, storage=there)


def test_optuna_sees_the_same_study(store: Store, rich: StudyRecord, there: str) -> None:
    _export(store, rich, there)
    study = _loaded(there)
    ours = store.trials(rich.id or 0)
    assert study.metric_names == ["validation/accuracy", "params"]
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert [trial.number for trial in study.trials] == [trial.number for trial in ours]
    assert [trial.state.name for trial in study.trials] == [str(trial.state) for trial in ours]
    assert [trial.params for trial in study.trials] == [trial.choices for trial in ours]
    assert [trial.values for trial in study.trials[:3]] == [[0.8, 100.0], [0.9, 1000.0], [0.99, 500.0]]
    assert {trial.number for trial in study.best_trials} == {t.number for t in store.pareto(rich.id or 0)} | {
        4
    }
    for trial, our in zip(study.trials, ours, strict=True):
        assert trial.datetime_start == _local(our.started_at)
        assert trial.datetime_complete == _local(our.finished_at)


def _local(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone().replace(tzinfo=None)


def test_what_optuna_is_told_of_decisions(store: Store, rich: StudyRecord, there: str) -> None:
    _export(store, rich, there)
    told = _loaded(there).trials[0].distributions
    assert told["op"] == CategoricalDistribution(["conv", "pool", "skip"])
    assert told["width"] == CategoricalDistribution(["8", "16", "32"])
    assert told["lr"] == FloatDistribution(-0.0, 1.0)  # a trial lies below the space, where there is no log
    assert told["net/a,b"] == CategoricalDistribution(["-1", "two\nlines; ü"])
    trials = store.trials(rich.id or 0)
    sound = [trial for trial in trials if trial.number != 2]
    assert distributions_of(rich.space, sound)["lr"] == FloatDistribution(0.001, 1.0, log=True)


def test_what_optuna_keeps_beside_values(store: Store, rich: StudyRecord, there: str) -> None:
    _export(store, rich, there)
    trials = _loaded(there).trials
    assert trials[0].user_attrs == {"architecture": "net 0", "seed": 10, "test/accuracy": 0.7, "latency": 2}
    assert trials[1].user_attrs["fidelity"] == "epochs=3"
    assert trials[2].user_attrs["loss"] == "nan"
    assert trials[2].user_attrs["hardware/peak"] == "inf"
    assert trials[3].user_attrs["reason"] == "-inf loss\nin step 3"
    assert trials[3].user_attrs["params"] == 7
    assert trials[4].user_attrs["reused_from"] == 0
    assert trials[0].intermediate_values == {0: 0.0, 1: 0.1, 2: 0.2}
    assert math.isnan(trials[2].intermediate_values[5])
    assert trials[0].constraints["latency <= 2"] == 0
    assert trials[1].constraints["latency <= 2"] == -0.5
    assert trials[5].constraints["latency <= 2"] == 0.5
    assert trials[5].system_attrs["constraints"] == [0.5]


def test_a_study_comes_back_equal(store: Store, rich: StudyRecord, there: str) -> None:
    _export(store, rich, there)
    name, incoming = read_optuna(there)
    assert name == "rich"
    assert incoming.told == ["1 RUNNING became FAIL: nobody works on it here"]
    again = add_study(store, "again", incoming, there)
    assert (again.objectives, again.constraints, again.seed) == (rich.objectives, rich.constraints, 3)
    fields = "number state key text choices values violation seed fidelity ask is_pareto reused_from reason "
    fields += "seconds started_at finished_at finish_order excluded"
    for old, new in zip(store.trials(rich.id or 0), store.trials(again.id or 0), strict=True):
        if old.state == State.RUNNING:
            continue
        assert repr(new.metrics) == repr(old.metrics)
        for field in fields.split():
            assert getattr(new, field) == getattr(old, field), field
    curves = store.curves(again.id or 0, "validation/accuracy")
    assert repr(curves) == repr(store.curves(rich.id or 0, "validation/accuracy"))


def test_a_study_is_replaced_only_when_asked(store: Store, rich: StudyRecord, there: str) -> None:
    _export(store, rich, there)
    with pytest.raises(ConfigError, match=r"study 'rich' in that Optuna storage already.*--overwrite"):
        _export(store, rich, there)
    _export(store, rich, there, overwrite=True)
    assert optuna.get_all_study_names(there) == ["rich"]
    assert len(_loaded(there).trials) == len(CHOICES)


@pytest.fixture
def slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Optuna whose tables are not those that we know."""
    monkeypatch.setitem(optuna_rows._TABLES, "trials", {"trial_id", "something new"})


def test_both_ways_write_the_same(
    store: Store, rich: StudyRecord, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("quick", "slow")]
    _export(store, rich, urls[0])
    request.getfixturevalue("slow_way")
    tracked = []

    def track(trials: Any) -> Any:
        for trial in trials:
            tracked.append(trial.params)
            yield trial

    _export(store, rich, urls[1], track=track)
    assert tracked == CHOICES
    quick, slow = (_loaded(url) for url in urls)
    assert optuna_rows.is_as_meant(quick, slow.trials)
    assert optuna_rows.is_as_meant(slow, quick.trials)
    assert not optuna_rows.is_as_meant(quick, slow.trials[:-1])
    assert quick.user_attrs == slow.user_attrs


def test_postgresql_is_a_storage_too(store: Store, rich: StudyRecord, postgres_url: str) -> None:
    def refused(trials: Any) -> Any:
        raise AssertionError("the slow way was gone")

    _export(store, rich, postgres_url, track=refused)
    _, incoming = read_optuna(postgres_url)
    again = store.trials(add_study(store, "again", incoming, "there").id or 0)
    assert repr(again[:6]) == repr([replace(t, worker=None) for t in store.trials(rich.id or 0)[:6]])


def test_what_optuna_reads_otherwise_is_written_its_way(
    store: Store, rich: StudyRecord, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optuna_rows, "_utc", lambda local: None)
    _export(store, rich, there)
    trials = _loaded(there).trials
    assert len(trials) == 8
    assert trials[0].datetime_start == _local(store.trials(rich.id or 0)[0].started_at)


def test_nothing_is_half_exported(store: Store, rich: StudyRecord, there: str, slow_way: None) -> None:
    def interrupted(trials: Any) -> Any:
        yield from trials[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _export(store, rich, there, track=interrupted)
    assert optuna.get_all_study_names(there) == []


def test_a_refusal_of_the_database_is_one_error(
    store: Store, rich: StudyRecord, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optuna_rows, "_kind", lambda value: None)
    with pytest.raises(StoreError, match=r"the Optuna storage sqlite:.*NOT NULL"):
        _export(store, rich, there)
    assert optuna.get_all_study_names(there) == []


def test_our_own_store_is_no_optuna_storage(store: Store, rich: StudyRecord, url: str) -> None:
    with pytest.raises(ConfigError, match="is an archloom store"):
        _export(store, rich, url)
    with pytest.raises(ConfigError, match="is an archloom store"):
        read_optuna(url)


def test_feasible_here_is_feasible_there(store: Store, there: str) -> None:
    """Whatever can be computed of a constraint, Optuna finds feasible what we do."""
    study = store.create_study(StudyRecord("odd", 0, (Objective("a"),), constraints=("b <= 1", "b >= 0.5")))
    outcomes = [
        Outcome(State.COMPLETE, {"a": 3.0}, violation=2.0),
        Outcome(State.COMPLETE, {"a": 2.0, "b": 9.0}),
        Outcome(State.COMPLETE, {"a": 1.0, "b": 0.5}),
        Outcome(State.COMPLETE, {"a": 9.0, "b": math.inf}, violation=math.inf),
    ]
    store.start(study, 0, [Proposal(f"k{i}", "t", {"x": "1"}, 0) for i in range(4)], 4)
    store.finish_many(study, dict(enumerate(outcomes)))
    _export(store, store.study("odd"), there)
    found = _loaded(there, "odd")
    assert found.best_trial.number == store.best(study)[0].number == 1
    feasible = [all(v <= 0 for v in trial.constraints.values()) for trial in found.trials]
    assert feasible == [False, True, True, False]


@pytest.fixture
def foreign(there: str) -> str:
    """A study that Optuna made."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=there, study_name="foreign", direction="maximize")

    def objective(trial: optuna.Trial) -> float:
        depth = trial.suggest_int("depth", 1, 3)
        trial.suggest_categorical("op", ["conv", None, 3])
        trial.set_user_attr("params", 10 * depth)
        trial.set_user_attr("note", "words")
        trial.set_user_attr("is_good", True)
        for step in range(3):
            trial.report(step / 10, step)
        if trial.number == 1:
            raise optuna.TrialPruned
        if trial.number == 2:
            return math.nan
        trial.set_constraint("params <= 20", 10 * depth - 20)
        return trial.suggest_float("lr", 1e-3, 1.0, log=True) if trial.number else math.inf

    study.optimize(objective, n_trials=5)
    study.ask()
    study.enqueue_trial({"depth": 1})
    return there


def test_a_study_that_optuna_made(store: Store, foreign: str) -> None:
    _, incoming = read_optuna(foreign)
    assert any("is_good, note" in note for note in incoming.notes)
    record = add_study(store, "foreign", incoming, foreign)
    assert record.objectives == (Objective("value"),)
    trials = store.trials(record.id or 0)
    assert [trial.number for trial in trials] == list(range(7))
    assert trials[0].state == State.FAIL
    assert trials[0].reason == "'value' is inf"
    assert trials[1].state == State.PRUNED
    assert (trials[2].state, trials[2].values) == (State.FAIL, (None,))
    assert trials[2].reason == "it failed in Optuna, which keeps no reason"
    assert trials[3].choices["depth"] in ("1", "2", "3")
    assert trials[3].choices["op"] in ("conv", "None", "3")
    assert isinstance(trials[3].choices["lr"], float)
    depth = int(str(trials[3].choices["depth"]))
    assert trials[3].metrics == {"params": 10.0 * depth, "value": trials[3].choices["lr"]}
    assert trials[3].violation == max(0, 10 * depth - 20)
    assert trials[5].state == State.FAIL
    assert trials[6].state == State.WAITING
    assert store.curves(record.id or 0, "value")[3] == {0: 0.0, 1: 0.1, 2: 0.2}
    assert store.frame(record.id or 0)["params"].notna().sum() == 5
    theirs = _loaded(foreign, "foreign").trials[3]
    assert _local(trials[3].finished_at) == theirs.datetime_complete


def test_several_objectives_without_names(there: str) -> None:
    optuna.create_study(storage=there, study_name="two", directions=["minimize", "maximize"])
    _, incoming = read_optuna(there, "two")
    assert incoming.objectives == (Objective("value_0", "minimize"), Objective("value_1"))
    assert not incoming.trials


def test_which_study_is_meant(there: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        optuna.create_study(storage=there, study_name=name)
    with pytest.raises(ConfigError, match=r"--optuna-study: one, two"):
        read_optuna(there)
    with pytest.raises(ConfigError, match="did you mean 'one'"):
        read_optuna(there, "on")
    with pytest.raises(ConfigError, match="there is no Optuna storage"):
        read_optuna(f"sqlite:///{tmp_path}/none.db")
    (tmp_path / "text.db").write_text("not a database, but words enough to look like a file")
    with pytest.raises(StoreError, match="cannot open the Optuna storage"):
        read_optuna(f"sqlite:///{tmp_path}/text.db")
    with pytest.raises(ConfigError, match="an Optuna storage is a URL"):
        read_optuna("://")


def test_optuna_stays_as_loud_as_it_was(store: Store, rich: StudyRecord, there: str) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _export(store, rich, there)
    assert optuna.logging.get_verbosity() == optuna.logging.WARNING

"""The last mile: what was found is trained by itself, or taken out of a supernet; each a run of the study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyglove as pg
import pytest
import torch
from safetensors.torch import load_model

from archloom import Study
from archloom.contracts import Architecture, Evaluator, Metrics, SharedRun, Trial
from archloom.errors import ArchloomError, ConfigError
from archloom.evaluators import Costs, SupernetEvaluator, Training, build_network
from archloom.evaluators.networks import NetworkShape
from archloom.executors.processes import ProcessExecutor
from archloom.retraining import found_agreement, found_retrained
from archloom.search_spaces import SearchSpace
from archloom.search_spaces import blueprints as b
from archloom.strategies import RandomSearch

OPS = ["skip_connect", "nor_conv_1x1", "nor_conv_3x3"]
SUPERNET: dict[str, Any] = {"data": "digits", "epochs": 2, "optimizer": "sgd", "lr": 0.05}


def study(tmp_path: Path, evaluator: Evaluator, goal: str = "accuracy", **options: Any) -> Study:
    layers = [b.Conv(width=4), b.Norm("batch"), b.Residual(pg.oneof(OPS)), b.Pool()]
    space = SearchSpace(b.Sequence([*layers, b.Residual(pg.oneof(OPS))]))
    store = f"sqlite:///{tmp_path / 'a.db'}"
    return Study(space, RandomSearch(), evaluator, {goal: "maximize"}, store=store, resume=True, **options)


@pytest.mark.slow
def test_after_a_one_shot_run_the_ranking_is_checked(tmp_path: Path) -> None:
    heard: list[str] = []

    class Ear:
        def __call__(self, study: Study, record: Any) -> None:
            pass

        def on_run(self, study: Study, name: str, step: int, metrics: Metrics) -> None:
            heard.append(f"{name} {step}")

    done = study(tmp_path, SupernetEvaluator(**SUPERNET, n_checked=3)).run(trials=5, callbacks=[Ear()])
    found = list(found_retrained(done.store, done.id))
    assert [(one.kind, one.epochs, one.seed) for one in found] == [("retrained", 2, 0)] * 3
    assert done.best.number in {one.trial for one in found}
    assert all({"validation/accuracy", "test/accuracy", "train/loss"} <= set(one.metrics) for one in found)
    agreement = found_agreement(done.store, done.id)
    assert agreement is not None
    assert agreement.n == 3
    assert heard[:2] == ["supernet 1", "supernet 2"]
    assert {f"retrained-{done.best.number}-e2-s0 {step}" for step in (1, 2)} <= set(heard)
    n_events = len(done.store.events(done.id, "agreement"))
    done.run(trials=5)
    assert len(heard) == 8  # nothing is trained twice
    assert len(done.store.events(done.id, "agreement")) == n_events == 1


@pytest.mark.slow
def test_a_derived_network_scores_what_the_supernet_said(tmp_path: Path) -> None:
    made = study(tmp_path, SupernetEvaluator(**SUPERNET, n_checked=0, test=True)).run(trials=3)
    assert found_agreement(made.store, made.id) is None
    derived = made.retraining.derive(made.best)
    for metric in ("validation/accuracy", "test/accuracy"):
        assert derived.metrics[metric] == pytest.approx(made.best.metrics[metric], abs=1e-6)
    network = build_network(made.rebuild(made.best), NetworkShape((1, 8, 8), 10))
    assert derived.weights is not None
    load_model(network, str(derived.weights))
    digits = Training(data="digits").splits
    test: Any = digits.test
    inputs, targets = (
        torch.stack(p) for p in zip(*(map(torch.as_tensor, pair) for pair in test), strict=True)
    )
    with torch.no_grad():
        accuracy = (network.eval()(inputs).argmax(1) == targets).float().mean()
    assert float(accuracy) == pytest.approx(derived.metrics["test/accuracy"], abs=1e-6)


@pytest.mark.slow
def test_inherited_weights_are_where_training_starts(tmp_path: Path) -> None:
    made = study(tmp_path, SupernetEvaluator(**{**SUPERNET, "epochs": 6}, n_checked=0)).run(trials=3)
    fresh = made.retraining.retrain(made.best, epochs=1)
    warm = made.retraining.retrain(made.best, epochs=1, inherits=True)
    assert (fresh.kind, warm.kind) == ("retrained", "finetuned")
    assert warm.metrics["train/loss"] < fresh.metrics["train/loss"]
    again = study(tmp_path, SupernetEvaluator(**{**SUPERNET, "epochs": 6}, n_checked=0))
    assert again.retraining.retrain(made.best, epochs=1) == fresh
    other = again.retraining.retrain(
        made.best, epochs=1, seed=1
    )  # in another process, the weights are loaded
    assert other.metrics != fresh.metrics
    assert again.retraining.retrain(made.best, epochs=1, seed=1, inherits=True).metrics != warm.metrics


def test_a_trained_trial_is_retrained_and_has_nothing_to_inherit(tmp_path: Path) -> None:
    made = study(tmp_path, Training(data="digits", epochs=1)).run(trials=1)
    found = made.retraining.retrain(made.best, epochs=2)
    assert (found.epochs, set(made.store.runs.curve(1))) == (2, {1, 2})
    for call in (made.retraining.derive, lambda best: made.retraining.retrain(best, inherits=True)):
        with pytest.raises(ConfigError, match="no evaluator of this study has weights to inherit"):
            call(made.best)


class Failing(Evaluator):
    """Trains once it has failed."""

    gives = ("validation/accuracy",)
    epochs = 1

    def __init__(self, trouble: list[BaseException]):
        self.trouble = trouble

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        return {"validation/accuracy": 1.0}

    def retrain(
        self, architecture: Architecture, run: SharedRun, *, epochs: int | None = None, inherits: bool = False
    ) -> Metrics:
        if self.trouble:
            raise self.trouble.pop()
        run.report(1, {"validation/accuracy": 0.5})
        return {"validation/accuracy": 0.5}


@pytest.mark.parametrize(
    ("trouble", "raised", "state"),
    [(RuntimeError("no room"), ArchloomError, "FAIL"), (KeyboardInterrupt(), KeyboardInterrupt, "WAITING")],
)
def test_a_training_that_failed_is_begun_anew(
    tmp_path: Path, trouble: BaseException, raised: type[BaseException], state: str
) -> None:
    made = study(tmp_path, Failing([trouble])).run(trials=1)
    with pytest.raises(raised):
        made.retraining.retrain(made.best)
    assert [run.state for run in made.store.runs.records(made.id)] == [state]
    assert list(found_retrained(made.store, made.id)) == []
    assert made.retraining.retrain(made.best).metrics == {"validation/accuracy": 0.5}


def test_a_study_that_trains_nothing_says_so(tmp_path: Path) -> None:
    made = study(tmp_path, Costs(metrics=["params"], data="digits"), goal="params").run(trials=1)
    with pytest.raises(ConfigError, match="no evaluator of this study trains networks"):
        made.retraining.retrain(made.best)


@pytest.mark.slow
def test_under_other_terms_another_supernet_is_trained_beside_the_first(tmp_path: Path) -> None:
    study(tmp_path, SupernetEvaluator(**SUPERNET, n_checked=0)).run(trials=1)
    changed = study(tmp_path, SupernetEvaluator(**{**SUPERNET, "lr": 0.1}, n_checked=0), changes="record")
    changed.run(trials=3)
    runs = changed.store.runs.records(changed.id)
    assert [(run.name, run.state) for run in runs] == [("supernet", "COMPLETE"), ("supernet-2", "COMPLETE")]
    again = study(tmp_path, SupernetEvaluator(**{**SUPERNET, "lr": 0.1}, n_checked=0)).run(trials=4)
    assert len(again.store.runs.records(again.id)) == 2


@pytest.mark.slow
def test_child_processes_score_by_the_same_weights(tmp_path: Path) -> None:
    made = study(tmp_path, SupernetEvaluator(**SUPERNET, n_checked=0))
    made.run(trials=6, executor=ProcessExecutor(2))
    alone = study(tmp_path, SupernetEvaluator(**SUPERNET, n_checked=0))
    alone.retraining.train_shared()
    for trial in made.trials:
        if trial.reused_from is None:
            assert alone.evaluators[0].evaluate(alone.rebuild(trial), Trial()) == trial.metrics

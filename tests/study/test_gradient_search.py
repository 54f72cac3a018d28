# SPDX-License-Identifier: Apache-2.0
"""A search by gradients keeps what a study promises: trials, resume, failures as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest
import torch

from archloom import Study
from archloom.contracts import SharedRun, State
from archloom.errors import ArchloomError, ConfigError
from archloom.evaluators import EVALUATORS
from archloom.evaluators.relaxed import RelaxedSupernet
from archloom.executors import ProcessExecutor
from archloom.relaxation import GradientStrategy, Progress
from archloom.search_spaces import SearchSpace
from archloom.search_spaces import blueprints as b
from archloom.search_spaces.hypercuboid import hypercuboid
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies import STRATEGIES, RandomSearch
from archloom.strategies.gradient import darts, gdas, sharpdarts

EPOCHS = 3
SMALL = {"n_train": 64, "n_validation": 32, "n_test": 32}


def space() -> SearchSpace:
    return nasbench201(channels=4, n_cells=1)


def study(
    folder: Path | None = None,
    strategy: GradientStrategy | None = None,
    *,
    epochs: int = EPOCHS,
    **options: Any,
) -> Study:
    if folder is not None:
        folder.mkdir(exist_ok=True)
    told = {"data": "digits", "data_options": {"n_train": 256, "n_validation": 128}, "epochs": epochs}
    return Study(
        space(),
        strategy or darts(),
        RelaxedSupernet(**{**told, **options}),
        {"accuracy": "maximize"},
        name="g",
        store=None if folder is None else folder / "g.db",
        resume=folder is not None,
    )


def told(study: Study) -> list[tuple[Any, ...]]:
    return [(t.text, t.fidelity, t.state, dict(t.metrics)) for t in study.trials]


@pytest.mark.slow
def test_a_trial_is_an_epoch() -> None:
    done = study().run(trials=10)
    assert [trial.fidelity for trial in done.trials] == ["supernet@1", "supernet@2", "supernet@3"]
    assert {trial.state for trial in done.trials} == {State.COMPLETE}
    assert {"entropy", "skips", "train/loss", "validation/loss", "validation/relaxed_loss"} <= {
        *done.trials[0].metrics
    }
    losses = [trial.metrics["train/loss"] for trial in done.trials]
    assert losses[-1] < losses[0]
    [run] = done.store.runs.records(done.id)
    curve = done.store.runs.curve(run.id)
    assert sorted(curve) == [1, 2, 3]
    weights = {name: value for name, value in curve[3].items() if name.startswith("edge_1_0=")}
    assert len(weights) == 5
    assert sum(value or 0.0 for value in weights.values()) == pytest.approx(1)
    assert done.n_evaluations == 3
    assert done.stop_reason == "the search has had its 3 epochs"


@pytest.mark.parametrize("name", ["darts", "gdas", "pc_darts", "snas"])
@pytest.mark.slow
def test_a_search_that_is_broken_off_goes_on_as_if_it_had_not_been(name: str, tmp_path: Path) -> None:
    """Law: an interrupt anywhere in an epoch changes no trial, and no weight."""
    options = {"warmup_epochs": 1} if name == "pc_darts" else {}

    def make() -> GradientStrategy:
        made: GradientStrategy = STRATEGIES.get(name)(**options)
        return made

    whole = study(tmp_path / "whole", make())
    whole.run(trials=10)
    strategy = make()
    step, calls = strategy.step, []

    def interrupted(losses: Mapping[str, Any], progress: Progress) -> None:
        calls.append(progress)
        if (progress.epoch, progress.step) == (1, 2):
            raise KeyboardInterrupt
        step(losses, progress)

    strategy.step = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        study(tmp_path / "parts", strategy).run(trials=10)
    again = study(tmp_path / "parts", make())
    assert len(again.trials) == 1
    again.run(trials=10)
    assert told(again) == told(whole)
    files = [tmp_path / each / "g-artifacts/g/supernet/relaxed.safetensors" for each in ("whole", "parts")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("has_folder", [False, True])
@pytest.mark.slow
def test_the_same_study_goes_on_after_an_interrupt(has_folder: bool, tmp_path: Path) -> None:
    """Half an epoch has moved the weights of this very process."""
    whole = study(tmp_path / "whole")
    whole.run(trials=10)
    strategy = darts()
    step, broken = strategy.step, [(1, 2), (0, 1)]

    def interrupted(losses: Mapping[str, Any], progress: Progress) -> None:
        if broken and (progress.epoch, progress.step) == broken[-1]:
            broken.pop()
            raise KeyboardInterrupt
        step(losses, progress)

    strategy.step = interrupted  # type: ignore[method-assign]
    one = study(tmp_path / "one" if has_folder else None, strategy)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            one.run(trials=10)
    one.run(trials=10)
    assert not broken
    assert told(one) == told(whole)


@pytest.mark.slow
def test_one_that_is_killed_between_epoch_and_trial_loses_nothing(tmp_path: Path) -> None:
    whole = study(tmp_path / "whole")
    whole.run(trials=10)
    broken = study(tmp_path / "parts")
    save = RelaxedSupernet.save

    def killed(self: RelaxedSupernet, epoch: int, *args: Any) -> None:
        save(self, epoch, *args)
        if epoch == 2:
            raise KeyboardInterrupt  # the state of the epoch is kept, its trial is not written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RelaxedSupernet, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            broken.run(trials=10)
    again = study(tmp_path / "parts")
    again.run(trials=10)
    assert told(again) == told(whole)


@pytest.mark.slow
def test_an_epoch_that_fails_is_a_trial_that_fails() -> None:
    strategy = darts()
    step = strategy.step

    def broken(losses: Mapping[str, Any], progress: Progress) -> None:
        step(losses, progress)
        if progress.epoch == 1:
            with torch.no_grad():
                strategy.alphas["edge_1_0"].fill_(float("nan"))  # type: ignore[attr-defined]

    strategy.step = broken  # type: ignore[method-assign]
    done = study(strategy=strategy).run(trials=10)
    assert [trial.state for trial in done.trials] == [State.COMPLETE, State.FAIL]
    assert "what is learned of edge_1_0 is no longer finite" in done.trials[1].reason
    assert done.trials[1].text == done.trials[0].text  # the last that was good
    assert done.stop_reason == "epoch 2 failed"
    diverged = study(lr=1e12, gradient_clip=None).run(trials=10)
    assert [trial.state for trial in diverged.trials] == [State.FAIL]
    assert "diverged at epoch 1" in diverged.trials[0].reason


@pytest.mark.slow
def test_skip_connections_end_the_search_where_that_is_wanted() -> None:
    done = study(strategy=darts(most_skips=0, lr=1e-9, excluding=["none", *OTHERS])).run(trials=10)
    assert len(done.trials) == 1
    assert done.trials[0].metrics["skips"] == 6
    assert done.stop_reason == "6 skip connections are derived, more than 0"


OTHERS = ("nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


@pytest.mark.slow
def test_weights_that_are_gone_are_missed(tmp_path: Path) -> None:
    study(tmp_path).run(trials=2)
    (tmp_path / "g-artifacts/g/supernet/relaxed.safetensors").unlink()
    with pytest.raises(ArchloomError, match=r"has had 2 epochs, but its weights, kept in .* are of 0"):
        study(tmp_path).run(trials=3)


@pytest.mark.slow
def test_what_it_found_is_retrained_and_derived(tmp_path: Path) -> None:
    done = study(tmp_path).run(trials=2)  # of three: it may go on
    trial = done.trials[-1]
    with done.retraining.runs.at_work():
        alone = done.retraining.retrain(trial, epochs=1)
        inherited = done.retraining.retrain(trial, epochs=1, inherits=True)
        derived = done.retraining.derive(trial)
    assert {"validation/accuracy", "test/accuracy"} <= {*alone.metrics}
    assert inherited.metrics["train/loss"] < alone.metrics["train/loss"]
    assert derived.metrics["validation/accuracy"] == pytest.approx(trial.metrics["validation/accuracy"])
    assert [t.fidelity for t in study(tmp_path).run(trials=10).trials][-1] == "supernet@3"


@pytest.mark.parametrize("name", sorted({*EVALUATORS.names()} & {"supernet", "training"}))
def test_a_strategy_that_follows_gradients_needs_them(name: str) -> None:
    evaluator = EVALUATORS.get(name)(data="digits", epochs=1)
    with pytest.raises(ConfigError, match=r"must be one that gives gradients, 'relaxed', .*; there is none"):
        Study(space(), gdas(), evaluator, {"accuracy": "maximize"})


def test_what_does_not_go_together_is_refused() -> None:
    relaxed = RelaxedSupernet(data="digits", epochs=1)
    with pytest.raises(ConfigError, match="RandomSearch is none: take 'supernet'"):
        Study(space(), RandomSearch(), relaxed, {"accuracy": "maximize"})
    with pytest.raises(ConfigError, match="needs 'unrolled', which Poor does not give"):
        Study(space(), darts(order=2), Poor(data="digits", epochs=1), {"accuracy": "maximize"})
    with pytest.raises(ConfigError, match="one training in one process"):
        study().run(trials=1, executor=ProcessExecutor(2))
    with pytest.raises(ConfigError, match="one training in one process"):
        study().work()
    with pytest.raises(ConfigError, match="order must be 1 or 2; got 3"):
        darts(order=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("parts", [[], [pg.oneof(["conv_1x1"])]], ids=["nothing", "one candidate"])
def test_a_space_that_leaves_nothing_to_learn_is_refused(parts: list[Any]) -> None:
    on = SearchSpace(b.Sequence([b.Conv(width=4), *parts]))
    with pytest.raises(ConfigError, match="every site of this space has one candidate: there is nothing to"):
        Study(on, darts(), RelaxedSupernet(data="digits", epochs=1), {"accuracy": "maximize"})


def test_a_site_of_one_candidate_is_as_it_is() -> None:
    on = SearchSpace(b.Sequence([pg.oneof(["conv_1x1"]), pg.oneof(["conv_1x1", "conv_3x3"])]))
    relaxed = RelaxedSupernet(data="digits", epochs=1, data_options=SMALL)
    [trial] = Study(on, darts(), relaxed, {"accuracy": "maximize"}).run(trials=1).trials
    assert trial.choices["layers[0]"] == "conv_1x1"
    assert set(relaxed.supernet().relaxed_sites) == {"layers[1]"}


@pytest.mark.slow
def test_a_grid_is_searched_and_its_path_retrained() -> None:
    on = hypercuboid(widths=[4, 8], strides=[1, 2], dropouts=[0.0, 0.2], stem=4)
    relaxed = RelaxedSupernet(data="digits", epochs=2, data_options=SMALL)
    over = Study(on, sharpdarts(lr=0.1), relaxed, {"accuracy": "maximize"}, name="grid")
    trials = over.run(trials=2).trials
    assert [trial.state for trial in trials] == [State.COMPLETE] * 2
    curve = over.store.runs.curve(over.store.runs.records(over.id)[0].id)
    assert {key.split("=")[0] for key in curve[2] if "=" in key} == {"layers[0]", "layers[1]"}
    again = relaxed.retrain(on.from_choices(trials[-1].choices), SharedRun("alone", 0), epochs=1)
    assert "test/accuracy" in again


def test_a_relaxation_needs_a_validation_split() -> None:
    with pytest.raises(ConfigError, match="n_validation must be between 1 and"):
        study(data_options={"n_validation": 0})


class Poor(RelaxedSupernet):
    """Gives nothing beside."""

    provides = frozenset()

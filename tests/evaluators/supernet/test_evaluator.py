"""The supernet evaluator: training that goes on where it broke off, and scores by inherited weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest
import torch

from archloom.contracts import SharedRun, Trial
from archloom.errors import ArchloomError, ConfigError, OtherRunError, SpaceError
from archloom.evaluators.data import Splits
from archloom.evaluators.supernet import SupernetEvaluator
from archloom.evaluators.training import Training
from archloom.search_spaces import SearchSpace
from archloom.search_spaces import blueprints as b
from archloom.strategies import Reinforce

OPS = ["nor_conv_1x1", "nor_conv_3x3"]


def space(width: int = 8, **fields: Any) -> SearchSpace:
    parts = [b.Conv(width=width, **fields), b.Residual(pg.oneof(OPS)), b.Pool(), b.Residual(pg.oneof(OPS))]
    return SearchSpace(b.Sequence(parts))


def made(on: SearchSpace | None = None, **options: Any) -> SupernetEvaluator:
    told = {"data": "digits", "epochs": 4, "lr": 0.01, **options}
    evaluator = SupernetEvaluator(**told)
    evaluator.prepare(on or space())
    return evaluator


def weights(evaluator: SupernetEvaluator) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in evaluator.supernet().state_dict().items()}


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adamw"},
        {"optimizer": "sgd", "augment": ["noise"]},
        {"sampler_options": {"n_paths": 2}, "gradient_clip": 1.0},
        {"sampler": "strategy", "sampler_options": {"n_told": 5}},
    ],
    ids=["adamw", "sgd", "two paths", "a strategy's"],
)
@pytest.mark.slow
def test_training_that_is_killed_goes_on_to_the_same_weights(options: Any, tmp_path: Path) -> None:
    whole = made(**options)
    whole.train(SharedRun("supernet", 3, strategy=Reinforce()))

    def kill(epoch: int, metrics: Mapping[str, float]) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(**options).train(SharedRun("supernet", 3, folder=tmp_path, on_report=kill, strategy=Reinforce()))
    told: list[int] = []
    again = made(**options)
    note = lambda epoch, _: told.append(epoch)  # noqa: E731
    again.train(SharedRun("supernet", 3, folder=tmp_path, on_report=note, strategy=Reinforce()))
    assert told == [3, 4]
    expected = weights(whole)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(again).items())


def test_a_supernet_learns_and_its_scores_mean_something() -> None:
    on = space(16)
    losses: list[float] = []
    evaluator = made(on, epochs=15)
    evaluator.train(
        SharedRun("supernet", 0, on_report=lambda _, metrics: losses.append(metrics["train/loss"]))
    )
    assert losses[-1] < 0.5 * losses[0]
    scores = [evaluator.evaluate(on.architecture(on.at([i])), Trial()) for i in range(4)]
    assert min(score["validation/accuracy"] for score in scores) > 0.6
    assert set(scores[0]) == {"validation/loss", "validation/accuracy"} == set(evaluator.gives or ())


def test_recalibration_takes_no_validation_image() -> None:
    digits = Training(data="digits").splits

    class Alarm(torch.utils.data.Dataset[Any]):
        n_taken = 0

        def __len__(self) -> int:
            return 10

        def __getitem__(self, index: int) -> Any:
            Alarm.n_taken += 1
            return digits.validation[index]

    on = space()
    evaluator = made(on, data=Splits(digits.train, Alarm(), None, digits.input_shape, digits.n_outputs))
    evaluator.train(SharedRun("supernet", 0))
    assert Alarm.n_taken == 0
    evaluator.evaluate(on.architecture(on.at([0])), Trial())
    assert Alarm.n_taken == 10  # once, to be measured


def test_scores_are_the_same_whatever_was_scored_before() -> None:
    on = space()
    evaluator = made(on, test=True)
    evaluator.train(SharedRun("supernet", 0))
    first, other = (on.architecture(on.at([i])) for i in (0, 3))
    score = evaluator.evaluate(first, Trial(seed=1))
    evaluator.evaluate(other, Trial(seed=2))
    assert evaluator.evaluate(first, Trial(seed=3)) == score
    assert "test/accuracy" in score


def test_without_recalibration_the_shared_statistics_count() -> None:
    on = space()
    plain, measured = made(on, recalibration_batches=0), made(on)
    for evaluator in (plain, measured):
        evaluator.train(SharedRun("supernet", 0))
    before = weights(plain)
    architecture = on.architecture(on.at([1]))
    assert plain.evaluate(architecture, Trial()) != measured.evaluate(architecture, Trial())
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights(plain).items())


def test_checkpoints_of_something_else_are_refused(tmp_path: Path) -> None:
    made(epochs=1).train(SharedRun("supernet", 0, folder=tmp_path))
    with pytest.raises(ArchloomError, match=r"supernet.safetensors is of another space"):
        made(space(16), epochs=1).load(SharedRun("supernet", 0, folder=tmp_path))
    with pytest.raises(ArchloomError, match="is of another seed: '0', here it is '1'"):
        made(epochs=1).train(SharedRun("supernet", 1, folder=tmp_path))
    with pytest.raises(OtherRunError, match="is of another options"):
        made(epochs=2).load(SharedRun("supernet", 0, folder=tmp_path))
    (tmp_path / "supernet.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ArchloomError, match="cannot be read"):
        made(epochs=1).load(SharedRun("supernet", 0, folder=tmp_path))
    with pytest.raises(ArchloomError, match="its weights are not in"):
        made().load(SharedRun("supernet", 0, folder=tmp_path / "empty"))


def test_what_cannot_be_done_is_said() -> None:
    on = space()
    with pytest.raises(ArchloomError, match="has not been trained"):
        made(on).evaluate(on.architecture(on.at([0])), Trial())
    with pytest.raises(ArchloomError, match=r"call prepare"):
        SupernetEvaluator(data="digits").train(SharedRun("supernet"))
    with pytest.raises(ArchloomError, match="diverged at epoch 1"):
        made(on, optimizer="sgd", lr=1e9).train(SharedRun("supernet", 0))
    vectors = SearchSpace(
        b.Sequence([b.Flatten(), b.Linear(), b.Norm("batch"), pg.oneof([b.Identity(), b.Dropout()])])
    )
    with pytest.raises(ArchloomError, match=r"cannot learn from one sample.*batch_size of 2"):
        made(vectors, batch_size=1).train(SharedRun("supernet", 0))
    with pytest.raises(SpaceError, match="is a number of any size"):
        made(SearchSpace(b.Sequence([b.Conv(width=4), b.Dropout(pg.floatv(0.0, 0.5))])))
    for options, words in (
        ({"sampler": "unifrom"}, "uniform"),
        ({"sampler_options": {"n_path": 2}}, "n_path"),
        ({"sampler": 3}, "PathSampler"),
        ({"recalibration_batches": -1}, "recalibration_batches must be at least 0"),
        ({"epochs": 0}, "epochs must be at least 1"),
    ):
        with pytest.raises(ConfigError, match=words):
            SupernetEvaluator(data="digits", **options)

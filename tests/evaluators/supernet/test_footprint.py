"""What a supernet's training will take is said before it begins, and refused where it will not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from archloom.contracts import SharedRun
from archloom.errors import ArchloomError
from archloom.evaluators.supernet import SupernetEvaluator, footprint
from archloom.evaluators.supernet.footprint import Footprint, free_bytes
from archloom.search_spaces.mlp import mlp


def made(**options: object) -> SupernetEvaluator:
    evaluator = SupernetEvaluator(data="digits", epochs=1, **options)  # type: ignore[arg-type]
    evaluator.prepare(mlp(layers=2, widths=[16, 32], activations=["relu"]))
    return evaluator


def test_it_is_said_before() -> None:
    assert "3,466 shared weights; training takes about" in made().preview()


def test_more_samples_and_more_moments_take_more() -> None:
    small, wide = made()._measured_footprint(), made(batch_size=640)._measured_footprint()
    assert 5 * small.step < wide.step < 10 * small.step
    assert wide.weights == small.weights == 4 * small.n_weights
    assert (small.moments, made(optimizer="sgd")._measured_footprint().moments) == (
        2 * small.weights,
        small.weights,
    )


def test_a_step_is_what_its_tensors_are() -> None:
    """A batch of 64 digits, what two layers and a head remember of it, and the gradients of one path."""
    step = made()._measured_footprint().step
    inputs, widest = 64 * 64 * 4, 64 * 32 * 4
    assert inputs + 2 * widest < step < inputs + 6 * widest + 4 * 3466


def test_what_will_not_fit_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "free_bytes", lambda device: 50_000)
    with pytest.raises(ArchloomError, match=r"will not fit: .* free on cpu; .*batch_size|sgd keeps less"):
        made().train(SharedRun("supernet"))
    monkeypatch.setattr(footprint, "free_bytes", lambda device: None)  # where nobody can tell, it is tried
    made().train(SharedRun("supernet"))


@pytest.mark.parametrize(
    ("each", "advice"),
    [(Footprint(1, 10, 20, 90), "smaller batch_size"), (Footprint(1, 30, 60, 9), "sgd keeps less")],
)
def test_advice_is_by_what_takes_the_most(
    each: Footprint, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footprint, "free_bytes", lambda device: 5)
    with pytest.raises(ArchloomError, match=advice):
        each.check(torch.device("cpu"))


def test_what_is_free_is_read_off_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "meminfo"
    told.write_text("MemTotal: 100 kB\nMemAvailable: 50 kB\n")
    monkeypatch.setattr(footprint, "_MEMINFO", told)
    monkeypatch.setattr(footprint, "_CGROUP", tmp_path)
    assert free_bytes(torch.device("cpu")) == 51_200
    (tmp_path / "memory.max").write_text("max")
    (tmp_path / "memory.current").write_text("7")
    assert free_bytes(torch.device("cpu")) == 51_200
    (tmp_path / "memory.max").write_text("1007")
    assert free_bytes(torch.device("cpu")) == 1000
    assert free_bytes(torch.device("meta")) is None

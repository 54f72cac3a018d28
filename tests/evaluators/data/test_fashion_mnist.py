# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.utils.data import TensorDataset

from archloom.errors import ConfigError, DataError
from archloom.evaluators.data import load_splits


def write_idx(path: Path, array: npt.NDArray[np.uint8]) -> None:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header + array.tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for part, n in (("train", 120), ("t10k", 30)):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        images[:, 0, 0] = np.arange(n)
        write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", (np.arange(n) % 10).astype(np.uint8))
    return tmp_path


def tensors(dataset: Any) -> tuple[torch.Tensor, ...]:
    assert isinstance(dataset, TensorDataset)
    return dataset.tensors


def test_validation_is_the_last_sixth_and_the_training_part_is_normalised(folder: Path) -> None:
    splits = load_splits("fashion_mnist", {"root": str(folder)})
    train, validation, test = (tensors(part)[0] for part in (splits.train, splits.validation, splits.test))
    assert (len(train), len(validation), len(test)) == (100, 20, 30)
    assert train.shape[1:] == splits.input_shape == (1, 28, 28)
    assert float(train.mean()) == pytest.approx(0.0, abs=1e-4)
    assert float(train.std(correction=0)) == pytest.approx(1.0, abs=1e-4)
    marks = torch.cat([train, validation])[:, 0, 0, 0]
    assert len(marks.unique()) == 120
    assert torch.bincount(tensors(splits.validation)[1]).tolist() == [2] * 10
    assert splits.n_outputs == 10


def test_a_part_keeps_the_normalisation_of_the_whole(folder: Path) -> None:
    whole = load_splits("fashion_mnist", {"root": folder})
    few = load_splits("fashion_mnist", {"root": folder, "n_train": 20, "n_validation": 10, "n_test": 10})
    assert torch.equal(tensors(few.train)[0], tensors(whole.train)[0][:20])
    assert torch.bincount(tensors(few.train)[1]).tolist() == [2] * 10
    assert few.description["normalisation"] == whole.description["normalisation"]
    with pytest.raises(ConfigError, match="n_train must be between 1 and 100"):
        load_splits("fashion_mnist", {"root": folder, "n_train": 101})


def test_a_missing_folder_says_where_it_looked_and_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHLOOM_DATA", str(tmp_path))
    with pytest.raises(DataError, match=rf"looked at {tmp_path}/fashion_mnist .*zalandoresearch"):
        load_splits("fashion_mnist")
    monkeypatch.delenv("ARCHLOOM_DATA")
    with pytest.raises(DataError, match=r"looked at nowhere .*set ARCHLOOM_DATA"):
        load_splits("fashion_mnist")
    with pytest.raises(DataError, match="/not/there"):
        load_splits("fashion_mnist", {"root": "/not/there"})


def test_the_data_folder_is_used_when_no_root_is_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHLOOM_DATA", str(folder.parent))
    folder.rename(folder.parent / "fashion_mnist")
    try:
        assert load_splits("fashion_mnist").description["n_train"] == 100
    finally:
        (folder.parent / "fashion_mnist").rename(folder)


def test_malformed_files_are_named(folder: Path) -> None:
    labels = folder / "train-labels-idx1-ubyte.gz"
    write_idx(labels, np.zeros(7, dtype=np.uint8))
    with pytest.raises(DataError, match="120 images and 7 labels"):
        load_splits("fashion_mnist", {"root": folder})
    write_idx(labels, np.zeros((7, 2), dtype=np.uint8))
    with pytest.raises(DataError, match="should begin with 00000801, but begins with 00000802"):
        load_splits("fashion_mnist", {"root": folder})
    labels.write_bytes(gzip.compress(bytes((0, 0, 8, 1, 0, 0, 0, 9)) + b"123"))
    with pytest.raises(DataError, match=r"announces \[9\], 9 bytes, but holds 3"):
        load_splits("fashion_mnist", {"root": folder})
    labels.write_bytes(b"plain")
    with pytest.raises(DataError, match="no readable gzip file"):
        load_splits("fashion_mnist", {"root": folder})
    labels.unlink()
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz is missing"):
        load_splits("fashion_mnist", {"root": folder})


@pytest.mark.skipif(
    "ARCHLOOM_DATA" not in os.environ, reason="ARCHLOOM_DATA is unset: no Fashion-MNIST files"
)
@pytest.mark.slow
def test_the_real_files_have_their_known_moments() -> None:
    splits = load_splits("fashion_mnist", {"n_test": 10})
    assert splits.description["n_train"] == 50_000
    assert splits.description["n_validation"] == 10_000
    mean, deviation = (float(word) for word in splits.description["normalisation"][11:].split(") / "))
    assert mean == pytest.approx(0.2860, abs=2e-3)
    assert deviation == pytest.approx(0.3530, abs=2e-3)

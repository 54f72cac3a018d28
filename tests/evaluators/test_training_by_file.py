# SPDX-License-Identifier: Apache-2.0
"""The options of ``training`` as a study file has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from archloom.cli import main

STUDY = """\
study: by-file
space: {name: mlp, layers: 1, widths: [8, 16]}
strategy: random
evaluator:
  name: training
  data: digits
  data_options: {n_train: 100, n_validation: 50, n_test: 50}
  epochs: 1
  precision: bfloat16
  augment: [{name: crop, padding: 1}, flip]
objectives: {accuracy: maximize}
budget: {trials: 2}
store: sqlite:///by-file.db
"""

Search = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Search:
    """Run a study file; return exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCHLOOM_STORE", raising=False)

    def _search(text: str) -> tuple[int, str, str]:
        Path("study.yaml").write_text(text)
        with pytest.raises(SystemExit) as ended:
            main(["run", "study.yaml", "--format", "json"])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, " ".join(err.split())

    return _search


def test_augmentation_and_precision_are_told_in_the_file(search: Search) -> None:
    code, out, err = search(STUDY)
    assert (code, err) == (0, "")
    assert json.loads(out)["counts"]["COMPLETE"] == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("flip]", "flop]", "'flop' is not one of the augmentations; did you mean 'flip'?"),
        ("padding: 1", "padding: far", "padding of the augmentation 'crop' must be a whole number from 1"),
        ("[{name: crop, padding: 1}, flip]", "flip", "study.yaml:10: evaluator.augment: should be a list"),
        ("name: crop, padding: 1", "name: cutout, size: 9", "study.yaml:10: evaluator.augment"),
        ("bfloat16", "bfloat61", "study.yaml:9: evaluator.precision: should be 'float32', 'bfloat16' or"),
        ("augment:", "augmnet:", "evaluator.augmnet: unknown key; did you mean 'augment'?"),
    ],
)
def test_a_wrong_one_is_met_before_the_first_trial(search: Search, old: str, new: str, message: str) -> None:
    assert old in STUDY
    code, out, err = search(STUDY.replace(old, new))
    assert (code, out) == (2, "")
    assert message in err

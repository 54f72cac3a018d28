# SPDX-License-Identifier: Apache-2.0
"""``search retrain``, ``derive`` and ``export`` of a supernet's winner: the last mile by commands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Search = Callable[..., Any]

ONE_SHOT = """\
study: one
space: {name: mlp, layers: 1, widths: [4, 8, 16], activations: [relu]}
strategy: random
evaluator: {name: supernet, data: digits, epochs: 2, n_checked: 2}
objectives: {accuracy: maximize}
budget: {trials: 3}
store: sqlite:///one.db
"""

MEASURE = """\
import sys, torch
sys.path.insert(0, sys.argv[1])
from model import load
images, labels = torch.load(sys.argv[2], weights_only=True)
with torch.no_grad():
    print(float((load()(images).argmax(1) == labels).float().mean()), "archloom" in sys.modules)
"""


@pytest.fixture
def shared(search: Search) -> Search:
    """Have run a one-shot study."""
    Path("one.yaml").write_text(ONE_SHOT)
    result = search("run", "one.yaml", "-q")
    assert result.code == 0, result.err
    assert "ranking   Kendall tau" in result.out
    assert "search retrain one.yaml best --seeds 3" in result.out
    assert "search export one.yaml best one-model" in result.out
    return search


@pytest.mark.slow
def test_the_last_mile(shared: Search) -> None:
    result = shared("retrain", "one.yaml", "best", "--seeds", "2", "--epochs", "3", "--format", "json")
    assert result.code == 0, result.err
    found = json.loads(result.out)["retrained"]
    assert [(one["kind"], one["epochs"], one["seed"]) for one in found] == [
        ("retrained", 3, 0),
        ("retrained", 3, 1),
    ]
    table = shared("retrain", "one.yaml", "best", "--inherit", "--epochs", "1").out
    assert "finetuned" in table
    assert "ranking  Kendall tau" in table
    derived = json.loads(shared("derive", "one.yaml", "--format", "json").out)
    trial = derived["trial"]
    shown = shared("show", "one.yaml", str(trial)).out
    assert "weights apart from the trial's" in shown
    assert "finetuned" in shown
    assert "±" in shown
    assert len(json.loads(shared("show", "one.yaml", str(trial), "--format", "json").out)["retrained"]) >= 4
    status = shared("status", "one.yaml").out
    assert re.search(r"supernet +COMPLETE in", status)
    assert "apart" in status
    assert json.loads(shared("status", "one.yaml", "--format", "json").out)["runs"][0]["name"] == "supernet"
    for weights, told in (
        ("retrained", "from scratch, 3 epochs"),
        ("finetuned", "from inherited weights, 1 epoch, "),
        ("derived", "inherited from the supernet"),
    ):
        result = shared("export", "one.yaml", "best", weights, "--weights", weights)
        assert result.code == 0, result.err
        assert told in " ".join(result.out.split())
        card = json.loads(Path(weights, "card.json").read_text())
        assert told in card["weights"]["from"]
        assert "test/accuracy" in card["weights"]["metrics"]


@pytest.mark.slow
def test_an_exported_winner_reproduces_the_test_accuracy_without_archloom(shared: Search) -> None:
    import torch

    from archloom.evaluators import Training

    assert shared("export", "one.yaml", "0", "model", "--weights", "derived").code == 0  # it is derived first
    stored = json.loads(shared("show", "one.yaml", "0", "--format", "json").out)["retrained"]
    accuracy = next(one["metrics"]["test/accuracy"] for one in stored if one["kind"] == "derived")
    test: Any = Training(data="digits").splits.test
    images, labels = (
        torch.stack(p) for p in zip(*(map(torch.as_tensor, pair) for pair in test), strict=True)
    )
    torch.save((images, labels), "test.pt")
    done = subprocess.run(
        [sys.executable, "-I", "-c", MEASURE, "model", "test.pt"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    measured, has_archloom = done.stdout.split()
    assert float(measured) == pytest.approx(accuracy, abs=1e-6)
    assert has_archloom == "False"


@pytest.mark.slow
def test_what_cannot_be_retrained_or_exported_is_said(shared: Search) -> None:
    for words, told in (
        (("retrain", "one.yaml", "best", "--spread", "2"), "name the trials, or have --spread choose them"),
        (("retrain", "one.yaml", "99"), "no trial 99"),
        (("retrain", "one.yaml", "first"), "TRIAL must be 'best' or a trial's number"),
        (("derive", "one.yaml", "99"), "no trial 99"),
        (("export", "one.yaml", "0", "m", "--weights", "finetuned"), "--inherit' trains it"),
        (
            ("export", "one.yaml", "0", "m", "--weights", "trial"),
            "kept none; there are --weights derived, ret",
        ),
    ):
        result = shared(*words)
        assert result.code != 0, words
        assert told in " ".join(result.err.split()), result.err
    Path("one-artifacts/one/supernet/supernet.safetensors").unlink()
    result = shared("derive", "one.yaml", "0")
    assert result.code == 1
    assert "the supernet was trained, but its weights are not in" in result.err

# SPDX-License-Identifier: Apache-2.0
"""``search export``: from a study file to a model that runs by itself."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Search = Callable[..., Any]

TRAINED = """\
study: trained
space: {name: mlp, layers: 1, widths: [4, 8], activations: [relu]}
strategy: random
evaluator:
  name: training
  data: digits
  data_options: {n_train: 64, n_validation: 32, n_test: 32}
  epochs: 1
objectives: {accuracy: maximize}
budget: {trials: 2}
store: sqlite:///trained.db
"""

MODULE = """\
import pyglove as pg
from archloom.search_spaces.mlp import MLP, Dense
from archloom.search_spaces import SearchSpace

def narrow(*, width: int = 2):
    return SearchSpace(MLP(layers=[Dense(width=pg.oneof([width, 3]), activation="relu", dropout=0.0)]))
"""


@pytest.fixture
def trained(search: Search) -> Search:
    """Have run a study that trains two networks."""
    Path("trained.yaml").write_text(TRAINED)
    assert search("run", "trained.yaml", "-q").code == 0
    return search


@pytest.fixture
def mine(search: Search) -> Iterator[Search]:
    """Have run a study whose space is the user's own code."""
    Path("my_narrow.py").write_text(MODULE)
    text = TRAINED.replace("{name: mlp, layers: 1, widths: [4, 8], activations: [relu]}", "my_narrow:narrow")
    Path("trained.yaml").write_text(text)
    assert search("run", "trained.yaml", "-q").code == 0
    del sys.modules["my_narrow"]
    yield search
    sys.modules.pop("my_narrow", None)


@pytest.mark.slow
def test_the_winner_runs_without_archloom(trained: Search) -> None:
    result = trained("export", "trained.yaml", "best", "model")
    assert result.code == 0, result.err
    assert {path.name for path in Path("model").iterdir()} == {
        "model.py",
        "weights.safetensors",
        "card.md",
        "card.json",
    }
    assert "model.py" in result.out
    assert "in a fresh process without archloom" in result.out
    card = json.loads(Path("model/card.json").read_text())
    best = json.loads(trained("best", "trained.yaml", "-f", "json").out)["best"][0]
    assert card["metrics"] == best["metrics"]
    assert card["choices"] == best["choices"]
    assert card["seeds"] == {"study": 0, "trial": best["seed"]}
    assert card["data"]["n_train"] == 64
    told = Path("model/card.md").read_text()
    assert "| None |" not in told
    assert "| epochs | 1 |" in told
    lines = [line for line in told.splitlines() if line]
    under = [after for line, after in itertools.pairwise(lines) if line.startswith("## ")]
    assert under
    assert set(under) == {"| | |"}
    assert set(card["versions"]) >= {"archloom", "torch", "python"}
    code = "import sys; sys.modules['archloom'] = None; from model import load; import torch; "
    code += "print(tuple(load()(torch.zeros(2, 1, 8, 8)).shape))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd="model", capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(2, 10)"


@pytest.mark.slow
def test_the_winner_is_written_as_onnx_too(trained: Search) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra 'onnx'")
    pytest.importorskip("onnxscript", reason="needs the extra 'onnx'")
    result = trained("export", "trained.yaml", "best", "model", "--onnx")
    assert result.code == 0, result.err
    assert "model.onnx by onnxruntime: its outputs differ by at most" in result.out
    assert result.err == ""
    session = runtime.InferenceSession("model/model.onnx", providers=["CPUExecutionProvider"])
    for n in (1, 3):
        assert session.run(None, {"input": np.zeros((n, 1, 8, 8), np.float32)})[0].shape == (n, 10)
    card = json.loads(Path("model/card.json").read_text())
    assert 0 <= card["export"]["onnx_difference"] <= 1e-4
    assert 'InferenceSession("model.onnx")' in Path("model/card.md").read_text()
    assert trained("export", "trained.yaml", "best", "model", "--overwrite").code == 0
    assert not Path("model/model.onnx").exists()
    assert "onnx" not in Path("model/card.md").read_text()


def test_onnx_is_missed_before_anything_is_written(trained: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = trained("export", "trained.yaml", "best", "model", "--onnx")
    assert result.code == 1
    assert "pip install 'archloom[onnx]'" in " ".join(result.err.split())
    assert not Path("model").exists()


def test_onnx_goes_with_a_network(search: Search) -> None:
    assert search("run", "fast.yaml", "-q").code == 0
    result = search("export", "fast.yaml", "--to", "csv", "trials.csv", "--onnx")
    assert result.code == 2
    assert "--onnx goes with a trial's network" in result.err
    assert not Path("trials.csv").exists()


@pytest.mark.slow
def test_a_folder_in_use_is_kept_unless_overwritten(trained: Search) -> None:
    assert trained("export", "trained.yaml", "0", "model").code == 0
    refused = trained("export", "trained.yaml", "1", "model")
    assert (refused.code, refused.out) == (2, "")
    assert "--overwrite" in refused.err
    assert json.loads(Path("model/card.json").read_text())["trial"] == 0
    assert trained("export", "trained.yaml", "1", "model", "--overwrite").code == 0
    assert json.loads(Path("model/card.json").read_text())["trial"] == 1


@pytest.mark.slow
def test_a_store_may_be_moved_with_its_artifacts(trained: Search) -> None:
    Path("moved").mkdir()
    for name in ("trained.db", "trained-artifacts"):
        shutil.move(name, Path("moved", name))
    result = trained("export", "trained", "best", "model", "--store", "sqlite:///moved/trained.db")
    assert result.code == 0, result.err


def test_missing_weights_are_named(trained: Search) -> None:
    shutil.rmtree("trained-artifacts")
    result = trained("export", "trained.yaml", "0", "model")
    assert result.code == 1
    assert "the weights of trial 0 of study 'trained' are missing: looked for" in result.err
    assert not Path("model").exists()


def test_wrong_weights_are_named(trained: Search) -> None:
    weights = next(Path("trained-artifacts").rglob("0/weights.safetensors"))
    weights.write_bytes(b"nothing")
    result = trained("export", "trained.yaml", "0", "model")
    assert result.code == 1
    assert "does not fit the network of trial 0" in result.err


def test_an_evaluator_without_weights_is_told(search: Search) -> None:
    assert search("run", "fast.yaml", "-q").code == 0
    result = search("export", "fast.yaml", "best", "model")
    assert result.code == 1
    assert "has no weights" in result.err


def test_an_evaluator_without_data_is_told(search: Search) -> None:
    scores = Path("scores.py").read_text()
    made = 'trial.artifact("weights.safetensors").write_bytes(b"")'
    Path("scores.py").write_text(scores.replace("    width =", f"    {made}\n    width ="))
    assert search("run", "fast.yaml", "-q").code == 0
    result = search("export", "fast.yaml", "best", "model")
    assert result.code == 2
    assert "no evaluator names the data its networks are trained on" in result.err


@pytest.mark.slow
def test_a_repeat_is_exported_as_the_trial_it_repeats(search: Search) -> None:
    Path("trained.yaml").write_text(TRAINED)
    strategy = "strategy={name: regularized_evolution, population_size: 2, sample_size: 2}"
    space = ("space.widths=[4, 8, 16]", "space.activations=[relu, tanh]")
    words = (*space, strategy, "budget={trials: 12, count: proposals}")
    trials = json.loads(search("run", "trained.yaml", *words, "-f", "json").out)["trials"]
    repeat = next(trial for trial in trials if trial["reused_from"] is not None)
    result = search("export", "trained.yaml", str(repeat["number"]), "model")
    assert result.code == 0, result.err
    assert json.loads(Path("model/card.json").read_text())["trial"] == repeat["reused_from"]


def test_code_that_a_database_names_needs_trust(mine: Search) -> None:
    refused = mine("export", "trained", "best", "model", "--store", "trained.db")
    assert refused.code == 2
    assert "asks to import or run my_narrow:narrow" in refused.err
    assert "--trust" in refused.err
    assert "my_narrow" not in sys.modules


@pytest.mark.slow
def test_trust_or_the_file_at_hand_lets_it_be_imported(mine: Search) -> None:
    assert mine("export", "trained", "best", "one", "--store", "trained.db", "--trust").code == 0
    assert mine("export", "trained.yaml", "best", "two").code == 0


def test_a_space_that_has_changed_is_refused(mine: Search) -> None:
    Path("my_narrow.py").write_text(MODULE.replace("[width, 3]", "[width, 5]"))
    result = mine("export", "trained.yaml", "best", "model")
    assert result.code == 1
    assert "the code or the archloom that made it has changed" in result.err


def test_a_study_made_in_python_is_exported_in_python(search: Search) -> None:
    from archloom.search_spaces.mlp import mlp
    from archloom.strategies import RandomSearch
    from archloom.study import Study

    def measured(architecture: Any, trial: Any) -> float:
        trial.artifact("weights.safetensors").write_bytes(b"")
        return float(len(architecture.choices))

    study = Study(
        mlp(), RandomSearch(), measured, {"value": "maximize"}, store="python.db", artifacts="there"
    )
    with study.store:
        study.run(1)
    result = search("export", "study", "best", "model", "--store", "python.db")
    assert result.code == 1
    assert "archloom.export.export_model" in result.err

# SPDX-License-Identifier: Apache-2.0
"""Every study file in ``examples`` runs, and explains itself line by line."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Search = Callable[..., Any]

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = (
    "budget.trials=2",
    "evaluator.1.epochs=1",
    "evaluator.1.data_options={n_train: 64, n_validation: 32, n_test: 32}",
)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_line_is_commented(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    bare = [line for line in lines if "#" not in line and not line.rstrip().endswith(":")]
    assert bare == []


@pytest.mark.slow
def test_digits(search: Search) -> None:
    result = search("run", str(EXAMPLES / "digits.yaml"), *SMALL, "-f", "json")
    assert result.code == 0, result.err
    data = json.loads(result.out)
    assert data["counts"]["COMPLETE"] == 2
    assert set(data["best"][0]["metrics"]) >= {"validation/accuracy", "test/accuracy", "params"}
    assert Path("digits-artifacts/digits-cells/0/weights.safetensors").exists()


@pytest.mark.slow
def test_tradeoff(search: Search) -> None:
    words = [word.replace("evaluator.1", "evaluator") for word in SMALL]
    result = search("run", str(EXAMPLES / "tradeoff.yaml"), *words, "budget.trials=4", "-f", "json")
    assert result.code == 0, result.err
    data = json.loads(result.out)
    assert [objective["metric"] for objective in data["objectives"]] == ["validation/accuracy", "params"]
    assert all(trial["metrics"]["params"] <= 20000 for trial in data["pareto"])


@pytest.mark.slow
def test_one_shot(search: Search) -> None:
    options = (*SMALL, "budget.trials=4", "evaluator.1.n_checked=2")
    result = search("run", str(EXAMPLES / "one_shot.yaml"), *options, "-f", "json")
    assert result.code == 0, result.err
    data = json.loads(result.out)
    assert set(data["best"][0]["metrics"]) >= {"validation/accuracy", "params"}
    assert all("test/accuracy" not in trial["metrics"] for trial in data["trials"])
    status = search("status", "digits-one-shot", "--store", "sqlite:///one_shot.db", "-f", "json")
    runs = json.loads(status.out)["runs"]
    assert runs[0]["name"] == "supernet"
    assert len([run for run in runs if run["name"].endswith("-e1-s0")]) == 2
    assert Path("one_shot-artifacts/digits-one-shot/supernet/supernet.safetensors").exists()


WITHOUT = "evaluator={name: supernet, data: digits, epochs: 1, n_checked: 0}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "lines",
    [
        ["strategy=darts"],
        ["strategy={name: pc_darts, warmup_epochs: 1}"],
        ["strategy=gdas"],
        ["strategy=regularized_evolution", WITHOUT],
        ["strategy=reinforce", WITHOUT],
        ["strategy=op_gfn", WITHOUT],
    ],
    ids=lambda lines: lines[0].partition("=")[2],
)
def test_two_lines_choose_how_a_space_is_searched(search: Search, lines: list[str]) -> None:
    small = ["budget.trials=2", "evaluator.data_options={n_train: 64, n_validation: 32, n_test: 32}"]
    result = search("run", str(EXAMPLES / "gradients.yaml"), *lines, *small, "-f", "json")
    assert result.code == 0, result.err
    data = json.loads(result.out)
    assert data["counts"]["COMPLETE"] == 2
    assert len(data["trials"][0]["choices"]) == 6


@pytest.mark.slow
@pytest.mark.parametrize(("epochs", "goes_on"), [(2, False), (3, True)])
def test_a_search_by_gradients_that_has_had_its_epochs_is_over(
    search: Search, epochs: int, goes_on: bool
) -> None:
    small = ["budget.trials=2", "evaluator.data_options={n_train: 64, n_validation: 32, n_test: 32}"]
    result = search("run", str(EXAMPLES / "gradients.yaml"), *small, f"evaluator.epochs={epochs}")
    assert result.code == 0, result.err
    assert ("--resume" in result.out) is goes_on
    assert "search retrain" in result.out


@pytest.mark.skipif(
    "ARCHLOOM_DATA" not in os.environ, reason="ARCHLOOM_DATA names no folder with nasbench201/nb201.parquet"
)
def test_nasbench201(search: Search) -> None:
    result = search("run", str(EXAMPLES / "nasbench201.yaml"), "budget.trials=40", "-f", "json")
    assert result.code == 0, result.err
    data = json.loads(result.out)
    assert data["n_proposals"] == 40
    assert set(data["best"][0]["metrics"]) == {"cifar100_valid_12", "test/cifar100_test_200"}


@pytest.mark.skipif(
    importlib.util.find_spec("nas_bench_graph") is None, reason="needs the package that brings the tables"
)
def test_nasbenchgraph(search: Search) -> None:
    result = search("run", str(EXAMPLES / "nasbenchgraph.yaml"), "budget.trials=100", "-f", "json")
    assert result.code == 0, result.err
    run = json.loads(result.out)
    assert run["n_proposals"] == 100
    assert 0.78 < run["best"][0]["metrics"]["validation/accuracy"] < 0.83


def test_nasbench201_without_its_table_says_where_it_looked(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARCHLOOM_DATA", raising=False)
    result = search("run", str(EXAMPLES / "nasbench201.yaml"))
    assert result.code == 1
    assert "nb201.parquet" in result.err
    assert "ARCHLOOM_DATA" in result.err


@pytest.mark.slow
def test_a_space_only_in_yaml(search: Search) -> None:
    words = [word.replace("evaluator.1", "evaluator") for word in SMALL]
    result = search("run", str(EXAMPLES / "yaml_space.yaml"), *words, "-f", "json")
    assert result.code == 0, result.err
    first = json.loads(result.out)["trials"][0]
    assert {"layers[0].width", "layers[1]", "training.lr"} <= set(first["choices"])
    assert {"validation/accuracy", "params"} <= set(first["metrics"])


@pytest.mark.slow
def test_a_module_and_data_of_ones_own(search: Search) -> None:
    options = ("budget.trials=3", "evaluator.epochs=1")
    result = search("run", str(EXAMPLES / "own_module.yaml"), *options, "-f", "json")
    assert result.code == 0, result.err
    trials = json.loads(result.out)["trials"]
    assert len({trial["choices"]["training.lr"] for trial in trials}) == 3
    assert all({"args.width", "args.depth"} <= set(trial["choices"]) for trial in trials)


def test_a_module_of_ones_own_takes_few_lines() -> None:
    code = [line for line in (EXAMPLES / "own_module.py").read_text().splitlines() if line.strip()]
    words = [line for line in code if '"""' not in line and not line.startswith("#")]
    yaml = (EXAMPLES / "own_module.yaml").read_text().splitlines()
    assert len(words) <= 10
    assert len([line for line in yaml if line.strip() and not line.startswith("#")]) <= 15

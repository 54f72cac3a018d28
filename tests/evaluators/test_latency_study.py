# SPDX-License-Identifier: Apache-2.0
"""A limit on latency in a study file: what breaks it is recorded and never trained."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from archloom import config
from archloom.contracts import State
from archloom.errors import ConfigError, DataError
from archloom.study import Study

EXAMPLE = Path(__file__).parents[2] / "examples/latency.yaml"
QUICK = [
    "store=sqlite:///latency.db",
    "evaluator.1.epochs=1",
    "evaluator.1.data_options={n_train: 64, n_validation: 32, n_test: 32}",
]
SMALL = """\
study: small
space: {name: mlp, layers: 1, widths: [4, 8, 16, 32], activations: [relu]}
strategy: random
evaluator:
  - {name: latency, WAY}
  - {name: function, function: "math:sqrt", metric: score}
objectives: {score: maximize}
constraints: [latency_ms <= 10]
budget: {trials: 4}
store: sqlite:///small.db
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCHLOOM_STORE", raising=False)
    return tmp_path


def run(path: Path, *overrides: str) -> Study:
    """Run a study file."""
    file = config.load(path, [*overrides])
    study = file.study()
    with file.importing():
        study.run(**file.run_options)
    return study


def check_that_the_slow_were_never_trained(study: Study, limit: float) -> None:
    slow = [trial for trial in study.trials if trial.metrics["latency_ms"] > limit]
    fast = [trial for trial in study.trials if trial.metrics["latency_ms"] <= limit]
    assert slow
    assert fast
    for trial in slow:
        assert trial.state is State.PRUNED
        assert trial.reason.endswith(f"breaks latency_ms <= {limit:g}")
        assert not [name for name in trial.metrics if name != "latency_ms"]
    assert all(trial.state is State.COMPLETE and trial.metrics["validation/accuracy"] > 0 for trial in fast)
    weights = {int(path.parent.name) for path in Path().rglob("weights.safetensors")}
    assert weights == {trial.number for trial in fast}


@pytest.mark.slow
def test_the_example_trains_no_network_that_its_table_says_is_too_slow() -> None:
    study = run(EXAMPLE, *QUICK, "budget.trials=5")
    check_that_the_slow_were_never_trained(study, 1.2)
    with sqlite3.connect("latency.db") as database:
        rows = database.execute(
            "select t.state, count(*), sum(m.name = 'latency_ms'), sum(m.name = 'accuracy') "
            "from trials t join metrics m on m.trial_id = t.id group by t.state"
        ).fetchall()
    by_state = {state: counts for state, *counts in rows}
    n_pruned = sum(trial.state is State.PRUNED for trial in study.trials)
    assert by_state["PRUNED"] == [n_pruned, n_pruned, 0]
    database.close()


@pytest.mark.slow
def test_the_same_by_a_command() -> None:
    Path("bench").write_text('#!/bin/sh\ngrep -c conv "$(dirname "$1")/architecture.json" || true\n')
    Path("bench").chmod(0o755)
    by_command = "evaluator.0={name: latency, data: digits, command: ./bench}"
    study = run(EXAMPLE, *QUICK, "budget.trials=4", by_command, "constraints=[latency_ms <= 4]")
    check_that_the_slow_were_never_trained(study, 4)
    (told,) = study.store.events(study.id, "conditions")
    assert json.loads(told.detail)["Latency"]["command"] == str(Path("bench").absolute())


@pytest.mark.slow
def test_the_example_s_program_times_a_network() -> None:
    header = EXAMPLE.read_text()
    by_command = "evaluator.0={name: latency, data: digits, command: python bench_on_device.py, timeout: 60}"
    assert by_command in header
    study = run(EXAMPLE, *QUICK, "budget.trials=1", by_command, "constraints=[latency_ms <= 0.0001]")
    (trial,) = study.trials
    assert trial.state is State.PRUNED, trial.reason
    assert 0.01 < trial.metrics["latency_ms"] < 10_000


def test_a_command_that_fails_for_one_network_fails_one_trial() -> None:
    Path("bench").write_text(
        "#!/bin/sh\n"
        'json="$(dirname "$1")/architecture.json"\n'
        """grep -q '"8"' "$json" && { echo "no board" >&2; exit 1; }\n"""
        """grep -q '"16"' "$json" && { echo words; exit 0; }\n"""
        "echo 3 ms\n"
    )
    Path("bench").chmod(0o755)
    Path("scores.py").write_text("def score(architecture):\n    return 1.0\n")
    way = "data: digits, command: ./bench"
    Path("small.yaml").write_text(SMALL.replace("WAY", way).replace("math:sqrt", "scores:score"))
    study = run(Path("small.yaml"))
    found = {str(trial.choices["layers[0].width"]): trial for trial in study.trials}
    assert {width: trial.state for width, trial in found.items()} == {
        "4": State.COMPLETE,
        "8": State.FAIL,
        "16": State.FAIL,
        "32": State.COMPLETE,
    }
    assert "ended with exit code 1; its standard error ends: no board" in found["8"].reason
    assert "got 'words'" in found["16"].reason


@pytest.mark.parametrize(
    ("way", "error", "message"),
    [
        (
            "data: digits, command: ./bnech",
            ConfigError,
            r"small.yaml:5.*: command: there is no program './bnech'",
        ),
        ("table: osp.csv", DataError, r"small.yaml:5.*'osp.csv' is missing"),
        ("table: ops.csv, command: ./bench", ConfigError, r"small.yaml:5.*got both table and command"),
        ("table: ops.csv, n_repeats: 5", ConfigError, r"small.yaml:5.*by table does not take n_repeats"),
        ("data: digits, n_repeat: 5", ConfigError, r"small.yaml:5.*did you mean 'n_repeats'"),
        ("data: digits, timeout: soon, command: ./b", ConfigError, r"small.yaml:5.*valid number"),
        ("table: ops.csv", DataError, r"ops.csv speaks of .* no row for its choice '16'"),
    ],
)
def test_what_is_wrong_is_met_at_its_line(way: str, error: type[Exception], message: str) -> None:
    Path("ops.csv").write_text("choice,latency_ms\n4,1\n8,2\n32,2\n")
    Path("small.yaml").write_text(SMALL.replace("WAY", way))
    with pytest.raises(error, match=message):
        config.load("small.yaml").study()

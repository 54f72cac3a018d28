# SPDX-License-Identifier: Apache-2.0
"""Every space under every strategy and both evaluators: the same file, three lines changed."""

from __future__ import annotations

import re
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

from archloom import config
from archloom.contracts import State
from archloom.errors import ArchloomError
from archloom.testing.quick import asked
from benchmarks.store_words import table

__all__ = ["matrix"]

FILE = """\
study: matrix
space: {space}
strategy: {strategy}
evaluator: {evaluator}
objectives: {{accuracy: maximize}}
budget: {{trials: 3}}
store: sqlite://
"""
SMALL = "data: digits, data_options: {n_train: 64, n_validation: 32, n_test: 32}, epochs: 1, batch_size: 32"
EVALUATORS = {
    "training": f"{{name: training, {SMALL}}}",
    "supernet": f"{{name: supernet, {SMALL}, recalibration_batches: 2, n_checked: 0}}",
}
STAGES = "stem: 8, stem_stride: 1, head: 16"
SPACES = {
    "cell": "{name: cell, nodes: 2, channels: 4, n_cells: 2}",
    "darts": "{name: darts, nodes: 2, channels: 4, n_cells: 3}",
    "nasnet": "{name: nasnet, blocks: 2, channels: 4, n_cells: 3, combines: [add]}",
    "nasbench201": "{name: nasbench201, channels: 4, n_cells: 1}",
    "spos": f"{{name: spos, stages: [1, 1], channels: [8, 16], first_stride: 1, {STAGES}}}",
    "mobilenet": f"{{name: mobilenet, channels: [8, 16], strides: [1, 2], depths: [1, 2], {STAGES}}}",
    "mixpath": f"{{name: mixpath, channels: [8, 16], strides: [1, 2], depth: 1, {STAGES}}}",
    "mlp": "{name: mlp, layers: 2, widths: [8, 16], activations: [relu, tanh]}",
    "sorted_mlp": "{name: sorted_mlp, width: 16, n_widths: 4}",
    "nasbenchgraph": "nasbenchgraph",
    "a tree": "{name: sequence, layers: [{name: conv, width: 4, kernel_size: {oneof: [3, 5]}}, {name: pool}, "
    "{name: residual, body: {oneof: [skip_connect, nor_conv_3x3]}}]}",
    "a tree with a float": "{name: sequence, layers: [{name: conv, width: {oneof: [4, 8]}}, "
    "{name: dropout, rate: {floatv: [0.0, 0.5]}}]}",
}
ADAPTED = ("optuna:TPESampler", "pyglove:regularized_evolution")


def matrix() -> list[str]:
    """Return the section."""
    strategies = [*asked(), *ADAPTED]
    reasons: dict[str, int] = {}
    rows = []
    for strategy in strategies:
        cells = [strategy]
        for evaluator in EVALUATORS:
            told = {space: _run(space, strategy, evaluator) for space in SPACES}
            cells.append(_cell(told, reasons))
            print(strategy, evaluator, told, file=sys.stderr, flush=True)
        rows.append(cells)
    return [
        "## Spaces, strategies, evaluators",
        "",
        f"{len(SPACES)} spaces ({', '.join(SPACES)}) under {len(strategies)} strategies and both evaluators: "
        f"{len(SPACES) * len(strategies) * len(EVALUATORS)} studies of three trials that differ in three "
        "lines of their file. A cell says how many ran, and what was refused for which of the reasons below.",
        "",
        *table(["strategy", *EVALUATORS], rows),
        "",
        *(f"{number}. {reason}" for reason, number in reasons.items()),
        "",
    ]


def _run(space: str, strategy: str, evaluator: str) -> str:
    """Run a study of three trials; return why it was refused, or nothing."""
    text = FILE.format(space=SPACES[space], strategy=strategy, evaluator=EVALUATORS[evaluator])
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "study.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            study_file = config.load(str(file))
            study = study_file.study()
            study.run(**study_file.run_options)
        except ArchloomError as error:
            return " ".join(str(error).splitlines()[0].removeprefix(str(file)).split())
        states = [trial.state for trial in study.trials]
        failed = [trial.reason for trial in study.trials if trial.state == State.FAIL]
        return f"FAILED: {failed[0]}" if failed or not states else ""


def _cell(told: Mapping[str, str], reasons: dict[str, int]) -> str:
    n_run = sum(not reason for reason in told.values())
    refused = [
        f"{space} ({reasons.setdefault(_plain(reason), len(reasons) + 1)})"
        for space, reason in told.items()
        if reason
    ]
    return f"{n_run} ran" + (f"; refused: {', '.join(refused)}" if refused else "")


def _plain(reason: str) -> str:
    """Leave out of a reason where in the file it is, and which strategy it is that cannot do floats."""
    place, _, told = reason.partition(": ")
    told = told if place.startswith(":") or not place else reason
    return re.sub(r"^strategy: strategy \w+ (.*):.*", r"the strategy \1", told)

# SPDX-License-Identifier: Apache-2.0
"""The same by the command line: `search run`, SIGKILL, `search run --resume`; and two commands at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.crash.audit import audit, sequence
from benchmarks.crash.cells import Cell
from benchmarks.crash.stage import Stage, wait_until
from benchmarks.crash.steps import Stages

__all__ = ["killed", "two_commands"]

_STUDY = """\
study: study
space: {{name: mlp, layers: 2, widths: [4, 8, 16], activations: [relu, tanh]}}
strategy: {{name: regularized_evolution, population_size: 5, sample_size: 2}}
evaluator: {{name: function, function: "scores:score", gives: [score]}}
objectives: {{score: maximize}}
budget: {{trials: 24}}
store: "{url}"
"""
_SCORES = """\
import os, time
from pathlib import Path

def score(architecture, trial):
    with open("evaluated", "a") as file:
        file.write(f"{trial.number} {architecture.key} {os.getpid()}\\n")
    time.sleep(0.05)
    return {"score": float(sum(map(len, map(str, architecture.choices.values()))))}
"""


def killed(stages: Stages) -> Cell:
    """Kill the command in the middle, and resume by the same command."""
    cell = Cell()
    with stages() as stage, stages() as whole:
        (code, said) = _finish(_search(whole))
        cell.expect(code == 0, f"the command ended with {code}: {said}")
        process = _search(stage)
        wait_until(lambda: stage.n_evaluated() > 8 or process.poll() is not None)
        process.kill()
        process.communicate()
        (code, said) = _finish(_search(stage, "--resume"))
        cell.expect(code == 0, f"the command ended with {code}: {said}")
        cell.count(audit(stage.url, stage.folder, trials=24), "by the command line")
        cell.compare(sequence(stage.url), sequence(whole.url), "by the command line")
    return cell


def two_commands(stages: Stages) -> Cell:
    """Give the command twice at the same moment."""
    cell = Cell()
    with stages() as stage:
        both = [_search(stage, "--resume", "--quiet") for _ in range(2)]
        ends = sorted(_finish(process) for process in both)
        cell.expect([code for code, _ in ends] == [0, 1], f"they ended so: {ends}")
        cell.message = f"exit code {ends[-1][0]}, “{ends[-1][1].partition(' on ')[0]} ...”"
        cell.count(audit(stage.url, stage.folder, trials=24), "two commands at once")
    return cell


def _search(stage: Stage, *words: str) -> subprocess.Popen[str]:
    (stage.folder / "study.yaml").write_text(_STUDY.format(url=stage.url), encoding="utf-8")
    (stage.folder / "scores.py").write_text(_SCORES, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-c", "from archloom.cli import main; main()", "run", "study.yaml", *words],
        cwd=stage.folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(stage.folder)])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=120)
    return process.returncode, " ".join(said.split())

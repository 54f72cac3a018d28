# SPDX-License-Identifier: Apache-2.0
"""The ``search`` command in this process, in a working folder of its own with a fast study file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from archloom.cli import main

STUDY = """\
study: fast
space:
  name: mlp
  layers: 2
  widths: [4, 8]
  activations: [relu, tanh]
strategy: random
evaluator: {name: function, function: "scores:score", gives: [score, cost, test/score]}
objectives: {score: maximize}
budget: {trials: 6}
store: sqlite:///fast.db
"""

SCORES = """\
from pathlib import Path

def score(architecture, trial):
    if Path("interrupt").exists() and trial.number == 3:
        raise KeyboardInterrupt
    if Path("fail").exists():
        raise RuntimeError("no [bold]luck[/bold] today")
    width = int(architecture.choices["layers[0].width"])
    trial.report(1, {"score": width / 2})
    return {"score": width + 0.5 * len(architecture.choices), "cost": float(width), "test/score": 0.25}
"""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


Search = Callable[..., Result]


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Search:
    """Call ``search`` with words; ``fast.yaml`` is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("ARCHLOOM_STORE", raising=False)
    monkeypatch.delitem(sys.modules, "scores", raising=False)
    Path("fast.yaml").write_text(STUDY)
    Path("scores.py").write_text(SCORES)

    def _search(*words: str) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        sys.modules.pop("scores", None)
        code = ended.value.code
        out, err = capsys.readouterr()
        return Result(code if isinstance(code, int) else 0, out, err)

    return _search

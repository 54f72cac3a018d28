# SPDX-License-Identifier: Apache-2.0
"""A small study file that is right, to be spoiled one key at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

GOOD = """\
study: small
space:
  name: mlp
  layers: 2
strategy: {name: regularized_evolution, population_size: 4, sample_size: 2}
evaluator: {name: training, data: digits, epochs: 1}
objectives: {accuracy: maximize}
budget: {trials: 3}
store: sqlite:///small.db
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write ``study.yaml`` into a fresh working folder, with words replaced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCHLOOM_STORE", raising=False)

    def _write(*replacements: tuple[str, str], text: str = GOOD) -> Path:
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        Path("study.yaml").write_text(text)
        return Path("study.yaml")

    return _write

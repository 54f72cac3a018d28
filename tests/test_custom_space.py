"""The example of a space of one's own runs, and its winners keep the constraint."""

from __future__ import annotations

from pathlib import Path

import pytest

from archloom.registry import import_path

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.slow
def test_custom_space_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    monkeypatch.chdir(tmp_path)
    study = import_path("custom_space:main")(store=f"sqlite:///{tmp_path}/custom.db", trials=4, epochs=1)
    assert study.n_evaluations == 4
    assert study.pareto
    assert all(trial.metrics["params"] <= 20_000 for trial in study.pareto)
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(study.pareto)
    import_path("custom_space:export")(study)
    assert (tmp_path / "custom-model" / "model.py").exists()

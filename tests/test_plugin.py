"""The tutorial plug-in, really built and installed, and a broken one beside it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent.parent / "examples" / "plugin"
SEARCH = str(Path(sys.executable).with_name("search"))
PROJECT = tomllib.loads((PLUGIN / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the plug-in's folder; it is installed in ``site``, and another plug-in lies in ``broken``."""
    pytest.importorskip("hatchling", reason="builds the plug-in; the dev extra brings it")
    folder = tmp_path_factory.mktemp("plugin") / "plugin"
    shutil.copytree(PLUGIN, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    run([sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", "site", "."], folder)
    broken = folder / "broken" / "shaky-2.0.dist-info"
    broken.mkdir(parents=True)
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: shaky\nVersion: 2.0\n")
    (broken / "entry_points.txt").write_text("[archloom.strategies]\nwobbly = shaky_module:Wobbly\n")
    (folder / "broken" / "shaky_module.py").write_text("raise ImportError('libwobble.so is not here')\n")
    return folder


def run(words: list[str], folder: Path, *, code: int = 0) -> str:
    """Run a command with both plug-ins on the import path; return what it said."""
    path = os.pathsep.join([str(folder / "site"), str(folder / "broken"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep), "COLUMNS": "200"}
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.mark.slow
def test_a_study_names_its_parts(folder: Path) -> None:
    """With the broken plug-in beside it: the rest goes on."""
    result = json.loads(run([SEARCH, "run", "study.yaml", "--quiet", "--format", "json"], folder))
    assert result["n_evaluations"] == 8
    by_state = {
        state: [t for t in result["trials"] if t["state"] == state] for state in ("COMPLETE", "PRUNED")
    }
    assert by_state["COMPLETE"]
    for trial in by_state["COMPLETE"]:
        assert trial["metrics"]["noise_gain"] <= 0.01
        assert "validation/accuracy" in trial["metrics"]
    for trial in by_state["PRUNED"]:  # too sensitive, and never trained
        assert set(trial["metrics"]) == {"noise_gain"}
        assert trial["metrics"]["noise_gain"] > 0.01
    operations = {choice for trial in result["trials"] for choice in trial["choices"].values()}
    assert "squeeze_excite" in operations


@pytest.mark.slow
def test_a_broken_plugin_is_named_and_wrong_options_with_it(folder: Path) -> None:
    words = ["study=other", "strategy=wobbly", "space.layers=many", "evaluator=[{name: noise_gian}]"]
    said = run([SEARCH, "run", "study.yaml", *words], folder, code=2)
    assert (
        "the plug-in 'wobbly' of shaky (entry point archloom.strategies: wobbly = shaky_module:Wobbly)"
        in said
    )
    assert "ImportError: libwobble.so is not here" in said
    assert "space.layers: should be a valid integer, got 'many'" in said
    assert "did you mean 'noise_gain'" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_problems_name_the_broken_and_no_other(folder: Path) -> None:
    code = (
        "from archloom.strategies import STRATEGIES as s; print(*s.names()); print(*s.problems());"
        "print(*[(p.name, p.distribution) for p in s.plugins()])"
    )
    names, problems, plugins = run([sys.executable, "-c", code], folder).splitlines()
    assert {"annealing", "random", "wobbly"} <= set(names.split())
    assert problems == "wobbly"
    assert plugins == "('annealing', 'archloom-example-plugin') ('wobbly', 'shaky')"


@pytest.mark.slow
def test_its_parts_keep_the_contracts(folder: Path) -> None:
    said = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], folder)
    assert " passed" in said
    assert "failed" not in said


def test_the_readme_names_what_is_registered() -> None:
    readme = (PLUGIN / "README.md").read_text(encoding="utf-8")
    registered = {name: path for group in PROJECT["entry-points"].values() for name, path in group.items()}
    assert len(registered) == 5
    for name, path in registered.items():
        module = path.partition(":")[0].replace(".", "/")
        assert f"| `{name}` |" in readme
        assert (PLUGIN / "src" / f"{module}.py").exists()
    study = (PLUGIN / "study.yaml").read_text(encoding="utf-8")
    assert all(name in study for name in registered)


def test_the_readme_s_kinds_are_those_there_are() -> None:
    readme = (PLUGIN / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`archloom\.(\w+)`", readme))
    code = "".join(
        path.read_text(encoding="utf-8") for path in (PLUGIN.parents[1] / "archloom").rglob("*.py")
    )
    there = set(re.findall(r'= Registry\(\s*"(\w+)"', code)) - {"predictors", "roots"}
    assert named - {"errors", "testing"} == there

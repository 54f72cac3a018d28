"""Every command and program in the README runs."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from archloom.search_spaces import SPACES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SEARCH = str(Path(sys.executable).with_name("search"))


def blocks(language: str) -> list[str]:
    """The README's code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


def run(words: list[str], folder: Path) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_yaml_search_and_its_commands(folder: Path) -> None:
    text, tree, evaluators = blocks("yaml")
    (folder / "digits-mlp.yaml").write_text(text, encoding="utf-8")
    commands = [[shlex.split(line, comments=True) for line in block.splitlines()] for block in blocks("sh")]
    assert [len(block) for block in commands] == [4, 1, 4, 2, 2, 1, 4]
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("plugin"))
    for block in commands:
        assert all(words[0] == "search" for words in block)
        if any(words[1] == "worker" for words in block):
            _run_together(block, folder)
            continue
        for words in block:
            assert run([SEARCH, *words[1:]], folder)
    assert (folder / "digits-mlp.csv").exists()
    assert (folder / "bench" / "nasbenchgraph-cora.png").exists()
    assert (folder / "digits-mlp-model" / "model.py").exists()
    assert (folder / "shared.svg").exists()
    assert (folder / "shared-model" / "model.onnx").exists()
    _run_with_other_evaluators(text, evaluators, folder)
    (folder / "tree.yaml").write_text(re.sub(r"(space|evaluator): .*\n", "", text) + tree, encoding="utf-8")
    small = ["study=tree", "budget.trials=1", "evaluator.epochs=1", "evaluator.data_options={n_train: 64}"]
    assert "training.lr" in run([SEARCH, "run", "tree.yaml", *small, "constraints=[]"], folder)


def _run_together(commands: list[list[str]], folder: Path) -> None:
    """Run a study and a worker side by side; a worker that came too late is sent home."""
    driver, worker = (
        subprocess.Popen([SEARCH, *words[1:]], cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        for words in commands
    )
    out, error = driver.communicate(timeout=120)
    assert driver.returncode == 0, out + error
    try:
        out, error = worker.communicate(timeout=10)
        assert worker.returncode == 0, out + error
    except subprocess.TimeoutExpired:
        worker.send_signal(signal.SIGINT)
        out, error = worker.communicate(timeout=30)
        assert worker.returncode == 130, out + error


def _run_with_other_evaluators(text: str, evaluators: str, folder: Path) -> None:
    """The README's function and table evaluators, on its own space, in place of the training."""
    (folder / "my_module.py").write_text("def score(architecture):\n    return len(architecture.text)\n")
    space = SPACES.get("mlp")(layers=1, widths=[16, 32], activations=["relu"])
    rows = [space.architecture(space.at([i])).choices for i in range(space.size)]
    names = list(rows[0])
    lines = [",".join([*names, "accuracy", "final_accuracy"])]
    lines += [",".join([*(str(row[name]) for name in names), "0.5", "0.6"]) for row in rows]
    (folder / "measured.csv").write_text("\n".join(lines))
    for metric, line in zip(("score", "accuracy"), evaluators.splitlines(), strict=True):
        file = folder / f"{metric}.yaml"
        study = text.replace("study: digits-mlp", f"study: by-{metric}").replace(
            "layers: 3, widths: [16, 32, 64]", "layers: 1, widths: [16, 32], activations: [relu]"
        )
        study = re.sub(r"evaluator: .*", line, study)
        study = re.sub(r"objectives: .*", f"objectives: {{{metric}: maximize}}", study)
        file.write_text(re.sub(r"constraints: .*", "", study))
        assert metric in run([SEARCH, "run", file.name], folder)


@pytest.mark.slow
def test_the_python_search_and_the_queries(folder: Path) -> None:
    (program,) = blocks("python")
    (folder / "perceptrons.py").write_text(program, encoding="utf-8")
    assert "test:" in run([sys.executable, "perceptrons.py"], folder)
    (script,) = blocks("sql")
    with closing(sqlite3.connect(folder / "perceptrons.db")) as database:
        for statement in script.split(";")[:-1]:
            assert database.execute(statement).fetchall()


def test_the_make_targets_exist() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([\w-]+)", "\n".join(blocks("")), flags=re.MULTILINE):
        assert f"\n{target}:" in makefile


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target

# SPDX-License-Identifier: Apache-2.0
"""Whether Optuna's dashboard shows a study of ours as it is: `python -m benchmarks.dashboard`.

A study of two objectives, a constraint, failures and curves is searched, exported, and served by
``optuna-dashboard``; what its pages are made of is fetched and compared with our store. Where Chromium
is on the PATH, pictures of the pages are written, to be looked at.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from archloom.contracts import State, Trial
from archloom.search_spaces.mlp import mlp
from archloom.store import StudyRecord, TrialRecord
from archloom.store.exchange import export_optuna
from archloom.strategies import RandomSearch
from archloom.study import Study

N_TRIALS = 60
PATIENCE_S = 60.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PAGES = {
    "studies": "dashboard",
    "study": "dashboard/studies/1",
    "analytics": "dashboard/studies/1/analytics",
    "trials": "dashboard/studies/1/trials?numbers=0,1,2",
    "failed": "dashboard/studies/1/trials?numbers={failed}",
    "table": "dashboard/studies/1/smartSelection",
}


def main() -> None:
    """Search, export, serve, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dashboard", default="optuna-dashboard", help="the program, if not on the PATH")
    parser.add_argument("--out", type=Path, default=Path("dashboard"), help="where pictures go")
    args = parser.parse_args()
    program = shutil.which(args.dashboard)
    if program is None:
        sys.exit(f"{args.dashboard} is not here: pip install optuna-dashboard, or say where with --dashboard")
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        study, trials, curves = searched(Path(folder))
        url = f"sqlite:///{folder}/optuna.db"
        began = time.monotonic()
        export_optuna(study, trials, curves, url)
        print(f"{len(trials)} trials exported in {time.monotonic() - began:.1f} s")
        with served(program, url) as address:
            differences = compared(address, study, trials, curves)
            failed = next(trial.number for trial in trials if trial.state == State.FAIL)
            pictured(address, args.out, failed)
    print("\n".join(differences) if differences else "the dashboard has every trial as we have it")
    sys.exit(bool(differences))


def searched(folder: Path) -> tuple[StudyRecord, list[TrialRecord], dict[int, dict[int, float]]]:
    """Search a small space; every ninth trial fails, and some break the constraint."""

    def measured(architecture: Any, trial: Trial) -> dict[str, float]:
        widths = [int(v) for k, v in architecture.choices.items() if k.endswith("width")]
        params = float(sum(a * b for a, b in zip([64, *widths], [*widths, 10], strict=True)))
        if trial.number % 9 == 4:
            raise RuntimeError("the loss is nan in epoch 3")
        final = 1 - math.exp(-params / 3000) / 2 - 0.02 * len(widths)
        for epoch in range(8):
            trial.report(epoch, {"accuracy": final * (1 - 0.7 ** (epoch + 1))})
        return {
            "accuracy": final,
            "params": params,
            "test/accuracy": final - 0.01,
            "latency_ms": params / 1e4,
        }

    study = Study(
        mlp(),
        RandomSearch(),
        measured,
        {"accuracy": "maximize", "params": "minimize"},
        constraints=["params <= 12000"],
        store=f"sqlite:///{folder}/store.db",
        name="digits two objectives",
    )
    with study.store:
        study.run(N_TRIALS)
        curves = study.store.curves(study.id, "accuracy")
        return study.store.study(study.name), study.trials, curves


@contextmanager
def served(program: str, url: str) -> Iterator[str]:
    """Serve a storage on a free port, and yield the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, url, "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"the dashboard ended with code {process.returncode}")
        with suppress(urllib.error.URLError, ConnectionError):
            fetched(f"{address}/api/studies")
            return
        time.sleep(0.2)
    sys.exit(f"the dashboard does not answer within {PATIENCE_S:g} s")


def fetched(address: str) -> Any:
    """Return the JSON at an address."""
    with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:  # our own server on this machine
        return json.load(answer)


def compared(
    address: str,
    study: StudyRecord,
    trials: Sequence[TrialRecord],
    curves: dict[int, dict[int, float]],
) -> list[str]:
    """Return where the dashboard's data are not ours, a line each."""
    (listed,) = fetched(f"{address}/api/studies")["study_summaries"]
    told = fetched(f"{address}/api/studies/{listed['study_id']}")
    found = [] if listed["study_name"] == study.name else [f"the study is called {listed['study_name']!r}"]
    metrics = [goal.metric for goal in study.objectives]
    if told.get("objective_names", metrics) != metrics:
        found.append(f"objectives: {told['objective_names']}")
    for row, trial in zip(told["trials"], trials, strict=True):
        found += [f"trial {trial.number}: {words}" for words in _differences(row, trial, curves)]
    with urllib.request.urlopen(f"{address}/dashboard", timeout=PATIENCE_S) as page:
        if b"<html" not in page.read():
            found.append("its page is no HTML")
    return found


def _differences(
    row: dict[str, Any], trial: TrialRecord, curves: dict[int, dict[int, float]]
) -> Iterator[str]:
    params = {param["name"]: param["param_external_value"] for param in row["params"]}
    said = {note["key"]: note["value"] for note in row["user_attrs"]}
    curve = {point["step"]: point["value"] for point in row["intermediate_values"]}
    is_feasible = all(value <= 0 for value in row["constraints"])
    pairs = {
        "number": (row["number"], trial.number),
        "state": (row["state"].upper(), str(trial.state)),
        "decisions": (params, {name: str(choice) for name, choice in trial.choices.items()}),
        "feasible": (is_feasible, trial.violation == 0),
        "curve": (curve, curves.get(trial.number, {})),
        "architecture": (said["architecture"], trial.text),
    }
    if trial.state == State.COMPLETE:
        pairs["values"] = (row["values"], list(trial.values))
        pairs["test"] = (float(said["test/accuracy"]), trial.metrics["test/accuracy"])
    for name, (theirs, ours) in pairs.items():
        if theirs != ours:
            yield f"{name} is {theirs!r}, ours {ours!r}"


def pictured(address: str, out: Path, failed: int) -> None:
    """Write a picture of each page, where there is a browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(f"no pictures: none of {', '.join(BROWSERS)} is on the PATH")
        return
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    options += ["--window-size=1400,2200", "--virtual-time-budget=15000"]
    for name, page in PAGES.items():
        file = out / f"{name}.png"
        page_address = f"{address}/{page.format(failed=failed)}"
        command = [browser, *options, f"--screenshot={file}", page_address]
        subprocess.run(command, capture_output=True, check=False, timeout=3 * PATIENCE_S)
        print(f"{file}: {page_address}" if file.exists() else f"no picture of {page_address}")


if __name__ == "__main__":
    main()

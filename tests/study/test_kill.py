"""SIGKILL in mid-search: nothing that finished is lost, and the continuation is the same search."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from archloom.contracts import State
from archloom.store import Store

PROGRAM = """
import sys, time
import pyglove as pg
from archloom import SearchSpace, Study
from archloom.strategies import RegularizedEvolution

def score(architecture):
    time.sleep(0.03)
    return float(sum(map(int, architecture.choices.values())))

space = SearchSpace(pg.List([pg.oneof(list(range(5))) for _ in range(6)]))
strategy = RegularizedEvolution(population_size=6, sample_size=3)
study = Study(space, strategy, score, {"score": "maximize"}, store=sys.argv[1], resume=True)
study.run(trials=60, batch_size=3)
"""


def rows(path: Path) -> list[tuple[object, ...]]:
    with Store(path) as store:
        study = store.study("study")
        assert study.id is not None
        trials = store.trials(study.id)
    assert {t.state for t in trials if t.number < 60} == {State.COMPLETE}
    return [(t.number, t.ask, t.text, t.seed, t.values, t.reused_from) for t in trials]


@pytest.mark.slow
def test_killed_twice_equals_never_stopped(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    def start(store: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, str(program), str(tmp_path / store)])

    assert start("whole.db").wait() == 0
    for _ in range(2):
        process = start("killed.db")
        n_before = finished(tmp_path / "killed.db")
        while finished(tmp_path / "killed.db") < n_before + 10:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert finished(tmp_path / "killed.db") >= n_before + 10
    assert start("killed.db").wait() == 0
    assert rows(tmp_path / "killed.db") == rows(tmp_path / "whole.db")


def finished(path: Path) -> int:
    """How many trials are COMPLETE, 0 while there is no study yet."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return int(database.execute("select count(*) from trials where state = 'COMPLETE'").fetchone()[0])
    except sqlite3.OperationalError:
        return 0

# SPDX-License-Identifier: Apache-2.0
"""The crash matrix in short, each fault once or a few times; `make crash-test` runs all of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FAULTS = {
    "steps of a trial": ["only process: end", "ask(5): proposals", "only process: any commit"],
    "one of two": ["of two: evaluating", "a worker: claimed", "a child of processexecutor"],
    "random moments": ["moments, one process", "moments, two processes"],
    "no room": ["disk full", "rlimit", "max_page_count"],
    "not to be written": ["read-only", "sqlite waits by itself", "while the database is locked"],
    "clocks": ["clock"],
    "damage": ["the file", "newer"],
    "rivals": ["drivers at once", "four others", "before the budget"],
    "sleepers": ["when all is done"],
    "deadly": ["kills its"],
    "strategies": ["strategies"],
}
"""Words that the names of rows hold."""


@pytest.mark.parametrize("words", FAULTS.values(), ids=FAULTS)
def test_nothing_is_lost_doubled_or_left(words: list[str]) -> None:
    quick = ["--quick", "--kills", "10", "--database", "SQLite"]
    # A process of its own: the matrix forks, which is not for a process with threads.
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.crash", *quick, "--only", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert ran.stdout.count("\n") >= len(words)


def test_the_matrix_sees_what_is_wrong(tmp_path: Path) -> None:
    from archloom.contracts import State
    from archloom.store import Outcome, Proposal, Store
    from archloom.testing.store_parts import study_record
    from benchmarks.crash.audit import audit

    url = f"sqlite:///{tmp_path}/store.db"
    with Store(url) as store:
        study = store.create_study(study_record("study"))
        store.start(study, 0, [Proposal(key, key, {"op": "a"}) for key in "aabc"], 4)
        for number in (0, 1):
            store.finish(study, number, Outcome(State.COMPLETE, {"accuracy": 0.5}))
    (tmp_path / "ended").write_text(
        "0 COMPLETE 0.5 None\n1 COMPLETE 0.7 None\n1 COMPLETE 0.5 None\n3 FAIL None None\n"
    )
    (tmp_path / "evaluated").write_text("0 a 1\n1 a 1\n2 b 1\n2 b 2\n")
    found = audit(url, tmp_path, trials=3)
    assert len(found.lost) == 2  # another value, another state
    assert len(found.doubled) == 4  # said twice, COMPLETE twice, two evaluated twice
    assert len(found.zombies) == 2
    assert any("the budget was 3" in words for words in found.unsound)


def test_one_that_slept_takes_the_result_of_its_own_trial() -> None:
    from archloom.contracts import Objective, State
    from archloom.duplicates import Repeats
    from archloom.store import Outcome, Proposal, Store, StudyRecord

    with Store() as store:
        study = store.create_study(StudyRecord("study", 0, (Objective("score"),)))
        (claimed,) = store.start(study, 0, [Proposal("k", "k", {"op": "a"})], 1)
        store.finish(study, 0, Outcome(State.COMPLETE, {"score": 1.0}))  # by another
        served = Repeats("reuse", lambda key: store.finished_with_key(study, key)).outcome(claimed, None)
        assert served == Outcome(State.COMPLETE, {"score": 1.0})

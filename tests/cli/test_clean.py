# SPDX-License-Identifier: Apache-2.0
"""``search clean``: what goes is what was shown, and nothing else ever does."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archloom.contracts import Objective, State
from archloom.store import Outcome, Proposal, Store, StudyRecord
from archloom.store.corrections import Corrections

Search = Callable[..., Any]

AT = ("--store", "fast.db")
FOLDER = Path("fast-artifacts/fast")


def _put(path: str | Path, text: str = "12345") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def _files() -> set[str]:
    return {str(path) for path in Path("fast-artifacts").rglob("*") if path.is_symlink() or path.is_file()}


@pytest.fixture
def kept(search: Search) -> Search:
    """Have a study whose trials 0 to 2 keep a file each, 0 being the best; 3 runs and 4 waits."""
    with Store("fast.db") as store:
        study = store.create_study(
            StudyRecord("fast", 0, (Objective("score"), Objective("size", "minimize")))
        )
        store.start(study, 0, [Proposal(f"k{i}", f"conv {i}", {"op": "conv"}) for i in range(5)], 4)
        for i, (score, size) in enumerate([(0.9, 9), (0.5, 5), (0.4, 6)]):
            path = FOLDER / str(i) / "weights.bin"
            _put(path)
            outcome = Outcome(
                State.COMPLETE,
                {"score": score, "size": size},
                artifacts={"weights.bin": str(path.absolute())},
            )
            store.finish(study, i, outcome)
    _put(FOLDER / "3" / "half.bin")
    return search


def _listed(result: Any) -> list[tuple[str, str]]:
    assert result.code == 0, result.err
    return [(item["kind"], item["what"]) for item in json.loads(result.out)["items"]]


def test_there_is_nothing_to_remove(kept: Search) -> None:
    before = _files()
    result = kept("clean", *AT)
    assert (result.code, result.out) == (0, "there is nothing to remove\n")
    assert _files() == before


def test_files_of_no_trial_go_and_no_others(kept: Search) -> None:
    before = _files()
    orphans = {str(FOLDER / name) for name in ("7/old.bin", "0/tmp/part.bin")}
    for path in orphans:
        _put(path)
    others = {str(FOLDER / name) for name in ("notes.txt", "007/mine", "figures/1.png")}
    for path in others:
        _put(path)
    dry = kept("clean", *AT, "--dry-run")
    assert "2 in all, 10 bytes" in dry.out
    assert "nothing was removed (--dry-run)" in dry.out
    assert _files() == before | orphans | others
    refused = kept("clean", *AT)
    assert refused.code == 2
    assert "--yes removes it" in refused.err
    assert _files() == before | orphans | others
    assert _listed(kept("clean", *AT, "--yes", "-f", "json")) == [
        ("files", str(FOLDER / "0/tmp/part.bin")),
        ("files", str(FOLDER / "7")),
    ]
    assert _files() == before | others
    assert not (FOLDER / "0/tmp").exists()


def test_files_beside_a_database_that_was_moved_are_still_named(kept: Search) -> None:
    Path("elsewhere").mkdir()
    Path("fast.db").rename("elsewhere/fast.db")
    Path("fast-artifacts").rename("elsewhere/fast-artifacts")
    result = kept("clean", "--store", "elsewhere/fast.db")
    assert (result.code, result.out) == (0, "there is nothing to remove\n")


@pytest.mark.parametrize(("keep", "stays"), [("best", {0}), ("pareto", {0, 1})])
def test_only_the_best_and_what_is_tagged_keep_their_files(kept: Search, keep: str, stays: set[int]) -> None:
    with Store("fast.db") as store:
        Corrections(store, 1).tag([2], "keep")
    assert kept("clean", "fast", "--keep", keep, "--yes", *AT).code == 0
    assert _files() == {str(FOLDER / f"{i}/weights.bin") for i in stays | {2}} | {str(FOLDER / "3/half.bin")}
    with Store("fast.db") as store:
        assert {t.number for t in store.trials(1) if t.artifacts} == stays | {2}
        events = [(event.kind, event.number) for event in store.events(1, "clean")]
    assert events == [("clean", i) for i in {0, 1} - stays]
    assert kept("storage", "check", *AT).out.count("files that are not there") == 0


def test_links_are_never_followed(kept: Search, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    _put(outside / "dear.txt")
    (FOLDER / "8").symlink_to(outside)  # no trial: the link goes, and not what it leads to
    (FOLDER / "1" / "link").symlink_to(outside)
    (FOLDER / "2" / "weights.bin").unlink()
    (FOLDER / "2").rmdir()
    (FOLDER / "2").symlink_to(outside)  # a trial's folder is elsewhere: not looked into
    assert kept("clean", *AT, "--yes").code == 0
    assert (outside / "dear.txt").read_text() == "12345"
    assert not os.path.lexists(FOLDER / "8")
    assert not os.path.lexists(FOLDER / "1" / "link")
    assert (FOLDER / "2").is_symlink()


def test_what_the_database_says_leads_nowhere(kept: Search, tmp_path: Path) -> None:
    _put(tmp_path / "outside" / "0" / "dear.txt")
    evil = ["..", ".", "../outside", str(tmp_path / "outside")]
    with Store("fast.db") as store:
        for name in evil:
            store.create_study(StudyRecord(name, 0, (Objective("score"),)))
        config = {"artifacts": str(tmp_path)}
        store.create_study(StudyRecord("outside", 0, (Objective("score"),), config=config))
    with sqlite3.connect("fast.db") as connection:
        connection.execute(
            "UPDATE artifacts SET path = ? WHERE trial_id = 2", [str(tmp_path / "outside/0/dear.txt")]
        )
        connection.execute("UPDATE artifacts SET name = '../../../outside/0/dear.txt' WHERE trial_id = 2")
    connection.close()
    before = {path for path in tmp_path.rglob("*") if path.is_file() and path.name != "fast.db"}
    result = kept("clean", "--keep", "best", "--yes", *AT)
    assert result.code == 0, result.err
    assert "files of outside were not looked for" in result.out
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert before - left == {(FOLDER / f"{i}/weights.bin").absolute() for i in (1, 2)}
    for name in (*evil, "outside"):
        assert kept("clean", name, "--delete-study", "--yes", *AT).code == 0
    assert (tmp_path / "outside/0/dear.txt").exists()
    assert (FOLDER / "0/weights.bin").exists()


def test_two_that_share_a_folder_are_left_alone(kept: Search) -> None:
    _put(FOLDER / "7/old.bin")
    with Store("fast.sqlite") as store:
        store.create_study(StudyRecord("fast", 0, (Objective("score"),)))
    assert "may be that of" in kept("clean", *AT, "--yes").out
    assert (FOLDER / "7/old.bin").exists()
    assert kept("clean", *AT, "--yes", "--artifacts", "fast-artifacts").code == 0  # said so
    assert not (FOLDER / "7").exists()
    Path("fast.sqlite").unlink()
    with Store("fast.db") as store:
        for name in ("a b", "a_b"):
            store.create_study(StudyRecord(name, 0, (Objective("score"),)))
    _put("fast-artifacts/a_b/0/x")
    assert "is that of study 'a_b' too" in kept("clean", "a b", *AT, "--yes").out
    assert Path("fast-artifacts/a_b/0/x").exists()


def test_a_trial_that_begins_while_it_is_asked_keeps_its_files(
    kept: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(FOLDER / "5/new.bin")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    def answer(*_: Any, **__: Any) -> bool:
        with Store("fast.db") as store:
            store.start(1, 1, [Proposal("k9", "conv 9", {"op": "conv"})], 1)
        return True

    monkeypatch.setattr("typer.confirm", answer)
    assert kept("clean", *AT).code == 0
    assert (FOLDER / "5/new.bin").exists()


def test_an_interrupt_leaves_nothing_half_done(kept: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(FOLDER / "7/old.bin")
    _put(FOLDER / "8/old.bin")
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if self.name == "8":
            raise KeyboardInterrupt
        return rename(self, target)

    before = _files()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", interrupted)
        assert kept("clean", *AT, "--yes").code != 0
    assert _files() == before  # what was moved is back
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        assert kept("clean", *AT, "--yes").code != 0
    assert {Path(path).parts[2][:9] for path in _files()} == {"0", "1", "2", "3", ".archloom"}
    (item,) = json.loads(kept("clean", *AT, "--yes", "-f", "json").out)["items"]
    assert item["why"] == "left by an interrupted cleaning"
    assert {Path(path).parts[2] for path in _files()} == {"0", "1", "2", "3"}


def test_waiting_trials_of_a_study_that_is_done_end(kept: Search) -> None:
    assert kept("clean", "--waiting", *AT).out == "there is nothing to remove\n"  # it is running
    with Store("fast.db") as store:
        store.set_status(1, "done")
    assert ("trials", "trial 4") in _listed(kept("clean", "--waiting", "--yes", "-f", "json", *AT))
    with Store("fast.db") as store:
        trial = store.trial(1, 4)
        assert (trial.state, trial.excluded) == (State.PRUNED, "invalid")
        assert store.n_evaluated(1) == 3


def test_workers_of_the_past_and_room_in_the_file_go(kept: Search) -> None:
    with sqlite3.connect("fast.db") as connection:
        connection.execute("UPDATE trials SET worker_id = NULL WHERE state = 'RUNNING'")
        connection.execute("UPDATE workers SET ended_at = '2020-01-01T00:00:00.000000Z'")
        connection.execute(
            "INSERT INTO events (study_id, at, kind, detail) VALUES (1, '', 'x', zeroblob(500000))"
        )
        connection.execute("DELETE FROM events")
    connection.close()
    before = Path("fast.db").stat().st_size
    assert _listed(kept("clean", "--workers", "--vacuum", "--yes", "-f", "json", *AT)) == [
        ("workers", "1 worker"),
        ("database", "sqlite:///fast.db"),
    ]
    assert Path("fast.db").stat().st_size < before - 400000
    with Store("fast.db") as store:
        assert store.workers.records(1, is_all=True) == []
        assert len(store.trials(1)) == 5


def test_a_whole_study_goes_with_its_files(kept: Search) -> None:
    with Store("fast.db") as store:
        store.create_study(StudyRecord("other", 0, (Objective("score"),)))
    _put("fast-artifacts/other/notes.txt")
    dry = kept("clean", "fast", "--delete-study", "--dry-run", *AT)
    assert "trials: 1 WAITING, 1 RUNNING, 3 COMPLETE" in dry.out
    refused = kept("clean", "fast", "--delete-study", *AT)
    assert refused.code == 2
    assert kept("clean", "fast", "--delete-study", "--yes", *AT).code == 0
    with Store("fast.db") as store:
        assert [study.name for study in store.studies()] == ["other"]
    assert _files() == {"fast-artifacts/other/notes.txt"}
    assert not FOLDER.exists()
    assert "the database is sound" in kept("storage", "check", *AT).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--delete-study",), "goes with the name of a STUDY"),
        (("fast", "--delete-study", "--waiting"), "with no other cleaning"),
        (("--keep", "bets"), "did you mean 'best'?"),
        (("fats",), "did you mean 'fast'?"),
    ],
)
def test_what_cannot_be_is_refused(kept: Search, words: tuple[str, ...], said: str) -> None:
    result = kept("clean", *words, "--yes", *AT)
    assert result.code in (1, 2)
    assert said in result.err

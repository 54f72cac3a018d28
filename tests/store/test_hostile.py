# SPDX-License-Identifier: Apache-2.0
"""A stranger's database: whatever stands in it is shown, and does nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archloom.cli import main
from archloom.cli._verbs import VERBS
from archloom.contracts import Objective, State
from archloom.errors import ArchloomError, StoreError
from archloom.store import Outcome, Proposal, Store, StudyRecord, schema
from archloom.store.integrity import check, describe
from archloom.store.readonly import select

BAD = (
    "'; DROP TABLE trials; --\r\n[red]red[/red] [link=http://evil]x[/link] :smile: "
    "\x1b[31m\x1b]0;title\x07\x1b]8;;http://evil\x07\x9b31m\x7f \u202egnp.exe\u2066 \u200b{0}%s{{7*7}} "
    "../../../../etc/passwd"
)
FORMULA = "=cmd|' /C calc'!A0"
STEERING = ("\x1b", "\x9b", "\x07", "\x7f", "\0", "\r", "\u202e", "\u2066")
NAME = f"study {BAD}"
IMPORT = "evil_module:boom"
EVIL = """
from pathlib import Path
Path("canary").write_text("imported")
def boom(*a, **k):
    Path("canary").write_text("called")
"""

# What a driver types at a terminal; {study} is the study's name.
LISTING = [
    ["status"],
    ["status", "{study}"],
    ["trials", "{study}"],
    ["best", "{study}"],
    ["pareto", "{study}"],
    ["show", "{study}", "0"],
    ["show", "{study}", "2"],
    ["compare", "{study}", "{study}"],
    ["sql", "SELECT * FROM trials"],
    ["sql", "SELECT s.name, s.reason, d.*, a.*, e.* FROM studies s, decisions d, artifacts a, events e"],
    ["sql", "SELECT * FROM best"],
    ["storage", "info"],
    ["storage", "check"],
    ["storage", "check", "{study}"],
    ["importance", "{study}"],
    ["calibration", "{study}"],
]
# What writes files, and what reads them again into a database of its own.
OUT = [
    ["export", "{study}", "--to", "csv", "all.csv"],
    ["export", "{study}", "--to", "csv", "curves.csv", "--curves"],
    ["export", "{study}", "--to", "parquet", "all.parquet"],
    ["export", "{study}", "--to", "optuna", "optuna.db"],
]
IN = [
    ["import", "all.csv", "--study", "from csv", "--maximize", "accuracy"],
    ["import", "optuna.db", "--study", "from optuna"],
    ["trials", "from csv"],
    ["show", "from csv", "2"],
    ["trials", "from optuna"],
    ["show", "from optuna", "2"],
]
DRIVER = """
import json, resource, sys, time
from archloom.cli import main
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
found = []
for words in json.load(open("calls.json")):
    started = time.monotonic()
    try:
        main(words)
    except SystemExit as error:
        code = error.code
    except BaseException as error:
        code = repr(error)
    found.append([words, code, time.monotonic() - started])
n_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
json.dump([found, "evil_module" in sys.modules, n_kib], open("ended.json", "w"))
"""


def make(path: Path) -> None:
    """A study like any other, into which hostile text is then put wherever text can stand."""
    with Store(path) as store:
        goals = (Objective("accuracy"), Objective("params", "minimize"))
        study = store.create_study(StudyRecord("s", 0, goals, ("params <= 9",), {"decisions": []}))
        store.propose(study, 0, [Proposal(f"k{i}", "op=a", {"op": "a", "lr": 0.1}, seed=i) for i in range(4)])
        for _ in range(4):
            store.claim(study)
        store.report(study, 0, 1, {"accuracy": 0.5})
        ends = {
            0: Outcome(State.COMPLETE, {"accuracy": 0.5, "params": 2.0}, artifacts={"weights": "/nowhere"}),
            1: Outcome(State.COMPLETE, {"accuracy": 0.9, "params": 3.0}),
            2: Outcome(State.FAIL, {}, reason="x", traceback="Traceback"),
            3: Outcome(State.PRUNED, {}, reason="x"),
        }
        store.finish_many(study, ends)
        store.add_event(study, "note", "x", number=0)
        store.refresh_wide(study)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for table, columns in _TEXTS.items():
            for column in columns:
                connection.execute(f"UPDATE {table} SET {column} = {column} || ?", (f"\0{FORMULA} {BAD}",))
        config = {"evaluator": {"call": IMPORT}, "call": IMPORT, "big": "x" * 5_000_000, "bad": BAD}
        template = {"call": IMPORT, "_type": "evil_module.boom", "oneof": [{"call": IMPORT}]}
        documents = (
            NAME,
            json.dumps(config),
            json.dumps({"template": template}),
            json.dumps([f"{BAD} <= 9"]),
        )
        connection.execute("UPDATE studies SET name = ?, config = ?, space = ?, constraints = ?", documents)
        connection.execute("UPDATE artifacts SET path = '../../../../../../etc/passwd' || char(27) || '[31m'")
        connection.commit()


_TEXTS = {
    "studies": ["reason", "fingerprint", "archloom_version"],
    "trials": [
        "key",
        "architecture",
        "fidelity",
        "reason",
        "traceback",
        "created_at",
        "started_at",
        "finished_at",
    ],
    "decisions": ["name", "choice"],
    "artifacts": ["name"],
    "events": ["kind", "detail", "at"],
}


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: object
    out: str
    err: str


@pytest.fixture
def search(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call ``search`` with words, in this process."""
    monkeypatch.setenv("COLUMNS", "80")

    def _search(*words: str) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        return Result(ended.value.code, *capsys.readouterr())

    return _search


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("evil_module.py").write_text(EVIL)
    make(tmp_path / "hostile.db")
    return tmp_path / "hostile.db"


def calls(form: str, store: Path) -> list[list[str]]:
    verbs = {verb.name for verb in VERBS}
    return [
        [*(word.replace("{study}", NAME) for word in words), "--store", str(store), "--format", form]
        for words in LISTING
        if words[0] in verbs
    ]


def at_a_terminal(words: list[list[str]], folder: Path) -> tuple[str, Any]:
    """Type commands at a terminal of 80 columns without colours; return what it shows and how they ended."""
    import pty

    (folder / "calls.json").write_text(json.dumps(words))
    master, slave = pty.openpty()
    environment = os.environ | {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER], cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave
    ) as process:
        os.close(slave)
        shown: list[bytes] = []
        while True:
            try:
                some = os.read(master, 1 << 16)
            except OSError:
                break
            if not some:
                break
            shown.append(some)
        process.wait(timeout=60)
    os.close(master)
    return b"".join(shown).decode("utf-8", "replace").replace("\r\n", "\n"), json.loads(
        (folder / "ended.json").read_text()
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a terminal of POSIX")
@pytest.mark.parametrize("form", ["table", "json", "csv", "yaml"])
def test_a_terminal_is_not_steered_and_nothing_is_imported(hostile: Path, form: str) -> None:
    before = hostile.stat().st_size
    shown, (ended, is_imported, n_kib) = at_a_terminal(calls(form, hostile), hostile.parent)
    assert [mark for mark in STEERING if mark in shown] == []
    assert "Traceback (most" not in shown
    assert "unexpected" not in shown
    for words, code, seconds in ended:
        # A check finds what is wrong; two finished trials are too few to say what matters.
        may_fail = words[:2] == ["storage", "check"] or words[0] == "importance"
        assert code in ((0, 1, 2) if may_fail else (0,)), words
        assert seconds < 60, words
    assert not is_imported
    assert not Path("canary").exists()
    assert n_kib < 2 << 20
    assert hostile.stat().st_size <= before + 4096
    if form == "table":
        assert "[red]red[/red]" in shown
        assert "\\x1b[31m" in shown


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a terminal of POSIX")
def test_it_is_carried_over_without_harm(hostile: Path) -> None:
    with closing(sqlite3.connect(hostile)) as connection:  # else what reads it again stops at these
        connection.create_function("whole", 1, lambda text: text.replace("\0", ""))
        connection.execute("UPDATE decisions SET name = whole(name), choice = whole(choice)")
        connection.execute("UPDATE trials SET fidelity = NULL, key = 'k' || number, reason = ?", (FORMULA,))
        connection.execute("UPDATE studies SET constraints = '[]'")
        connection.commit()
    words = [[*(word.replace("{study}", NAME) for word in line), "--store", hostile.name] for line in OUT]
    words += [[*line, "--store", "fresh.db"] for line in IN]
    shown, (ended, is_imported, _) = at_a_terminal(words, hostile.parent)
    assert [mark for mark in STEERING if mark in shown] == []
    assert [code for _, code, _ in ended if code] == [], shown
    assert not is_imported
    assert not Path("canary").exists()
    assert f"'{FORMULA}" in Path("all.csv").read_text(encoding="utf-8")
    with Store("fresh.db") as store:
        assert [len(store.trials(study.id or 0)) for study in store.studies()] == [4, 4]


@pytest.mark.parametrize("form", ["json"])
def test_what_programs_get_is_whole(hostile: Path, form: str, search: Callable[..., Any]) -> None:
    done = search("trials", NAME, "--store", str(hostile), "--format", form)
    trials = json.loads(done.out)["trials"]
    assert len(trials) == 4
    assert trials[0]["architecture"] == f"op=a\0{FORMULA} {BAD}"


def test_it_reads_back_as_it_stands(hostile: Path) -> None:
    with Store(hostile) as store:
        study = store.study(NAME)
        assert study.config["big"] == "x" * 5_000_000
        assert study.id is not None
        assert BAD in store.trial(study.id, 0).text
        with pytest.raises(StoreError):  # no view can name a decision with a NUL in it
            store.refresh_wide(study.id)
        assert len(store.frame(study.id)) == 4


class TestPartsThatAct:
    """Tables and views that run what their author wrote."""

    def test_triggers_and_virtual_tables_are_told(self, hostile: Path) -> None:
        with closing(sqlite3.connect(hostile)) as connection:
            connection.execute("CREATE TRIGGER boom AFTER INSERT ON trials BEGIN DELETE FROM studies; END")
            connection.execute("DROP TABLE tags")
            connection.execute("CREATE VIRTUAL TABLE tags USING fts5(trial_id, tag)")
            connection.commit()
        lines = [finding.text for finding in check(hostile) if finding.law == "tables"]
        assert "a trigger that archloom did not make, 'boom', acts on trials" in lines
        assert "tags is a virtual table, not one of archloom's" in lines

    def test_a_column_that_is_computed_is_told(self, hostile: Path) -> None:
        with closing(sqlite3.connect(hostile)) as connection:
            connection.execute("ALTER TABLE trials ADD COLUMN boom TEXT AS (hex(zeroblob(1000))) VIRTUAL")
            connection.commit()
        assert any("boom of trials is computed" in finding.text for finding in check(hostile))

    def test_a_view_in_the_place_of_a_table_is_told(self, hostile: Path) -> None:
        endless = (
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n AS trial_id FROM r"
        )
        with closing(sqlite3.connect(hostile)) as connection:
            connection.execute("DROP TABLE tags")
            connection.execute(f"CREATE VIEW tags AS {endless}")
            connection.commit()
        lines = [finding.text for finding in check(hostile) if finding.law == "tables"]
        assert "the table tags is a view, not a table" in lines

    @pytest.mark.slow
    @pytest.mark.parametrize("table", ["studies", "trials", "metrics"])
    def test_an_endless_view_in_the_place_of_a_table_holds_nobody_up(self, hostile: Path, table: str) -> None:
        with closing(sqlite3.connect(hostile)) as connection:
            connection.execute("PRAGMA legacy_alter_table = ON")
            connection.execute(f"ALTER TABLE {table} RENAME TO was_{table}")
            endless = (
                f"WITH RECURSIVE r AS (SELECT * FROM was_{table} UNION ALL SELECT * FROM r) SELECT * FROM r"
            )
            connection.execute(f"CREATE VIEW {table} AS {endless}")
            connection.commit()
        for words in (["status"], ["trials", NAME], ["storage", "check"], ["storage", "info"]):
            code = "import sys; from archloom.cli import main; main(sys.argv[1:])"
            done = subprocess.run(
                [sys.executable, "-c", code, *words, "--store", str(hostile)],
                capture_output=True,
                text=True,
                check=False,
                timeout=20,
            )
            is_told = done.returncode == 1 and table in done.stdout + done.stderr
            assert is_told or words == ["storage", "info"], words
            assert "Traceback" not in done.stderr, words

    def test_an_endless_view_is_stopped(self, hostile: Path) -> None:
        with closing(sqlite3.connect(hostile)) as connection:
            connection.execute("DROP VIEW best")
            connection.execute(
                "CREATE VIEW best AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) "
                "SELECT max(n) AS study FROM r"
            )
            connection.commit()
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"took longer than 0\.3 s"):
            select(hostile, "SELECT * FROM best", timeout=0.3)
        assert time.monotonic() - started < 3

    def test_a_view_that_loads_code_is_refused(self, hostile: Path) -> None:
        with closing(sqlite3.connect(hostile)) as connection:
            connection.execute("DROP VIEW best")
            connection.execute("CREATE VIEW best AS SELECT load_extension('evil.so') AS study")
            connection.commit()
        with pytest.raises(StoreError, match=r"would call load_extension|unsafe use of load_extension"):
            select(hostile, "SELECT * FROM best")

    def test_a_huge_cell_is_refused(self, hostile: Path) -> None:
        with pytest.raises(StoreError, match="too big"):
            select(hostile, "SELECT hex(zeroblob(500000000))")


class TestDocuments:
    @pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, "{", "[]", '"x"', "NaN", ""])
    @pytest.mark.parametrize("column", ["space", "config", "constraints"])
    def test_what_is_no_document_is_told(self, hostile: Path, column: str, text: str) -> None:
        with closing(sqlite3.connect(hostile)) as connection:
            connection.execute(f"UPDATE studies SET {column} = ?", (text,))
            connection.commit()
        if (column, text) == ("constraints", "[]"):
            assert not any(finding.law == "documents" for finding in check(hostile))
            return
        assert any(column in finding.text for finding in check(hostile) if finding.law == "documents")
        try:
            with Store(hostile) as store:
                store.studies()
        except ArchloomError:
            pass


def _file(kind: str, folder: Path) -> Path:
    """A path where no sound database of ours is."""
    path = folder / "x.db"
    if kind == "missing":
        return path
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("study,trial\n1,2\n" * 100)
    elif kind == "foreign":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE songs (name TEXT)")
    else:
        with Store(path) as store:
            study = store.create_study(StudyRecord("s", 0, (Objective("loss", "minimize"),)))
            store.propose(study, 0, [Proposal(f"k{i}", "x" * 500, {"a": "b"}, seed=i) for i in range(200)])
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if kind == "newer":
                connection.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
                connection.commit()
        if kind == "cut":
            os.truncate(path, path.stat().st_size // 2)
        if kind == "damaged":
            with path.open("r+b") as file:
                file.seek(4096)
                file.write(os.urandom(path.stat().st_size - 8192))
    return path


ASKED: dict[str, list[list[str]]] = {
    "missing": [["there is no file"]],
    "folder": [["is a folder"]],
    "empty": [["holds no archloom store"]],
    "text": [["is no database", "is not a database"]],
    "foreign": [["another program's database", "holds no archloom store"]],
    "newer": [["newer archloom"]],
    "cut": [["is cut short", "malformed"]],
}


@pytest.mark.parametrize("kind", list(ASKED))
def test_each_verb_says_in_one_line_what_is_wrong(
    kind: str, tmp_path: Path, search: Callable[..., Any]
) -> None:
    path = _file(kind, tmp_path)
    before = path.read_bytes() if path.is_file() else None
    words = [["status"], ["trials", "s"], ["storage", "info"], ["storage", "check"], ["storage", "upgrade"]]
    if kind not in ("foreign", "newer"):  # which SQL of one's own can read
        words.append(["sql", "SELECT * FROM trials"])
    if kind == "newer":
        words.remove(["storage", "info"])
    for call in words:
        done = search(*call, "--store", str(path))
        assert done.code == 1, (call, done)
        assert len(done.err.splitlines()) == 1, (call, done.err)
        assert any(told in done.err for told in ASKED[kind][0]), (call, done.err)
    assert (path.read_bytes() if path.is_file() else None) == before
    assert not path.with_name("x.db.bak-9999").exists()


def test_damaged_pages_are_found_and_no_verb_falls(tmp_path: Path, search: Callable[..., Any]) -> None:
    path = _file("damaged", tmp_path)
    for call in (["status"], ["trials", "s"], ["sql", "SELECT * FROM trials"], ["storage", "info"]):
        done = search(*call, "--store", str(path))
        assert done.code == 1, call
        assert "Traceback" not in done.err
        assert "unexpected" not in done.err, (call, done.err)
    done = search("storage", "check", "--store", str(path))
    assert done.code == 1
    assert "Traceback" not in done.out + done.err


def test_info_tells_a_newer_one_for_what_it_is(tmp_path: Path) -> None:
    assert describe(_file("newer", tmp_path)).revision == "9999"

# SPDX-License-Identifier: Apache-2.0
"""Pages of Markdown as programs: their files are saved, their commands run, their output compared.

The rules of a page, by the kind of a code block:

* after a line that ends in ``Save this as `NAME`:`` it is a file, whatever its language;
* ``sh`` is run, a command a line, without a shell; ``# exit code 1`` behind one says how it ends;
* ``sql``, after a line that ends in ``Ask `NAME.db`:``, is asked of that database, statement by statement;
* ``text`` is what the block before it printed, in shape: every word must be printed, or be a word of
  the page's files; numbers, and lines of three dots, are not compared;
* anything else is only read.
"""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
BIN = Path(sys.executable).parent
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", flags=re.MULTILINE | re.DOTALL)
SAVED = re.compile(r"Save this as `([^`]+)`:$")
ASKED = re.compile(r"Ask `([^`]+)`:$")
ENDS = re.compile(r"exit code (\d+)")
WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Block:
    """A code block and the paragraph before it, in one line."""

    language: str
    text: str
    lead: str


def blocks(page: Path) -> list[Block]:
    """The code blocks of a page, in its order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(found["language"], found["text"], " ".join(text[: found.start()].split("\n\n")[-2].split()))
        for found in FENCE.finditer(text)
    ]


def files(page: Path) -> dict[str, str]:
    """The files that a page has its reader save."""
    return {name[1]: block.text for block in blocks(page) if (name := SAVED.search(block.lead))}


def follow(page: Path, folder: Path) -> None:
    """Do what a page says in a folder, and compare what is printed with what it shows."""
    words = set(WORD.findall("\n".join(files(page).values())))
    printed = ""
    for block in blocks(page):
        if name := SAVED.search(block.lead):
            (folder / name[1]).write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            printed = "\n".join(_run(line, folder) for line in commands(block))
        elif asked := ASKED.search(block.lead):
            printed = _ask(folder / asked[1], block.text)
        elif block.language == "text":
            strange = strangers(block.text, printed, words)
            assert not strange, f"{page.name} shows {sorted(strange)}, which is not in:\n{printed}"


def commands(block: Block) -> list[str]:
    """The command lines of a block, those broken by a backslash joined."""
    return [line for line in block.text.replace("\\\n", " ").splitlines() if line.strip()]


def strangers(shown: str, printed: str, known: set[str]) -> set[str]:
    """The words of an output shown that were neither printed nor are known."""
    return set(WORD.findall(shown)) - set(WORD.findall(printed)) - known


def _run(line: str, folder: Path) -> str:
    """Run one command as its reader would in an 80-column terminal; return all that it prints."""
    line, _, comment = line.partition("  # ")
    program, *arguments = shlex.split(line)
    environment = {name: value for name, value in os.environ.items() if name != "ARCHLOOM_STORE"}
    done = subprocess.run(
        [str(BIN / program), *arguments],
        cwd=folder,
        env={**environment, "COLUMNS": "80", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    printed = done.stdout + done.stderr
    ends = ENDS.search(comment)
    assert done.returncode == (int(ends[1]) if ends else 0), f"{line}\n{printed}"
    return printed


def _ask(database: Path, script: str) -> str:
    """Ask SQL of a database; return the rows as ``sqlite3`` writes them. Each statement has an answer."""
    answers = []
    with closing(sqlite3.connect(database)) as connection:
        for statement in filter(str.strip, script.split(";")):
            rows = connection.execute(statement).fetchall()
            assert rows, f"no row answers\n{statement}"
            answers += ["|".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return "\n".join(answers)

# SPDX-License-Identifier: Apache-2.0
"""Fault 8: files that are cut short, foreign, newer, or lack their other half: refused, and left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from archloom.store.schema import version
from benchmarks.crash.cells import Cell
from benchmarks.crash.killing import Kill
from benchmarks.crash.stage import Stage

__all__ = ["DAMAGES", "damaged", "newer_schema"]


def damaged(damage: Callable[[Path], None], *, is_killed: bool = False) -> Cell:
    """Damage a store, try to go on with it, and look whether it is refused and left alone.

    Args:
        damage: done to the file.
        is_killed: whether its process was killed before, so that it has a ``-wal`` file.
    """
    cell = Cell()
    with Stage.sqlite() as stage:
        kill = Kill("evaluating", 8) if is_killed else None
        stage.run(stage.plan(trials=10, kill=kill))
        damage(stage.file)
        before, n_evaluated = stage.file.read_bytes(), stage.n_evaluated()
        actor = stage.run(stage.plan(trials=20))
        _refused(cell, stage, actor.code, actor.said)
        cell.expect(stage.file.read_bytes() == before, "the file has changed")
        cell.expect(stage.n_evaluated() == n_evaluated, "trials were evaluated")
    return cell


def newer_schema(stage: Stage) -> Cell:
    """Try to go on with a database of a newer archloom."""
    from sqlalchemy import create_engine

    cell = Cell()
    stage.run(stage.plan(trials=10))
    engine = create_engine(stage.url)
    with engine.begin() as connection:
        connection.execute(version.update().values(version_num="9999"))
    engine.dispose()
    n_evaluated = stage.n_evaluated()
    actor = stage.run(stage.plan(trials=20))
    _refused(cell, stage, actor.code, actor.said)
    cell.expect(stage.n_evaluated() == n_evaluated, "trials were evaluated")
    return cell


def _refused(cell: Cell, stage: Stage, code: int | None, said: str) -> None:
    cell.n_tries += 1
    cell.expect(code == 1 and "\n" not in said, f"it ended with {code}: {said}")
    words = said.split(": ", 1)[-1].replace(str(stage.folder), "...")
    cell.message = f"“{words if stage.is_sqlite else words.partition(' has ')[2]}”"


def _half(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def _torn(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for page in range(2048, len(content), 4096):  # every other page was never written
        content[page : page + 2048] = bytes(2048)
    file.write_bytes(content)


def _header(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:50])


def _text(file: Path) -> None:
    file.write_text("study: digits\n" * 100, encoding="utf-8")


def _foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE invoices (id INTEGER)")
        database.commit()


def _without_wal(file: Path) -> None:
    file.with_name(f"{file.name}-wal").unlink()


DAMAGES: dict[str, tuple[Callable[[Path], None], bool]] = {
    "cut to half": (_half, False),
    "every other page zero": (_torn, False),
    "cut to 50 bytes": (_header, False),
    "a text file in its place": (_text, False),
    "another program's database": (_foreign, False),
    "killed, and its -wal file lost": (_without_wal, True),
}
"""By name: what is done to the file, and whether its process was killed before."""

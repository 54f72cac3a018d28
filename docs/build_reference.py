# SPDX-License-Identifier: Apache-2.0
"""Write the reference from docstrings, signatures, the JSON Schema and ``--help``.

``python docs/build_reference.py [FOLDER]`` writes ``cli.md``, ``study_file.md`` and ``python.md`` (into
``docs/reference`` without FOLDER). They hold no version and nothing of the machine: the same code gives
the same pages, and a test fails where they are stale.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Before typer is imported, which asks them for colours.
for name in ("FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"):
    os.environ.pop(name, None)
os.environ |= {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1", "_TYPER_FORCE_DISABLE_TERMINAL": "1"}

from python_reference import python_page  # noqa: E402
from study_file_reference import study_file_page  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from archloom.cli import app  # noqa: E402
from archloom.cli._verbs import SPACE_VERBS, STORAGE_VERBS, VERBS  # noqa: E402

NOTE = "<!-- Written by docs/build_reference.py from the code: change that, then run `make docs`. -->"
FOLDER = Path(__file__).parent / "reference"


def cli_page() -> Iterator[str]:
    """The help page of every verb, 80 columns wide, as typed."""
    yield "# The `search` command"
    yield (
        "Each page is what `--help` prints in a terminal of 80 columns. Exit codes: 0 done, 1 failed, 2 "
        "wrong usage or study file, 130 interrupted. Results go to stdout, everything else to stderr."
    )
    words = [[], *([verb.name] for verb in VERBS), *(["space", verb.name] for verb in SPACE_VERBS)]
    words += [["storage", verb.name] for verb in STORAGE_VERBS]
    for command in words:
        yield f"## search {' '.join(command)}".rstrip()
        yield f"```text\n{help_of(command)}\n```"


def help_of(words: list[str]) -> str:
    """What ``search WORDS --help`` prints, without blanks at the ends of lines."""
    result = CliRunner().invoke(app, [*words, "--help"], prog_name="search")
    if result.exit_code:
        raise SystemExit(f"search {' '.join(words)} --help failed: {result.output}{result.exception}")
    lines = [line.rstrip() for line in result.output.splitlines()]
    return "\n".join(lines).strip("\n")


def main(folder: Path) -> None:
    """Write the three pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for page, parts in {"cli": cli_page, "study_file": study_file_page, "python": python_page}.items():
        (folder / f"{page}.md").write_text("\n\n".join([NOTE, *parts()]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)

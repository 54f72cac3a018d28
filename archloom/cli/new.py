# SPDX-License-Identifier: Apache-2.0
"""``search new``: a commented study file that runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from archloom.cli._output import FormatOption, write
from archloom.errors import ConfigError, did_you_mean

TEMPLATES = Path(__file__).parent / "templates"
SPDX = "# SPDX-License-Identifier: Apache-2.0\n"
KINDS = {
    "digits": "layers written in YAML, trained on handwritten digits",
    "module": "your own nn.Module and your own data",
    "tabular": "a table of finished measurements",
    "function": "anything that a function can score",
    "latency": "the best network below a latency",
}
SUFFIXES = (".yaml", ".yml")
_COLUMN = re.compile(r"(?P<left>#   search .*?\S|[^#]*[^#\s])\s+(?P<told>#.*|(?<=  )\S.*)$")


def new(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="[KIND]",
            help="; ".join(f"{name}: {words}" for name, words in KINDS.items()),
            autocompletion=lambda: list(KINDS),
        ),
    ] = "digits",
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Where to; KIND.yaml without.", show_default=False),
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    form: FormatOption = "table",
) -> None:
    """Write a commented study file that runs.

    A module, a function and a table are written beside it.
    """
    if file is None and kind.endswith(SUFFIXES):
        kind, file = "digits", Path(kind)
    if kind not in KINDS:
        raise ConfigError(f"there is no kind {kind!r} of study file{did_you_mean(kind, KINDS)}")
    target = file or Path(f"{kind}.yaml")
    texts = written(kind, target)
    _refuse(texts, force)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    commands = [shlex.join(["search", "run", target.name])]
    if target.parent != Path():
        commands.insert(0, shlex.join(["cd", str(target.parent)]))
    if form == "table":
        _print([str(path) for path in texts], commands)
        return
    write({"files": list(map(str, texts)), "next": commands}, form, [{"file": str(path)} for path in texts])


def written(kind: str, target: Path) -> dict[Path, str]:
    """Return the files of a kind, path to text, the study file first.

    Args:
        kind: one of ``KINDS``.
        target: the study file, which names the study and what lies beside it.

    Raises:
        ConfigError: the file's name says that it is no YAML, or there is no folder for it.
    """
    if target.suffix not in SUFFIXES:
        raise ConfigError(f"a study file ends in .yaml or .yml, got {str(target)!r}")
    if not target.parent.is_dir():
        raise ConfigError(f"there is no folder {str(target.parent)!r} to write {target.name} to")
    study = re.sub(r"[^\w-]+", "-", target.stem).strip("-") or "study"
    module = "my_" + re.sub(r"\W+", "_", study)
    texts: dict[Path, str] = {}
    for suffix in (".yaml", ".py", ".csv"):
        template = TEMPLATES / f"{kind}{suffix}"
        if not template.exists():
            continue
        text = template.read_text(encoding="utf-8").removeprefix(SPDX)
        filled = text.replace("my-study.yaml", target.name).replace("my-study", study)
        filled = filled.replace("my_study", module)
        is_study = suffix == ".yaml"
        path = target if is_study else target.parent / f"{module}{suffix}"
        texts[path] = aligned(text, filled) if is_study else filled
    return texts


def aligned(template: str, filled: str) -> str:
    r"""Put what stands in a column of the template below each other again, further right if it must.

    >>> print(aligned("a: x   # one\nb: yy  # two", "a: x   # one\nb: a name  # two"))
    a: x       # one
    b: a name  # two

    Args:
        template: lines with comments behind them, or commands with what they do.
        filled: the same lines with other names.
    """
    rows = [(_COLUMN.match(before), _COLUMN.match(line), line) for before, line in _pairs(template, filled)]
    ends: dict[int, int] = {}
    for before, after, _ in rows:
        if before and after:
            column = before.start("told")
            ends[column] = max(ends.get(column, column), len(after["left"]) + 2)
    lines = [
        f"{after['left']:{ends[before.start('told')]}}{after['told']}" if before and after else line
        for before, after, line in rows
    ]
    return "\n".join(lines)


def _pairs(template: str, filled: str) -> Iterator[tuple[str, str]]:
    return zip(template.split("\n"), filled.split("\n"), strict=True)


def _refuse(texts: dict[Path, str], force: bool) -> None:
    """Refuse to overwrite.

    Raises:
        ConfigError: something is there already, and ``--force`` was not given.
    """
    there = [str(path) for path in texts if path.exists()]
    if there and not force:
        raise ConfigError(
            f"{', '.join(there)} is there already: name another FILE, or overwrite with --force"
        )


def _print(files: list[str], commands: list[str]) -> None:
    from archloom.cli._tables import exact, facts, show

    lines = "\n".join(f"  {command}" for command in commands)
    show(
        facts([("written", exact(path)) for path in files]),
        exact("Next\n", "bold").append(lines, "not bold"),
    )

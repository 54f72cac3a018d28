# SPDX-License-Identifier: Apache-2.0
"""Paper: the files that pictures are written to, SVG or PNG, and the room that words take on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from archloom.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LINE", "SUFFIXES", "check_path", "sheet", "size_of"]

SUFFIXES = (".svg", ".png")
FONT = ("DejaVu Sans", "Verdana", "sans-serif")
"""Verdana is as wide as DejaVu Sans, which matplotlib measures by, and stands where an SVG is shown."""
LINE = 1.3
"""The height of a line for the size of its letters."""
DPI, MAX_PIXELS = 150, 12_000


def check_path(path: str | Path) -> Path:
    """Return where a picture goes, if it can.

    Raises:
        ConfigError: a suffix other than ``.svg`` and ``.png``, or a folder that is not there.

    >>> check_path("cell.pdf")
    Traceback (most recent call last):
        ...
    archloom.errors.ConfigError: a picture is drawn to a file that ends in .svg or .png, got 'cell.pdf'
    """
    to = Path(path)
    if to.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"a picture is drawn to a file that ends in {' or '.join(SUFFIXES)}, got {str(path)!r}"
        )
    if not to.parent.is_dir():
        raise ConfigError(f"there is no folder {str(to.parent)!r} to draw {to.name!r} in")
    if to.is_dir():
        raise ConfigError(f"a picture is drawn to a file, and {str(path)!r} is a folder")
    return to


@contextmanager
def sheet(to: Path, width: float, height: float) -> Iterator[Figure]:
    """Give a figure to draw on, and write it to a file; equal figures give equal SVG files.

    Args:
        to: a path that was checked.
        width: in inches.
        height: in inches.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(
        {
            "svg.hashsalt": "archloom",
            "svg.fonttype": "none",  # letters stay text: they can be searched for and copied
            "font.family": ["sans-serif"],
            "font.sans-serif": list(FONT),
        }
    ):
        figure = Figure(figsize=(width, height), dpi=min(DPI, MAX_PIXELS / max(width, height)))
        yield figure
        is_svg = to.suffix.lower() == ".svg"
        figure.savefig(to, format="svg" if is_svg else "png", metadata={"Date": None} if is_svg else None)


def size_of(text: str, size: float) -> tuple[float, float]:
    """Return how wide and high a text is, lines and all, in inches.

    Args:
        text: some words.
        size: of its letters, in points.
    """
    lines = text.split("\n")
    return max(_line_width(line) for line in lines) * size / 72, len(lines) * LINE * size / 72


@lru_cache(maxsize=4096)
def _line_width(line: str) -> float:
    """Return the width of a line in letters of size 1."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not line.strip():
        return 0.0
    path = TextPath((0, 0), line, size=100, prop=FontProperties(family=FONT[0]), usetex=False)
    return float(path.get_extents().x1) / 100

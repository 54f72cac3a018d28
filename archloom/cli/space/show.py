# SPDX-License-Identifier: Apache-2.0
"""``search space show``: the decisions of a space as a tree."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from archloom.cli._output import FormatOption, write
from archloom.cli._words import inert, number
from archloom.cli.space._loading import OptionsArgument, SpaceArgument, loaded
from archloom.cli.space.count import measured, size_words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from archloom.search_spaces import SearchSpace
    from archloom.search_spaces.points import ChoicePoint, Point, Points

SHOWN_CANDIDATES = 12
SHOWN_LABEL = 60
NAME_WIDTH = 32


class Line(NamedTuple):
    """A line of the tree.

    Args:
        depth: how far it is set in.
        name: of a decision; ``if conv`` for a candidate that opens others.
        told: what there is to choose from.
    """

    depth: int
    name: str
    told: str


def show(source: SpaceArgument, options: OptionsArgument = None, *, form: FormatOption = "table") -> None:
    """Show the decisions of a space as a tree.

    A decision that is only there when another has made a certain choice is set in below that choice.
    """
    study_file = loaded(source, options or ())
    space = study_file.space
    if form == "table":
        _print(study_file.source, space)
        return
    described = space.to_json()["decisions"]
    sizes = measured(space)
    data = {"source": study_file.source, **sizes, "fingerprint": space.fingerprint, "decisions": described}
    write(data, form, described)


def _print(source: str, space: SearchSpace) -> None:
    from rich.console import Group

    from archloom.cli._tables import plain
    from archloom.cli._tables import show as print_parts

    head = plain(f"{source}: {size_words(space)}", "bold")
    print_parts(head, Group(*_drawn(list(tree(space.points)))))


def _drawn(lines: list[Line]) -> Iterator[RenderableType]:
    """Yield conditions as lines, and the decisions between them in two columns, all of one width."""
    from rich.table import Table

    from archloom.cli._tables import plain

    names = [_indented(line) for line in lines if line.told]
    width = min(max((cell_len(name) for name in names), default=0), NAME_WIDTH)
    for is_decision, some in itertools.groupby(lines, key=lambda line: bool(line.told)):
        if not is_decision:
            yield from (plain(_indented(line), "dim") for line in some)
            continue
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(overflow="fold", width=width, style="bold")
        table.add_column(overflow="fold")
        for line in some:
            table.add_row(plain(_indented(line)), plain(line.told, "cyan"))
        yield table


def _indented(line: Line) -> str:
    return "  " * line.depth + inert(line.name)


def tree(points: Points, depth: int = 0, above: str = "") -> Iterator[Line]:
    """Yield the lines of decision points and of all below them.

    >>> import pyglove as pg
    >>> from archloom.search_spaces import SearchSpace
    >>> space = SearchSpace(pg.Dict(op=pg.oneof(["pool", pg.Dict(kernel=pg.oneof([3, 5]))])))
    >>> for line in tree(space.points):
    ...     print(("  " * line.depth + f"{line.name} {line.told}").rstrip())
    op pool | {kernel: choice}
      if {kernel: choice}
        kernel 3 | 5

    Args:
        points: side by side.
        depth: how far they are set in.
        above: the path and candidate that they lie under, which their names need not repeat.
    """
    from archloom.search_spaces.points import ChoicePoint

    for point in points:
        name = point.path if isinstance(point, ChoicePoint) else point.name
        yield Line(depth, _short(name, above), _told(point))
        if isinstance(point, ChoicePoint):
            yield from _below(point, depth)


def _below(point: ChoicePoint, depth: int) -> Iterator[Line]:
    """Yield what each candidate opens, once for those that open the same; slot by slot where they differ."""
    for slot, candidates in enumerate(point.children):
        opened: dict[tuple[Line, ...], list[str]] = {}
        name = point.names[slot] if point.has_copies else point.path
        for label, points in zip(point.labels, candidates, strict=True):
            if points:
                lines = tuple(tree(points, depth + 2, f"{name}({label})"))
                opened.setdefault(lines, []).append(_cut(label))
        where = f" at {name}" if point.has_copies else ""
        for lines, labels in opened.items():
            yield Line(depth + 1, f"if {' or '.join(labels)}{where}", "")
            yield from lines


def _short(name: str, above: str) -> str:
    return name.removeprefix(above).lstrip(".") or name if above else name


def _told(point: Point) -> str:
    """Say what a decision chooses from."""
    from archloom.search_spaces.points import ChoicePoint

    if not isinstance(point, ChoicePoint):
        scale = f", {point.scale} scale" if point.scale not in (None, "linear") else ""
        return f"{number(point.low)} to {number(point.high)}{scale}"
    labels = [_cut(label) for label in point.labels[:SHOWN_CANDIDATES]]
    more = point.m - len(labels)
    listed = " | ".join(labels) + (f" | and {more} more" if more else "")
    if point.names == (point.path,):
        return listed
    rules = [
        word for word, holds in (("different", point.is_distinct), ("in order", point.is_sorted)) if holds
    ]
    return f"{point.k} of {point.m}{''.join(f', {rule}' for rule in rules)}: {listed}"


def _cut(label: str) -> str:
    from archloom.cli._words import shortened

    return shortened(inert(label), SHOWN_LABEL)

# SPDX-License-Identifier: Apache-2.0
"""``search space count``: how large a space is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.cli._output import FormatOption, write
from archloom.cli.space._loading import OptionsArgument, SpaceArgument, loaded

if TYPE_CHECKING:
    from archloom.search_spaces import SearchSpace


def count(source: SpaceArgument, options: OptionsArgument = None, *, form: FormatOption = "table") -> None:
    """Count the architectures of a space, exactly.

    Where a decision is a float they are infinitely many; what is counted then is all but the floats.
    """
    from archloom.cli._tables import plain, show

    study_file = loaded(source, options or ())
    sizes = measured(study_file.space)
    if form == "table":
        show(plain(size_words(study_file.space)))
        return
    write(sizes, form, [sizes])


def measured(space: SearchSpace) -> dict[str, int | None]:
    """Return how large a space is as plain JSON; ``size`` is ``None`` where it is infinite."""
    from archloom.search_spaces.counting import count_points

    n_floats = sum(not decision.candidates for decision in space.decisions)
    return {
        "size": space.size,
        "size_without_floats": count_points(space.points),
        "n_decisions": len(space.decisions),
        "n_floats": n_floats,
    }


def size_words(space: SearchSpace) -> str:
    """Say how large a space is.

    >>> import pyglove as pg
    >>> from archloom.search_spaces import SearchSpace
    >>> size_words(SearchSpace(pg.Dict(x=pg.oneof([1, 2]), y=pg.oneof([3, 4]))))
    '4 architectures, 2 decisions'
    """
    sizes = measured(space)
    n, n_floats = sizes["n_decisions"], sizes["n_floats"]
    decisions = f"{n} decision{'' if n == 1 else 's'}"
    if space.size is None:
        floats = "one of them a float" if n_floats == 1 else f"{n_floats} of them floats"
        without = f"{sizes['size_without_floats']:,} when floats are not counted"
        return f"infinitely many architectures ({without}), {decisions}, {floats}"
    return f"{space.size:,} architecture{'' if space.size == 1 else 's'}, {decisions}"

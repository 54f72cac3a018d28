# SPDX-License-Identifier: Apache-2.0
"""From the names of decisions to the parts of a space that a flow works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from archloom.errors import ConfigError, SpaceError
from archloom.search_spaces.parts import Part, every_root, root_names

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["Groups", "checked_groups", "divided"]

Groups: TypeAlias = Sequence[Sequence[str]] | Mapping[str, Sequence[str]]
"""Lists of decisions, by name or by a leading path; or such lists by a name of their own."""


def checked_groups(groups: Groups | None) -> list[list[str]] | None:
    """Return groups as lists.

    >>> checked_groups({"ops": ["edge_1", "edge_2"], "width": ["c"]})
    [['edge_1', 'edge_2'], ['c']]

    Raises:
        ConfigError: a group that is no list of names, or none.
    """
    if groups is None:
        return None
    lists: Any = list(groups.values()) if isinstance(groups, Mapping) else groups
    is_lists = isinstance(lists, list | tuple) and all(isinstance(one, list | tuple) and one for one in lists)
    if not (lists and is_lists and all(isinstance(name, str) for one in lists for name in one)):
        raise ConfigError(f"groups are lists of decisions, as in [[op, width], [lr]], got {groups!r:.80}")
    return [list(one) for one in lists]


def divided(space: SearchSpace, groups: list[list[str]] | None, *, n_most: int | None = None) -> list[Part]:
    """Divide a space into two groups at least; what none of them names is the last.

    >>> import pyglove as pg
    >>> from archloom.search_spaces import SearchSpace
    >>> space = SearchSpace(pg.Dict(a=pg.oneof([1, 2]), b=pg.oneof([1, 2]), c=pg.oneof([1, 2])))
    >>> [part.names for part in divided(space, [["b"]])], [part.names for part in divided(space, None)]
    ([('b',), ('a', 'c')], [('a', 'b'), ('c',)])

    Args:
        space: the whole.
        groups: names or leading paths; ``None`` for the first and the second half of the root decisions, of
            which the latter may be empty.
        n_most: how many groups there may be.

    Raises:
        SpaceError: an unknown name, a decision that is in two groups, or not the right number of groups.
    """
    every = every_root(space)
    if groups is None:
        half = (len(every) + 1) // 2
        return [Part(space, every[:half]), Part(space, every[half:])]
    named = [root_names(space, names) for names in groups]
    taken = [name for names in named for name in names]
    for name in every:
        if taken.count(name) > 1:
            raise SpaceError(f"groups: {name!r} is in two of them")
    rest = [name for name in every if name not in taken]
    found = [*named, *([rest] if rest else [])]
    if len(found) < 2:
        raise SpaceError(
            f"groups: there are at least two, here is one with all decisions: {', '.join(every)}"
        )
    if n_most is not None and len(found) > n_most:
        left = f" and what is left: {', '.join(rest)}" if rest else ""
        raise SpaceError(f"groups: this search flow has {n_most} of them, got {len(named)}{left}")
    return [Part(space, names) for names in found]

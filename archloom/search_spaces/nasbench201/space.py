# SPDX-License-Identifier: Apache-2.0
"""The search space of NAS-Bench-201, the names of its cells, and which of them are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyglove as pg

from archloom.errors import ConfigError
from archloom.search_spaces.nasbench201.network import EDGES, NasBench201
from archloom.search_spaces.operations import NASBENCH201, OPERATIONS
from archloom.search_spaces.space import SearchSpace

__all__ = ["arch_text", "isomorphism_key", "nasbench201"]

_NAMES = tuple(f"edge_{node}_{source}" for node, source in EDGES)
_INPUT = "0"
_ZERO = "#"


def nasbench201(
    *, channels: int = 16, n_cells: int = 5, operations: Sequence[str] = NASBENCH201
) -> SearchSpace:
    """Make the space of NAS-Bench-201 (Dong and Yang, ICLR 2020): one operation for each of six edges.

    With the default operations, choice ``i`` of a genotype is the operation of edge ``EDGES[i]`` in the
    benchmark's own order. The line of text is the benchmark's architecture string, and isomorphic cells
    share a key.

    Args:
        channels: channels of the first of three stages (the benchmark: 16).
        n_cells: cells a stage (the benchmark: 5).
        operations: names of the operations to choose from.

    Raises:
        ConfigError: a count below 1 or no operation.
        UnknownNameError: an operation that does not exist.

    >>> space = nasbench201(channels=8, n_cells=1)
    >>> space.size
    15625
    >>> space.architecture(space.at([1])).text
    '|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|'
    """
    if channels < 1 or n_cells < 1 or not operations:
        raise ConfigError(
            "nasbench201 needs channels >= 1, n_cells >= 1 and at least one operation, "
            f"got channels={channels}, n_cells={n_cells}, operations={list(operations)}"
        )
    for name in operations:
        OPERATIONS.get(name)
    edges = {name: pg.oneof(list(operations)) for name in _NAMES}
    template = NasBench201(**edges, channels=channels, n_cells=n_cells)
    return SearchSpace(template, canonical=_canonical, text=_text)


def arch_text(operations: Sequence[str]) -> str:
    """Return the benchmark's string for the operations of the six edges, in the order of ``EDGES``.

    >>> arch_text(["a", "b", "c", "d", "e", "f"])
    '|a~0|+|b~0|c~1|+|d~0|e~1|f~2|'
    """
    edges = [f"{name}~{source}|" for name, (_, source) in zip(operations, EDGES, strict=True)]
    return "|" + "+|".join(["".join(edges[:1]), "".join(edges[1:3]), "".join(edges[3:])])


def isomorphism_key(operations: Sequence[str]) -> str:
    """Return a string that two cells share exactly when the benchmark counts them as one.

    The expression of a node is the sorted sum of its edges; a skip connection is its source's expression,
    and ``none``, or whatever is applied to a source that is itself nothing, is ``#`` (Dong and Yang, ICLR
    2020, section 2: 6,466 of the 15,625 cells are distinct).

    Args:
        operations: the operations of the six edges, in the order of ``EDGES``.

    >>> isomorphism_key(["nor_conv_3x3", "none", "skip_connect", "none", "none", "skip_connect"])
    '#+#+#+(0)@nor_conv_3x3'
    """
    nodes: list[str] = [_INPUT]
    terms: list[str] = []
    for name, (node, source) in zip(operations, EDGES, strict=True):
        terms.append(_term(name, nodes[source]))
        if len(terms) == node:
            nodes.append("+".join(sorted(terms)))
            terms = []
    return nodes[-1]


def _term(operation: str, source: str) -> str:
    if operation == "none" or source == _ZERO:
        return _ZERO
    return source if operation == "skip_connect" else f"({source})@{operation}"


def _operations(choices: Mapping[str, str | float]) -> list[str]:
    return [str(choices[name]) for name in _NAMES]


def _canonical(choices: Mapping[str, str | float]) -> str:
    return isomorphism_key(_operations(choices))


def _text(choices: Mapping[str, str | float]) -> str:
    return arch_text(_operations(choices))

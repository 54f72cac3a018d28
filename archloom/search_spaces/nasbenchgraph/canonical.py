# SPDX-License-Identifier: Apache-2.0
"""Which encodings of a NAS-Bench-Graph cell are the same network: the benchmark's key, for whole arrays.

Notation: ``n`` cells of four nodes. Node ``i`` (1 to 4) has one parent, its *link*: 0 is the input, ``j``
is node ``j``; and one operation. A cell is thus a tree that hangs from the input; its leaves are the output.

What a key leaves out, in three steps:

1. *Fold*. A skip that passes its parent on changes nothing where it stands; it moves up, into a chain of
   skips between the input and all the rest. The one skip that stays is a leaf beside other children of a
   node that computes: it sends that node to the output.
2. *Regularise*. The tree is written as one of nine lists of links, one for each shape of such a tree.
3. *Sort*. Operations that can be exchanged without changing the tree stand in ascending order.

Which skips stay and which list stands for a shape follow from the list and from where the skips are, not
from the other operations: 24 lists x 16 places, laid out once, serve any number of cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import permutations, product

import numpy as np
import numpy.typing as npt

from archloom.errors import ConfigError

__all__ = ["ALL_SKIP", "LINK_LISTS", "N_NODES", "OPERATIONS", "SKIP", "canonical_keys"]

IntArray = npt.NDArray[np.int64]

N_NODES = 4

OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
"""The operations, each at the digit that stands for it in a key."""

SKIP = OPERATIONS.index("skip")

ALL_SKIP = 88888
"""The key of four skips in any arrangement: no network, and in no table."""

LINK_LISTS = (
    (0, 0, 0, 0),
    (0, 0, 0, 1),
    (0, 0, 1, 1),
    (0, 0, 1, 2),
    (0, 0, 1, 3),
    (0, 1, 1, 1),
    (0, 1, 1, 2),
    (0, 1, 2, 2),
    (0, 1, 2, 3),
)
"""The nine trees of four nodes, each at the digit that stands for it in a key."""

_LEAVES = {0: slice(0, 4), 1: slice(1, 3), 2: slice(2, 4), 5: slice(1, 4), 7: slice(2, 4)}
"""By list: the leaves that share a parent, which can be exchanged."""

_TWO_CHAINS = LINK_LISTS.index((0, 0, 1, 2))
"""The list of two chains of two nodes, which can be exchanged whole."""

_N_LINKS = np.arange(1, N_NODES + 1)
_LINK_PLACES = np.array([0, 1, 2, 6])
_MASK_PLACES = np.array([1, 2, 4, 8])
_DIGITS = np.array([1000, 100, 10, 1])


def canonical_keys(links: npt.ArrayLike, operations: npt.ArrayLike) -> IntArray:
    """Return the key under which NAS-Bench-Graph measured each cell (Qin et al., NeurIPS 2022).

    A key is five digits: the position in ``LINK_LISTS``, then four operations. The 24 x 9^4 = 157,464
    encodings have 26,206 keys, and ``ALL_SKIP``.

    Args:
        links: ``n x 4``, the parent of each node: 0 for the input, ``j`` for node ``j``, an earlier one.
        operations: ``n x 4``, indices of ``OPERATIONS``.

    Raises:
        ConfigError: a link to a later node, or an operation that is none.

    >>> canonical_keys([[0, 1, 2, 1], [0, 1, 1, 2]], [[1, 2, 7, 3], [1, 2, 3, 7]]).tolist()
    [61237, 61237]
    """
    parents, chosen = _checked(links, operations)
    lists, orders = _layouts()
    place = parents @ _LINK_PLACES, (chosen == SKIP) @ _MASK_PLACES
    laid_out = lists[place]
    digits = np.take_along_axis(chosen, orders[place], axis=1)
    for number, leaves in _LEAVES.items():
        rows = laid_out == number
        digits[rows, leaves] = np.sort(digits[rows, leaves], axis=1)
    _sort_chains(digits, laid_out == _TWO_CHAINS)
    keys: IntArray = laid_out * 10 * _DIGITS[0] + digits @ _DIGITS
    return keys


def _checked(links: npt.ArrayLike, operations: npt.ArrayLike) -> tuple[IntArray, IntArray]:
    parents = np.asarray(links, dtype=np.int64).reshape(-1, N_NODES)
    chosen = np.asarray(operations, dtype=np.int64).reshape(-1, N_NODES)
    wrong = ((parents < 0) | (parents >= _N_LINKS)).any(axis=1)
    if wrong.any():
        raise ConfigError(
            "node i is linked to the input, 0, or to an earlier node, 1 to i - 1; "
            f"got the links {parents[wrong][0].tolist()}"
        )
    wrong = ((chosen < 0) | (chosen > SKIP)).any(axis=1)
    if wrong.any():
        raise ConfigError(f"operations are numbered 0 to {SKIP}, got {chosen[wrong][0].tolist()}")
    return parents, chosen


def _sort_chains(digits: IntArray, rows: npt.NDArray[np.bool_]) -> None:
    chains = digits[rows]
    is_swapped = chains[:, 0] * 10 + chains[:, 2] > chains[:, 1] * 10 + chains[:, 3]
    chains[is_swapped] = chains[is_swapped][:, [1, 0, 3, 2]]
    digits[rows] = chains


@cache
def _layouts() -> tuple[IntArray, IntArray]:
    """Return ``24 x 16`` positions in ``LINK_LISTS`` and ``24 x 16 x 4`` orders of the nodes."""
    lists = np.empty((24, 16), dtype=np.int64)
    orders = np.empty((24, 16, N_NODES), dtype=np.int64)
    for links in product(*(range(n) for n in _N_LINKS)):
        for is_skip in product((False, True), repeat=N_NODES):
            place = int(_LINK_PLACES @ links), int(_MASK_PLACES @ is_skip)
            lists[place], orders[place] = _regular(_folded(links, is_skip))
    return lists, orders


def _folded(links: Sequence[int], is_skip: Sequence[bool]) -> dict[int, int]:
    """Return the parent of each node after the skips that pass their parent on have moved up."""
    parent = dict(enumerate(links, start=1))
    moved: list[int] = []
    skips = [node for node in parent if is_skip[node - 1]]
    for node in skips:
        if node in parent.values():
            above = parent.pop(node)
            parent = {child: above if up == node else up for child, up in parent.items()}
            moved.append(node)
    for node in skips:
        if node in parent and (parent[node] == 0 or list(parent.values()).count(parent[node]) == 1):
            del parent[node]
            moved.append(node)
    chain = dict(zip(moved, [0, *moved], strict=False))
    last = moved[-1] if moved else 0
    return chain | {node: up or last for node, up in parent.items()}


def _regular(parent: dict[int, int]) -> tuple[int, tuple[int, ...]]:
    """Return which of the nine lists is a tree's, and which of its nodes (from 0) stands where in it."""
    for order in permutations(parent):
        place = {0: 0} | {node: position for position, node in enumerate(order, start=1)}
        links = tuple(place[parent[node]] for node in order)
        if links in LINK_LISTS:
            return LINK_LISTS.index(links), tuple(node - 1 for node in order)
    raise AssertionError(f"{parent} is no tree of {N_NODES} nodes")

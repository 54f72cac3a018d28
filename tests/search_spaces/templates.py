"""Eleven differently nested spaces, for the property tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyglove as pg

from archloom.search_spaces import SearchSpace


class Conv(pg.Object):
    """A candidate with decisions of its own."""

    kernel: int = 3
    act: str = "relu"


class Edge(pg.Object):
    """A candidate that names itself."""

    source: int
    op: Any

    @property
    def label(self) -> str:
        """The edge in a word."""
        return f"from_{self.source}"


def _node(i: int) -> Any:
    return pg.manyof(
        2,
        [Edge(source=j, op=pg.oneof(["a", "b", "c"])) for j in range(i)],
        distinct=True,
        sorted=True,
    )


def _nested(depth: int) -> Any:
    if depth == 0:
        return pg.oneof(["leaf", "twig"])
    return pg.oneof([pg.Dict(left=_nested(depth - 1), right=pg.oneof([1, 2])), "stop"])


TEMPLATES: dict[str, Callable[[], Any]] = {
    "flat": lambda: pg.Dict(a=pg.oneof([1, 2, 3]), b=pg.oneof(["x", "y"]), c=pg.oneof([0.1, None, True])),
    "conditional": lambda: pg.Dict(
        op=pg.oneof([Conv(kernel=pg.oneof([3, 5])), "skip", 3]), n=pg.oneof([1, 2])
    ),
    "darts": lambda: pg.List([_node(i) for i in (2, 3, 4)]),
    "free_copies": lambda: pg.manyof(
        3, [Conv(kernel=pg.oneof([3, 5])), "x", "y"], distinct=False, sorted=False
    ),
    "sorted_copies": lambda: pg.Dict(
        m=pg.manyof(
            3,
            [Conv(kernel=pg.oneof([3, 5, 7]), act=pg.oneof(["r", "g"])), "x", "y"],
            distinct=False,
            sorted=True,
        )
    ),
    "distinct_unsorted": lambda: pg.Dict(
        m=pg.manyof(
            2,
            [Conv(kernel=pg.oneof([3, 5, 7])), "x", Conv(act="gelu", kernel=pg.oneof([1, 2]))],
            distinct=True,
            sorted=False,
        )
    ),
    "permutation": lambda: pg.Dict(p=pg.permutate(["a", "b", "c", "d"]), q=pg.oneof([1, 2])),
    "deep": lambda: pg.Dict(tree=_nested(4)),
    "tied": lambda: pg.Dict(
        k=pg.oneof([3, 5]),
        first=Conv(kernel=pg.hyper.reference("k"), act=pg.oneof(["r", "g"])),
        last=pg.oneof(["x", "y"]),
    ),
    "floats": lambda: pg.Dict(
        lr=pg.floatv(1e-4, 1e-1, scale="log"),
        op=pg.oneof([pg.Dict(drop=pg.floatv(0.0, 0.5)), "none"]),
        many=pg.manyof(2, [pg.Dict(w=pg.floatv(1.0, 2.0)), "x", "y"], distinct=False, sorted=True),
    ),
    "outside": lambda: pg.Dict(op=pg.oneof([Conv(kernel=pg.oneof([3, 5])), "skip"])),
}

SETTINGS: dict[str, Callable[[], Any]] = {
    "outside": lambda: {
        "training": {
            "batch_size": pg.oneof([32, 64]),
            "optimizer": pg.oneof([pg.Dict(name="sgd", momentum=pg.oneof([0.0, 0.9])), "adam"]),
        }
    }
}
"""Decisions outside the network, where a space has any."""


def space_of(name: str) -> SearchSpace:
    """Compile the space of that name."""
    return SearchSpace(TEMPLATES[name](), settings=SETTINGS[name]() if name in SETTINGS else None)

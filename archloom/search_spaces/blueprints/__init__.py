# SPDX-License-Identifier: Apache-2.0
"""A library of blueprints for ordinary networks; any of their fields may hold a choice.

Layers compose freely: each may stand in a ``sequence``, on an edge of a ``cell``, in a branch of
``parallel``, in the body of ``residual``, or be a whole network by itself (a ``head`` is then put behind it).

>>> import pyglove as pg
>>> from archloom.search_spaces import SearchSpace
>>> from archloom.search_spaces.blueprints import Conv, Pool, Sequence
>>> conv = Conv(width=pg.oneof([8, 16]), kernel_size=pg.oneof([3, 5]))
>>> SearchSpace(Sequence([conv, Pool(), "conv_3x3"])).size
4

Plug-ins add names through the entry-point group ``archloom.blueprints``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.lazy import lazy_face
from archloom.registry import Registry

if TYPE_CHECKING:
    from archloom.search_spaces.blueprints.call import Call
    from archloom.search_spaces.blueprints.cell import Cell, Edge
    from archloom.search_spaces.blueprints.containers import Parallel, Repeat, Residual, Sequence
    from archloom.search_spaces.blueprints.convolutions import Conv, Depthwise, Separable
    from archloom.search_spaces.blueprints.layer import Layer, Place
    from archloom.search_spaces.blueprints.plain import (
        Activation,
        Attention,
        Dropout,
        Flatten,
        Head,
        Identity,
        Linear,
        Norm,
        Pool,
    )

__all__ = [
    "BLUEPRINTS",
    "Activation",
    "Attention",
    "Call",
    "Cell",
    "Conv",
    "Depthwise",
    "Dropout",
    "Edge",
    "Flatten",
    "Head",
    "Identity",
    "Layer",
    "Linear",
    "Norm",
    "Parallel",
    "Place",
    "Pool",
    "Repeat",
    "Residual",
    "Separable",
    "Sequence",
]

_HOME = {
    "Activation": "plain",
    "Attention": "plain",
    "Call": "call",
    "Cell": "cell",
    "Conv": "convolutions",
    "Depthwise": "convolutions",
    "Dropout": "plain",
    "Edge": "cell",
    "Flatten": "plain",
    "Head": "plain",
    "Identity": "plain",
    "Layer": "layer",
    "Linear": "plain",
    "Norm": "plain",
    "Parallel": "containers",
    "Place": "layer",
    "Pool": "plain",
    "Repeat": "containers",
    "Residual": "containers",
    "Separable": "convolutions",
    "Sequence": "containers",
}

BLUEPRINTS = Registry(
    "blueprints",
    {
        name.lower(): f"{__name__}.{home}:{name}"
        for name, home in _HOME.items()
        if name not in ("Layer", "Place")
    },
)
"""Blueprint name to class: ``conv``, ``linear``, ``sequence``, ..."""

__getattr__, __dir__ = lazy_face(__name__, _HOME, __all__)

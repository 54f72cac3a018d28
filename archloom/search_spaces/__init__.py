# SPDX-License-Identifier: Apache-2.0
"""Symbolic spaces -> decisions -> architectures; one folder a family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.lazy import lazy_face
from archloom.registry import Registry

if TYPE_CHECKING:
    from archloom.search_spaces.blueprint import Blueprint, build, out_of
    from archloom.search_spaces.space import Architecture, Decision, SearchSpace
    from archloom.search_spaces.supernets import supernet

__all__ = ["SPACES", "Architecture", "Blueprint", "Decision", "SearchSpace", "build", "out_of", "supernet"]

SPACES = Registry(
    "search_spaces",
    {
        "cell": "archloom.search_spaces.cell:cell",
        "darts": "archloom.search_spaces.darts:darts",
        "hypercuboid": "archloom.search_spaces.hypercuboid:hypercuboid",
        "mixpath": "archloom.search_spaces.mixpath:mixpath",
        "mlp": "archloom.search_spaces.mlp:mlp",
        "mobilenet": "archloom.search_spaces.mobilenet:mobilenet",
        "nasbench201": "archloom.search_spaces.nasbench201:nasbench201",
        "nasbenchgraph": "archloom.search_spaces.nasbenchgraph:nasbenchgraph",
        "nasnet": "archloom.search_spaces.nasnet:nasnet",
        "sorted_mlp": "archloom.search_spaces.sorted_mlp:sorted_mlp",
        "spos": "archloom.search_spaces.spos:spos",
    },
)

_HOME = {
    "Architecture": "space",
    "Blueprint": "blueprint",
    "Decision": "space",
    "SearchSpace": "space",
    "build": "blueprint",
    "out_of": "blueprint",
    "supernet": "supernets",
}

__getattr__, __dir__ = lazy_face(__name__, _HOME, __all__)

# SPDX-License-Identifier: Apache-2.0
"""The cell space of NAS-Bench-Graph: 157,464 encodings of 26,206 graph neural networks."""

from __future__ import annotations

from archloom.search_spaces.nasbenchgraph.canonical import ALL_SKIP, OPERATIONS, canonical_keys
from archloom.search_spaces.nasbenchgraph.space import (
    DECISIONS,
    PROTEINS_OPERATIONS,
    GraphCell,
    encode,
    nasbenchgraph,
)

__all__ = [
    "ALL_SKIP",
    "DECISIONS",
    "OPERATIONS",
    "PROTEINS_OPERATIONS",
    "GraphCell",
    "canonical_keys",
    "encode",
    "nasbenchgraph",
]

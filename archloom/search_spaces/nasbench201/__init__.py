# SPDX-License-Identifier: Apache-2.0
"""The cell space of NAS-Bench-201: 15,625 cells, 6,466 up to isomorphism."""

from __future__ import annotations

from archloom.search_spaces.nasbench201.network import EDGES, NasBench201
from archloom.search_spaces.nasbench201.space import arch_text, isomorphism_key, nasbench201

__all__ = ["EDGES", "NasBench201", "arch_text", "isomorphism_key", "nasbench201"]

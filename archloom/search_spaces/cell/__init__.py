# SPDX-License-Identifier: Apache-2.0
"""Cells as in DARTS: each node sums two chosen edges from earlier nodes."""

from __future__ import annotations

from archloom.search_spaces.cell.network import Cell, CellNetwork, DropPathCellNetwork, Edge
from archloom.search_spaces.cell.space import canonical_cell, cell

__all__ = ["Cell", "CellNetwork", "DropPathCellNetwork", "Edge", "canonical_cell", "cell"]

# SPDX-License-Identifier: Apache-2.0
"""A grid of widths, operations and other numbers of each layer, whose paths are networks."""

from __future__ import annotations

from archloom.search_spaces.hypercuboid.network import GridLayer, GridNetwork
from archloom.search_spaces.hypercuboid.space import hypercuboid

__all__ = ["GridLayer", "GridNetwork", "hypercuboid"]

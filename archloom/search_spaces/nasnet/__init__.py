# SPDX-License-Identifier: Apache-2.0
"""Cells as in NASNet: a normal and a reduction cell of blocks that combine two operations."""

from __future__ import annotations

from archloom.search_spaces.nasnet.network import Block, NasNet, NasNetCell
from archloom.search_spaces.nasnet.space import NASNET_A, canonical_blocks, nasnet

__all__ = ["NASNET_A", "Block", "NasNet", "NasNetCell", "canonical_blocks", "nasnet"]

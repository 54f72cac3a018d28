# SPDX-License-Identifier: Apache-2.0
"""Fully connected networks that lie in one another."""

from __future__ import annotations

from archloom.search_spaces.sorted_mlp.space import SortedMLP, sorted_mlp

__all__ = ["SortedMLP", "sorted_mlp"]

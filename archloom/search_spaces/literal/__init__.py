# SPDX-License-Identifier: Apache-2.0
"""Search spaces as plain data: literal symbolic trees, such as YAML gives."""

from __future__ import annotations

from archloom.search_spaces.literal.mistakes import KeyPath, LiteralError
from archloom.search_spaces.literal.tree import Tree, read_tree, read_values

__all__ = ["KeyPath", "LiteralError", "Tree", "read_tree", "read_values"]

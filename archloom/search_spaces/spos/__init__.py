# SPDX-License-Identifier: Apache-2.0
"""The space of single-path one-shot search: a ShuffleNetV2 of chosen units."""

from __future__ import annotations

from archloom.search_spaces.spos.network import UNITS, ShuffleBlock, ShuffleNetwork
from archloom.search_spaces.spos.space import spos

__all__ = ["UNITS", "ShuffleBlock", "ShuffleNetwork", "spos"]

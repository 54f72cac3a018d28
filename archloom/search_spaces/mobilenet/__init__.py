# SPDX-License-Identifier: Apache-2.0
"""Networks of inverted bottlenecks, elastic in depth, kernel and expansion."""

from __future__ import annotations

from archloom.search_spaces.mobilenet.network import Bottleneck, MobileNetwork, Stage
from archloom.search_spaces.mobilenet.space import mobilenet

__all__ = ["Bottleneck", "MobileNetwork", "Stage", "mobilenet"]

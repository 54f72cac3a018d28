# SPDX-License-Identifier: Apache-2.0
"""Networks of inverted bottlenecks, each with any of several kernels summed."""

from __future__ import annotations

from archloom.search_spaces.mixpath.network import MixedBlock
from archloom.search_spaces.mixpath.space import mixpath, subsets

__all__ = ["MixedBlock", "mixpath", "subsets"]

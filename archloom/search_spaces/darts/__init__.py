# SPDX-License-Identifier: Apache-2.0
"""The space of DARTS: a normal and a reduction cell."""

from __future__ import annotations

from archloom.search_spaces.darts.space import DARTS_V2, DartsNetwork, darts

__all__ = ["DARTS_V2", "DartsNetwork", "darts"]

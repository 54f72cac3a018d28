# SPDX-License-Identifier: Apache-2.0
"""Data to train and measure on: one file a data set, each a function that returns ``Splits``."""

from __future__ import annotations

from archloom.evaluators.data.loading import load_splits
from archloom.evaluators.data.splits import Splits

__all__ = ["Splits", "load_splits"]

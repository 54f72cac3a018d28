# SPDX-License-Identifier: Apache-2.0
"""Score architectures by the weights of a supernet that was trained once."""

from __future__ import annotations

from archloom.evaluators.supernet.evaluator import SupernetEvaluator
from archloom.evaluators.supernet.samplers import SAMPLERS, PathSampler

__all__ = ["SAMPLERS", "PathSampler", "SupernetEvaluator"]

# SPDX-License-Identifier: Apache-2.0
"""Train a supernet under a relaxation, and say how the loss depends on it."""

from __future__ import annotations

from archloom.evaluators.relaxed.evaluator import RelaxedSupernet

__all__ = ["RelaxedSupernet"]

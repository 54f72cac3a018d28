# SPDX-License-Identifier: Apache-2.0
"""Fully connected networks of searched depth, widths and activations."""

from __future__ import annotations

from archloom.search_spaces.mlp.network import ACTIVATIONS, MLP, Dense
from archloom.search_spaces.mlp.space import mlp

__all__ = ["ACTIVATIONS", "MLP", "Dense", "mlp"]

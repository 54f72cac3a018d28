# SPDX-License-Identifier: Apache-2.0
"""Strategies that follow gradients: coefficients, derivation, and the named methods made of them."""

from __future__ import annotations

from archloom.strategies.gradient.coefficients import (
    Coefficients,
    GumbelSoftmax,
    MaxWeight,
    Sigmoid,
    Softmax,
)
from archloom.strategies.gradient.derivation import derived
from archloom.strategies.gradient.recipes import darts, gdas, pc_darts, proxyless, sharpdarts, snas
from archloom.strategies.gradient.search import DifferentiableSearch

__all__ = [
    "Coefficients",
    "DifferentiableSearch",
    "GumbelSoftmax",
    "MaxWeight",
    "Sigmoid",
    "Softmax",
    "darts",
    "derived",
    "gdas",
    "pc_darts",
    "proxyless",
    "sharpdarts",
    "snas",
]

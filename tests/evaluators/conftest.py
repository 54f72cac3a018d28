# SPDX-License-Identifier: Apache-2.0
"""An architecture that is nothing but its value, and small networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from torch import nn

from archloom.contracts import Architecture, Genotypes


@dataclass
class _Point:
    value: Any
    text: str
    choices: Mapping[str, str | float] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def genotype(self) -> Genotypes:
        return Genotypes(np.zeros((1, 0), dtype=np.int16), np.zeros((1, 0)))

    @property
    def key(self) -> str:
        return self.text


@pytest.fixture
def point() -> Callable[..., Architecture]:
    """Make an architecture from a value, a text and choices."""

    def make(value: Any = None, text: str = "the-net", **choices: str | float) -> Architecture:
        return _Point(value, text, choices)

    return make


@pytest.fixture
def small_net() -> Callable[..., nn.Module]:
    """A network of one convolution, with batch normalisation."""

    def make(c_in: int, n_outputs: int, input_shape: tuple[int, ...] = ()) -> nn.Module:
        del input_shape
        return nn.Sequential(
            nn.Conv2d(c_in, 4, 3, stride=2, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64, n_outputs),
        )

    return make

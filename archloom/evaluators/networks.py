# SPDX-License-Identifier: Apache-2.0
"""From an architecture to its network, ready to train."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from archloom.contracts import Architecture
from archloom.errors import ConfigError, SpaceError
from archloom.evaluators.seeding import seeded
from archloom.nn.routed import Supernet
from archloom.search_spaces import Blueprint, SearchSpace, build, supernet

__all__ = ["NetworkShape", "Shaped", "build_network", "build_supernet", "check_buildable"]


class Shaped(Protocol):
    """What a network must fit: ``Splits`` is one."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample."""

    @property
    def n_outputs(self) -> int:
        """The width of the output."""


@dataclass(frozen=True)
class NetworkShape:
    """The shape of one sample, ``(channels, height, width)`` or ``(d,)``, and the output's width."""

    input_shape: tuple[int, ...]
    n_outputs: int


def build_network(
    architecture: Architecture, splits: Shaped, *, seed: int = 0, device: str | torch.device = "cpu"
) -> nn.Module:
    """Build the network of an architecture with fresh weights.

    Its value, a blueprint or a callable, gets the input width, ``n_outputs`` and ``input_shape``. A plain
    ``nn.Module`` is copied with the weights that it has, so that the value itself stays untouched; a
    PyGlove-wrapped one is made anew.

    Args:
        architecture: the point to build.
        splits: what it must fit: anything with ``input_shape`` and ``n_outputs``.
        seed: of the initial weights; the caller's random state is left as it was.
        device: where the weights are made. ``meta`` allocates none.

    Raises:
        SpaceError: the network cannot be built; the message names the architecture and the shapes, and the
            error's ``at`` is the symbolic path of the part that failed, ``reason`` what it said.
    """
    shape = tuple(splits.input_shape)
    try:
        with seeded(seed, device):
            value = architecture.value  # outside the device, since an architecture keeps what it decoded
            if isinstance(value, nn.Module):
                value = copy.deepcopy(value)
            with torch.device(device):
                network = build(value, shape[0], n_outputs=splits.n_outputs, input_shape=shape)
    except Exception as error:
        located: Any = SpaceError(
            f"{architecture.text} cannot be built for inputs {_times(shape)} "
            f"and {splits.n_outputs} outputs: {error}"
        )
        located.at, located.reason = getattr(error, "at", ""), getattr(error, "reason", str(error))
        raise located from error
    return network.to(device)


def check_buildable(space: SearchSpace) -> None:
    """Refuse a space whose architectures stand for no networks, before any is tried.

    Raises:
        ConfigError: its architectures are values of another kind.
    """
    value = space.architecture(space.sample(1, np.random.default_rng(0))).value
    if not isinstance(value, Blueprint | str) and not callable(value):  # modules can be called
        raise ConfigError(
            f"training builds networks of Blueprints, modules or functions; an architecture of this space is "
            f"a {type(value).__name__}, which only an evaluator made for it can measure"
        )


def build_supernet(
    space: SearchSpace,
    splits: Shaped,
    *,
    seed: int = 0,
    device: str | torch.device = "cpu",
    partial_channels: int = 1,
) -> Supernet:
    """Build the supernet of a space with fresh weights.

    Args:
        space: the space.
        splits: what its networks must fit.
        seed: of the initial weights.
        device: where the weights are made. ``meta`` allocates none.
        partial_channels: see ``supernet``.

    Raises:
        SpaceError: what cannot be shared, or built.
    """
    shape = tuple(splits.input_shape)
    with seeded(seed, device), torch.device(device):
        return supernet(
            space,
            shape[0],
            partial_channels=partial_channels,
            n_outputs=splits.n_outputs,
            input_shape=shape,
        )


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))

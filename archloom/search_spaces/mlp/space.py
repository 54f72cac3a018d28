# SPDX-License-Identifier: Apache-2.0
"""The space of fully connected networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyglove as pg

from archloom.errors import ConfigError, UnknownNameError, did_you_mean
from archloom.search_spaces.choosing import among
from archloom.search_spaces.mlp.network import ABSENT, ACTIVATIONS, MLP, Dense
from archloom.search_spaces.space import SearchSpace

__all__ = ["mlp"]

_FIELDS = ("width", "activation", "dropout")


def mlp(
    *,
    layers: int = 3,
    widths: Sequence[int] = (16, 32, 64, 128),
    activations: Sequence[str] = ("relu", "gelu", "tanh"),
    dropout: Sequence[float] = (0.0,),
) -> SearchSpace:
    """Make a space of fully connected networks: how deep, and of each layer how wide and of what kind.

    The first layer is always there, each later one may be absent. Networks with the same layers in the same
    order share a key, wherever the gaps are.

    Args:
        layers: layers at most, the head not counted.
        widths: features of a layer to choose from.
        activations: names of activations to choose from.
        dropout: dropout probabilities to choose from.

    Raises:
        ConfigError: a number out of range or an empty list.
        UnknownNameError: an activation that does not exist.

    >>> mlp(layers=2, widths=[8, 16], activations=["relu"]).size
    6
    """
    _check(layers, widths, activations, dropout)

    def dense() -> Dense:
        return Dense(
            width=among(widths), activation=among(activations), dropout=among([float(p) for p in dropout])
        )

    later = [pg.oneof([ABSENT, dense()]) for _ in range(layers - 1)]

    def describe(choices: Mapping[str, str | float]) -> str:
        return " > ".join(_layers(choices, layers))

    return SearchSpace(MLP(layers=[dense(), *later]), canonical=describe, text=describe)


def _layers(choices: Mapping[str, str | float], n_layers: int) -> list[str]:
    """Spell the layers that are there, naming what was chosen of each."""
    spelled = []
    for index in range(n_layers):
        path = f"layers[{index}]"
        if choices.get(path) == ABSENT:
            continue
        prefix = f"{path}(dense)" if path in choices else path
        fields = [f"{prefix}.{field}" for field in _FIELDS]
        spelled.append(" ".join(str(choices[field]) for field in fields if field in choices) or "dense")
    return spelled


def _check(layers: int, widths: Sequence[int], activations: Sequence[str], dropout: Sequence[float]) -> None:
    if layers < 1:
        raise ConfigError(f"mlp needs layers >= 1, got {layers}")
    for name, options in (("widths", widths), ("activations", activations), ("dropout", dropout)):
        if not options:
            raise ConfigError(f"mlp needs at least one of {name}, got none")
    if min(widths) < 1:
        raise ConfigError(f"widths must be >= 1, got {list(widths)}")
    if min(dropout) < 0 or max(dropout) >= 1:
        raise ConfigError(f"dropout must be in [0, 1), got {list(dropout)}")
    known = ACTIVATIONS.names()
    for name in activations:
        if ":" not in name and name not in known:
            raise UnknownNameError(f"{name!r} is not one of the activations{did_you_mean(name, known)}")

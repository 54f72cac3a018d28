# SPDX-License-Identifier: Apache-2.0
"""Layers without parts: of images, tokens and vectors alike where nothing else is said."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from archloom.errors import SpaceError
from archloom.search_spaces.blueprint import sized
from archloom.search_spaces.blueprints.checks import check_activation, check_share
from archloom.search_spaces.blueprints.layer import Layer, Place, made_activation, sliced
from archloom.search_spaces.mlp.network import dense_layer
from archloom.search_spaces.sharing import is_shared, routed

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Activation", "Attention", "Dropout", "Flatten", "Head", "Identity", "Linear", "Norm", "Pool"]


class Linear(Layer):
    """A linear map of the last dimension, an activation and dropout, for vectors and tokens.

    Args:
        width: features out; by default what the parent asks for, else as many as come in.
        activation: a name in ``ACTIVATIONS``, or ``none``.
        dropout: probability of dropping a feature while training.
    """

    width: int | None = None
    activation: str = "relu"
    dropout: float = 0.0

    elastic = frozenset({"width", "activation", "dropout"})
    takes_any_width = True
    _takes = frozenset({"c_out"})

    def _on_bound(self) -> None:
        super()._on_bound()
        check_share(self, "dropout")

    def _build(self, place: Place) -> nn.Module:
        activation = routed(self.activation, made_activation)
        return dense_layer(place.c_in, place.c_out or place.c_in, activation, self.dropout)


class Norm(Layer):
    """A normalisation.

    Args:
        kind: ``batch``, ``layer`` (the channels of each position), ``group`` or ``instance``.
        groups: for ``group``: how many groups of channels; a divisor of the width.
    """

    kind: Literal["batch", "layer", "group", "instance"] = "batch"
    groups: int = 8

    @property
    def takes_any_width(self) -> bool:  # type: ignore[override]
        """Batch norms of the first channels are a slice; others would need statistics of their own."""
        return self.kind == "batch"

    def _build(self, place: Place) -> nn.Module:
        from archloom.nn import Norm as Module

        if self.kind == "group" and place.c_in % self.groups:
            raise SpaceError(
                f"groups must divide the width, got {self.groups} groups of {place.c_in} channels"
            )
        n_groups = self.groups if self.kind == "group" else 1
        return sliced(Module(place.c_in, self.kind, n_groups, affine=place.affine), place)


class Activation(Layer):
    """A nonlinearity by itself.

    Args:
        kind: a name in ``ACTIVATIONS``.
    """

    kind: str = "relu"

    takes_any_width = True

    def _on_bound(self) -> None:
        super()._on_bound()
        check_activation(self, "kind")

    def _build(self, place: Place) -> nn.Module:
        return sized(made_activation(self.kind), place.c_in)


class Pool(Layer):
    """Pooling: the largest or the mean of each window of an image, or of all positions.

    Args:
        kind: ``avg`` or ``max``.
        size: side of the window; or ``global``, which gives one vector of images and tokens.
        stride: step of the window; by default what the parent asks for, else 2. A window of even size moves
            by its own size.
    """

    kind: Literal["avg", "max"] = "max"
    size: int | Literal["global"] = 2
    stride: int | None = None

    takes_any_width = True

    _least = Layer._least | {"size": 1}
    _takes = frozenset({"stride"})

    def _build(self, place: Place) -> nn.Module:
        from archloom.nn import Pool as Window
        from archloom.nn import PositionPool

        if isinstance(self.size, str):
            return PositionPool(place.c_in, self.kind)
        stride = place.stride or 2
        return Window(place.c_in, place.c_in, self.kind, self.size, stride, affine=place.affine)


class Dropout(Layer):
    """Dropout (Srivastava et al. 2014).

    Args:
        rate: probability of dropping a number while training.
    """

    rate: float = 0.5

    takes_any_width = True

    def _on_bound(self) -> None:
        super()._on_bound()
        check_share(self, "rate")

    def _build(self, place: Place) -> nn.Module:
        from torch import nn

        return sized(nn.Dropout(self.rate), place.c_in)


class Identity(Layer):
    """Nothing: the input as it is, or brought to the width and stride that the parent asks for."""

    takes_any_width = True

    def _build(self, place: Place) -> nn.Module:
        from torch import nn

        return sized(nn.Identity(), place.c_in)


class Flatten(Layer):
    """All numbers of a sample in one vector.

    It stands where the shape of its input is known, in the layers of a whole network.

    Raises:
        SpaceError: built where the shape of its input is not known.
    """

    takes_any_width = True

    _takes = frozenset({"input_shape"})

    def _build(self, place: Place) -> nn.Module:
        from torch import nn

        from archloom.nn.routed import Width

        if place.input_shape is None:
            raise SpaceError(
                "flatten needs to know the shape of its input, which is known only in the layers of a whole "
                "network; {name: pool, size: global} does without"
            )
        if is_shared() and isinstance(place.c_in, Width):
            return sized(nn.Flatten(), Width(place.c_in * math.prod(place.input_shape[1:])))
        return sized(nn.Flatten(), math.prod(place.input_shape))


class Head(Layer):
    """The end of a network: the mean over all positions, dropout, a linear layer to the outputs.

    Args:
        dropout: probability of dropping a feature while training.
    """

    dropout: float = 0.0

    takes_any_width = True

    _takes = frozenset({"n_outputs"})

    def _on_bound(self) -> None:
        super()._on_bound()
        check_share(self, "dropout")

    def _build(self, place: Place) -> nn.Module:
        from archloom.nn import MeanHead

        if place.n_outputs is None:
            raise SpaceError("a head is the last layer of a whole network, and stands nowhere else")
        return sliced(MeanHead(place.c_in, place.n_outputs, self.dropout), place)


class Attention(Layer):
    """Multi-head self-attention over tokens, or over the pixels of an image (Vaswani et al. 2017).

    It is the attention alone: a ``residual`` around ``[norm, attention]`` is half of a transformer block.

    Args:
        heads: how many heads; a divisor of the width.
        dropout: probability of dropping an attention weight while training.
    """

    heads: int = 4
    dropout: float = 0.0

    _least = Layer._least | {"heads": 1}

    def _on_bound(self) -> None:
        super()._on_bound()
        check_share(self, "dropout")

    def _build(self, place: Place) -> nn.Module:
        from archloom.nn import SelfAttention

        if place.c_in % self.heads:
            raise SpaceError(f"heads must divide the width, got {self.heads} heads of {place.c_in} channels")
        return SelfAttention(place.c_in, self.heads, self.dropout)

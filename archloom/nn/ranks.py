# SPDX-License-Identifier: Apache-2.0
"""Modules that take images, tokens and vectors alike.

Notation: ``b`` samples, ``c`` channels. Images are ``b x c x h x w``, tokens ``b x t x c``, vectors
``b x c``: the rank tells which, and pixels and tokens are both *positions*.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["MeanHead", "Norm", "PositionPool", "Project", "SelfAttention", "channel_dim", "refuse_different"]


def channel_dim(x: Tensor) -> int:
    """Return the dimension of the channels: 1 for images, the last for tokens and vectors."""
    return 1 if x.ndim == 4 else x.ndim - 1


def refuse_different(a: Tensor, b: Tensor, what: str) -> None:
    """Refuse shapes that torch would broadcast."""
    if a.shape != b.shape:
        raise ValueError(f"{what} of one shape, got {tuple(a.shape)} and {tuple(b.shape)}")


class Norm(nn.Module):
    """Normalise: over the batch, the channels of a position, groups of channels, or each channel by itself.

    Args:
        c_in: channels.
        kind: ``batch`` (Ioffe and Szegedy 2015), ``layer`` (each position by itself; Ba et al. 2016),
            ``group`` (Wu and He 2018) or ``instance`` (Ulyanov et al. 2016).
        n_groups: for ``group``: how many groups; a divisor of ``c_in``.
        affine: whether a scale and a shift are learned.
    """

    def __init__(self, c_in: int, kind: str = "batch", n_groups: int = 1, affine: bool = True):
        super().__init__()
        self.c_in = c_in
        self.kind = kind
        self.n_groups = n_groups
        self.affine = affine
        self.norm: nn.Module
        if kind == "batch":
            self.norm = nn.BatchNorm1d(c_in, affine=affine)
        elif kind == "layer":
            self.norm = nn.LayerNorm(c_in, elementwise_affine=affine)
        elif kind in ("group", "instance"):
            self.norm = nn.GroupNorm(n_groups if kind == "group" else c_in, c_in, affine=affine)
        else:
            raise ValueError(f"kind must be 'batch', 'layer', 'group' or 'instance', got {kind!r}")

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_in

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape of images, tokens or vectors."""
        if self.kind == "instance" and x.ndim == 2:
            raise ValueError("instance normalisation is over the positions of a channel; a vector has none")
        y: Tensor
        if self.kind == "layer":
            y = self.norm(x.movedim(1, -1)).movedim(-1, 1) if x.ndim == 4 else self.norm(x)
        elif x.ndim == 4:
            y = self.norm(x.flatten(2)).view_as(x)
        elif x.ndim == 3:
            y = self.norm(x.transpose(1, 2)).transpose(1, 2)
        else:
            y = self.norm(x)
        return y


class Project(nn.Module):
    """One linear map at every position, without bias: a 1x1 convolution of an image.

    Args:
        c_in: channels in.
        c_out: channels out.
        stride: keep one position in so many, along each side of an image or along the tokens.
    """

    def __init__(self, c_in: int, c_out: int, stride: int = 1):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.stride = stride
        self.linear = nn.Linear(c_in, c_out, bias=False)

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``c_in`` to ``c_out`` channels and ``n`` positions a side to ``ceil(n / stride)``."""
        if x.ndim == 4:
            return functional.conv2d(x, self.linear.weight[:, :, None, None], stride=self.stride)
        if x.ndim == 2 and self.stride != 1:
            raise ValueError(f"a vector has no positions to take one in {self.stride} of")
        y: Tensor = self.linear(x if self.stride == 1 else x[:, :: self.stride])
        return y


class PositionPool(nn.Module):
    """Pool all positions into one vector.

    Args:
        c_in: channels.
        kind: ``avg`` or ``max``.
    """

    def __init__(self, c_in: int, kind: str = "avg"):
        super().__init__()
        if kind not in ("avg", "max"):
            raise ValueError(f"kind must be 'avg' or 'max', got {kind!r}")
        self.c_in = c_in
        self.kind = kind

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_in

    def forward(self, x: Tensor) -> Tensor:
        """Map images or tokens to ``b x c_in``; vectors pass."""
        if x.ndim == 2:
            return x
        positions = tuple(dim for dim in range(1, x.ndim) if dim != channel_dim(x))
        return x.mean(positions) if self.kind == "avg" else x.amax(positions)


class MeanHead(nn.Module):
    """The mean over all positions, dropout, and a linear layer.

    Args:
        c_in: channels in.
        n_outputs: outputs (classes).
        dropout: probability of dropping a channel's mean while training.
    """

    def __init__(self, c_in: int, n_outputs: int, dropout: float = 0.0):
        super().__init__()
        self.c_in = c_in
        self.n_outputs = n_outputs
        self.dropout = dropout
        self.body = nn.Sequential(PositionPool(c_in), nn.Dropout(dropout), nn.Linear(c_in, n_outputs))

    @property
    def out(self) -> int:
        """Number of outputs."""
        return self.n_outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map images, tokens or vectors of ``c_in`` channels to ``b x n_outputs``."""
        y: Tensor = self.body(x)
        return y


class SelfAttention(nn.Module):
    """Multi-head self-attention over the tokens, or over the pixels of an image (Vaswani et al. 2017).

    ``y = W_o concat_h(softmax(q_h k_h' / sqrt(c / n_heads)) v_h)``; normalisation and the residual
    connection are left to what stands around it.

    Args:
        c_in: channels in and out.
        n_heads: how many heads; a divisor of ``c_in``.
        dropout: probability of dropping an attention weight while training.
    """

    def __init__(self, c_in: int, n_heads: int = 4, dropout: float = 0.0):
        super().__init__()
        if c_in % n_heads:
            raise ValueError(f"n_heads must divide the width, got {n_heads} heads of {c_in} channels")
        self.c_in = c_in
        self.n_heads = n_heads
        self.dropout = dropout
        self.qkv = nn.Linear(c_in, 3 * c_in)
        self.project = nn.Linear(c_in, c_in)

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_in

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape of tokens or images."""
        if x.ndim == 2:
            raise ValueError("attention is over the positions of tokens or images; a vector has none")
        tokens = x.flatten(2).transpose(1, 2) if x.ndim == 4 else x
        n_samples, n_tokens, _ = tokens.shape
        heads = self.qkv(tokens).view(n_samples, n_tokens, 3, self.n_heads, self.c_in // self.n_heads)
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        y = functional.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        y = self.project(y.transpose(1, 2).reshape(n_samples, n_tokens, self.c_in))
        mixed: Tensor = y.transpose(1, 2).reshape(x.shape) if x.ndim == 4 else y
        return mixed

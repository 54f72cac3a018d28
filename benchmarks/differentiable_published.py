# SPDX-License-Identifier: Apache-2.0
"""The search networks of DARTS and PC-DARTS in plain torch, as published, and a step of either's search.

They are what our relaxed supernet is timed against, so they do what the papers and the authors' programs do,
no better: every operation of every edge runs by itself, and the weights' gradients of an alpha step are
computed and thrown away. Written from Liu, Simonyan and Yang, "DARTS: differentiable architecture search"
(ICLR 2019, arXiv:1806.09055), and Xu et al., "PC-DARTS: partial channel connections for memory-efficient
architecture search" (ICLR 2020, arXiv:1907.05737).

``net.weights()`` come in an order that another network can follow: those of the stem (convolution, scale,
shift); of each cell its first and its second preprocessing, then node by node, for each node the edges in the
order of their sources (the two inputs, then the nodes before), for each edge the operations in the order of
``OPERATIONS``, inside an operation in the order of its forward pass, a ``FactorizedReduce`` by its straight
convolution first; at last those of the linear layer (weight, bias). Batch norms inside cells have none. The
edges of a cell, and so the rows of its alphas, are counted in the same order.

Notation: ``b`` images, ``c`` channels, ``h x w`` pixels, ``e`` edges of a cell (14 of four nodes), ``o``
operations (8), ``w`` weights, ``a`` alphas.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "OPERATIONS",
    "Batch",
    "PublishedDarts",
    "PublishedPcDarts",
    "SearchNetwork",
    "published_operation",
    "published_optimizers",
    "published_step",
    "published_unrolled_step",
    "unrolled_gradient",
]

OPERATIONS = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
"""The operations of an edge, in the paper's order."""

N_INPUTS, STEM_MULTIPLIER = 2, 3
INITIAL_SCALE = 1e-3
HESSIAN_RADIUS = 0.01

Batch = tuple[Tensor, Tensor]
"""Images, ``b x c x h x w``, and their classes, ``b``."""

Mixing = Callable[[bool], tuple[Tensor, Tensor | None]]
"""Whether a cell reduces -> weights of operations, ``e x o``, and of edges, ``e``, or ``None`` for 1."""


class Zero(nn.Module):
    """What comes, times zero; every second pixel of it at stride 2."""

    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to zeros, ``b x c x h' x w'``."""
        return x.mul(0.0) if self.stride == 1 else x[:, :, :: self.stride, :: self.stride].mul(0.0)


class FactorizedReduce(nn.Module):
    """ReLU, two 1x1 convolutions of stride 2, of which one skips the first row and column, batch norm.

    What is skipped is cropped, as in the published program: sides are even.
    """

    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        self.relu = nn.ReLU()
        self.straight = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.shifted = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(c_out, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to ``b x c' x h/2 x w/2``."""
        x = self.relu(x)
        y: Tensor = self.norm(torch.cat([self.straight(x), self.shifted(x[:, :, 1:, 1:])], dim=1))
        return y


def published_operation(name: str, width: int, stride: int) -> nn.Module:
    """Make an operation of an edge, all its batch norms without scale and shift; a pooling has one, too."""
    kernel_size = int(name[-1]) if name[-1].isdigit() else 0
    kind = name.partition("_")[0]
    if kind == "none":
        return Zero(stride)
    if kind == "skip":
        return nn.Identity() if stride == 1 else FactorizedReduce(width, width)
    if kind == "sep":
        return nn.Sequential(
            *_depthwise_separable(width, kernel_size, stride), *_depthwise_separable(width, kernel_size, 1)
        )
    if kind == "dil":
        return nn.Sequential(*_depthwise_separable(width, kernel_size, stride, dilation=2))
    pool = (
        nn.MaxPool2d(3, stride, padding=1)
        if kind == "max"
        else nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
    )
    return nn.Sequential(pool, nn.BatchNorm2d(width, affine=False))


def _depthwise_separable(width: int, kernel_size: int, stride: int, dilation: int = 1) -> list[nn.Module]:
    padding = dilation * (kernel_size // 2)
    return [
        nn.ReLU(),
        nn.Conv2d(width, width, kernel_size, stride, padding, dilation, groups=width, bias=False),
        nn.Conv2d(width, width, 1, bias=False),
        nn.BatchNorm2d(width, affine=False),
    ]


def _relu_conv_norm(c_in: int, c_out: int) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(), nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out, affine=False)
    )


class MixedEdge(nn.Module):
    """Every operation on the same input, ``y = sum_o w_o op_o(x)``."""

    def __init__(self, width: int, stride: int):
        super().__init__()
        self.operations = nn.ModuleList(published_operation(name, width, stride) for name in OPERATIONS)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to ``b x c x h' x w'``, with weights ``o``."""
        return _sum([w * op(x) for w, op in zip(weights, self.operations, strict=True)])


class PartialEdge(nn.Module):
    """A mixed edge of the first ``1 / k`` of the channels, around which the others pass: that of PC-DARTS.

    Those that pass are max pooled 2x2 at stride 2. Both parts stand side by side and are shuffled in ``k``
    groups, so that each edge that follows mixes other channels.
    """

    def __init__(self, width: int, stride: int, *, k: int):
        super().__init__()
        if width % k:
            raise ValueError(f"a part of 1/{k} of the channels needs a multiple of {k} of them, got {width}")
        self.k = k
        self.mixed = MixedEdge(width // k, stride)
        self.passing = nn.Identity() if stride == 1 else nn.MaxPool2d(2, 2)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to ``b x c x h' x w'``, with weights ``o``."""
        n_mixed = x.shape[1] // self.k
        y = torch.cat([self.mixed(x[:, :n_mixed], weights), self.passing(x[:, n_mixed:])], dim=1)
        b, c, h, w = y.shape
        return y.view(b, self.k, c // self.k, h, w).transpose(1, 2).reshape(b, c, h, w)


class Cell(nn.Module):
    """Two inputs brought to the cell's width, nodes that sum their edges, all nodes side by side."""

    def __init__(
        self,
        c_before_last: int,
        c_last: int,
        width: int,
        n_nodes: int,
        *,
        is_reduction: bool,
        follows_reduction: bool,
        edge: Callable[[int, int], nn.Module],
    ):
        super().__init__()
        self.is_reduction = is_reduction
        self.preprocess_0 = (
            FactorizedReduce(c_before_last, width)
            if follows_reduction
            else _relu_conv_norm(c_before_last, width)
        )
        self.preprocess_1 = _relu_conv_norm(c_last, width)
        self.nodes = nn.ModuleList(
            nn.ModuleList(
                edge(width, 2 if is_reduction and source < N_INPUTS else 1)
                for source in range(N_INPUTS + node)
            )
            for node in range(n_nodes)
        )

    def forward(self, before_last: Tensor, last: Tensor, alphas: Tensor, betas: Tensor | None) -> Tensor:
        """Map two images to one, with weights of operations ``e x o`` and of edges ``e``."""
        states = [self.preprocess_0(before_last), self.preprocess_1(last)]
        row = 0
        for edges in self.nodes:
            mixed = []
            for state, edge in zip(states, list(edges), strict=True):  # type: ignore[call-overload]
                y = edge(state, alphas[row])
                mixed.append(y if betas is None else betas[row] * y)
                row += 1
            states.append(_sum(mixed))
        return torch.cat(states[N_INPUTS:], dim=1)


class Trunk(nn.Module):
    """All that has weights: a 3x3 stem, cells that reduce at 1/3 and 2/3 of the depth, a linear layer."""

    def __init__(
        self,
        n_outputs: int,
        *,
        c_in: int,
        channels: int,
        n_cells: int,
        n_nodes: int,
        edge: Callable[[int, int], nn.Module],
    ):
        super().__init__()
        c_before_last = c_last = STEM_MULTIPLIER * channels
        self.stem = nn.Sequential(nn.Conv2d(c_in, c_last, 3, padding=1, bias=False), nn.BatchNorm2d(c_last))
        self.cells = nn.ModuleList()
        width, follows_reduction = channels, False
        for index in range(n_cells):
            is_reduction = index in (n_cells // 3, 2 * n_cells // 3)
            width = 2 * width if is_reduction else width
            cell = Cell(
                c_before_last,
                c_last,
                width,
                n_nodes,
                is_reduction=is_reduction,
                follows_reduction=follows_reduction,
                edge=edge,
            )
            self.cells.append(cell)
            c_before_last, c_last, follows_reduction = c_last, n_nodes * width, is_reduction
        self.classifier = nn.Linear(c_last, n_outputs)

    def forward(self, x: Tensor, mixing: Mixing) -> Tensor:
        """Map ``b x c x h x w`` to ``b x n_outputs``; each cell computes its mixing anew, as published."""
        before_last = last = self.stem(x)
        for cell in self.cells:
            before_last, last = last, cell(before_last, last, *mixing(bool(cell.is_reduction)))
        y: Tensor = self.classifier(functional.adaptive_avg_pool2d(last, 1).flatten(1))
        return y


@final
class PublishedDarts(nn.Module):
    """DARTS' search network: ``y = sum_o softmax(alpha_e)_o op_o(x)`` on every edge ``e``.

    With the paper's 16 channels, 8 cells and 10 classes it has 1,930,618 weights, as published.

    Args:
        n_outputs: outputs (classes).
        c_in: channels of the images, whose sides are multiples of 4.
        channels: channels of a node in the first cells; even.
        n_cells: cells, at least 3.
        n_nodes: nodes of a cell.
    """

    def __init__(
        self, n_outputs: int = 10, *, c_in: int = 3, channels: int = 16, n_cells: int = 8, n_nodes: int = 4
    ):
        super().__init__()
        self.trunk = Trunk(
            n_outputs, c_in=c_in, channels=channels, n_cells=n_cells, n_nodes=n_nodes, edge=MixedEdge
        )
        n_edges = sum(N_INPUTS + node for node in range(n_nodes))
        self.alphas_normal = _initial(n_edges, len(OPERATIONS))
        self.alphas_reduce = _initial(n_edges, len(OPERATIONS))

    def weights(self) -> list[nn.Parameter]:
        """Return what SGD trains, in the order that the module's docstring tells."""
        return list(self.trunk.parameters())

    def alphas(self) -> list[nn.Parameter]:
        """Return what Adam trains: ``e x o`` of normal cells and of reductions."""
        return [self.alphas_normal, self.alphas_reduce]

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to ``b x n_outputs``."""

        def mixing(is_reduction: bool) -> tuple[Tensor, Tensor | None]:
            return (self.alphas_reduce if is_reduction else self.alphas_normal).softmax(dim=-1), None

        y: Tensor = self.trunk(x, mixing)
        return y


@final
class PublishedPcDarts(nn.Module):
    """PC-DARTS' search network: edges that mix ``1 / k`` of their channels, and are weighed themselves.

    ``node_j = sum_i beta'_ij edge_ij(state_i)``, ``beta'_j = softmax_i(beta_ij)`` over the edges into ``j``.
    With 16 channels, 8 cells, 10 classes and ``k = 4`` it has 299,578 weights, as published.

    Args:
        n_outputs: outputs (classes).
        c_in: channels of the images, whose sides are multiples of 4.
        channels: channels of a node in the first cells; an even multiple of ``k`` at the first reduction.
        n_cells: cells, at least 3.
        n_nodes: nodes of a cell.
        k: one of how many channels is mixed.
    """

    def __init__(
        self,
        n_outputs: int = 10,
        *,
        c_in: int = 3,
        channels: int = 16,
        n_cells: int = 8,
        n_nodes: int = 4,
        k: int = 4,
    ):
        super().__init__()
        self.n_nodes = n_nodes
        self.trunk = Trunk(
            n_outputs,
            c_in=c_in,
            channels=channels,
            n_cells=n_cells,
            n_nodes=n_nodes,
            edge=partial(PartialEdge, k=k),
        )
        n_edges = sum(N_INPUTS + node for node in range(n_nodes))
        self.alphas_normal = _initial(n_edges, len(OPERATIONS))
        self.alphas_reduce = _initial(n_edges, len(OPERATIONS))
        self.betas_normal = _initial(n_edges)
        self.betas_reduce = _initial(n_edges)

    def weights(self) -> list[nn.Parameter]:
        """Return what SGD trains, in the order that the module's docstring tells."""
        return list(self.trunk.parameters())

    def alphas(self) -> list[nn.Parameter]:
        """Return what Adam trains: ``e x o`` of normal cells and of reductions, then ``e`` of both."""
        return [self.alphas_normal, self.alphas_reduce, self.betas_normal, self.betas_reduce]

    def edge_weights(self, is_reduction: bool) -> Tensor:
        """Return how much each edge counts, ``e``; those into a node sum to 1."""
        betas = self.betas_reduce if is_reduction else self.betas_normal
        groups = torch.split(betas, [N_INPUTS + node for node in range(self.n_nodes)])
        return torch.cat([group.softmax(dim=0) for group in groups])

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to ``b x n_outputs``."""

        def mixing(is_reduction: bool) -> tuple[Tensor, Tensor | None]:
            alphas = self.alphas_reduce if is_reduction else self.alphas_normal
            return alphas.softmax(dim=-1), self.edge_weights(is_reduction)

        y: Tensor = self.trunk(x, mixing)
        return y


SearchNetwork = PublishedDarts | PublishedPcDarts
"""What a step trains."""


def published_optimizers(
    net: SearchNetwork, lr: float = 0.025, alpha_lr: float = 3e-4
) -> tuple[torch.optim.SGD, torch.optim.Adam]:
    """Return the optimizers of weights and of alphas that both papers use.

    Args:
        net: the network.
        lr: of the weights at the start; PC-DARTS takes 0.1.
        alpha_lr: of the alphas; PC-DARTS takes 6e-4.
    """
    return (
        torch.optim.SGD(net.weights(), lr, momentum=0.9, weight_decay=3e-4),
        torch.optim.Adam(net.alphas(), alpha_lr, betas=(0.5, 0.999), weight_decay=1e-3),
    )


def published_step(
    net: SearchNetwork,
    train_batch: Batch,
    validation_batch: Batch,
    weight_optimizer: torch.optim.Optimizer,
    alpha_optimizer: torch.optim.Optimizer,
    clip: float = 5.0,
) -> Tensor:
    """Take a first-order step: of the alphas on the validation batch, then of the weights on the other.

    Backward goes through all of the network in both, whosever the gradients are that are wanted.

    Args:
        net: the network, in training mode.
        train_batch: what the weights learn from.
        validation_batch: what the alphas learn from.
        weight_optimizer: of ``net.weights()``.
        alpha_optimizer: of ``net.alphas()``.
        clip: the norm that the weights' gradient is cut to.

    Returns:
        The loss of the training batch, a scalar.
    """
    alpha_optimizer.zero_grad()
    _loss(net, validation_batch).backward()  # type: ignore[no-untyped-call]
    alpha_optimizer.step()
    return _weight_step(net, train_batch, weight_optimizer, clip)


def published_unrolled_step(
    net: SearchNetwork,
    train_batch: Batch,
    validation_batch: Batch,
    weight_optimizer: torch.optim.Optimizer,
    alpha_optimizer: torch.optim.Optimizer,
    clip: float = 5.0,
) -> Tensor:
    """Take a second-order step: of the alphas by ``unrolled_gradient``, then of the weights.

    Args:
        net: the network, in training mode.
        train_batch: what the weights learn from, in the virtual step too.
        validation_batch: what the alphas learn from.
        weight_optimizer: SGD of ``net.weights()``, in one group.
        alpha_optimizer: of ``net.alphas()``.
        clip: the norm that the weights' gradient is cut to, in the real step.

    Returns:
        The loss of the training batch, a scalar.
    """
    gradients = unrolled_gradient(net, train_batch, validation_batch, weight_optimizer)
    for alpha, gradient in zip(net.alphas(), gradients, strict=True):
        alpha.grad = gradient
    alpha_optimizer.step()
    return _weight_step(net, train_batch, weight_optimizer, clip)


def unrolled_gradient(
    net: SearchNetwork,
    train_batch: Batch,
    validation_batch: Batch,
    weight_optimizer: torch.optim.Optimizer,
    radius: float = HESSIAN_RADIUS,
) -> list[Tensor]:
    """Return the gradient of ``L_val(w'(a), a)`` to the alphas, where ``w'`` is one step of SGD from ``w``.

    ``w' = w - lr (momentum * buffer + dL_train/dw + decay * w)``, taken by a copy of the network, and with
    ``g = dL_val/dw'`` at ``w'``, ``r = radius / |g|``::

        dL_val/da - lr (dL_train/da at w + r g  -  dL_train/da at w - r g) / 2r

    the second term being a finite difference in place of the mixed second derivative times ``g`` (DARTS,
    equations 7 and 8). Its error falls with the square of the radius where the loss is smooth. Where ReLU and
    max pooling bend it, a difference at the published radius counts bends as curvature, of which autograd
    through the inner step knows nothing: on networks of three cells the two were 10 to 50 % apart.

    Args:
        net: the network, in training mode; its weights are moved and brought back.
        train_batch: of the virtual step.
        validation_batch: of the loss that the alphas are to lower.
        weight_optimizer: SGD of ``net.weights()``, in one group, whose state is read.
        radius: how far the weights are moved for the difference, either way.
    """
    [group] = weight_optimizer.param_groups
    weights, n_alphas = net.weights(), len(net.alphas())
    slopes = torch.autograd.grad(_loss(net, train_batch), weights)
    virtual = copy.deepcopy(net)
    with torch.no_grad():
        for moved, weight, slope in zip(virtual.weights(), weights, slopes, strict=True):
            buffer = weight_optimizer.state.get(weight, {}).get("momentum_buffer")
            step = slope + group["weight_decay"] * weight
            moved.sub_(group["lr"] * (step if buffer is None else step + group["momentum"] * buffer))
    gradients = torch.autograd.grad(_loss(virtual, validation_batch), [*virtual.alphas(), *virtual.weights()])
    implicit = _mixed_derivative(net, train_batch, gradients[n_alphas:], radius)
    return [
        direct - group["lr"] * other for direct, other in zip(gradients[:n_alphas], implicit, strict=True)
    ]


def _mixed_derivative(
    net: SearchNetwork, batch: Batch, direction: Sequence[Tensor], radius: float
) -> list[Tensor]:
    """Return ``d2L/da dw`` times a direction of the weights, by a central difference."""
    r = radius / torch.linalg.vector_norm(torch.cat([each.flatten() for each in direction]))

    def move(factor: float) -> None:
        with torch.no_grad():
            for weight, each in zip(net.weights(), direction, strict=True):
                weight.add_(factor * r * each)

    move(1.0)
    ahead = torch.autograd.grad(_loss(net, batch), net.alphas())
    move(-2.0)
    behind = torch.autograd.grad(_loss(net, batch), net.alphas())
    move(1.0)
    return [(plus - minus) / (2 * r) for plus, minus in zip(ahead, behind, strict=True)]


def _weight_step(
    net: SearchNetwork, batch: Batch, weight_optimizer: torch.optim.Optimizer, clip: float
) -> Tensor:
    weight_optimizer.zero_grad()
    loss = _loss(net, batch)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.weights(), clip)
    weight_optimizer.step()
    return loss.detach()


def _loss(net: SearchNetwork, batch: Batch) -> Tensor:
    images, classes = batch
    return functional.cross_entropy(net(images), classes)


def _initial(*shape: int) -> nn.Parameter:
    return nn.Parameter(INITIAL_SCALE * torch.randn(*shape))


def _sum(parts: Sequence[Tensor]) -> Tensor:
    total: Tensor = sum(parts)  # type: ignore[assignment]
    return total

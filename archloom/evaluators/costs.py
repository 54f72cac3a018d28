# SPDX-License-Identifier: Apache-2.0
"""What a network costs, counted without training it and without allocating its weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from archloom.contracts import Architecture, Evaluator, Metrics, Trial
from archloom.errors import SpaceError
from archloom.evaluators.networks import build_network
from archloom.evaluators.options import known
from archloom.evaluators.shapes import ShapeSource

__all__ = ["Costs", "count_macs", "count_parameters", "size_mb"]

Cost = Literal["params", "size_mb", "macs"]


def count_parameters(network: nn.Module) -> int:
    """Count the trainable parameters; a shared one counts once.

    >>> count_parameters(nn.Linear(3, 2))
    8
    """
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def size_mb(network: nn.Module) -> float:
    """Return the megabytes (10^6 bytes) of all parameters and buffers, trainable or not.

    >>> size_mb(nn.Linear(3, 2))
    3.2e-05
    """
    tensors = [*network.parameters(), *network.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e6


def count_macs(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Count the multiply-accumulates of one sample's forward pass, in evaluation mode.

    Half of the operations that torch's ``FlopCounterMode`` counts: those of matrix products,
    convolutions and attention. The network is left in evaluation mode.

    >>> count_macs(nn.Linear(3, 2).to("meta"), (3,))
    6
    """
    device = next((tensor.device for tensor in network.parameters()), torch.device("meta"))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, *input_shape, device=device))
    return int(counter.get_total_flops()) // 2


_COUNTERS: dict[str, Callable[[nn.Module, tuple[int, ...]], float]] = {
    "macs": count_macs,
    "params": lambda network, _: count_parameters(network),
    "size_mb": lambda network, _: size_mb(network),
}


class Costs(Evaluator):
    """Counts parameters, megabytes and multiply-accumulates on torch's ``meta`` device.

    Args:
        metrics: any of ``params`` (trainable parameters), ``size_mb`` (10^6 bytes of parameters and
            buffers) and ``macs`` (multiply-accumulates of one sample's forward pass).
        data: the data set whose input shape and number of outputs the networks get, as for ``training``.
        data_options: the data set's options.
        input_shape: instead of ``data``: one sample's shape, ``[channels, height, width]``.
        n_outputs: with ``input_shape``: how wide the output is.

    Raises:
        ConfigError: an unknown metric, or not exactly one of ``data`` and ``input_shape``.
    """

    is_cheap = True

    def __init__(
        self,
        *,
        metrics: list[Cost] | None = None,
        data: str | Any | None = None,
        data_options: dict[str, Any] | None = None,
        input_shape: list[int] | None = None,
        n_outputs: int = 10,
    ):
        self.gives = tuple(known(name, sorted(_COUNTERS), "cost") for name in metrics or ("params", "macs"))
        self._source = ShapeSource(
            owner="costs",
            data=data,
            data_options=data_options,
            input_shape=input_shape,
            n_outputs=n_outputs,
        )

    def prepare(self, space: Any) -> None:
        """Read the shapes off the data."""
        del space
        self._source.shape()

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Build the network without weights and count.

        Raises:
            SpaceError: it cannot be built or run; the message names the architecture.
        """
        del trial
        shape = self._source.shape()
        network = build_network(architecture, shape, device="meta")
        try:
            return {name: float(_COUNTERS[name](network, shape.input_shape)) for name in self.gives or ()}
        except Exception as error:
            raise SpaceError(
                f"{architecture.text} cannot run on inputs {shape.input_shape}: {error}"
            ) from error

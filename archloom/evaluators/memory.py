# SPDX-License-Identifier: Apache-2.0
"""How much memory a network needs to answer, known before it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import torch
from torch import nn
from torch.multiprocessing import reductions
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from archloom.contracts import Architecture, Evaluator, Metrics, Trial
from archloom.errors import ConfigError, SpaceError
from archloom.evaluators.latency.machine import machine
from archloom.evaluators.networks import build_network
from archloom.evaluators.shapes import ShapeSource

__all__ = ["Memory", "allocated_bytes", "peak_bytes"]

_WeakReference: Any = reductions.StorageWeakRef  # torch gives it no types


class Memory(Evaluator):
    """Gives ``memory_mb``, the peak memory of one forward pass in inference, in megabytes (10^6 bytes).

    What is counted are the bytes of all tensors that are alive at once: parameters, buffers, the input, and
    every intermediate result from the operation that makes it until the last reference to it is gone. A
    view and what is changed in place cost nothing more. On the CPU this is counted on torch's ``meta``
    device, so it is the same on every machine and allocates nothing; scratch space inside an operation is
    not in it, nor the Python process itself, and layers that some machines compute in one piece
    (attention, recurrent ones) are counted as their parts. On a CUDA device it is what torch's
    allocator reports at the peak, which includes scratch space and the allocator's rounding.

    Args:
        data: the data set whose input shape and number of outputs the networks get, as for ``training``.
        data_options: the data set's options.
        input_shape: instead of ``data``: one sample's shape, ``[channels, height, width]``.
        n_outputs: with ``input_shape``: how wide the output is.
        batch_size: samples in the forward pass.

    Raises:
        ConfigError: not exactly one of ``data`` and ``input_shape``, or a ``batch_size`` below 1.
    """

    gives = ("memory_mb",)
    is_cheap = True

    def __init__(
        self,
        *,
        data: str | Any | None = None,
        data_options: dict[str, Any] | None = None,
        input_shape: list[int] | None = None,
        n_outputs: int = 10,
        batch_size: int = 1,
    ):
        if batch_size < 1:
            raise ConfigError(f"batch_size must be 1 or more, got {batch_size}")
        self._batch_size = batch_size
        self._source = ShapeSource(
            owner="memory",
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
        """Build the network and run it once: on ``meta`` for the CPU, in earnest on a CUDA device.

        Raises:
            SpaceError: it cannot be built or run; the message names the architecture.
        """
        shape = self._source.shape()
        is_gpu = torch.device(trial.device).type == "cuda"
        device = trial.device if is_gpu else "meta"
        network = build_network(architecture, shape, seed=trial.seed, device=device).eval()
        inputs = torch.zeros(self._batch_size, *shape.input_shape, device=device)
        count = allocated_bytes if is_gpu else peak_bytes
        try:
            return {"memory_mb": count(network, inputs) / 1e6}
        except Exception as error:
            raise SpaceError(
                f"{architecture.text} cannot run on inputs {tuple(inputs.shape)}: {error}"
            ) from error

    def conditions(self) -> Mapping[str, str]:
        """Name the devices, torch's version and the batch size."""
        return {**machine(), "batch_size": str(self._batch_size)}


def peak_bytes(network: nn.Module, inputs: torch.Tensor) -> int:
    """Count the bytes of all tensors alive at once at the worst moment of a forward pass.

    Two linear layers, 3 to 5 to 2 features, hold 128 bytes of weights; the worst moment is after the
    second, when 12 bytes of input, 20 in between and 8 of output are alive:

    >>> network = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2)).to("meta")
    >>> peak_bytes(network, torch.zeros(1, 3, device="meta")) == 128 + 12 + 20 + 8
    True
    """
    counter = _LiveBytes([*network.parameters(), *network.buffers(), inputs])
    # Without gradients but not in inference mode, where some operations would arrive whole.
    with torch.no_grad(), counter:
        network(inputs)
    return counter.peak


def allocated_bytes(network: nn.Module, inputs: torch.Tensor) -> int:
    """Return what torch's CUDA allocator holds for a network at the worst moment of a forward pass.

    That is the bytes of parameters, buffers and input, and by how much the pass raised the memory in use.
    A first pass is not counted: libraries take workspaces in it that they keep for all networks.
    """
    tensors = [*network.parameters(), *network.buffers(), inputs]
    with torch.inference_mode():
        network(inputs)
        torch.cuda.synchronize(inputs.device)
        before = torch.cuda.memory_allocated(inputs.device)
        torch.cuda.reset_peak_memory_stats(inputs.device)
        network(inputs)
        torch.cuda.synchronize(inputs.device)
    raised = torch.cuda.max_memory_allocated(inputs.device) - before
    return raised + _LiveBytes(tensors).peak


@final
class _LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operation, and which storages are alive after it."""

    def __init__(self, tensors: list[torch.Tensor]):
        super().__init__()  # type: ignore[no-untyped-call]
        self._alive: dict[Any, int] = {}
        self.peak = 0
        self._add(tensors)

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        made = func(*args, **(kwargs or {}))
        # The CPU keeps no statistics of a batch in evaluation mode; on meta they seem to be there.
        kept = made[0] if func is torch.ops.aten.native_batch_norm.default else made
        self._add([leaf for leaf in tree_leaves(kept) if isinstance(leaf, torch.Tensor)])
        return made

    def _add(self, tensors: list[torch.Tensor]) -> None:
        for tensor in tensors:
            storage = tensor.untyped_storage()
            self._alive[_WeakReference(storage)] = storage.nbytes()
        self._alive = {reference: n for reference, n in self._alive.items() if not reference.expired()}
        self.peak = max(self.peak, sum(self._alive.values()))

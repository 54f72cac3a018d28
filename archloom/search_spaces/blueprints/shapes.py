# SPDX-License-Identifier: Apache-2.0
"""The shape of a sample between two layers, found by running the layers before on torch's meta device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archloom.errors import SpaceError
from archloom.search_spaces.blueprint import origin
from archloom.search_spaces.tracing import watched

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ShapeSoFar"]


class ShapeSoFar:
    """Follows the shape of one sample through a sequence, as far as it was asked.

    Args:
        shape: of a sample before the first layer; ``None`` where that is not known.
    """

    def __init__(self, shape: tuple[int, ...] | None):
        self._shape = shape
        self._n_passed = 0

    def after(self, modules: Sequence[nn.Module]) -> tuple[int, ...] | None:
        """Return the shape of a sample after the modules built so far.

        Raises:
            SpaceError: one cannot run on what comes out of the one before. The error's ``stage`` is
                ``forward``, its ``running`` holds what was running.
        """
        for module in modules[self._n_passed :]:
            if self._shape is not None:
                self._shape = _passed(module, self._shape)
        self._n_passed = len(modules)
        return self._shape


def _passed(module: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Run a module without its weights; it is left as it is."""
    import torch
    from torch.func import functional_call

    tensors = {name: torch.empty_like(t, device="meta") for name, t in module.named_parameters()}
    tensors |= {name: torch.empty_like(t, device="meta") for name, t in module.named_buffers()}
    with watched(module) as running, torch.no_grad():
        try:
            y = functional_call(module, tensors, (torch.zeros(2, *shape, device="meta"),))
        except Exception as error:
            came = " x ".join(map(str, shape))
            located: Any = SpaceError(f"the layers before it cannot take inputs {came}: {error}")
            located.stage, located.running = "forward", list(running)
            paths = [path for path in (origin(part) for part, _ in running) if path is not None]
            if paths:
                located.at = paths[-1]
            raise located from error
    return tuple(y.shape[1:])

# SPDX-License-Identifier: Apache-2.0
"""The number format in which a network computes: mixed precision.

Under ``bfloat16`` and ``float16`` the weights, the losses and the metrics stay in float32, and torch's
autocast computes what gains from it (products of matrices, convolutions) in the short format
(Micikevicius et al. 2018, *Mixed precision training*).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final, get_args

import torch
from torch import nn

from archloom.errors import ConfigError
from archloom.evaluators.options import known

__all__ = ["Precision", "PrecisionName"]

PrecisionName = Literal["float32", "bfloat16", "float16"]

_NEEDS_CUDA = (
    "precision 'float16' needs a CUDA device (its small gradients vanish without scaling, and a CPU gains "
    "nothing)"
)


@final
@dataclass(frozen=True)
class Precision:
    """How many bits a network computes with.

    Args:
        name: ``float32``; ``bfloat16``, with the range of float32 and 8 bits of precision, on every
            device; or ``float16``, with 11 bits of precision and a narrow range, so that the loss is scaled,
            on CUDA only.

    Raises:
        ConfigError: an unknown name.

    Example:
        >>> linear = nn.Linear(2, 1)
        >>> Precision("float32").wrap(linear, torch.device("cpu")) is linear
        True
        >>> Precision("bfloat16").wrap(linear, torch.device("cpu"))(torch.zeros(1, 2)).dtype
        torch.float32
    """

    name: PrecisionName = "float32"

    def __post_init__(self) -> None:
        known(self.name, list(get_args(PrecisionName)), "precision")

    def check(self, device: torch.device | None = None) -> None:
        """Refuse a device that cannot compute so; ``None`` asks whether this machine has one that can.

        Raises:
            ConfigError: float16 without CUDA.
        """
        if self.name != "float16":
            return
        if device is None and not torch.cuda.is_available():
            raise ConfigError(f"{_NEEDS_CUDA}, and there is none here; take 'bfloat16'")
        if device is not None and device.type != "cuda":
            raise ConfigError(f"{_NEEDS_CUDA}; got device '{device}': take 'bfloat16'")

    def wrap(self, network: nn.Module, device: torch.device) -> nn.Module:
        """Return a network of the same weights that computes so and gives float32.

        Under ``float32`` that is the network itself.
        """
        if self.name == "float32":
            return network
        return _Autocast(network, device.type, getattr(torch, self.name))

    def scaler(self, device: torch.device) -> torch.amp.GradScaler | None:
        """Return what scales the loss under ``float16``, ``None`` for the others."""
        return torch.amp.GradScaler(device.type) if self.name == "float16" else None


@final
class _Autocast(nn.Module):
    def __init__(self, network: nn.Module, device_type: str, dtype: torch.dtype):
        super().__init__()
        self.network = network
        self.device_type = device_type
        self.dtype = dtype

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        with torch.autocast(self.device_type, dtype=self.dtype):
            outputs = self.network(*args, **kwargs)
        return _widened(outputs)


def _widened(outputs: Any) -> Any:
    """Return the outputs, alone or in a tuple or list, in float32."""
    if isinstance(outputs, tuple | list):
        make = getattr(outputs, "_make", type(outputs))  # a named tuple's, which takes its fields apart
        return make(map(_widened, outputs))
    is_short = isinstance(outputs, torch.Tensor) and outputs.dtype in (torch.bfloat16, torch.float16)
    return outputs.float() if is_short else outputs

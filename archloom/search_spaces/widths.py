# SPDX-License-Identifier: Apache-2.0
"""How wide the output of a module is: told, said by itself, or by torch's conventions."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from archloom.errors import SpaceError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["keeps_width", "out_of", "sized", "width_of"]

_widths: MutableMapping[nn.Module, int] = WeakKeyDictionary()


def sized(module: nn.Module, out: int) -> nn.Module:
    """Say how wide the output of a module is that does not say so itself, and return the module.

    >>> from torch import nn
    >>> out_of(sized(nn.Flatten(), 64))
    64
    """
    _widths[module] = out
    return module


def out_of(module: nn.Module) -> int:
    """Return the output width of a module.

    It is what ``sized`` was told, the module's ``.out``, or by torch's own conventions its
    ``out_features``, ``out_channels`` or ``num_features``; that of an ``nn.Sequential`` is the last
    child's, activations, dropout and pooling after it left aside.

    Raises:
        SpaceError: none of these tells.
    """
    width = width_of(module)
    if width is None:
        name = type(_silent(module)).__name__
        raise SpaceError(
            "every module that other parts are built upon has .out, its output width (or torch's "
            f"out_features, out_channels, num_features); {name} has none: set it, as in "
            "`module.out = width`, or give a `call` its `out`"
        )
    return width


def _silent(module: nn.Module) -> nn.Module:
    """Return which of the candidates it is that does not tell, where there are some."""
    from archloom.nn.routed import Choice

    silent = (
        [each for each in module.candidates if width_of(each) is None] if isinstance(module, Choice) else []
    )
    return _silent(silent[0]) if silent else module


_CONVENTIONS = ("out", "out_features", "out_channels", "num_features")
_KEEPING = ("activation", "dropout", "pooling")
"""Modules of torch whose classes keep the width."""


def width_of(module: nn.Module) -> int | None:
    """Return the output width of a module, ``None`` where nothing tells."""
    from torch import nn

    if module in _widths:
        return _widths[module]
    for name in _CONVENTIONS:
        value = getattr(module, name, None)
        if isinstance(value, int):
            return value
    if not isinstance(module, nn.Sequential):
        return None
    for child in reversed(module):
        width = width_of(child)
        if width is not None or not keeps_width(child):
            return width
    return None


def keeps_width(module: nn.Module) -> bool:
    """Whether a module of torch gives the width that it takes."""
    from torch import nn

    home = type(module).__module__
    is_keeping = home in {f"torch.nn.modules.{name}" for name in _KEEPING}
    is_other = isinstance(module, nn.MultiheadAttention | nn.GLU)  # among the activations, all the same
    return isinstance(module, nn.Identity) or (is_keeping and not is_other)

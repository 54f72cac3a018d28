# SPDX-License-Identifier: Apache-2.0
"""What a module was made with, where its class does not say: remembered beside it while it lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["arguments_of", "note_arguments"]

_arguments: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def note_arguments(module: Any, arguments: Mapping[str, Any]) -> None:
    """Remember the keyword arguments of the class that made a module."""
    _arguments[module] = dict(arguments)


def arguments_of(module: Any) -> Mapping[str, Any]:
    """Return what a module was made with; empty where nobody noted it.

    >>> class Net: pass
    >>> net = Net()
    >>> note_arguments(net, {"width": 8})
    >>> arguments_of(net), arguments_of(Net())
    ({'width': 8}, {})
    """
    return _arguments.get(module, {})

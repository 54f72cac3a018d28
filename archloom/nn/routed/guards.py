# SPDX-License-Identifier: Apache-2.0
"""What several paths must not do to each other: change what the other reads, or own the same weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any

from torch import Tensor, nn

__all__ = ["refuse_same_weights", "untouched"]


def untouched(module: Callable[..., Any], *args: Any) -> Any:
    """Run a module on what other paths read, too.

    Raises:
        ValueError: it has changed that in place.
    """
    given = [tensor for arg in args for tensor in _tensors(arg) if not tensor.is_inference()]
    before = [tensor._version for tensor in given]
    y = module(*args)
    if any(tensor._version != version for tensor, version in zip(given, before, strict=True)):
        raise ValueError(
            f"{type(module).__name__} changes its input in place, which other paths of the supernet read: "
            "write it without (ReLU(inplace=False), y = y + x)"
        )
    return y


def refuse_same_weights(names: Sequence[str], modules: Iterable[nn.Module]) -> None:
    """Refuse candidates of one choice that own a weight together.

    Args:
        names: of the candidates.
        modules: the candidates.

    Raises:
        ValueError: a weight would be trained on behalf of a candidate that was not chosen.
    """
    owned = [{id(weight): name for name, weight in module.named_parameters()} for module in modules]
    for (one, mine), (other, theirs) in combinations(zip(names, owned, strict=True), 2):
        if both := mine.keys() & theirs.keys():
            raise ValueError(
                f"{one} and {other} are candidates of one choice and share the weight "
                f"{theirs[both.pop()]!r}: give each its own"
            )


def _tensors(value: Any) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        yield from (item for item in value if isinstance(item, Tensor))

# SPDX-License-Identifier: Apache-2.0
"""What was proposed and has not finished, found again by its genotype."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar, final

__all__ = ["Pending"]

T = TypeVar("T")


@final
class Pending(Generic[T]):
    """Proposals on their way, in the order in which they were made.

    Equal proposals are taken back first in, first out: a history names what has finished by its genotype.

    Example:
        >>> pending = Pending[str]()
        >>> for name in ("first", "second"):
        ...     pending.add(b"same", name)
        >>> pending.take(b"same"), list(pending), pending.take(b"other")
        ('first', ['second'], None)
    """

    def __init__(self) -> None:
        self._items: dict[int, T] = {}
        self._numbers: dict[bytes, deque[int]] = {}
        self._n_added = 0

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __contains__(self, key: bytes) -> bool:
        return key in self._numbers

    def add(self, key: bytes, item: T) -> None:
        """Note a proposal."""
        self._items[self._n_added] = item
        self._numbers.setdefault(key, deque()).append(self._n_added)
        self._n_added += 1

    def take(self, key: bytes) -> T | None:
        """Take the oldest proposal of a genotype away; ``None`` where there is none."""
        numbers = self._numbers.get(key)
        if numbers is None:
            return None
        item = self._items.pop(numbers.popleft())
        if not numbers:
            del self._numbers[key]
        return item

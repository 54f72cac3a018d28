# SPDX-License-Identifier: Apache-2.0
"""Which architectures were met before, in eight bytes each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import final

import numpy as np

__all__ = ["Seen"]

N_NEW = 1024


@final
class Seen:
    """A set of keys that only grows, kept as 64-bit hashes.

    Two keys of one hash are one to it (one chance in ten million with a million keys), so that whoever
    must be sure looks in the store where it says yes.

    >>> seen = Seen(["a", "b"])
    >>> "a" in seen, "c" in seen, len(seen)
    (True, False, 2)
    """

    def __init__(self, keys: Iterable[str | bytes] = ()):
        self._old = np.empty(0, dtype=np.uint64)  # sorted
        self._new: set[int] = set()
        for key in keys:
            self.add(key)

    def __len__(self) -> int:
        return len(self._old) + len(self._new)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str | bytes) and self._has(_hash(key))

    def add(self, key: str | bytes) -> None:
        """Remember a key."""
        value = _hash(key)
        if self._has(value):
            return
        self._new.add(value)
        if len(self._new) >= max(N_NEW, len(self._old) // 128):
            fresh = np.fromiter(self._new, dtype=np.uint64, count=len(self._new))
            self._old = np.sort(np.concatenate([self._old, fresh]), kind="stable")
            self._new.clear()

    def _has(self, value: int) -> bool:
        if value in self._new:
            return True
        place = int(self._old.searchsorted(np.uint64(value)))
        return place < len(self._old) and int(self._old[place]) == value


def _hash(key: str | bytes) -> int:
    data = key.encode() if isinstance(key, str) else key
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")

# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a literal tree, gathered with the place of each mistake."""

from __future__ import annotations

from archloom.errors import SpaceError

__all__ = ["KeyPath", "LiteralError", "Mistakes"]

KeyPath = tuple[str | int, ...]
"""The keys and list indices that lead to a place in plain data."""


class LiteralError(SpaceError):
    """A literal tree that is wrong: ``mistakes`` holds all that was found, as (place, what) pairs.

    >>> str(LiteralError([(("layers", 0), "an empty oneof")]))
    'layers.0: an empty oneof'
    """

    def __init__(self, mistakes: list[tuple[KeyPath, str]]):
        self.mistakes = tuple(mistakes)
        super().__init__(
            "\n".join(f"{'.'.join(map(str, at)) or 'the tree'}: {what}" for at, what in mistakes)
        )


class Mistakes:
    """Gathers mistakes, each once: a part that is used twice is wrong once."""

    def __init__(self) -> None:
        self._found: dict[tuple[KeyPath, str], None] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, at: KeyPath, what: str) -> None:
        """Note a mistake at a place."""
        self._found[at, what] = None

    def check(self) -> None:
        """Raise what was noted.

        Raises:
            LiteralError: there is something.
        """
        if self._found:
            raise LiteralError(list(self._found))

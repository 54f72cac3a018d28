# SPDX-License-Identifier: Apache-2.0
"""A cell of the matrix: how often a fault was tried, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.crash.audit import Found

__all__ = ["Cell"]


@dataclass
class Cell:
    """Counts over all tries of a fault on one database."""

    n_tries: int = 0
    n_lost: int = 0
    n_doubled: int = 0
    n_zombies: int = 0
    n_other: int = 0
    n_alike: int = 0
    n_compared: int = 0
    skipped: str = ""
    message: str = ""
    troubles: list[str] = field(default_factory=list)

    def count(self, found: Found, what: str = "") -> None:
        """Add what an audit has found."""
        self.n_tries += 1
        self.n_lost += len(found.lost)
        self.n_doubled += len(found.doubled)
        self.n_zombies += len(found.zombies)
        self.n_other += len(found.unsound)
        self.troubles += [f"{what}: {words}" for words in found.words]

    def expect(self, is_so: bool, words: str) -> bool:
        """Note what should have been and is not; return whether it is."""
        if not is_so:
            self.n_other += 1
            self.troubles.append(words)
        return is_so

    def compare(self, ours: list[tuple[object, ...]], whole: list[tuple[object, ...]], what: str) -> None:
        """Count whether a sequence is the one of a study that nothing befell."""
        self.n_compared += 1
        n = min(len(ours), len(whole))
        if ours[:n] == whole[:n] and n == len(whole):
            self.n_alike += 1
            return
        at = next((i for i in range(n) if ours[i] != whole[i]), n)
        self.troubles.append(f"{what}: another sequence from trial {at} on ({len(ours)} and {len(whole)})")

    @property
    def is_right(self) -> bool:
        """Whether nothing went wrong."""
        return not self.troubles

    def __str__(self) -> str:
        if self.skipped:
            return f"skipped: {self.skipped}"
        if self.n_tries == 0 and not self.troubles and not self.message:
            return "not passed"
        words = f"{self.n_lost} / {self.n_doubled} / {self.n_zombies}"
        if self.n_tries > 1:
            words += f" in {self.n_tries} tries"
        if self.n_compared:
            words += f", same sequence {self.n_alike}/{self.n_compared}"
        if self.n_other:
            words += f", {self.n_other} OTHER TROUBLES"
        return words + (f"; {self.message}" if self.message else "")

# SPDX-License-Identifier: Apache-2.0
"""The special words of a literal tree and the keys that go with each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

__all__ = ["CHOICES", "KEYS", "LABEL", "WORDS", "meant", "spelled"]

LABEL = "label"
"""What a blueprint or a call is called as a candidate; beside its name."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "oneof": (),
    "manyof": ("k", "distinct", "sorted"),
    "permutate": (),
    "floatv": ("scale",),
    "repeat": ("of",),
    "reference": (),
    "call": ("args", "out", LABEL),
    "import": (),
    "part": (),
}
"""Special word to the keys that may stand beside it (beside ``part``: any, they override its fields)."""

WORDS = tuple(KEYS)
CHOICES = ("oneof", "manyof", "permutate", "floatv")
"""The words that make a decision; beside them nothing else is special in an evaluator's options."""

NEAR = 0.8


def spelled(words: Iterable[str]) -> str:
    """Return words as a list to choose from.

    >>> spelled(["k", "distinct", "sorted"])
    "'k', 'distinct' or 'sorted'"
    """
    *first, last = [repr(word) for word in words]
    return f"{', '.join(first)} or {last}" if first else last


def meant(keys: Iterable[str], words: Iterable[str]) -> tuple[str, str] | None:
    """Return a key that looks like a misspelled special word, and that word.

    A key counts where only case and separators differ (``one_of``); a mere resemblance only where it is
    the mapping's single key, so that a plain mapping may hold a ``preference``.

    >>> meant(["one_of", "x"], WORDS), meant(["onof"], WORDS), meant(["preference", "x"], WORDS)
    (('one_of', 'oneof'), ('onof', 'oneof'), None)
    """
    known, given = list(words), list(keys)
    for key in given:
        plain = key.lower().replace("_", "").replace("-", "")
        if plain in known and key not in known:
            return key, plain
    if len(given) == 1 and given[0] not in known:
        near = difflib.get_close_matches(given[0], CHOICES, n=1, cutoff=NEAR)
        if near:
            return given[0], near[0]
    return None

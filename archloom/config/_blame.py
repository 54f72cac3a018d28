# SPDX-License-Identifier: Apache-2.0
"""Which key of a study file a message speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from archloom.config._document import Document, KeyPath

METRICS = ("constraints", "objectives")
PROPOSAL = re.compile(r"; (?:did you mean|there are)")
OF_METRICS = re.compile(r"\b(metrics?|constraints?|objectives?)\b")


def blamed(document: Document, message: str) -> KeyPath:
    """Return the path of the key or value that a message quotes first; empty where it quotes none.

    A constraint or an objective is looked for first where the message speaks of metrics, an option of
    an evaluator first in every other one. Proposals ("did you mean") are not looked at.
    """
    told = PROPOSAL.split(message)[0]
    order = (*METRICS, "evaluator") if OF_METRICS.search(told) else ("evaluator",)
    quoted = [(told.find(repr(word)), path) for path, word in _words(document.data, ()) if repr(word) in told]
    quoted += [
        (told.find(repr(word)), ("constraints", index))
        for index, text in enumerate(document.data.get("constraints") or ())
        for word in (str(text), *re.findall(r"[\w./-]+", str(text)))
        if repr(word) in told
    ]
    if quoted:
        return min(quoted, key=lambda found: (found[0], _rank(found[1], order), len(found[1])))[1]
    for path, word in _words(document.data.get("evaluator"), ("evaluator",)):
        name = re.escape(PurePath(word).name)
        if (
            path[-1] not in ("name", "metric")
            and re.search(rf"(?<![\w.]){name}(?!\w)", told)
            and len(name) > 3
        ):
            return path
    section = told.split(" ", 1)[0]
    return (section,) if section in document.data else ()


def mentioned(message: str, options: Mapping[str, Any]) -> KeyPath:
    """Return what a message speaks of among options: a value that it quotes, as deep as it stands.

    An option that is named goes before the values of others; proposals are not looked at. Values are quoted
    as Python writes them, all but texts behind ``got``.

    >>> mentioned("'flipp' is not one of the augmentations", {"epochs": 1, "augment": ["crop", "flipp"]})
    ('augment', 1)
    >>> mentioned("epochs must be >= 1, got 0", {"workers": 0, "epochs": 0})
    ('epochs',)
    >>> mentioned("it failed", {"epochs": 0})
    ()
    """
    told = PROPOSAL.split(message)[0]
    named = [key for key in options if re.search(rf"\b{re.escape(key)}\b", told)][:1]
    looked_at = {key: options[key] for key in named} or options
    quoted = [(found, path) for path, value in _values(looked_at, ()) if (found := _quote(value, told)) >= 0]
    return min(quoted, key=lambda one: one[0])[1] if quoted else tuple(named)


def evaluator_code(document: Document, file: str) -> KeyPath:
    """Return the path of the import path in the evaluator section that names a file's module.

    Args:
        document: the study file.
        file: the name of a Python file.
    """
    module = PurePath(file).stem
    for path, word in _words(document.data.get("evaluator"), ("evaluator",)):
        if ":" in word and module in word.partition(":")[0].split("."):
            return path
    return ("evaluator",)


def _rank(path: KeyPath, order: tuple[str, ...]) -> int:
    if path[0] in order:
        return order.index(str(path[0]))
    return len(order) + (path[0] in METRICS)


def _words(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield every text in a document: the keys below its sections, and the values."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if path:
                yield (*path, key), key
            yield from _words(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _words(item, (*path, index))


def _quote(value: Any, told: str) -> int:
    """Return where a message quotes a value, -1 where it does not."""
    before = "" if isinstance(value, str) else r"(?<=got )"
    found = re.search(rf"{before}{re.escape(repr(value))}(?!\.?\w)", told)
    return found.start() if found else -1


def _values(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every value below a mapping or a list."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in items:
        yield (*path, key), item
        if isinstance(item, Mapping | list | tuple):
            yield from _values(item, (*path, key))

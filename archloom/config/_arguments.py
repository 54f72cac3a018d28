# SPDX-License-Identifier: Apache-2.0
"""What a callable says of itself: its docstring's first sentence and words on each argument, its options."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union, final, get_args, get_origin

from archloom.config._options import parameters

_BLOCK = re.compile(r"^Args:\n(?P<body>(?:[ \t]+\S.*\n?|[ \t]*\n)*)", re.MULTILINE)
_ARGUMENT = re.compile(r"^(?P<name>\*{0,2}\w+)(?: \([^)]*\))?:\s*(?P<text>.*)$")
_NONE = re.compile(r"\bNone\b")

_WORDS = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "true | false",
    type(None): "null",
    Any: "anything",
    dict: "mapping",
    list: "list",
    tuple: "list",
    Sequence: "list",
    Mapping: "mapping",
}

_PLURALS = {
    "integer": "integers",
    "number": "numbers",
    "text": "texts",
    "list": "lists",
    "mapping": "mappings",
}


@final
@dataclass(frozen=True)
class Option:
    """An option of something that a study file may name.

    Args:
        name: the key in a study file.
        type: what it takes, in words.
        default: what it is where it is not given; meaningless where it ``is_needed``.
        is_needed: whether it must be given.
        description: of the docstring; may be empty.
    """

    name: str
    type: str
    default: Any
    is_needed: bool
    description: str


def options_of(target: Any) -> list[Option]:
    """Return the options of a callable, in the order of its signature, described in the words of a file.

    >>> def scale(*, factor: int = 2, mode: Literal["up", "down"] | None = None): ...
    >>> [(option.name, option.type, option.default) for option in options_of(scale)]
    [('factor', 'integer', 2), ('mode', 'up | down | null', None)]
    """
    words = arguments_of(target)
    return [
        Option(
            name,
            type_words(parameter.annotation),
            parameter.default,
            parameter.default is parameter.empty,
            _NONE.sub("null", words.get(name, "")),
        )
        for name, parameter in parameters(target).items()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]


def type_words(annotation: Any) -> str:
    """Write a type as a study file knows it.

    >>> type_words(int | None), type_words(list[Literal["a", "b"]]), type_words(dict[str, float])
    ('integer | null', 'list of (a | b)', 'mapping to number')
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(map(str, inner))
    if origin in (Union, types.UnionType):
        parts = [arg for arg in inner if arg is not Any]  # beside a text, a live object, which YAML has not
        return " | ".join(dict.fromkeys(type_words(arg) for arg in parts))
    if origin in (list, tuple, Sequence) and inner:
        item = type_words(inner[0])
        return f"list of ({item})" if " " in item else f"list of {_PLURALS.get(item, item)}"
    if origin in (dict, Mapping) and len(inner) == 2 and inner[1] is not Any:
        return f"mapping to {type_words(inner[1])}"
    known = origin or annotation
    return _WORDS.get(known) or str(getattr(known, "__name__", known))


def arguments_of(target: Any) -> dict[str, str]:
    """Return what the ``Args:`` of a docstring says of each argument, a line each.

    A class is asked for its own docstring first, then for that of ``__init__``.

    >>> def scale(x, factor=2):
    ...     '''Multiply.
    ...
    ...     Args:
    ...         x: a number,
    ...             or many.
    ...         factor: how many times.
    ...     '''
    >>> arguments_of(scale)
    {'x': 'a number, or many.', 'factor': 'how many times.'}
    """
    found = _read(_own_doc(target))
    if inspect.isclass(target):
        found = _read(_own_doc(target.__init__)) | found
    return found


def summary_of(target: Any) -> str:
    """Return the first sentence of a docstring, without markup; empty where there is none.

    >>> summary_of(arguments_of)
    'Return what the Args: of a docstring says of each argument, a line each.'
    """
    text = _own_doc(target)
    first = " ".join(text.split("\n\n", 1)[0].split())
    sentence = re.match(r".*?[.:;](?=\s+[A-Z]|$)", first)
    return (sentence.group() if sentence else first).replace("``", "")


def about_of(target: Any) -> list[str]:
    """Return the paragraphs of a docstring before its sections, each in one line, without markup.

    >>> about_of(type_words)
    ['Write a type as a study file knows it.']
    """
    told = re.split(r"^(?:[A-Z][\w ]*:$|>>>)", _own_doc(target), maxsplit=1, flags=re.MULTILINE)[0]
    paragraphs = [" ".join(text.split()) for text in re.split(r"\n\s*\n|\n(?=\* )", told)]
    return [re.sub(r"``|\*\*", "", text) for text in paragraphs if text]


def _own_doc(target: Any) -> str:
    """Return the docstring of the thing itself: what it inherits speaks of something else."""
    doc = vars(target).get("__doc__") if inspect.isclass(target) else getattr(target, "__doc__", None)
    return inspect.cleandoc(doc) if isinstance(doc, str) else ""


def _read(doc: str) -> dict[str, str]:
    block = _BLOCK.search(doc)
    if block is None:
        return {}
    found: dict[str, str] = {}
    name = ""
    lines = [line for line in inspect.cleandoc("\n" + block["body"]).splitlines() if line.strip()]
    for line in lines:
        argument = None if line[0].isspace() else _ARGUMENT.match(line)
        if argument:
            name = argument["name"].lstrip("*")
            found[name] = argument["text"].strip()
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return {name: text.replace("``", "") for name, text in found.items()}

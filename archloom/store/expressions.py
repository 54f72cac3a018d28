# SPDX-License-Identifier: Apache-2.0
"""The tree of a ``where`` or ``sort``: names and values, the tests on them, and what joins the tests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, final

from archloom.errors import ConfigError

__all__ = [
    "NUMBER",
    "And",
    "Comparison",
    "Condition",
    "Contains",
    "In",
    "Missing",
    "Not",
    "Operand",
    "Or",
    "SortKey",
    "Source",
    "Truth",
]

NUMBER = re.compile(r"[+-]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)([eE][+-]?\d+)?", re.ASCII)
"""How a number is written."""

_SHOWN = 72


@final
@dataclass(frozen=True)
class Source:
    """The text of an expression, and errors that point into it.

    Args:
        what: ``where`` or ``sort``.
        text: as it was given.
    """

    what: str
    text: str

    def error(self, message: str, at: int, kind: type[ConfigError] = ConfigError) -> ConfigError:
        """Return an error that shows the place."""
        start = max(0, min(at - _SHOWN // 2, len(self.text) - _SHOWN))
        shown = re.sub(r"\s", " ", self.text[start : start + _SHOWN])
        return kind(f"{self.what}: {message}\n  {shown}\n  {' ' * (at - start)}^")


class Operand(NamedTuple):
    """A name or a value, which of the two its place decides.

    Args:
        text: without its quotes.
        at: where it begins.
        quote: the quote around it, if any.
        kind: ``decision`` or ``metric`` where it was said.
    """

    text: str
    at: int
    quote: str = ""
    kind: str = ""

    @property
    def number(self) -> int | float | None:
        """The number that it spells, if it has no quotes."""
        if self.quote or self.kind or not NUMBER.fullmatch(self.text):
            return None
        digits = self.text.replace("_", "")
        return int(digits) if digits.lstrip("+-").isdecimal() else float(digits)

    @property
    def is_value(self) -> bool:
        """Whether it can be no name: a number, or in single quotes."""
        return self.quote == "'" or self.number is not None

    @property
    def is_name(self) -> bool:
        """Whether it can be no value: in backticks, or its kind was said."""
        return self.quote == "`" or bool(self.kind)


@final
@dataclass(frozen=True)
class Comparison:
    """``left relation right``; relations are ``< <= > >= = !=``."""

    left: Operand
    relation: str
    right: Operand


@final
@dataclass(frozen=True)
class In:
    """``left in (options)``."""

    left: Operand
    options: tuple[Operand, ...]


@final
@dataclass(frozen=True)
class Contains:
    """``left contains text``."""

    left: Operand
    right: Operand


@final
@dataclass(frozen=True)
class Missing:
    """``left is missing``."""

    left: Operand


@final
@dataclass(frozen=True)
class Truth:
    """A flag that stands alone."""

    left: Operand


@final
@dataclass(frozen=True)
class Not:
    """``not part``."""

    part: Condition


@final
@dataclass(frozen=True)
class And:
    """``part and part ...``."""

    parts: tuple[Condition, ...]


@final
@dataclass(frozen=True)
class Or:
    """``part or part ...``."""

    parts: tuple[Condition, ...]


Condition = Comparison | In | Contains | Missing | Truth | Not | And | Or


class SortKey(NamedTuple):
    """One of the things that trials are sorted by."""

    operand: Operand
    is_falling: bool

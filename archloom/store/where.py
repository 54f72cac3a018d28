# SPDX-License-Identifier: Apache-2.0
"""From a condition that a person writes to one that the database tests; values are always bound.

Two truths, no third: a comparison with what is missing is false, and ``not`` makes it true. So
``op != conv`` leaves out the trials that have no ``op``, and ``not op = conv`` keeps them.

* A metric is a number. A decision is its label, and a number where the label spells one: ``kernel = 3``,
  ``kernel in (3, 5)``, ``kernel < 5``.
* A word on the right of a number is a name (``train/loss < validation/loss``, ``depth < width``), on the
  right of anything else a text (``op = conv_3x3``, ``state = FAIL``). ``'single quotes'`` always hold a
  text, backticks a name.
* ``contains`` looks for a text within another, letter by letter.
* An empty text is missing: ``reason is missing``. A time is written ``2026-11-21`` or
  ``2026-11-21T14:30``, in UTC, and stands for its beginning.
* ``tag = x`` holds where any tag is ``x``, and ``tag != x`` where none is.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Text,
    and_,
    cast,
    collate,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from archloom.contracts import State
from archloom.errors import ConfigError, did_you_mean
from archloom.store.expressions import (
    And,
    Comparison,
    Condition,
    Contains,
    In,
    Missing,
    Not,
    Operand,
    Or,
    Source,
    Truth,
)
from archloom.store.names import Meaning, Names
from archloom.store.parsing import parse_where
from archloom.store.schema import trials
from archloom.store.session import Session

__all__ = ["where_clause"]

_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_INFINITE = {"inf": float("inf"), "+inf": float("inf"), "-inf": float("-inf")}
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?)?)?", re.ASCII)
_LARGEST = 2**63 - 1


def where_clause(session: Session, study_id: int, text: str) -> ColumnElement[bool]:
    """Return the condition on ``trials`` that a text means in a study.

    Raises:
        ConfigError: not in the language, an unknown name, or things that cannot be compared; the message
            shows the place.
    """
    source, tree = parse_where(text)
    return _Translation(source, Names(session, study_id), is_sqlite=session.is_sqlite).of(tree)


@final
class _Translation:
    """A tree into SQL."""

    def __init__(self, source: Source, names: Names, *, is_sqlite: bool):
        self._source = source
        self._names = names
        self._is_sqlite = is_sqlite

    def of(self, tree: Condition) -> ColumnElement[bool]:
        """Return the condition of a tree."""
        if isinstance(tree, And):
            return and_(*map(self.of, tree.parts))
        if isinstance(tree, Or):
            return or_(*map(self.of, tree.parts))
        if isinstance(tree, Not):
            return not_(self.of(tree.part))
        if isinstance(tree, Comparison):
            return self._comparison(tree)
        if isinstance(tree, In):
            return self._in(tree)
        if isinstance(tree, Contains):
            return self._contains(tree)
        return self._missing(tree) if isinstance(tree, Missing) else self._truth(tree)

    # The tests

    def _comparison(self, test: Comparison) -> ColumnElement[bool]:
        if test.left.is_value:
            if test.right.is_value:
                raise self._error("one side of a comparison is a name", test.left)
            right = self._meaning(test.right)
            return self._with_value(right, _MIRRORED.get(test.relation, test.relation), test.left)
        left = self._meaning(test.left)
        if _is_name(test.right, left, test.relation):
            return self._of_two(left, test.relation, self._meaning(test.right), test.right)
        return self._with_value(left, test.relation, test.right)

    def _with_value(self, left: Meaning, relation: str, value: Operand) -> ColumnElement[bool]:
        """Compare what a name stands for with a value."""
        if left.sort == "flag":
            return self._flag_is(left, relation, value)
        if relation not in ("=", "!=") and left.sort in ("text", "state", "tags"):
            raise self._error(f"{left.name!r} is a text: '=', '!=', 'in' and 'contains' compare it", value)
        is_equal = self._is_in(left, [value])
        if relation == "=":
            return is_equal
        if relation == "!=":
            return not_(is_equal) if left.sort == "tags" else and_(self._is_there(left), not_(is_equal))
        if left.sort == "time":
            column = collate(left.value, "BINARY" if self._is_sqlite else "C")
            return self._holds([left], _RELATIONS[relation](column, self._time(value)))
        return self._holds([left], self._of_number(left, relation, self._number(left, value)))

    def _of_two(self, left: Meaning, relation: str, right: Meaning, place: Operand) -> ColumnElement[bool]:
        """Compare what two names stand for."""
        compare = _RELATIONS[relation]
        sorts = {left.sort, right.sort}
        if ("number" in sorts and sorts <= {"number", "label"}) or relation not in ("=", "!="):
            if left.number is None or right.number is None:
                raise self._error(f"{relation!r} compares numbers", place)
            return self._holds([left, right], compare(left.number, right.number))
        if left.text is None or right.text is None or "tags" in sorts:
            raise self._error(f"{left.name!r} cannot be compared with {right.name!r}", place)
        is_equal = left.text == right.text
        if left.number is not None and right.number is not None:
            is_equal = or_(is_equal, func.coalesce(left.number == right.number, false()))
        return self._holds([left, right], is_equal if relation == "=" else not_(is_equal))

    def _in(self, test: In) -> ColumnElement[bool]:
        left = self._meaning(test.left)
        if left.sort in ("flag", "time"):
            raise self._error(f"{left.name!r} cannot be in a list", test.left)
        if names := [option for option in test.options if option.is_name]:
            raise self._error("a list holds values, and this is a name", names[0])
        return self._is_in(left, test.options)

    def _contains(self, test: Contains) -> ColumnElement[bool]:
        left = self._meaning(test.left)
        if left.sort not in ("text", "label", "tags") or left.text is None:
            raise self._error(f"'contains' looks into a text; {left.name!r} is none", test.left)
        if test.right.is_name:
            raise self._error("'contains' looks for a text, and this is a name", test.right)
        find = func.instr if self._is_sqlite else func.strpos
        return self._holds([left], find(left.text, literal(test.right.text, Text())) > 0)

    def _missing(self, test: Missing) -> ColumnElement[bool]:
        return not_(self._is_there(self._meaning(test.left)))

    def _truth(self, test: Truth) -> ColumnElement[bool]:
        meaning = self._meaning(test.left)
        if meaning.flag is None:
            kind = "a number: compare it, as in" if meaning.sort == "number" else "a text: compare it, as in"
            value = "0.5" if meaning.sort == "number" else "'x'"
            sign = ">" if meaning.sort == "number" else "="
            raise self._error(f"{meaning.name!r} is {kind} {test.left.text} {sign} {value}", test.left)
        return meaning.flag

    # Their parts

    def _meaning(self, operand: Operand) -> Meaning:
        if operand.is_value:
            raise self._error(f"a name goes here, {operand.text!r} is a value", operand)
        return self._names.meaning(operand, self._source)

    def _holds(self, meanings: Sequence[Meaning], condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return that a condition holds and that nothing in it is missing; true or false, never NULL."""
        rows = [row for meaning in meanings for row in meaning.row]
        there = [each for meaning in meanings for each in meaning.is_there]
        if not rows:
            return and_(*there, condition)
        return select(literal(1, BigInteger())).where(*rows, *there, condition).correlate(trials).exists()

    def _is_there(self, meaning: Meaning) -> ColumnElement[bool]:
        return self._holds([meaning], true())

    def _is_in(self, left: Meaning, options: Sequence[Operand]) -> ColumnElement[bool]:
        """Return that a thing is one of some values."""
        has_numbers = left.sort in ("number", "label")
        texts = [
            each for each in options if left.sort != "number" and (not has_numbers or each.number is None)
        ]
        numbers = [self._number(left, each) for each in options if each not in texts]
        whole = [each for each in numbers if not left.row and _is_whole(each)]
        parts = [each for each in numbers if each not in whole]
        tests: list[ColumnElement[bool]] = []
        if texts:
            tests.append(left.value.in_([literal(self._text(left, option), Text()) for option in texts]))
        for some in (whole, parts):
            if some:
                columns, values = zip(*(_typed(left, value) for value in some), strict=True)
                tests.append(and_(columns[0].is_not(None), columns[0].in_(values)))
        return self._holds([left], or_(*tests))

    def _of_number(self, left: Meaning, relation: str, value: int | float) -> ColumnElement[bool]:
        column, typed = _typed(left, value)
        return and_(column.is_not(None), _RELATIONS[relation](column, typed))

    def _number(self, left: Meaning, value: Operand) -> int | float:
        word = value.text.lower()
        number = _INFINITE.get(word) if not value.quote else None
        number = value.number if number is None else number
        if number is None:
            advice = " ('is missing' finds what is none)" if word == "nan" else ""
            known = f"{left.name!r} is a number" if left.sort == "number" else "this compares numbers"
            raise self._error(f"{known}, {value.text!r} is none{advice}", value)
        return number

    def _text(self, left: Meaning, value: Operand) -> str:
        if left.sort == "time":
            return self._time(value)
        if left.sort == "state":
            if value.text.upper() not in list(State):
                near = did_you_mean(value.text.upper(), State)
                raise self._error(f"{value.text!r} is no state of a trial{near}", value)
            return value.text.upper()
        return value.text

    def _time(self, value: Operand) -> str:
        text = value.text.replace(" ", "T")
        if not _TIME.fullmatch(text):
            raise self._error(
                f"a time is written 2026-11-21 or 2026-11-21T14:30 (UTC), got {value.text!r}", value
            )
        return text

    def _flag_is(self, left: Meaning, relation: str, value: Operand) -> ColumnElement[bool]:
        truth = _TRUTHS.get(value.text.lower())
        if left.flag is None or truth is None or relation not in ("=", "!="):
            raise self._error(f"{left.name!r} is true or false: write it alone, or after 'not'", value)
        return left.flag if truth == (relation == "=") else not_(left.flag)

    def _error(self, message: str, operand: Operand) -> ConfigError:
        return self._source.error(message, operand.at)


def _is_name(right: Operand, left: Meaning, relation: str) -> bool:
    """Whether the right side of a comparison is meant as a name."""
    if right.is_name:
        return True
    is_order = left.sort == "label" and relation not in ("=", "!=")
    is_number = left.sort == "number" or is_order
    return is_number and not right.is_value and right.text.lower() not in (*_INFINITE, "nan")


def _is_whole(value: int | float) -> bool:
    return isinstance(value, int) and abs(value) <= _LARGEST


def _typed(left: Meaning, value: int | float) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return a thing and a number as what can be compared: PostgreSQL would round 0.5 to a whole column."""
    if left.number is None:
        raise ValueError(f"{left.name} is no number")
    if left.row:
        return left.number, literal(float(value), Double())
    if _is_whole(value):
        return left.number, literal(value, BigInteger())
    return cast(left.number, Double()), literal(float(value), Double())

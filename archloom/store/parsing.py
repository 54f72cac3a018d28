# SPDX-License-Identifier: Apache-2.0
"""The language of ``where`` and ``sort``: from text to a tree. Nothing in it is ever executed.

::

    condition  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation   = "not" negation | "(" condition ")" | test
    test       = operand relation operand
               | operand ["not"] "in" "(" operand { "," operand } ")"
               | operand ["not"] "contains" operand
               | operand "is" ["not"] "missing"
               | operand
    relation   = "<" | "<=" | ">" | ">=" | "=" | "==" | "!=" | "<>"
    operand    = word | number | 'text' | "text or name" | `name`
    sort       = ["-" | "+"] operand { "," ["-" | "+"] operand }

A quote inside quotes is doubled. ``decision:`` or ``metric:`` before a name says which of the two is meant.
"""

from __future__ import annotations

import re
from typing import NamedTuple, final

from archloom.errors import ConfigError, did_you_mean
from archloom.store.expressions import (
    NUMBER,
    And,
    Comparison,
    Condition,
    Contains,
    In,
    Missing,
    Not,
    Operand,
    Or,
    SortKey,
    Source,
    Truth,
)

__all__ = ["parse_sort", "parse_where"]

MOST_CHARACTERS = 10_000
MOST_TESTS = 200
MOST_VALUES = 1000
DEEPEST = 50

_KEYWORDS = ("and", "or", "not", "in", "is", "missing", "contains")
_PREFIXES = ("decision:", "metric:")
_TOKEN = re.compile(
    r"(?P<relation><=|>=|==|!=|<>|<|>|=)"
    r"|(?P<mark>[(),])"
    r"|(?P<quoted>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`)"
    # Brackets inside a name, as in layers[1](dense).width, are those with a dot or an index after them.
    r"|(?P<word>[\w.\[\]/:@%#*+~^$-]+(?:\([^()\s,'\"`]*\)[.\[][\w.\[\]/:@%#*+~^$-]*)*)"
)
_ELSEWHERE = {
    "&": "'and'",
    "|": "'or'",
    "!": "'not', or '!=' for unequal",
    "'": "a second ' to end the text",
    '"': 'a second " to end the name or text',
    "`": "a second ` to end the name",
}
_OTHER_WORDS = {"null": "missing", "none": "missing", "like": "contains", "nan": "missing"}


class _Token(NamedTuple):
    kind: str
    text: str
    at: int

    @property
    def shown(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


def parse_where(text: str) -> tuple[Source, Condition]:
    """Return the tree of a condition, and its source for errors.

    >>> parse_where("params < 1e5 and not state = FAIL")[1].parts[0].relation
    '<'

    Raises:
        ConfigError: not in the language; the message shows the place.
    """
    parser = _Parser("where", text)
    found = parser.condition(0)
    parser.end("'and', 'or' or the end")
    return parser.source, found


def parse_sort(text: str) -> tuple[Source, tuple[SortKey, ...]]:
    """Return what to sort by: names with a ``-`` before those of which the largest come first.

    >>> [(key.operand.text, key.is_falling) for key in parse_sort("-accuracy, params")[1]]
    [('accuracy', True), ('params', False)]

    Raises:
        ConfigError: not in the language; the message shows the place.
    """
    parser = _Parser("sort", text)
    keys = [parser.sort_key()]
    while parser.take(","):
        keys.append(parser.sort_key())
    parser.end("',' or the end")
    return parser.source, tuple(keys)


@final
class _Parser:
    """Tokens from left to right, one ahead."""

    def __init__(self, what: str, text: str):
        self.source = Source(what, text)
        self._check()
        self._tokens = list(_tokens(self.source))
        self._next = 0
        self._n_tests = 0

    def _check(self) -> None:
        text, what = self.source.text, self.source.what
        if not isinstance(text, str):
            raise ConfigError(f"{what} is a text such as 'params < 1e5', got {text!r:.80}")
        if len(text) > MOST_CHARACTERS:
            raise ConfigError(f"{what} has at most {MOST_CHARACTERS:,} characters, got {len(text):,}")
        for i, character in enumerate(text):
            if character == "\0" or "\ud800" <= character <= "\udfff":
                raise self.source.error("no database can hold this character", i)

    # The rules of the grammar

    def condition(self, depth: int) -> Condition:
        parts = [self._conjunction(depth)]
        while self._word("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _conjunction(self, depth: int) -> Condition:
        parts = [self._negation(depth)]
        while self._word("and"):
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _negation(self, depth: int) -> Condition:
        if depth > DEEPEST:
            raise self.source.error(f"at most {DEEPEST} brackets and 'not' inside one another", self._peek.at)
        if self._word("not"):
            return Not(self._negation(depth + 1))
        if self.take("("):
            found = self.condition(depth + 1)
            if not self.take(")"):
                raise self._expected("')'")
            return found
        return self._test()

    def _test(self) -> Condition:
        self._n_tests += 1
        if self._n_tests > MOST_TESTS:
            raise self.source.error(f"at most {MOST_TESTS} conditions", self._peek.at)
        left = self._operand("a name")
        if self._peek.kind == "relation":
            relation = {"==": "=", "<>": "!="}.get(self._peek.text, self._peek.text)
            self._next += 1
            return self._one_relation(Comparison(left, relation, self._operand("a value")))
        if self._word("is"):
            is_negated = self._word("not")
            if not self._word("missing"):
                raise self._expected("'missing'")
            return Not(Missing(left)) if is_negated else Missing(left)
        is_negated = self._word("not")
        found: Condition
        if self._word("in"):
            found = In(left, self._options())
        elif self._word("contains"):
            found = Contains(left, self._operand("a text"))
        elif is_negated:
            raise self._expected("'in' or 'contains'")
        else:
            return Truth(left)
        return Not(found) if is_negated else found

    def _one_relation(self, found: Comparison) -> Comparison:
        if self._peek.kind == "relation":
            middle = found.right.text
            advice = (
                f"write two: {found.left.text} {found.relation} {middle} and {middle} {self._peek.text} ..."
            )
            raise self.source.error(f"one comparison at a time; {advice}", self._peek.at)
        return found

    def _options(self) -> tuple[Operand, ...]:
        if not self.take("("):
            raise self._expected("'(' and values: in (a, b)")
        found = [self._operand("a value")]
        while self.take(","):
            if len(found) == MOST_VALUES:
                raise self.source.error(f"at most {MOST_VALUES:,} values", self._peek.at)
            found.append(self._operand("a value"))
        if not self.take(")"):
            raise self._expected("',' or ')'")
        return tuple(found)

    def _operand(self, what: str) -> Operand:
        token = self._peek
        if token.kind == "word" and token.text.lower() in _KEYWORDS:
            raise self._expected(what, advice=f" (a name that is {token.text!r} stands in backticks)")
        if token.kind not in ("word", "quoted"):
            raise self._expected(what)
        self._next += 1
        if token.kind == "quoted":
            return _unquoted(token, "")
        prefix = next((each for each in _PREFIXES if token.text.startswith(each)), "")
        rest = token.text.removeprefix(prefix)
        if prefix and not rest:
            after = self._peek
            if after.kind != "quoted" or after.text[0] == "'" or after.at != token.at + len(token.text):
                raise self._expected(f"a name right after {prefix!r}")
            self._next += 1
            return _unquoted(after, prefix[:-1])
        self._check_number(rest, token.at)
        return Operand(rest, token.at, kind=prefix[:-1])

    def _check_number(self, text: str, at: int) -> None:
        if NUMBER.fullmatch(text) and abs(float(text.replace("_", ""))) == float("inf"):
            raise self.source.error("too large a number", at)

    def sort_key(self) -> SortKey:
        """Read a name and its sign."""
        token = self._peek
        sign = token.text[0] if token.kind == "word" and token.text[0] in "+-" else ""
        if sign:
            rest = _Token("word", token.text[1:], token.at + 1)
            self._tokens[self._next : self._next + 1] = [rest] if rest.text else []
        return SortKey(self._operand("a name"), sign == "-")

    # Tokens

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def take(self, mark: str) -> bool:
        """Take a bracket or comma, if it is next."""
        is_there = self._peek.kind == "mark" and self._peek.text == mark
        self._next += is_there
        return is_there

    def _word(self, word: str) -> bool:
        is_there = self._peek.kind == "word" and self._peek.text.lower() == word
        self._next += is_there
        return is_there

    def end(self, expected: str) -> None:
        """Refuse whatever is left."""
        if self._peek.kind == "end":
            return
        token = self._peek
        advice = " (names and labels that hold spaces or brackets stand in backticks or single quotes)"
        if token.kind == "word" and token.text.lower() in _OTHER_WORDS:
            advice = f" (here it is called {_OTHER_WORDS[token.text.lower()]!r})"
        elif token.kind == "word" and token.text.isalpha():
            near = did_you_mean(token.text.lower(), _KEYWORDS)
            advice = near if "mean" in near else advice
        raise self._expected(expected, advice=advice)

    def _expected(self, what: str, *, advice: str = "") -> ConfigError:
        token = self._peek
        if not advice and token.text.lower() in _OTHER_WORDS:
            advice = f" (here it is called {_OTHER_WORDS[token.text.lower()]!r})"
        return self.source.error(f"expected {what}, got {token.shown}{advice}", token.at)


def _tokens(source: Source) -> list[_Token]:
    """Cut the text into tokens; the last is the end."""
    found: list[_Token] = []
    at, text = 0, source.text
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            better = _ELSEWHERE.get(text[at])
            advice = f"; write {better}" if better else ""
            raise source.error(f"no such sign as {text[at]!r}{advice}", at)
        found.append(_Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return [*found, _Token("end", "", len(text))]


def _unquoted(token: _Token, kind: str) -> Operand:
    quote = token.text[0]
    return Operand(token.text[1:-1].replace(quote * 2, quote), token.at, quote, kind)

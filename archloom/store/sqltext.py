# SPDX-License-Identifier: Apache-2.0
"""A SQL statement as words: enough to see how many statements it is, what it names, and where.

It reads as PostgreSQL does; what it could read otherwise than the database, it refuses. Nothing is
guarded by this alone: the database itself is told to refuse every write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from archloom.errors import StoreError, did_you_mean

__all__ = ["WRITING", "Token", "check_reads", "nearest", "place", "tokens"]

Kind = Literal["word", "name", "text", "escaped", "number", "symbol"]

# Of PostgreSQL's scanner: blanks are these six, and every character beyond ASCII is a letter.
_BLANK = r"[ \t\n\r\f\v]+"
_LETTER = r"[A-Za-z_\x80-\U0010ffff]"
_WORD = rf"{_LETTER}(?:{_LETTER}|[0-9$])*"
_TOKEN = re.compile(
    rf"""
    (?P<blank>{_BLANK}|--[^\n\r]*)
    |(?P<comment>/\*.*?(?:\*/|\Z))
    |(?P<unicode>[uU]&['"])
    |(?P<escaped>[eE]'(?:[^'\\]|\\.|'')*')
    |(?P<text>'(?:[^']|'')*'|(?P<tag>\$(?:{_LETTER}(?:{_LETTER}|[0-9])*)?\$).*?(?P=tag))
    |(?P<name>"(?:[^"]|"")*")
    |(?P<word>{_WORD})
    |(?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)
    |(?P<symbol>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_READING = ("SELECT", "WITH", "VALUES")
WRITING = ("DELETE", "INSERT", "UPDATE", "REPLACE", "SET")
"""First words that a reader may well have meant, and may not use."""


class Token(NamedTuple):
    """A piece of a statement.

    Args:
        kind: ``word`` (a keyword or a plain name), ``name`` (a quoted one), ``text``, ``escaped`` (text with
            backslashes), ``number`` or ``symbol``.
        text: as written; of a ``name`` what stands in its quotes.
        start: offset of its first character.
    """

    kind: Kind
    text: str
    start: int


def tokens(text: str) -> list[Token]:
    r"""Return the pieces of SQL text, without blanks and comments.

    >>> [token.text for token in tokens("select a.x -- why\nfrom t where y = ';'")]
    ['select', 'a', '.', 'x', 'from', 't', 'where', 'y', '=', "';'"]

    Raises:
        StoreError: what databases read in different ways: a NUL, a comment within a comment, names
            and texts that spell characters by number, a text with backslashes that goes on in another.
    """
    if match := re.search("[\0\ud800-\udfff]", text):
        where = place(text, match.start())
        raise StoreError(f"a statement holds no character {match[0]!r}; this one has one at {where}")
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind, words, start = match.lastgroup, match.group(), match.start()
        if match["unicode"]:
            raise StoreError(
                f"{words[0]}& names spell characters by number, which is not taken; "
                f"write them out ({place(text, start)})"
            )
        if match["comment"]:
            _check_comment(text, words, start)
        elif match["blank"] is None:
            kind = "text" if match["text"] else kind
            if found and found[-1].kind == "escaped" and kind == "text":
                raise StoreError(
                    f"a text with backslashes ends where its quote does; another follows "
                    f"at {place(text, start)}: join them with ||"
                )
            written = words[1:-1].replace('""', '"') if kind == "name" else words
            found.append(Token(kind, written, start))  # type: ignore[arg-type]
    return found


def _check_comment(text: str, words: str, start: int) -> None:
    if "/*" in words[2:]:
        raise StoreError(f"a comment within a comment is not taken ({place(text, start)})")


def check_reads(text: str, found: Sequence[Token], *, also: Iterable[str] = ()) -> None:
    """Refuse what is not one statement that reads.

    Args:
        text: the statement.
        found: its ``tokens``.
        also: first words that the database at hand takes beside SELECT, WITH and VALUES.

    Raises:
        StoreError: it is empty, begins with another word, or has a second statement behind it.
    """
    if not found or all(token.text == ";" for token in found):
        raise StoreError('there is no statement: write one, such as "select * from best"')
    ends = [i for i, token in enumerate(found) if token == Token("symbol", ";", token.start)]
    if ends and (rest := [token for token in found[ends[0] :] if token.text != ";"]):
        raise StoreError(f"one statement at a time; a second begins at {place(text, rest[0].start)}")
    first = next((token for token in found if token.text != "("), found[0])
    allowed = (*_READING, *also)
    if first.kind != "word" or first.text.upper() not in allowed:
        # DELETE is near SELECT, and is not meant as it.
        is_typo = first.text.upper() not in WRITING
        near = did_you_mean(first.text.upper(), allowed).partition("; there are")[0] if is_typo else ""
        raise StoreError(
            f"only reading is allowed: a statement begins with SELECT, WITH or VALUES; "
            f"this one begins with {first.text[:40]!r}{near}"
        )


def place(text: str, offset: int) -> str:
    r"""Say where in a text an offset is.

    >>> place("select 1\nform trials", 9)
    'line 2, column 1'
    """
    before = text[: max(offset, 0)]
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def nearest(name: str, found: Sequence[Token], columns: Mapping[str, Sequence[str]], *, of: str) -> str:
    """Return what a wrong name in a statement could have meant, in words.

    Args:
        name: of no table or no column that there is.
        found: the statement's ``tokens``.
        columns: what there is, the columns of each table and view.
        of: ``table`` or ``column``.
    """
    if of == "table":
        return did_you_mean(name, columns)
    named = {token.text.lower() for token in found if token.kind in ("word", "name")}
    asked = [table for table in columns if table.lower() in named] or list(columns)
    return did_you_mean(name, [column for table in asked for column in columns[table]])

# SPDX-License-Identifier: Apache-2.0
"""A statement as words: nothing hides in quotes, comments or spelling."""

from __future__ import annotations

import pytest

from archloom.errors import StoreError
from archloom.store.sqltext import check_reads, nearest, place, tokens


def words(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1 -- one\n, 2", ["select", "1", ",", "2"]),
        ("select 1 -- one\r, 2", ["select", "1", ",", "2"]),
        ("select /* a ; b */ 1", ["select", "1"]),
        ("select 'it''s; --' x", ["select", "'it''s; --'", "x"]),
        ("select E'a\\'; b' x", ["select", "E'a\\'; b'", "x"]),
        ('select "a ""b"" ;" x', ["select", 'a "b" ;', "x"]),
        ("select $$a;b$$, $t$c $$ d$t$", ["select", "$$a;b$$", ",", "$t$c $$ d$t$"]),
        ("select a$$b$$ from t", ["select", "a$$b$$", "from", "t"]),
        ("select 1.5e3x::int, :a", ["select", "1.5e3", "x", "::", "int", ",", ":", "a"]),
        ("sélect\u00a01", ["sélect\u00a01"]),
        ("select 'open", ["select", "'", "open"]),
        ("select 1 /* open", ["select", "1"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("select '\0'", r"no character '\\x00'; this one has one at line 1, column 9"),
        ("select '\ud800'", "no character"),
        ("select 1 /* /* */ */", "a comment within a comment is not taken .line 1, column 10."),
        ("select U&\"\\0073et_config\"('a')", "U& names spell characters by number"),
        ("select u&'x'", "u& names spell"),
        ("select E'a'\n'\\'', f(), ''", "another follows at line 2, column 1: join them"),
        ("select E'a' -- b\n'\\'', f(), ''", "another follows"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text: str, rule: str) -> None:
    with pytest.raises(StoreError, match=rule):
        tokens(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "there is no statement"),
        (" ;; -- nothing", "there is no statement"),
        ("select 1; select 2", "one statement at a time; a second begins at line 1, column 11"),
        ("select 1;;\n drop table x", "a second begins at line 2, column 2"),
        ("delete from trials", "begins with SELECT, WITH or VALUES; this one begins with 'delete'$"),
        ("selct 1", "begins with 'selct'; did you mean 'SELECT'"),
        ('"select" 1', "begins with 'select'"),
        ("PRAGMA x", "begins with 'PRAGMA'"),
    ],
)
def test_what_is_not_one_reading_statement_is_refused(text: str, rule: str) -> None:
    with pytest.raises(StoreError, match=rule):
        check_reads(text, tokens(text))


@pytest.mark.parametrize(
    "text", ["select ';'", "((select 1)) ;", "With x as (select 1) select 2;;", "values (1)"]
)
def test_what_reads_is_taken(text: str) -> None:
    check_reads(text, tokens(text))


def test_a_database_may_take_more() -> None:
    check_reads("explain select 1", tokens("explain select 1"), also=("EXPLAIN",))


def test_place() -> None:
    assert place("a\nbc\nd", 3) == "line 2, column 2"
    assert place("a", -1) == "line 1, column 1"


def test_nearest() -> None:
    columns = {"trials": ["number", "state"], "studies": ["name"]}
    assert nearest("trails", [], columns, of="table") == "; did you mean 'trials'?"
    assert nearest("nme", tokens("select nme from studies"), columns, of="column") == "; did you mean 'name'?"
    assert nearest("zzz", tokens("select zzz from Studies"), columns, of="column") == "; there are: name"

# SPDX-License-Identifier: Apache-2.0
"""Files that would fill the memory or the day end in one clear line, at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archloom import config
from archloom.errors import ConfigError

Write = Callable[..., Path]

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a0: &a0 {k0: 1}\n" + "".join(
    f"a{i + 1}: &a{i + 1} {{<<: [{', '.join([f'*a{i}'] * 9)}], k{i + 1}: 1}}\n" for i in range(9)
)
CHAIN = "a0: &a0 [1]\n" + "".join(f"a{i + 1}: &a{i + 1} [*a{i}]\n" for i in range(150))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "study.yaml:6: at most 100,000 values are read once aliases are written out"),
        (MERGES, "study.yaml:6: at most 100,000 values are read once aliases are written out"),
        (CHAIN, "study.yaml: nested more than 100 levels deep once aliases are written out"),
        ("a: &a [*a]", "study.yaml:1: an alias stands inside what it names"),
        ("a: " + "[" * 150 + "]" * 150, "study.yaml:1: nested more than 100 levels deep"),
        ("- " * 100_000, "study.yaml: nested more than 100 levels deep"),
        ("a: [1]\n" * 700_000, "study.yaml: at most 1,000,000 characters are read, these are 1,000,001"),
        ("a: " + "9" * 5000, "study.yaml: not YAML: "),
        ("a: 2026-13-45", "study.yaml: not YAML: month must be in 1..12"),
        ("a: *nowhere", "study.yaml:1: found undefined alias 'nowhere'"),
    ],
    ids=["laughs", "merges", "chain", "circle", "deep", "dashes", "5 MB", "digits", "date", "undefined"],
)
def test_what_is_too_much_is_refused_at_once(write: Write, text: str, message: str) -> None:
    path = write(text=text)
    started = time.process_time()
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert time.process_time() - started < 2
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_aliases_in_moderation_are_fine_and_keep_the_line_of_their_use(write: Write) -> None:
    path = write(
        ("name: mlp\n  layers: 2", "a: &a {oneof: [1, 2]}\n  b: *a\n  c: {<<: *a}"),
        ("{name: training, data: digits, epochs: 1}", "{name: function, function: 'math:sqrt'}"),
        ("{accuracy: maximize}", "{score: maximize}"),
    )
    file = config.load(path, ["space.b.oneof=[1, 2, 3]"])
    assert [len(decision.candidates) for decision in file.space.decisions] == [2, 3, 2]


def test_overrides_have_the_same_limits(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"override 'seed=&a \[\*a\]': not YAML: an alias stands inside"):
        config.load(write(), ["seed=&a [*a]"])

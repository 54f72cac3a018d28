# SPDX-License-Identifier: Apache-2.0
"""Options follow from a callable's signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from archloom.config._document import Document, Problems
from archloom.config._options import check_options, defaults
from archloom.errors import ConfigError

if TYPE_CHECKING:
    from decimal import Decimal


def _check(target: Callable[..., Any], **given: Any) -> dict[str, Any]:
    problems = Problems(Document("f", {"x": given}))
    checked = check_options(target, given, ("x",), problems)
    problems.check()
    return dict(checked)


def _several(
    *,
    path: Path | None = None,
    sizes: Sequence[int] = (1,),
    pair: tuple[int, int] = (1, 2),
    either: str | list[int] = "all",
    copy: bool = False,
    schema: float = 1.0,
) -> None:
    """Take options of many types, and of names that pydantic has for itself."""


def _hidden(*, amount: Decimal, plain: Any = 3, bare=None) -> None:  # type: ignore[no-untyped-def]
    """Have an annotation that only a type checker can see, and an option without one."""


def _open(first: int, /, *, known: int, **others: Any) -> None:
    """Take any option at all."""


def test_values_get_the_annotated_types() -> None:
    assert _check(_several, path="a/b", pair=[3, 4], copy=True, schema=2) == {
        "path": Path("a/b"),
        "pair": (3, 4),
        "copy": True,
        "schema": 2.0,
    }
    assert list(_check(_several, sizes=[4, 5])["sizes"]) == [4, 5]
    assert defaults(_several)["either"] == "all"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"copy": "yes"}, "f: x.copy: should be a valid boolean, got 'yes'"),
        ({"sizes": [1, "b"]}, "f: x.sizes.1: should be a valid integer, got 'b'"),
        ({"pair": [1]}, "f: x.pair.1: missing"),
        ({"either": 3}, "f: x.either: should be a valid string or a list, got 3"),
        ({"either": [1, 2.5]}, "f: x.either: should be a valid string or a valid integer, got [1, 2.5]"),
        ({"Copy": True}, "f: x.Copy: unknown key; did you mean 'copy'?"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _check(_several, **given)
    assert message in str(caught.value)


def test_what_is_not_annotated_is_not_checked() -> None:
    assert _check(_hidden, amount="3.5", bare=[1]) == {"amount": "3.5", "bare": [1]}


def test_a_callable_may_take_anything() -> None:
    assert _check(_open, known=1, more={"a": 1}) == {"known": 1, "more": {"a": 1}}
    with pytest.raises(ConfigError, match=r"x\.known: missing"):
        _check(_open, more=1)

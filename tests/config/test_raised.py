# SPDX-License-Identifier: Apache-2.0
"""An error of the user's own code in one line."""

from __future__ import annotations

import json

import numpy as np

from archloom.config._raised import place, raised


def _caught(call: object) -> Exception:
    try:
        call()  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_the_user_s_line_is_named_not_the_library_s() -> None:
    error = _caught(lambda: json.loads("{"))
    assert place(error).startswith("test_raised.py:")
    error = _caught(lambda: np.linalg.inv(np.zeros((2, 3))))
    assert place(error).startswith("test_raised.py:")


def test_an_error_from_nowhere_has_no_place() -> None:
    assert raised(KeyError("x")) == "KeyError: 'x'"
    assert raised(RuntimeError()) == "RuntimeError"


def test_a_message_of_many_lines_becomes_one() -> None:
    assert raised(ValueError("a\n  b")) == "ValueError: a b"

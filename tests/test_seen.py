# SPDX-License-Identifier: Apache-2.0
"""A set that only grows, against Python's own."""

from __future__ import annotations

import random

from archloom.seen import N_NEW, Seen


def test_it_holds_what_a_set_holds() -> None:
    rng = random.Random(0)
    seen, truth = Seen(), set[str]()
    for _ in range(5 * N_NEW):
        key = str(rng.randrange(3 * N_NEW))
        assert (key in seen) == (key in truth)
        seen.add(key)
        truth.add(key)
    assert len(seen) == len(truth)
    assert all(key in seen for key in truth)
    assert not any(f"other {key}" in seen for key in truth)
    assert 7 not in seen


def test_text_and_its_bytes_are_one() -> None:
    assert b"key" in Seen(["key"])

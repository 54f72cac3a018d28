# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from archloom.nn import LooseEndsCell, PairNode, Skip


def pair(first: int, second: int, combine: str = "add", widths: tuple[int, int] = (1, 1)) -> PairNode:
    return PairNode([first, second], [Skip(width, width) for width in widths], combine)


def test_two_states_are_added_or_put_side_by_side() -> None:
    states = [torch.full((1, 1, 1, 1), value) for value in (1.0, 2.0)]
    assert pair(0, 1)(states).flatten().tolist() == [3]
    both = pair(1, 0, "concat")
    assert both(states).flatten().tolist() == [2, 1]
    assert (pair(0, 1).out, both.out) == (1, 2)


def test_only_what_no_other_reads_is_the_output() -> None:
    x = torch.ones(1, 1, 1, 1)
    cell = LooseEndsCell(nn.Identity(), nn.Identity(), [pair(0, 1), pair(0, 2), pair(1, 1)])
    assert cell.loose == [3, 4]
    assert cell(x, 2 * x).flatten().tolist() == [1 + 3, 4]
    assert cell.out == 2
    wide = LooseEndsCell(nn.Identity(), nn.Identity(), [pair(0, 1), pair(0, 1, "concat")])
    assert wide.out == wide(x, x).shape[1] == 3


def test_wrong_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="two sources and two operations"):
        PairNode([0], [Skip(1, 1)])
    with pytest.raises(ValueError, match="'add' or 'concat', got 'mul'"):
        pair(0, 1, "mul")
    with pytest.raises(ValueError, match="sums states"):
        pair(0, 1)([torch.ones(1, 1, 2, 2), torch.ones(1, 1, 1, 1)])

# SPDX-License-Identifier: Apache-2.0
"""What supernets are worth: ranking, sums of paths, nested widths, what runs with what, speed and memory.

The truth of the rankings is kept as tables, which take an hour to make anew: delete them for that. Each part
is kept in a file of its own, so that one can be run again. Needs ``archloom[digits]``; the part
``fashion_mnist`` needs ARCHLOOM_DATA.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from benchmarks.parts import run_parts
from benchmarks.supernets_matrix import matrix
from benchmarks.supernets_nested import nested
from benchmarks.supernets_ranking import ranking
from benchmarks.supernets_speed import speed
from benchmarks.supernets_sums import sums

PARTS: dict[str, Callable[[], list[str]]] = {
    "digits": partial(ranking, "digits"),
    "fashion_mnist": partial(ranking, "fashion_mnist"),
    "sums": sums,
    "nested": nested,
    "matrix": matrix,
    "speed": speed,
}


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_parts("supernets", "Supernets", PARTS, __doc__)

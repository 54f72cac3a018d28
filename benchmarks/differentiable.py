# SPDX-License-Identifier: Apache-2.0
"""What differentiable search derives, and what its steps take: `make bench-differentiable`.

Each part is kept in a file of its own, so that one can be run again. The part ``cells`` needs ARCHLOOM_DATA.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.differentiable_cells import cells
from benchmarks.differentiable_cuboid import cuboid
from benchmarks.differentiable_recovery import recovery
from benchmarks.differentiable_speed import speed
from benchmarks.parts import run_parts

PARTS: dict[str, Callable[[], list[str]]] = {
    "cells": cells,
    "cuboid": cuboid,
    "recovery": recovery,
    "speed": speed,
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    run_parts("differentiable", "Differentiable search", PARTS, __doc__)

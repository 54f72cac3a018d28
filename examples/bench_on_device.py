#!/usr/bin/env python
"""Time a model that a search hands over, and print its milliseconds: ``python bench_on_device.py model.pt2``.

A stand-in for a program that would copy the model to a phone or a board and time it there. The model is a
``torch.export`` program; ``architecture.json`` beside it says what its input is.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import torch

N_WARMUP = 10
N_REPEATS = 50


def main(path: Path) -> None:
    """Print the median of several forward passes on one core."""
    torch.set_num_threads(1)
    architecture = json.loads((path.parent / "architecture.json").read_text())
    model = torch.export.load(path).module()
    inputs = torch.randn(architecture["batch_size"], *architecture["input_shape"])
    times = []
    with torch.inference_mode():
        for _ in range(N_WARMUP + N_REPEATS):
            started = time.perf_counter()
            model(inputs)
            times.append(time.perf_counter() - started)
    print(f"{1000 * statistics.median(times[N_WARMUP:]):.4f} ms")


if __name__ == "__main__":
    main(Path(sys.argv[-1]))

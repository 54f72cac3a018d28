# SPDX-License-Identifier: Apache-2.0
"""Training, against a loop written by hand: epochs a second on digits and Fashion-MNIST.

Both sides do the same work on tensors in memory: the same network with the same first weights, batches of
64 in a new random order an epoch, AdamW (torch's fused one, which is the faster) at a constant rate,
the mean training loss, then accuracy and cross-entropy of the validation split after each epoch, on one
thread. Ours is a whole ``Training.evaluate``, so that its set-up (network, trial run of a batch, optimiser)
and its checks (divergence, reports) count; the peer looks at its losses once an epoch. They run in turn,
A B A B, and the ratio is the median over the pairs; above 1 ours is the faster. Both must end at the same
accuracy.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from archloom.contracts import Trial
from archloom.evaluators import Splits, Training
from archloom.search_spaces import SearchSpace
from benchmarks.measuring import Row, compared, in_turn

BATCH_SIZE = 64
LR = 1e-3


def mlp(splits: Splits) -> nn.Module:
    """One hidden layer of 64."""
    n_inputs = int(np.prod(splits.input_shape))
    return nn.Sequential(nn.Flatten(), nn.Linear(n_inputs, 64), nn.ReLU(), nn.Linear(64, splits.n_outputs))


def conv_net(splits: Splits) -> nn.Module:
    """Two convolutions with batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(splits.input_shape[0], 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(64, splits.n_outputs),
    )


def by_hand(network: nn.Module, splits: Any, n_epochs: int) -> float:
    """Train as one would in a script; return the last validation accuracy."""
    network = copy.deepcopy(network)
    inputs, targets = splits.train.tensors
    validation_inputs, validation_targets = splits.validation.tensors
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, fused=True)
    generator = torch.Generator().manual_seed(0)
    accuracy = 0.0
    for _ in range(n_epochs):
        network.train()
        total = torch.zeros(())
        for rows in torch.randperm(len(inputs), generator=generator).split(BATCH_SIZE):  # type: ignore[no-untyped-call]
            loss = functional.cross_entropy(network(inputs[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.detach() * len(rows)
        _ = float(total) / len(inputs)
        network.eval()
        n_right, total = 0, torch.zeros(())
        with torch.no_grad():
            for start in range(0, len(validation_inputs), 2 * BATCH_SIZE):
                labels = validation_targets[start : start + 2 * BATCH_SIZE]
                logits = network(validation_inputs[start : start + 2 * BATCH_SIZE])
                n_right += int((logits.argmax(dim=1) == labels).sum())
                total += functional.cross_entropy(logits, labels, reduction="sum")
        accuracy = n_right / len(validation_inputs)
        _ = float(total) / len(validation_inputs)
    return accuracy


CASES: list[tuple[str, dict[str, int], Callable[[Splits], nn.Module], int]] = [
    ("digits", {}, mlp, 10),
    ("digits", {}, conv_net, 10),
    ("fashion_mnist", {"n_train": 10_000, "n_validation": 2_000}, mlp, 3),
    ("fashion_mnist", {"n_train": 10_000, "n_validation": 2_000}, conv_net, 1),
]
"""Data set, its options, network, and the epochs of one run: few, so that set-up counts more, not less."""


def measure(n_pairs: int = 15) -> list[Row]:
    """Return one row a case, in epochs a second; no Fashion-MNIST where ``ARCHLOOM_DATA`` is unset."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [
            _row(*case, n_pairs=n_pairs)
            for case in CASES
            if case[0] == "digits" or "ARCHLOOM_DATA" in os.environ
        ]
    finally:
        torch.set_num_threads(before)


def _row(
    data: str, options: dict[str, int], make: Callable[[Splits], nn.Module], n_epochs: int, *, n_pairs: int
) -> Row:
    training = Training(
        data=data,
        data_options=options,
        epochs=n_epochs,
        batch_size=BATCH_SIZE,
        lr=LR,
        schedule="constant",
        test=False,
        save_weights=False,
    )
    training.prepare(None)
    network = make(training.splits)
    space = SearchSpace(network)
    architecture = space.architecture(space.enumerate())
    sides: list[Callable[[], Any]] = [
        lambda: training.evaluate(architecture, Trial()),
        lambda: by_hand(network, training.splits, n_epochs),
    ]
    learned = [sides[0]()["validation/accuracy"], sides[1]()]
    if abs(learned[0] - learned[1]) > 0.02:  # the same numbers but for rounding
        raise RuntimeError(f"the two sides learned differently: {learned}")
    mine, (theirs,) = in_turn(partial(_seconds, sides[0]), [partial(_seconds, sides[1])], n_pairs)
    n_train = len(training.splits.train)  # type: ignore[arg-type]
    what = f"{data} ({n_train:,} images), {make.__name__.replace('_', ' ')}, {n_epochs} epochs"
    per_epoch = [[seconds / n_epochs for seconds in side] for side in (mine, theirs)]
    return compared(what, per_epoch[0], "a loop by hand", per_epoch[1], 0.95)


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start

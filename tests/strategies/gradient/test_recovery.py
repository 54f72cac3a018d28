# SPDX-License-Identifier: Apache-2.0
"""The operations that made noise-free data are found from what came out (a whole cell: `benchmarks/`)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pyglove as pg
import pytest
import torch
from torch import Tensor

from archloom.evaluators.seeding import threads
from archloom.gradient_search import step
from archloom.nn.routed import Supernet, for_search
from archloom.relaxation import Mixture, Progress, Relaxation
from archloom.search_spaces import SearchSpace, supernet
from archloom.search_spaces import blueprints as b
from archloom.strategies.gradient import darts

OPERATIONS = ["none", "skip_connect", "nor_conv_3x3", "max_pool_3x3", "avg_pool_3x3"]
N_EPOCHS, N_STEPS, BATCH = 20, 8, 16


def edge() -> Any:
    return pg.oneof(OPERATIONS)


SPACE = SearchSpace(b.Sequence([b.Cell([[edge()], [edge(), edge()]])]))


def routed(seed: int) -> Supernet:
    torch.manual_seed(seed)
    net = supernet(SPACE, 4, 2, input_shape=(4, 6, 6))
    for_search(net)
    return net


class Imitation:
    """Learns what a teacher's cell makes of noise."""

    def __init__(self, taken: dict[str, int]):
        teacher: Any = routed(1)
        self.net: Any = routed(2)
        teacher.route({name: torch.eye(len(OPERATIONS))[choice] for name, choice in taken.items()})
        self.inputs = torch.randn(256, 4, 6, 6)
        with torch.no_grad():
            self.targets = teacher.network[0](self.inputs)
        self.sgd = torch.optim.SGD(self.net.parameters(), lr=0.2, momentum=0.9)

    def loss(self, relaxation: Relaxation, first: int) -> Tensor:
        self.net.route(relaxation)
        picked = first + torch.randperm(128)[:BATCH]
        found = self.net.network[0](self.inputs[picked])
        return torch.nn.functional.mse_loss(found, self.targets[picked])

    def validation_losses(self, relaxation: Relaxation) -> Mapping[str, Tensor]:
        return {"validation/loss": self.loss(relaxation, 128)}

    def train_step(self, relaxation: Mapping[str, Mixture]) -> Mapping[str, Tensor]:
        self.sgd.zero_grad()
        loss = self.loss(relaxation, 0)
        loss.backward()  # type: ignore[no-untyped-call]
        self.sgd.step()
        return {"train/loss": loss.detach()}


@pytest.mark.slow
def test_operations_are_recovered() -> None:
    """Of nine edges: chance finds two, and seven are found here."""
    sites = [decision.name for decision in SPACE.decisions]
    n_found = 0
    for seed in range(3):
        truth = dict(zip(sites, random.Random(seed).choices(OPERATIONS[1:], k=3), strict=True))
        with threads(1):
            teacher = Imitation({site: OPERATIONS.index(label) for site, label in truth.items()})
            method = darts(lr=0.05, warmup_epochs=2)
            method.setup(SPACE, seed)
            for epoch in range(N_EPOCHS):
                for index in range(N_STEPS):
                    step(method, teacher, Progress(epoch, N_EPOCHS, index, N_STEPS))  # type: ignore[arg-type]
        found = SPACE.choices(method.derive())
        n_found += sum(found[site] == label for site, label in truth.items())

    assert n_found >= 6

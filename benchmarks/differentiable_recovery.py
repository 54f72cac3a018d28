# SPDX-License-Identifier: Apache-2.0
"""Whether differentiable search finds the operations of a cell that made the data.

The teacher is a DARTS cell of fourteen edges, each of one operation, with weights of its own; the target is
exactly what it makes of random inputs. The student is the relaxed cell: it learns weights and operations from
the outputs alone. Of fourteen edges two would be right by chance.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from typing import Any, final

import torch
from torch import Tensor
from torch.nn import functional

from archloom.gradient_search import step
from archloom.nn.routed import Supernet, for_search
from archloom.relaxation import GradientStrategy, Mixture, Progress, Relaxation
from archloom.search_spaces import SearchSpace, supernet
from archloom.search_spaces.darts import darts as darts_space
from archloom.search_spaces.operations import DARTS
from archloom.strategies.gradient import darts, sharpdarts
from benchmarks.store_words import spread, table, verdict

__all__ = ["recovery"]

EPOCHS, BATCH, N_EXAMPLES, N_SEEDS, WANTED = 30, 32, 1024, 3, 9
CHANNELS = 8
LABELS = ("none", *DARTS)
METHODS: dict[str, Callable[[], GradientStrategy]] = {
    "darts": lambda: darts(lr=0.03),
    "sharpdarts": lambda: sharpdarts(lr=0.03),
}


def recovery() -> list[str]:
    """Return the section."""
    tasks = list(product(METHODS, range(N_SEEDS)))
    with ProcessPoolExecutor(2) as pool:
        found = dict(zip(tasks, pool.map(_recovered, *zip(*tasks, strict=True)), strict=True))
    rows = []
    for name in METHODS:
        values = [found[name, seed] for seed in range(N_SEEDS)]
        met = verdict(statistics.fmean(values) >= WANTED, f"{WANTED}:") if name == "darts" else ""
        rows.append([name, spread(values), ", ".join(map(str, values)), met])
    return [
        "## Operations recovered",
        "",
        f"Of the fourteen edges of a cell that made the data, after {EPOCHS} epochs; {N_EXAMPLES} examples, "
        f"half of them for the weights; first order; {N_SEEDS} teachers, mean ± standard deviation.",
        "",
        *table(["method", "edges", "each teacher", "wanted"], rows),
        "",
        "Max-W is beside its use here: its coefficients begin near 1, all of them, and the output, which "
        "nothing behind it normalises, is too large by so much that the loss rewards whatever leads.",
        "",
    ]


@final
class Imitation:
    """The relaxed cell that learns what another makes of noise.

    Args:
        seed: of the teacher, the noise and the student.
    """

    def __init__(self, seed: int):
        self.space = darts_space(channels=CHANNELS, n_cells=3)
        teacher, self.net = (_supernet(self.space, 2 * seed + i) for i in range(2))
        edges = [name for name, switch in teacher.switches.items() if _is_edge(name) and switch.k == 1]
        torch.manual_seed(seed)
        taken = {name: int(torch.randint(1, len(LABELS), ())) for name in edges}  # any but none
        self.truth = {name: f"{name}={LABELS[choice]}" for name, choice in taken.items()}
        teacher.route({name: Mixture() for name in teacher.switches if _is_edge(name)})
        teacher.route({name: torch.eye(len(LABELS))[choice] for name, choice in taken.items()})
        first, self._cell = (_first_cell(net) for net in (teacher, self.net))
        self._inputs = torch.randn(2, N_EXAMPLES, 3 * CHANNELS, 8, 8)
        with torch.no_grad():
            y = first(*self._inputs)
        mean, std = y.mean((0, 2, 3), keepdim=True), y.std((0, 2, 3), keepdim=True)
        self._targets = (y - mean) / std
        weights = [p for p in self._cell.parameters() if p.requires_grad]
        self._sgd = torch.optim.SGD(weights, lr=0.2, momentum=0.9, weight_decay=3e-4)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._sgd, EPOCHS)

    def _loss(self, relaxation: Relaxation, first: int) -> Tensor:
        self.net.route(relaxation)
        picked = first + torch.randperm(N_EXAMPLES // 2)[:BATCH]
        return functional.mse_loss(self._cell(*self._inputs[:, picked]), self._targets[picked])

    def validation_losses(self, relaxation: Relaxation) -> Mapping[str, Tensor]:
        """Return the loss on a batch of one half."""
        return {"validation/loss": self._loss(relaxation, N_EXAMPLES // 2)}

    def train_step(self, relaxation: Relaxation) -> Mapping[str, Tensor]:
        """Move the weights by a batch of the other half."""
        self._sgd.zero_grad()
        loss = self._loss(relaxation, 0)
        loss.backward()  # type: ignore[no-untyped-call]
        self._sgd.step()
        return {"train/loss": loss.detach()}

    def search(self, method: GradientStrategy, seed: int) -> int:
        """Search, and return how many edges have the teacher's operation."""
        method.setup(self.space, seed)
        n_steps = N_EXAMPLES // 2 // BATCH
        for epoch in range(EPOCHS):
            for index in range(n_steps):
                step(method, self, Progress(epoch, EPOCHS, index, n_steps))  # type: ignore[arg-type]
            self._schedule.step()
        weighed = method.record()
        return sum(_best(weighed, name) == choice for name, choice in self.truth.items())


def _recovered(name: str, seed: int) -> int:
    torch.set_num_threads(1)
    found = Imitation(seed).search(METHODS[name](), seed)
    print(f"{name}, teacher {seed}: {found} of 14", flush=True)
    return found


def _supernet(space: SearchSpace, seed: int) -> Supernet:
    torch.manual_seed(seed)
    net = supernet(space, 3, 10)
    for_search(net)
    return net


def _is_edge(name: str) -> bool:
    return name.startswith("normal")


def _first_cell(net: Supernet) -> Any:
    network: Any = net.network
    return network.cells[0]


def _best(weighed: Mapping[str, float], edge: str) -> str:
    """Return which operation but ``none`` weighs the most at an edge."""
    found = {name: weight for name, weight in weighed.items() if name.startswith(f"{edge}=")}
    return max((name for name in found if not name.endswith("=none")), key=found.__getitem__)

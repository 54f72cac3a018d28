# SPDX-License-Identifier: Apache-2.0
"""Steps of differentiable search beside the published ones: the same numbers, time, and peak memory."""

from __future__ import annotations

import copy
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from archloom.contracts import SharedRun
from archloom.evaluators.data.splits import Splits
from archloom.evaluators.relaxed import RelaxedSupernet
from archloom.gradient_search import step
from archloom.relaxation import GradientStrategy, Mixture, Progress
from archloom.search_spaces.darts import darts as darts_space
from archloom.strategies.gradient import DifferentiableSearch, darts, gdas, pc_darts
from benchmarks.differentiable_published import (
    PublishedDarts,
    PublishedPcDarts,
    SearchNetwork,
    published_optimizers,
    published_step,
)
from benchmarks.store_words import table, verdict

__all__ = ["speed"]

CHANNELS, N_CELLS, BATCH, SIDE, N_STEPS = 16, 8, 16, 32, 5
MOST_STEP, MOST_MEMORY, LEAST_PARTIAL, MOST_HARD, CLOSE = 0.7, 0.8, 3.0, 1.15, 1e-5
Step = Callable[[], object]


def speed() -> list[str]:
    """Return the section."""
    torch.set_num_threads(1)
    steps = {name: STEPS[name]() for name in STEPS}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for name, take in steps.items():
        take()  # the first makes moments, and room
        print(f"{name} is ready", flush=True)
    for _ in range(N_STEPS):
        for name, take in steps.items():
            began = time.perf_counter()
            take()
            times[name].append(time.perf_counter() - began)
    memory = {name: _peak(name) for name in STEPS}
    single, double = difference(torch.float32), difference(torch.float64)
    first = difference(torch.float32, torch.contiguous_format)
    rows = [
        _row(
            "darts, first order",
            times,
            memory,
            "darts",
            "published darts",
            lambda r: (r <= MOST_STEP, f"<= {MOST_STEP}"),
        ),
        _row(
            "pc_darts, K = 4",
            times,
            memory,
            "pc_darts",
            "published darts",
            lambda r: (1 / r >= LEAST_PARTIAL, f"{LEAST_PARTIAL:g} times as fast"),
        ),
        _row("pc_darts, K = 4", times, memory, "pc_darts", "published pc_darts", None),
        _row("gdas", times, memory, "gdas", "one path, twice", lambda r: (r <= MOST_HARD, f"<= {MOST_HARD}")),
    ]
    head = ["step", "ours", "beside", "time, median (quartiles)", "wanted", "peak memory", "wanted"]
    return [
        "## Steps",
        "",
        f"The network of DARTS' search, {CHANNELS} channels and {N_CELLS} cells, a batch of {BATCH} images "
        f"of {SIDE} x {SIDE}, one thread; a step is of the relaxation, then of the weights, first order. "
        "Ours is a study's, data and all; *published* is the published mixed operation written out "
        "(`differentiable_published.py`: every operation run separately, then summed). They take turns, "
        f"{N_STEPS} steps each. Memory is the peak of a process that takes two steps, less that of one that "
        "has imported as much.",
        "",
        f"With the same weights, coefficients and images, in double precision the losses differ by "
        f"{double.loss:.1e} and the gradients that coefficients learn from by {double.gradient:.1e} of their "
        f"norm ({verdict(max(double[:2]) <= CLOSE, f'<= {CLOSE:g}')}). In single precision the losses differ "
        f"by {single.loss:.1e}, the gradients by {single.gradient:.1e}, with the channels first by "
        f"{first.gradient:.1e}: they are small differences of large sums, and torch's channels-last kernels "
        f"round more. The published ones are {single.exact:.1e} from their own in double precision.",
        "",
        *table(head, rows),
        "",
    ]


def _row(
    what: str,
    times: dict[str, list[float]],
    memory: dict[str, float],
    ours: str,
    theirs: str,
    judge: Callable[[float], tuple[bool, str]] | None,
) -> list[str]:
    ratios = [a / b for a, b in zip(times[ours], times[theirs], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    share = memory[ours] / memory[theirs]
    is_darts = ours == "darts"
    return [
        what,
        f"{statistics.median(times[ours]):.2f} s, {memory[ours] / 1e6:.0f} MB",
        f"{theirs}: {statistics.median(times[theirs]):.2f} s, {memory[theirs] / 1e6:.0f} MB",
        f"{middle:.3f} ({low:.3f} to {high:.3f})",
        "" if judge is None else verdict(*judge(middle)),
        f"{share:.2f}",
        verdict(share <= MOST_MEMORY, f"<= {MOST_MEMORY}") if is_darts else "",
    ]


def _splits() -> Splits:
    rng = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH * 64, 3, SIDE, SIDE, generator=rng)
    data = TensorDataset(images, torch.arange(len(images)) % 10)
    return Splits(train=data, validation=data, test=None, input_shape=(3, SIDE, SIDE), n_outputs=10)


def _evaluator(method: GradientStrategy) -> RelaxedSupernet:
    space = darts_space(channels=CHANNELS, n_cells=N_CELLS)
    evaluator = RelaxedSupernet(data=_splits(), epochs=50, batch_size=BATCH)
    evaluator.needs = method.needs
    evaluator.prepare(space)
    method.setup(space, 0)
    evaluator.start(SharedRun("supernet"))
    return evaluator


def _ours(method: GradientStrategy) -> Step:
    evaluator = _evaluator(method)
    context = evaluator.epoch(20)
    context.__enter__()
    count = iter(range(64))
    return lambda: step(method, evaluator, Progress(20, 50, next(count), 64))


def _published(net: SearchNetwork) -> Step:
    images, labels = _splits().train[: 2 * BATCH]
    batches = [(images[i : i + BATCH], labels[i : i + BATCH]) for i in (0, BATCH)]
    weights, alphas = published_optimizers(net)
    return partial(published_step, net.train(), batches[0], batches[1], weights, alphas)


def _one_path() -> Step:
    """Train what a draw of GDAS routes to, plain: twice, as often as a step passes through it."""
    from archloom.evaluators.networks import NetworkShape, build_supernet
    from archloom.nn.routed import for_search

    space = darts_space(channels=CHANNELS, n_cells=N_CELLS)
    net = for_search(build_supernet(space, NetworkShape((3, SIDE, SIDE), 10))).train()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    method = gdas()
    method.setup(space, 0)
    weights = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(weights, 0.025, 0.9, weight_decay=3e-4, foreach=True)
    images, labels = _splits().train[:BATCH]
    count = iter(range(1000))

    def take() -> None:
        for _ in range(2):
            relaxation = method.relax(Progress(20, 50, next(count), 64))
            drawn = {name: Mixture(None, mixture.active) for name, mixture in relaxation.items()}
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images, drawn), labels).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(weights, 5.0)
            optimizer.step()

    return take


STEPS: dict[str, Callable[[], Step]] = {
    "darts": lambda: _ours(darts()),
    "published darts": lambda: _published(PublishedDarts()),
    "pc_darts": lambda: _ours(pc_darts()),
    "published pc_darts": lambda: _published(PublishedPcDarts()),
    "gdas": lambda: _ours(gdas()),
    "one path, twice": _one_path,
}


class Away(NamedTuple):
    """How far ours is from the published.

    Args:
        loss: difference of the losses.
        gradient: of the gradients of the coefficients' logits, relative to their norm.
        exact: the published network's own gradient in this precision from that in double precision.
    """

    loss: float
    gradient: float
    exact: float


def difference(dtype: torch.dtype, memory: torch.memory_format = torch.channels_last) -> Away:
    """Compare both with the same weights, logits and images; ours with channels in that order."""
    theirs = PublishedDarts().train()
    method = darts()
    assert isinstance(method, DifferentiableSearch)
    net = _evaluator(method).supernet().train()
    for ours, weight in zip(weights_in_order(net), theirs.weights(), strict=True):
        ours.data.copy_(weight.data)
    for path, alpha in method.alphas.items():
        alpha.data.copy_(_published_row(path, theirs.alphas()).data)
        alpha.data = alpha.data.to(dtype)
    images, labels = _splits().train[:BATCH]
    same = copy.deepcopy(theirs).double()
    net.to(dtype).to(memory_format=memory)  # type: ignore[call-overload]
    theirs.to(dtype)

    def found(network: Callable[[], Tensor], logits: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        loss = nn.functional.cross_entropy(network(), labels)
        return loss.detach(), list(torch.autograd.grad(loss, logits))

    relaxation = method.relax(Progress(0, 1))
    mine, own = found(lambda: net(images.to(dtype), relaxation), list(method.alphas.values()))
    loss, gradients = found(lambda: theirs(images.to(dtype)), theirs.alphas())
    _, double = found(lambda: same(images.double()), same.alphas())

    def joined(rows: Sequence[Tensor]) -> Tensor:
        return torch.cat([_published_row(path, rows) for path in method.alphas]).double()

    wanted = joined(gradients)
    apart = (torch.cat(own).double() - wanted).norm() / wanted.norm()
    exact = (wanted - joined(double)).norm() / wanted.norm()
    return Away(abs(float(mine - loss)), float(apart), float(exact))


def weights_in_order(net: nn.Module) -> list[nn.Parameter]:
    """Return the weights of our network in the order of the published one's."""
    root: Any = net.network
    ours = [p for p in root.stem.parameters() if p.requires_grad]
    for cell in root.cells:
        for part in (cell.preprocess_0, cell.preprocess_1):
            ours += [p for p in part.parameters() if p.requires_grad]
        for node in cell.nodes:
            for edge in node.edges[0].slots[0]:
                ours += [p for p in edge.parameters() if p.requires_grad]
    return ours + [p for p in root.head.parameters() if p.requires_grad]


def _published_row(path: str, alphas: Sequence[Tensor]) -> Tensor:
    """Return what the published network learns for the operation of one of our edges."""
    kind, _, rest = path.partition(".nodes[")
    node = int(rest.partition("]")[0])
    source = rest.partition("(")[2].partition(")")[0]
    index = int(source.partition("_")[2]) + (0 if source.startswith("input") else 2)
    before = sum(range(2, 2 + node))
    return alphas[0 if kind == "normal" else 1][before + index]


def _peak(name: str) -> float:
    """Return the bytes that a process needs for two steps, beside what the imports take."""
    return _child(name) - _child("")


def _child(name: str) -> float:
    words = [sys.executable, "-m", "benchmarks.differentiable_speed", name]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1]:
        taken = STEPS[sys.argv[1]]()
        taken()
        taken()
    else:
        _splits()
    # Not getrusage: what it says begins with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    print(1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM")))

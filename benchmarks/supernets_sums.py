# SPDX-License-Identifier: Apache-2.0
"""MixPath: what a batch norm for each number of summed paths does to activations and to the ranking."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from archloom.agreement import kendall_tau
from archloom.contracts import SharedRun, Trial
from archloom.evaluators import SupernetEvaluator, Training
from archloom.nn import MixedBottleneck
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.mixpath import mixpath
from benchmarks.store_words import spread, table, verdict
from benchmarks.supernets_truth import split_half

__all__ = ["sums"]

SHARED = {"data": "digits", "optimizer": "sgd", "lr": 0.05, "gradient_clip": 5.0}
ALONE_EPOCHS, EPOCHS = 4, 60
N_ALONE = 5
NORMS = {True: "one for each number of paths", False: "one for all"}


class Found(NamedTuple):
    """What one supernet gave.

    Args:
        before: variance of what a block's sum becomes, three paths over one, before the batch norm.
        after: the same after it, in evaluation mode.
        tau: of its scores with the truth, by the statistics that training left.
        tau_measured: the same, batch norms measured anew.
    """

    before: float
    after: float
    tau: float
    tau_measured: float


def sums(n_seeds: int = 5) -> list[str]:
    """Return the section."""
    truth = _truth()
    mean = truth.mean(axis=1)
    half = split_half(truth)
    found = {shadow: [_one(shadow, seed, mean) for seed in range(n_seeds)] for shadow in NORMS}
    rows = [
        [name, *(spread([each[i] for each in found[shadow]]) for i in range(4))]
        for shadow, name in NORMS.items()
    ]
    ratio = statistics.fmean(each.after for each in found[True])
    without = statistics.fmean(each.after for each in found[False])
    taus = {shadow: statistics.fmean(each.tau for each in found[shadow]) for shadow in NORMS}
    head = [
        "batch norms",
        "variance before them, 3 paths over 1",
        "variance after them",
        "tau, no recalibration",
        "tau, recalibrated",
    ]
    return [
        "## Sums of paths (MixPath)",
        "",
        f"Two blocks on digits, each a sum of 1 to 3 of the kernels 3, 5 and 7: 49 networks. The truth is "
        f"the mean validation accuracy of {N_ALONE} stand-alone trainings of {ALONE_EPOCHS} epochs, "
        f"{mean.min():.3f} to {mean.max():.3f}; its split-half tau is {half:.3f}. {n_seeds} supernets each, "
        f"{EPOCHS} epochs, sampler `path_count`; mean ± standard deviation. Variances are of "
        "channels over the validation images, mean over blocks.",
        "",
        *table(head, rows),
        "",
        f"Variance after: with one norm for all {verdict(2 <= without <= 9, '2 to 9')}, with one for each "
        f"number {verdict(abs(ratio - 1) <= 0.1, '1 ± 0.1')}; tau before recalibration higher with one for "
        f"each: {verdict(taus[True] > taus[False], '')}.",
        "",
    ]


def _space(shadow: bool = True) -> SearchSpace:
    return mixpath(
        channels=[8, 16],
        strides=[1, 2],
        depth=1,
        kernels=[3, 5, 7],
        most=3,
        expansions=[2],
        shadow=shadow,
        stem=8,
        stem_stride=1,
        head=32,
    )


def _truth() -> Any:
    space = _space()
    training = Training(**SHARED, epochs=ALONE_EPOCHS, save_weights=False, test=False)  # type: ignore[arg-type]
    training.prepare(space)
    rows = space.enumerate()

    def accuracy(i: int, seed: int) -> float:
        trial = Trial(seed=1000 * seed + i)
        return training.evaluate(space.architecture(rows[i]), trial)["validation/accuracy"]

    return np.array([[accuracy(i, seed) for seed in range(N_ALONE)] for i in range(len(rows))])


def _one(shadow: bool, seed: int, mean: Any) -> Found:
    space = _space(shadow)
    taus, nets = [], []
    for n_batches in (0, 10):
        evaluator = SupernetEvaluator(
            **SHARED,  # type: ignore[arg-type]
            sampler="path_count",
            epochs=EPOCHS,
            recalibration_batches=n_batches,
        )
        evaluator.prepare(space)
        evaluator.train(SharedRun("supernet", seed))
        if not n_batches:
            nets.append(_ratios(space, evaluator))
        rows = space.enumerate()
        scores = [evaluator.evaluate(space.architecture(rows[i]), Trial()) for i in range(len(rows))]
        taus.append(kendall_tau(mean, [score["validation/accuracy"] for score in scores]))
    print(f"mixpath, shadow {shadow}, seed {seed}: {nets[0]}, taus {taus}", flush=True)
    return Found(*nets[0], *taus)


def _ratios(space: SearchSpace, evaluator: SupernetEvaluator) -> tuple[float, float]:
    """Return the variance of three paths over that of one, before and after a block's batch norm."""
    net = evaluator.supernet().eval()
    blocks = [module for module in net.modules() if isinstance(module, MixedBottleneck)]
    validation: Any = Training(data="digits").splits.validation
    images = torch.stack([torch.as_tensor(image) for image, _ in validation])
    rows = space.enumerate()
    ratios = []
    for place in range(len(blocks)):  # one block sums, the others have one path: what comes is the same
        found: dict[int, list[tuple[float, float]]] = {1: [], 3: []}
        for i in range(len(rows)):
            sizes = [len(str(c).strip("[]").split(",")) for c in space.choices(rows[i]).values()]
            if sizes[place] in found and set(sizes[:place] + sizes[place + 1 :]) == {1}:
                net.route(space.routing(rows[i]))
                found[sizes[place]].append(_variances(net, blocks, images)[place])
        ratios.append(np.array(found[3]).mean(axis=0) / np.array(found[1]).mean(axis=0))
    before, after = np.mean(ratios, axis=0)
    return float(before), float(after)


@torch.no_grad()
def _variances(
    net: nn.Module, blocks: Sequence[MixedBottleneck], images: Tensor
) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []

    def look(module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        del module
        before, after = (x.var(dim=(0, 2, 3)).mean().item() for x in (given[0], out))
        found.append((before, after))

    hooks = [block.norm.register_forward_hook(look) for block in blocks]
    net(images)
    for hook in hooks:
        hook.remove()
    return found

# SPDX-License-Identifier: Apache-2.0
"""MixPath: what a batch norm for each number of summed paths does to activations and to the ranking."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

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
KERNELS = ((3, 5, 7), (1, 3, 5))
ALONE_EPOCHS, EPOCHS = 8, 60
N_ALONE = 5
NORMS = {True: "one for each number of paths", False: "one for all"}


class Found(NamedTuple):
    """What one supernet gave.

    Args:
        before: variance of what a block's sum becomes, three paths over one, before the batch norm.
        after: the same after it, in evaluation mode.
        cosine: between what two single paths of a block become, before the batch norm.
        accuracy: mean over the networks, by the statistics that training left.
        accuracy_measured: the same, batch norms measured anew.
        tau: of those accuracies with the truth.
        tau_measured: the same, batch norms measured anew.
    """

    before: float
    after: float
    cosine: float
    accuracy: float
    accuracy_measured: float
    tau: float
    tau_measured: float


def sums(n_seeds: int = 5) -> list[str]:
    """Return the section."""
    parts = [_part(kernels, n_seeds) for kernels in KERNELS]
    return [
        "## Sums of paths (MixPath)",
        "",
        f"Two blocks on digits, each a sum of 1 to 3 kernels: 49 networks. The truth is the mean validation "
        f"accuracy of {N_ALONE} stand-alone trainings of {ALONE_EPOCHS} epochs. {n_seeds} supernets each, "
        f"{EPOCHS} epochs, sampler `path_count`; mean ± standard deviation. Variances are of channels over "
        "the validation images, mean over blocks, where one block sums three paths against one and the other "
        "has one; the cosine is between what two single paths become.",
        "",
        *[line for lines in parts for line in lines],
        "MixPath's argument is that single paths give nearly parallel features, so that their number alone "
        "tells the statistics. Here they do in part (the cosine), and one norm for each number is still "
        "shared by kernels that differ. It keeps networks nearer to what they are worth once measured anew "
        "(the mean accuracy); but one norm for all marks down those of few paths, which are the worst here, "
        "and ranks no worse for it.",
        "",
    ]


def _part(kernels: Sequence[int], n_seeds: int) -> list[str]:
    truth = _truth(kernels)
    mean = truth.mean(axis=1)
    found = {shadow: [_one(kernels, shadow, seed, mean) for seed in range(n_seeds)] for shadow in NORMS}
    rows = [
        [name, *(spread([each[i] for each in found[shadow]]) for i in range(len(Found._fields)))]
        for shadow, name in NORMS.items()
    ]
    means = {shadow: Found(*np.mean(found[shadow], axis=0)) for shadow in NORMS}
    head = [
        "batch norms",
        "variance before them, 3 paths over 1",
        "variance after them",
        "cosine of two paths",
        "mean accuracy, as trained",
        "measured anew",
        "tau, as trained",
        "measured anew",
    ]
    return [
        f"Kernels {', '.join(map(str, kernels))}: stand-alone {mean.min():.3f} to {mean.max():.3f}, "
        f"split-half tau {split_half(truth):.3f}.",
        "",
        *table(head, rows),
        "",
        f"Variance after: with one norm for all {verdict(2 <= means[False].after <= 9, '2 to 9')}, with "
        f"one for each number {verdict(abs(means[True].after - 1) <= 0.1, '1 ± 0.1')}; tau as trained "
        f"higher with one for each: {verdict(means[True].tau > means[False].tau, '').strip()}.",
        "",
    ]


def _space(kernels: Sequence[int], shadow: bool = True) -> SearchSpace:
    return mixpath(
        channels=[8, 16],
        strides=[1, 2],
        depth=1,
        kernels=kernels,
        most=3,
        expansions=[2],
        shadow=shadow,
        stem=8,
        stem_stride=1,
        head=32,
    )


def _truth(kernels: Sequence[int]) -> Any:
    space = _space(kernels)
    training = Training(**SHARED, epochs=ALONE_EPOCHS, save_weights=False, test=False)  # type: ignore[arg-type]
    training.prepare(space)
    rows = space.enumerate()

    def accuracy(i: int, seed: int) -> float:
        trial = Trial(seed=1000 * seed + i)
        return training.evaluate(space.architecture(rows[i]), trial)["validation/accuracy"]

    return np.array([[accuracy(i, seed) for seed in range(N_ALONE)] for i in range(len(rows))])


def _one(kernels: Sequence[int], shadow: bool, seed: int, mean: Any) -> Found:
    space = _space(kernels, shadow)
    rows = space.enumerate()
    taus, accuracies = [], []
    with TemporaryDirectory() as folder:
        run = SharedRun("supernet", seed, folder=Path(folder))
        for n_batches in (0, 10):
            evaluator = SupernetEvaluator(
                **SHARED,  # type: ignore[arg-type]
                sampler="path_count",
                epochs=EPOCHS,
                recalibration_batches=n_batches,
            )
            evaluator.prepare(space)
            if n_batches:
                evaluator.load(run)
            else:
                evaluator.train(run)
                features = _features(space, evaluator)
            scores = [evaluator.evaluate(space.architecture(rows[i]), Trial()) for i in range(len(rows))]
            accuracies.append([score["validation/accuracy"] for score in scores])
            taus.append(kendall_tau(mean, accuracies[-1]))
    found = Found(*features, *map(statistics.fmean, accuracies), *taus)
    print(f"mixpath {kernels}, shadow {shadow}, seed {seed}: {found}", flush=True)
    return found


def _features(space: SearchSpace, evaluator: SupernetEvaluator) -> tuple[float, float, float]:
    """Return what a block's sum becomes before its batch norm, and after: variances, and the cosine."""
    net = evaluator.supernet().eval()
    blocks = [module for module in net.modules() if isinstance(module, MixedBottleneck)]
    validation: Any = Training(data="digits").splits.validation
    images = torch.stack([torch.as_tensor(image) for image, _ in validation])
    rows = space.enumerate()
    ratios, cosines = [], []
    for place in range(len(blocks)):  # one block sums, the others have one path: what comes is the same
        found: dict[int, list[list[float]]] = {1: [], 3: []}
        singles: dict[str, list[Tensor]] = {}
        for i in range(len(rows)):
            choices = list(map(str, space.choices(rows[i]).values()))
            sizes = [len(choice.split(",")) for choice in choices]
            others = choices[:place] + choices[place + 1 :]
            if sizes[place] in found and set(sizes[:place] + sizes[place + 1 :]) == {1}:
                net.route(space.routing(rows[i]))
                both = _at(net, blocks[place].norm, images)
                found[sizes[place]].append([x.var(dim=(0, 2, 3)).mean().item() for x in both])
                if sizes[place] == 1:
                    singles.setdefault(str(others), []).append(both[0].flatten())
        ratios.append(np.array(found[3]).mean(axis=0) / np.array(found[1]).mean(axis=0))
        for alike in singles.values():
            cosines += [functional.cosine_similarity(a, b, dim=0).item() for a, b in combinations(alike, 2)]
    before, after = np.mean(ratios, axis=0)
    return float(before), float(after), statistics.fmean(cosines)


@torch.no_grad()
def _at(net: nn.Module, norm: nn.Module, images: Tensor) -> list[Tensor]:
    """Return what goes into a norm, and what comes out."""
    found: list[Tensor] = []
    hook = norm.register_forward_hook(lambda module, given, out: found.extend((given[0], out)))
    net(images)
    hook.remove()
    return found

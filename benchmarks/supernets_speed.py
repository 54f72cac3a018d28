# SPDX-License-Identifier: Apache-2.0
"""What sharing weights costs and saves: scoring against training, routed steps against plain ones."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset

from archloom.contracts import SharedRun, Trial
from archloom.evaluators import Classification, SupernetEvaluator, Training, build_network
from archloom.evaluators.batches import batches
from archloom.evaluators.networks import NetworkShape, build_supernet
from archloom.evaluators.optimisation import Optimisation
from archloom.evaluators.supernet.footprint import step_bytes
from archloom.evaluators.trainer import Trainer
from archloom.nn.routed import ElasticConv2d, ElasticLinear, Knob, Switch
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.darts import darts
from archloom.search_spaces.mobilenet import mobilenet
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.search_spaces.spos import spos
from benchmarks.store_words import table, verdict
from benchmarks.supernets_truth import PROBLEMS, paths

__all__ = ["speed"]

N_SCORED, N_ROUNDS, N_PER_ROUND = 100, 5, 20
LEAST_GAIN, MOST_STEP, MOST_ELASTIC, MOST_LOADING = 20.0, 1.15, 1.1, 0.1
SHAPE = NetworkShape((3, 32, 32), 10)
N_BATCHES, BATCH = 4, 16
SPACES: dict[str, Callable[[], SearchSpace]] = {
    "nasbench201": partial(nasbench201, channels=16, n_cells=2),
    "darts": partial(darts, channels=8, n_cells=4),
    "spos": partial(spos, stages=[2, 2, 2], channels=[32, 64, 128], stem_stride=1, first_stride=1, head=128),
    "mobilenet": partial(mobilenet, channels=[16, 32, 64], strides=[1, 2, 2], stem_stride=1, head=128),
}


def speed() -> list[str]:
    """Return the section."""
    torch.set_num_threads(1)
    head = ["what", "ours", "beside", "ratio, median (quartiles)", "wanted"]
    rows = [_scoring(), *map(_step, SPACES), *_elastic(), *map(_loading, PROBLEMS)]
    return [
        "## Speed and memory",
        "",
        "One thread; pairs are measured in turn. *Scoring*: by inherited weights, batch norms measured anew "
        "on ten batches, digits. *Step*: forward, backward and SGD on a batch of 16 images of 3x32x32; the "
        "routed step draws and sets its path, too; *remembered* is what a step keeps for its gradients, and "
        "these. *Elastic*: forward and backward, to the input too, of a layer that slices against the static "
        "one of that size. What it costs is one fill of a gradient of the whole weight's size, whatever the "
        "batch. "
        "*Loading*: the share of an epoch that passing through the batches takes.",
        "",
        *table(head, rows),
        "",
    ]


def _scoring() -> list[str]:
    problem, space = PROBLEMS["digits"], paths()
    training = Training(data="digits", test=False, save_weights=False, **problem.options)
    shared = SupernetEvaluator(data="digits", epochs=1, n_checked=0)
    for evaluator in (training, shared):
        evaluator.prepare(space)
    shared.train(SharedRun("supernet"))
    rows = space.sample(N_SCORED, np.random.default_rng(0))
    ours: list[float] = []
    theirs: list[float] = []
    for start in range(0, N_SCORED, N_PER_ROUND):
        architectures = [space.architecture(rows[i]) for i in range(start, start + N_PER_ROUND)]
        for times, evaluator in ((ours, shared), (theirs, training)):
            began = time.perf_counter()
            for architecture in architectures:
                evaluator.evaluate(architecture, Trial())
            times.append((time.perf_counter() - began) / N_PER_ROUND)
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    return _row(
        f"score {N_SCORED} networks against training them, {problem.options['epochs']} epochs",
        f"{1000 * statistics.median(ours):.0f} ms each",
        f"{1000 * statistics.median(theirs):.0f} ms each",
        ratios,
        lambda middle: verdict(middle >= LEAST_GAIN, f">= {LEAST_GAIN:g}"),
    )


def _step(name: str) -> list[str]:
    space = SPACES[name]()
    rows = space.sample(4, np.random.default_rng(1), uniform_over="decisions")
    supernet = build_supernet(space, SHAPE)
    ours: list[float] = []
    theirs: list[float] = []
    memory: list[float] = []
    for i in range(len(rows)):
        routing = space.routing(rows[i])
        network = build_network(space.architecture(rows[i]), SHAPE)

        def passes(routing: Any = routing) -> list[Callable[[], None]]:
            space.routing(space.sample(1, np.random.default_rng(0), uniform_over="decisions"))  # as a sampler
            return [partial(supernet.route, routing)]

        epochs = [_epochs(supernet, passes), _epochs(network)]
        for _ in range(N_ROUNDS):
            for times, epoch in zip((ours, theirs), epochs, strict=True):
                began = time.perf_counter()
                epoch()
                times.append((time.perf_counter() - began) / N_BATCHES)
        supernet.route(routing)
        inputs = torch.rand(BATCH, *SHAPE.input_shape)
        memory.append(step_bytes(supernet, inputs) / step_bytes(network, inputs))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    most = max(memory)
    return _row(
        f"{name}: routed step against the decoded network's",
        f"{1000 * statistics.median(ours):.1f} ms; remembered at most {most:.3f} times "
        f"({verdict(most <= MOST_STEP, f'<= {MOST_STEP}')})",
        f"{1000 * statistics.median(theirs):.1f} ms",
        ratios,
        lambda middle: verdict(middle <= MOST_STEP, f"<= {MOST_STEP}"),
    )


def _epochs(network: nn.Module, passes: Any = None) -> Callable[[], object]:
    images = torch.rand(N_BATCHES * BATCH, *SHAPE.input_shape)
    data = TensorDataset(images, torch.arange(len(images)) % SHAPE.n_outputs)
    plan, task = Optimisation(optimizer="sgd", lr=1e-4), Classification()
    generator = torch.Generator().manual_seed(0)
    train = batches(data, batch_size=BATCH, device=torch.device("cpu"), shuffle=generator)
    optimizer = plan.make(network, is_routed=passes is not None)
    trainer = Trainer(network, train, task, plan, n_epochs=1000, passes=passes, optimizer=optimizer)
    trainer.epoch(1)
    return partial(trainer.epoch, 2)


def _elastic() -> list[list[str]]:
    """Compare layers as they stand in a network, whose input has a gradient, too."""
    return [
        _sliced(what, ours(n, _knob(n, is_full)), theirs(n if is_full else n // 2), shape, n, is_full)
        for n, vectors, images in ((256, 512, 8), (512, 512, 8), (256, 4096, 64))
        for is_full in (True, False)
        for what, ours, theirs, shape in (
            ("linear", ElasticLinear, lambda m: nn.Linear(m, m), (vectors,)),
            ("conv 3x3", _elastic_conv, lambda m: nn.Conv2d(m, m, 3, padding=1, bias=False), (images, 8, 8)),
        )
    ]


def _knob(n: int, is_full: bool) -> Knob:
    knob = Knob((n // 2, n), Switch("width", 2))
    knob.switch.set([1 if is_full else 0])
    return knob


def _elastic_conv(n: int, knob: Knob) -> nn.Module:
    return ElasticConv2d(nn.Conv2d(n, n, 3, padding=1, bias=False), knob, 3)


def _sliced(
    what: str, ours: nn.Module, theirs: nn.Module, shape: Sequence[int], n: int, is_full: bool
) -> list[str]:
    used = n if is_full else n // 2
    x = torch.rand(shape[0], used, *shape[1:], requires_grad=True)
    pairs = [(_passed(ours, x), _passed(theirs, x)) for _ in range(60)][10:]
    return _row(
        f"elastic {what}, {used} of {n} channels, a batch of {shape[0]}, against static",
        f"{1000 * statistics.median(a for a, _ in pairs):.2f} ms",
        f"{1000 * statistics.median(b for _, b in pairs):.2f} ms",
        [a / b for a, b in pairs],
        lambda middle: verdict(middle <= MOST_ELASTIC, f"<= {MOST_ELASTIC}"),
    )


def _passed(module: nn.Module, x: torch.Tensor) -> float:
    module.zero_grad()
    x.grad = None
    began = time.perf_counter()
    module(x).sum().backward()
    return time.perf_counter() - began


def _loading(name: str) -> list[str]:
    problem = PROBLEMS[name]
    evaluator = SupernetEvaluator(data=problem.data, data_options=problem.data_options, epochs=1)
    space = paths(problem.n_pools)
    evaluator.prepare(space)
    setup = evaluator.setup
    shares, loads, epochs = [], [], []
    for seed in range(N_ROUNDS):
        order = torch.Generator().manual_seed(seed)
        began = time.perf_counter()
        for _ in setup.batches(setup.splits.train, torch.device("cpu"), shuffle=order):
            pass
        loads.append(time.perf_counter() - began)
        began = time.perf_counter()
        evaluator.train(SharedRun("supernet", seed))
        epochs.append(time.perf_counter() - began)
        shares.append(loads[-1] / epochs[-1])
    return _row(
        f"{name}: loading as a share of an epoch",
        f"{1000 * statistics.median(loads):.1f} ms",
        f"{1000 * statistics.median(epochs):.0f} ms",
        shares,
        lambda middle: verdict(middle <= MOST_LOADING, f"<= {MOST_LOADING}"),
    )


def _row(
    what: str, ours: str, beside: str, ratios: Sequence[float], judge: Callable[[float], str]
) -> list[str]:
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return [what, ours, beside, f"{middle:.3g} ({low:.3g} to {high:.3g})", judge(middle)]

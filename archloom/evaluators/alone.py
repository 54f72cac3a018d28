# SPDX-License-Identifier: Apache-2.0
"""A network trained by itself: what ``training`` does in a trial, and a retraining after the search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import final

import torch
from safetensors.torch import save_model
from torch import nn

from archloom.contracts import Architecture, Metrics, SharedRun
from archloom.evaluators.networks import build_network
from archloom.evaluators.seeding import generator, seeded, threads
from archloom.evaluators.setup import TrainingSetup, at_least, prefixed
from archloom.evaluators.trainer import BestEpoch, measure

__all__ = ["WEIGHTS", "Alone", "fit", "keep_weights"]

WEIGHTS = "weights.safetensors"


def fit(
    network: nn.Module,
    setup: TrainingSetup,
    *,
    n_epochs: int,
    seed: int,
    device: torch.device,
    patience: int | None = None,
    report: Callable[[int, Metrics], bool] = lambda step, metrics: False,
) -> tuple[dict[str, float], bool]:
    """Train a network on ``train``, measuring it on ``validation`` after each epoch.

    Args:
        network: what learns.
        setup: how.
        n_epochs: how long.
        seed: of the order of samples, and of what augments them.
        device: where the network is.
        patience: end when ``validation/loss`` has not improved for so many epochs, and go back to the best.
        report: takes an epoch and its metrics; returns whether to end at once.

    Returns:
        the last epoch's metrics (the best's under ``patience``) with ``epochs``, and whether ``report`` ended
        it.
    """
    splits = setup.splits
    train = setup.batches(splits.train, device, shuffle=generator(seed))
    validation = setup.batches(splits.validation, device)
    trainer = setup.trainer(network, train, device, n_epochs=n_epochs, seed=seed)
    best = BestEpoch(network)
    metrics: dict[str, float] = {}
    is_stopped, epoch = False, 0
    for epoch in range(1, n_epochs + 1):
        metrics = {"train/loss": trainer.epoch(epoch)}
        metrics |= prefixed("validation", measure(network, validation, setup.task))
        is_stopped = report(epoch, metrics)
        if is_stopped or (patience is not None and best.n_since(epoch, metrics) >= patience):
            break
    if patience is not None and not is_stopped:
        metrics = best.restore()
    return {**metrics, "epochs": float(epoch)}, is_stopped


@final
class Alone:
    """Trains architectures by themselves, once their search is over.

    Args:
        setup: how they are trained.
        epochs: how long.
        patience: as for ``fit``.
    """

    def __init__(self, setup: TrainingSetup, epochs: int, patience: int | None = None):
        at_least(epochs=(epochs, 1))
        self._setup, self._epochs, self._patience = setup, epochs, patience

    def __call__(
        self, architecture: Architecture, run: SharedRun, start: Callable[[nn.Module], None] | None = None
    ) -> Metrics:
        """Train, measure on every split there is, and keep the weights in the run's folder.

        Args:
            architecture: whose network is trained.
            run: its seed, its device, its folder; is told of every epoch.
            start: gives the fresh network the weights that it starts from.

        Raises:
            SpaceError: the network cannot be built, or does not fit the data.
            ArchloomError: the loss diverged.
        """
        setup, device = self._setup, torch.device(run.device)
        setup.precision.check(device)

        def report(epoch: int, metrics: Metrics) -> bool:
            if epoch < self._epochs:  # the last is told of with the test beside it
                run.report(epoch, metrics)
            return False

        with threads(setup.n_threads), seeded(run.seed, device):
            network = build_network(architecture, setup.splits, seed=run.seed).to(device)
            if start is not None:
                start(network)
            computing = setup.precision.wrap(network, device)
            setup.check_fit(computing, architecture.text, device)
            metrics, _ = fit(
                computing,
                setup,
                n_epochs=self._epochs,
                seed=run.seed,
                device=device,
                patience=self._patience,
                report=report,
            )
            if setup.splits.test is not None:
                metrics |= setup.measure(computing, "test", setup.splits.test, device)
        if run.folder is not None:
            keep_weights(network, run.folder)
        run.report(int(metrics["epochs"]), metrics)
        return metrics


def keep_weights(network: nn.Module, folder: Path) -> None:
    """Write a network's weights into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    save_model(network, str(folder / WEIGHTS))

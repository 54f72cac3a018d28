# SPDX-License-Identifier: Apache-2.0
"""Train a network from scratch and measure it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from safetensors.torch import save_model
from torch import nn

from archloom.contracts import Architecture, Evaluator, Metrics, SharedRun, Trial
from archloom.errors import ConfigError
from archloom.evaluators.alone import WEIGHTS, Alone, fit
from archloom.evaluators.data.splits import Splits
from archloom.evaluators.networks import build_network, check_buildable
from archloom.evaluators.optimisation import Optimisation, OptimizerName, ScheduleName
from archloom.evaluators.precision import PrecisionName
from archloom.evaluators.seeding import seeded, threads
from archloom.evaluators.setup import TrainingSetup, at_least

__all__ = ["Training"]


class Training(Evaluator):
    """Builds an architecture's network, trains it on ``train``, measures it on ``validation`` and ``test``.

    After each epoch it reports ``train/loss`` and ``validation/<metric>`` under the number of epochs that
    were finished (from 1). It returns the same of the last epoch, ``test/<metric>``, and ``epochs``, how many
    ran. Where the report is answered by "stop", it returns at once what was measured by then: no test, no
    weights. All that is random (initial weights, order of the samples, augmentation, dropout) draws from the
    trial's seed and leaves the caller's random state alone; on the CPU the same seed gives the same metrics.
    A last training batch of one sample is dropped.

    A trial's fidelity may be ``epochs=<n>``: ``n`` epochs, over which the learning-rate schedule is run.

    Args:
        data: a registered data set (``digits``, ``mnist5k``, ``fashion_mnist``), an import path
            ``package.module:name``, or a live object; see ``load_splits`` for what it may be.
        data_options: the data set's own options, ``{n_train: 2000}``.
        task: ``classification``, ``regression``, an import path, or a live ``Task``.
        task_options: the task's own options, ``{label_smoothing: 0.1}``.
        epochs: passes over the training split.
        batch_size: samples in a training batch (measuring takes twice as many).
        optimizer: ``adamw``, ``adam`` or ``sgd``.
        lr: the highest learning rate.
        weight_decay: ``None`` takes the customary one: adamw 0.01, adam 0, sgd 0.0005.
        momentum: sgd's momentum; the first beta of the other two.
        schedule: of the learning rate: ``cosine``, ``linear`` or ``constant``.
        warmup_epochs: length of the linear warm-up; a fraction will do.
        gradient_clip: the highest norm of the gradient; ``None`` does not clip.
        patience: end when ``validation/loss`` has not improved for this many epochs. Only then
            are the best epoch's weights restored and its metrics returned; ``None`` trains to the end and
            keeps the last.
        augment: changes of the training images, one after the other: names (``flip``), mappings of name and
            options (``{name: crop, padding: 2}``), or live callables. There are ``crop``, ``flip``,
            ``cutout``, ``noise``, and ``mixup`` or ``cutmix``, under which ``train/loss`` is the blends'.
        precision: ``float32``; or mixed: ``bfloat16``, or ``float16`` with a scaled loss, on CUDA only.
            Weights, losses and metrics stay in float32.
        n_workers: processes that load data which is not in memory; 0 loads in the trial's own.
        n_threads: CPU threads that torch computes with. One keeps metrics the same on every machine and is
            the fastest for small networks, above all where other work shares the cores (threads that wait
            for each other spin); large ones on idle cores gain from more.
        test: measure the test split, once, after training. It is used for nothing.
        save_weights: write ``weights.safetensors`` (read it with safetensors' ``load_model``) where the trial
            keeps artifacts.

    Raises:
        ConfigError: an option is unknown or out of its range.
        ConfigError: (in ``prepare``) ``augment`` does not fit the data, or ``precision`` the machine.
        DataError: (in ``prepare``) the data are missing or malformed.
    """

    def __init__(
        self,
        *,
        data: str | Any,
        data_options: dict[str, Any] | None = None,
        task: str | Any = "classification",
        task_options: dict[str, Any] | None = None,
        epochs: int = 10,
        batch_size: int = 64,
        optimizer: OptimizerName = "adamw",
        lr: float = 1e-3,
        weight_decay: float | None = None,
        momentum: float = 0.9,
        schedule: ScheduleName = "cosine",
        warmup_epochs: float = 0.0,
        gradient_clip: float | None = None,
        patience: int | None = None,
        augment: Sequence[str | Any] = (),
        precision: PrecisionName = "float32",
        n_workers: int = 0,
        n_threads: int = 1,
        test: bool = True,
        save_weights: bool = True,
    ):
        at_least(epochs=(epochs, 1), patience=(1 if patience is None else patience, 1))
        self._setup = TrainingSetup(
            data=data,
            data_options=data_options,
            task=task,
            task_options=task_options,
            batch_size=batch_size,
            optimisation=Optimisation(
                optimizer=optimizer,
                lr=lr,
                weight_decay=weight_decay,
                momentum=momentum,
                schedule=schedule,
                warmup_epochs=warmup_epochs,
                gradient_clip=gradient_clip,
            ),
            augment=augment,
            precision=precision,
            n_workers=n_workers,
            n_threads=n_threads,
        )
        self.epochs = self._epochs = epochs
        self._patience = patience
        self._test = test
        self._save_weights = save_weights
        self.gives = self._names(has_test=test)
        gives = self._setup.task.gives
        if patience is not None and "loss" not in gives:
            raise ConfigError(f"patience watches validation/loss, but the task gives {', '.join(gives)}")

    @property
    def splits(self) -> Splits:
        """The data, loaded on first use."""
        is_new, splits = not self._setup.is_loaded, self._setup.splits
        if is_new:
            self.gives = self._names(has_test=self._test and splits.test is not None)
        return splits

    def prepare(self, space: Any) -> None:
        """Load the data, and see that the space is one of networks.

        Raises:
            ConfigError: it is not.
        """
        if space is not None:  # as where only the data are wanted
            check_buildable(space)
        self._setup.precision.check()
        _ = self.splits

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Train and measure.

        Raises:
            SpaceError: the network cannot be built, or does not fit the data.
            ArchloomError: the loss diverged; the message names epoch, step and learning rate.
        """
        setup, n_epochs = self._setup, _epochs_of(trial.fidelity, self._epochs)
        device = torch.device(trial.device)
        setup.precision.check(device)
        with threads(setup.n_threads), seeded(trial.seed, device):
            network = build_network(architecture, self.splits, seed=trial.seed).to(device)
            computing = setup.precision.wrap(network, device)
            setup.check_fit(computing, architecture.text, device)
            metrics, is_stopped = fit(
                computing,
                setup,
                n_epochs=n_epochs,
                seed=trial.seed,
                device=device,
                patience=self._patience,
                report=lambda epoch, metrics: trial.report(epoch, metrics) == "stop",
            )
            if is_stopped:
                return metrics
            if self._test and self.splits.test is not None:
                metrics |= setup.measure(computing, "test", self.splits.test, device)
        self._save(network, trial)
        return metrics

    def retrain(
        self, architecture: Architecture, run: SharedRun, *, epochs: int | None = None, inherits: bool = False
    ) -> Metrics:
        """Train an architecture once more, measure it on every split, and keep its weights.

        Raises:
            ConfigError: there are no weights to inherit.
            ArchloomError: the loss diverged.
        """
        if inherits:
            raise ConfigError("training shares no weights: there are none to inherit")
        return Alone(self._setup, epochs or self._epochs, self._patience)(architecture, run)

    def _save(self, network: nn.Module, trial: Trial) -> None:
        path = trial.artifact(WEIGHTS) if self._save_weights else None
        if path is not None:
            save_model(network, str(path))

    def _names(self, *, has_test: bool) -> tuple[str, ...]:
        return ("train/loss", "epochs", *self._setup.names(has_test=has_test))


def _epochs_of(fidelity: str | None, epochs: int) -> int:
    if fidelity is None:
        return epochs
    word, _, number = fidelity.partition("=")
    if word != "epochs" or not number.isdecimal() or int(number) < 1:
        raise ConfigError(f"training knows the fidelity 'epochs=<n>' with n from 1; got {fidelity!r}")
    return int(number)

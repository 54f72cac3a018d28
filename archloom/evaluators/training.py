# SPDX-License-Identifier: Apache-2.0
"""Train a network from scratch and measure it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from safetensors.torch import save_model
from torch import nn
from torch.utils.data import Dataset

from archloom.contracts import Architecture, Evaluator, Metrics, Trial
from archloom.errors import ConfigError, SpaceError
from archloom.evaluators.augmentation import Augmentation
from archloom.evaluators.batches import Batches, batches, first_batch
from archloom.evaluators.data.loading import load_splits
from archloom.evaluators.data.splits import Splits
from archloom.evaluators.networks import build_network
from archloom.evaluators.optimisation import Optimisation, OptimizerName, ScheduleName
from archloom.evaluators.options import MAX_THREADS
from archloom.evaluators.precision import Precision, PrecisionName
from archloom.evaluators.seeding import generator, seeded, threads
from archloom.evaluators.tasks import as_task
from archloom.evaluators.trainer import BestEpoch, Trainer, measure

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
        at_least = {
            "epochs": (epochs, 1),
            "batch_size": (batch_size, 1),
            "n_workers": (n_workers, 0),
            "n_threads": (n_threads, 1),
        }
        if patience is not None:
            at_least["patience"] = (patience, 1)
        for name, (value, least) in at_least.items():
            if value < least:
                raise ConfigError(f"{name} must be at least {least}; got {value}")
        if n_threads > MAX_THREADS:
            raise ConfigError(f"n_threads must be at most {MAX_THREADS}; got {n_threads}")
        self._optimisation = Optimisation(
            optimizer=optimizer,
            lr=lr,
            weight_decay=weight_decay,
            momentum=momentum,
            schedule=schedule,
            warmup_epochs=warmup_epochs,
            gradient_clip=gradient_clip,
        )
        self._augmentation = Augmentation(augment)
        self._precision = Precision(precision)
        self._data = data
        self._data_options = data_options
        self._task = as_task(task, task_options or {})
        self._epochs = epochs
        self._batch_size = batch_size
        self._patience = patience
        self._n_workers = n_workers
        self._n_threads = n_threads
        self._test = test
        self._save_weights = save_weights
        self._splits: Splits | None = None
        self.gives = self._names(has_test=test)
        if patience is not None and "loss" not in self._task.gives:
            raise ConfigError(
                f"patience watches validation/loss, but the task gives {', '.join(self._task.gives)}"
            )

    @property
    def splits(self) -> Splits:
        """The data, loaded on first use."""
        if self._splits is None:
            splits = load_splits(self._data, self._data_options)
            if self._augmentation:
                few = first_batch(splits.train, n=2, device=torch.device("cpu"), collate=self._task.collate)
                self._augmentation.check(few, splits.input_shape)
            self._splits = splits
            self.gives = self._names(has_test=self._test and self._splits.test is not None)
        return self._splits

    def prepare(self, space: Any) -> None:
        """Load the data."""
        del space
        self._precision.check()
        _ = self.splits

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Train and measure.

        Raises:
            SpaceError: the network cannot be built, or does not fit the data.
            ArchloomError: the loss diverged; the message names epoch, step and learning rate.
        """
        n_epochs = _epochs_of(trial.fidelity, self._epochs)
        device = torch.device(trial.device)
        self._precision.check(device)
        with threads(self._n_threads), seeded(trial.seed, device):
            network = build_network(architecture, self.splits, seed=trial.seed).to(device)
            computing = self._precision.wrap(network, device)
            self._check_fit(computing, architecture, device)
            metrics = self._train(computing, trial, n_epochs, device)
            if trial.is_stopped:
                return metrics
            if self._test and self.splits.test is not None:
                metrics |= self._measure(computing, "test", self.splits.test, device)
        self._save(network, trial)
        return metrics

    def _train(
        self, network: nn.Module, trial: Trial, n_epochs: int, device: torch.device
    ) -> dict[str, float]:
        train = self._batches(self.splits.train, device, shuffle=generator(trial.seed))
        validation = self._batches(self.splits.validation, device)
        trainer = Trainer(
            network,
            train,
            self._task,
            self._optimisation,
            n_epochs=n_epochs,
            augment=self._augmentation.seeded(trial.seed, device),
            scaler=self._precision.scaler(device),
        )
        best = BestEpoch(network)
        metrics: dict[str, float] = {}
        epoch = 0
        for epoch in range(1, n_epochs + 1):
            metrics = {"train/loss": trainer.epoch(epoch)}
            metrics |= _prefixed("validation", measure(network, validation, self._task))
            if trial.report(epoch, metrics) == "stop":
                break
            if self._patience is not None and best.n_since(epoch, metrics) >= self._patience:
                break
        if self._patience is not None and not trial.is_stopped:
            metrics = best.restore()
        return {**metrics, "epochs": float(epoch)}

    def _batches(
        self, dataset: Dataset[Any], device: torch.device, shuffle: torch.Generator | None = None
    ) -> Batches:
        return batches(
            dataset,
            batch_size=self._batch_size if shuffle is not None else 2 * self._batch_size,
            device=device,
            shuffle=shuffle,
            n_workers=self._n_workers,
            collate=self._task.collate,
        )

    def _measure(
        self, network: nn.Module, split: str, dataset: Dataset[Any], device: torch.device
    ) -> dict[str, float]:
        return _prefixed(split, measure(network, self._batches(dataset, device), self._task))

    def _check_fit(self, network: nn.Module, architecture: Architecture, device: torch.device) -> None:
        """Run a small batch, so that what does not fit is met here and says so in words."""
        if not any(p.requires_grad for p in network.parameters()):
            raise SpaceError(f"{architecture.text} has no trainable parameters")
        splits = self.splits
        batch = first_batch(splits.train, n=2, device=device, collate=self._task.collate)
        try:
            with torch.no_grad():
                outputs, targets = self._task.forward_batch(network.eval(), batch)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            raise SpaceError(
                f"{architecture.text} cannot run on a batch of inputs of shape {splits.input_shape}: {error}"
            ) from error
        width = outputs.shape[1] if outputs.ndim > 1 else 1
        if width != splits.n_outputs:
            raise SpaceError(
                f"{architecture.text} gives outputs of shape {tuple(outputs.shape)} for targets of shape "
                f"{tuple(targets.shape)}; its output must be {splits.n_outputs} wide, not {width}"
            )

    def _save(self, network: nn.Module, trial: Trial) -> None:
        path = trial.artifact("weights.safetensors") if self._save_weights else None
        if path is not None:
            save_model(network, str(path))

    def _names(self, *, has_test: bool) -> tuple[str, ...]:
        splits = ("validation", "test") if has_test else ("validation",)
        return ("train/loss", "epochs", *(f"{split}/{name}" for split in splits for name in self._task.gives))


def _prefixed(split: str, metrics: Mapping[str, float]) -> dict[str, float]:
    return {f"{split}/{name}": value for name, value in metrics.items()}


def _epochs_of(fidelity: str | None, epochs: int) -> int:
    if fidelity is None:
        return epochs
    word, _, number = fidelity.partition("=")
    if word != "epochs" or not number.isdecimal() or int(number) < 1:
        raise ConfigError(f"training knows the fidelity 'epochs=<n>' with n from 1; got {fidelity!r}")
    return int(number)

# SPDX-License-Identifier: Apache-2.0
"""What every evaluator that trains is told: data, task, how weights are moved; and what it does with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import torch
from torch import nn
from torch.utils.data import Dataset

from archloom.contracts import Task
from archloom.errors import ConfigError, SpaceError
from archloom.evaluators.augmentation import Augmentation
from archloom.evaluators.batches import Batches, batches, first_batch
from archloom.evaluators.data.loading import load_splits
from archloom.evaluators.data.splits import Splits
from archloom.evaluators.optimisation import Optimisation
from archloom.evaluators.options import MAX_THREADS
from archloom.evaluators.precision import Precision, PrecisionName
from archloom.evaluators.tasks import as_task
from archloom.evaluators.trainer import Trainer, measure

__all__ = ["TrainingSetup", "at_least", "prefixed"]


@final
class TrainingSetup:
    """Data, task and optimisation of networks that are trained; the data are loaded on first use.

    An evaluator takes all of this as options of its own: ``setup_options`` hands on what is said here.

    Args:
        data: a registered data set (``digits``, ``mnist5k``, ``fashion_mnist``), an import path
            ``package.module:name``, or a live object; see ``load_splits`` for what it may be.
        data_options: the data set's own options, ``{n_train: 2000}``.
        task: ``classification``, ``regression``, an import path, or a live ``Task``.
        task_options: the task's own options, ``{label_smoothing: 0.1}``.
        batch_size: samples in a training batch (measuring takes twice as many).
        optimisation: how the weights are moved.
        augment: changes of the training images, one after the other: names (``flip``), mappings of name and
            options (``{name: crop, padding: 2}``), or live callables. There are ``crop``, ``flip``,
            ``cutout``, ``noise``, and ``mixup`` or ``cutmix``, under which ``train/loss`` is the blends'.
        precision: ``float32``; or mixed: ``bfloat16``, or ``float16`` with a scaled loss, on CUDA only.
            Weights, losses and metrics stay in float32.
        n_workers: processes that load data which is not in memory; 0 loads where the training runs.
        n_threads: CPU threads that torch computes with. One keeps metrics the same on every machine and is
            the fastest for small networks, above all where other work shares the cores (threads that wait
            for each other spin); large ones on idle cores gain from more.

    Raises:
        ConfigError: an option is unknown or out of its range.
    """

    def __init__(
        self,
        *,
        data: str | Any,
        data_options: dict[str, Any] | None = None,
        task: str | Any = "classification",
        task_options: dict[str, Any] | None = None,
        batch_size: int = 64,
        optimisation: Optimisation,
        augment: Sequence[str | Any] = (),
        precision: PrecisionName = "float32",
        n_workers: int = 0,
        n_threads: int = 1,
    ):
        at_least(batch_size=(batch_size, 1), n_workers=(n_workers, 0), n_threads=(n_threads, 1))
        if n_threads > MAX_THREADS:
            raise ConfigError(f"n_threads must be at most {MAX_THREADS}; got {n_threads}")
        self.optimisation = optimisation
        self.precision = Precision(precision)
        self.task: Task = as_task(task, task_options or {})
        self.batch_size = batch_size
        self.n_threads = n_threads
        self._augmentation = Augmentation(augment)
        self._data = data
        self._data_options = data_options
        self._n_workers = n_workers
        self._splits: Splits | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether the data are there."""
        return self._splits is not None

    @property
    def splits(self) -> Splits:
        """The data, loaded on first use.

        Raises:
            DataError: they are missing or malformed.
            ConfigError: the augmentation does not fit them.
        """
        if self._splits is None:
            splits = load_splits(self._data, self._data_options)
            if self._augmentation:
                few = first_batch(splits.train, n=2, device=torch.device("cpu"), collate=self.task.collate)
                self._augmentation.check(few, splits.input_shape)
            self._splits = splits
        return self._splits

    def batches(
        self, dataset: Dataset[Any], device: torch.device, shuffle: torch.Generator | None = None
    ) -> Batches:
        """Return the batches of a split; for training, in an order that ``shuffle`` draws."""
        return batches(
            dataset,
            batch_size=self.batch_size if shuffle is not None else 2 * self.batch_size,
            device=device,
            shuffle=shuffle,
            n_workers=self._n_workers,
            collate=self.task.collate,
        )

    def trainer(
        self,
        network: nn.Module,
        train: Batches,
        device: torch.device,
        *,
        n_epochs: int,
        seed: int,
        optimizer: torch.optim.Optimizer | None = None,
        passes: Callable[[], Sequence[Callable[[], None]]] | None = None,
    ) -> Trainer:
        """Return what trains a network, epoch by epoch."""
        return Trainer(
            network,
            train,
            self.task,
            self.optimisation,
            n_epochs=n_epochs,
            augment=self._augmentation.seeded(seed, device),
            scaler=self.precision.scaler(device),
            optimizer=optimizer,
            passes=passes,
        )

    def measure(
        self, network: nn.Module, split: str, dataset: Dataset[Any], device: torch.device
    ) -> dict[str, float]:
        """Measure a network on a split; the names say which: ``validation/accuracy``."""
        return prefixed(split, measure(network, self.batches(dataset, device), self.task))

    def check_fit(self, network: nn.Module, text: str, device: torch.device) -> None:
        """Run a small batch, so that what does not fit is met here and says so in words.

        Raises:
            SpaceError: it does not; ``text`` says of what architecture.
        """
        if not any(p.requires_grad for p in network.parameters()):
            raise SpaceError(f"{text} has no trainable parameters")
        splits = self.splits
        batch = first_batch(splits.train, n=2, device=device, collate=self.task.collate)
        try:
            with torch.no_grad():
                outputs, targets = self.task.forward_batch(network.eval(), batch)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            raise SpaceError(
                f"{text} cannot run on a batch of inputs of shape {splits.input_shape}: {error}"
            ) from error
        width = outputs.shape[1] if outputs.ndim > 1 else 1
        if width != splits.n_outputs:
            raise SpaceError(
                f"{text} gives outputs of shape {tuple(outputs.shape)} for targets of shape "
                f"{tuple(targets.shape)}; its output must be {splits.n_outputs} wide, not {width}"
            )

    def names(self, *, has_test: bool) -> tuple[str, ...]:
        """Return the names of what ``measure`` gives on the splits that are measured."""
        splits = ("validation", "test") if has_test else ("validation",)
        return tuple(f"{split}/{name}" for split in splits for name in self.task.gives)


def prefixed(split: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """Return metrics under the name of the split that they were measured on."""
    return {f"{split}/{name}": value for name, value in metrics.items()}


def at_least(**options: tuple[float, float]) -> None:
    """Check numbers against the least each may be.

    Raises:
        ConfigError: one is below.
    """
    for name, (value, least) in options.items():
        if value < least:
            raise ConfigError(f"{name} must be at least {least}; got {value}")

# SPDX-License-Identifier: Apache-2.0
"""Train a network from scratch and measure it."""

from __future__ import annotations

from typing import Any, Unpack

import torch
from safetensors.torch import save_model
from torch import nn

from archloom.contracts import Architecture, Evaluator, Metrics, SharedRun, Trial
from archloom.errors import ConfigError
from archloom.evaluators.alone import WEIGHTS, Alone, fit
from archloom.evaluators.data.splits import Splits
from archloom.evaluators.networks import build_network, check_buildable
from archloom.evaluators.seeding import seeded, threads
from archloom.evaluators.setup import at_least
from archloom.evaluators.setup_options import SetupOptions, setup_of, takes_setup

__all__ = ["Training"]


@takes_setup()
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
        epochs: passes over the training split.
        patience: end when ``validation/loss`` has not improved for this many epochs. Only then
            are the best epoch's weights restored and its metrics returned; ``None`` trains to the end and
            keeps the last.
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
        epochs: int = 10,
        patience: int | None = None,
        test: bool = True,
        save_weights: bool = True,
        **setup: Unpack[SetupOptions],
    ):
        at_least(epochs=(epochs, 1), patience=(1 if patience is None else patience, 1))
        self._setup = setup_of(setup)
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

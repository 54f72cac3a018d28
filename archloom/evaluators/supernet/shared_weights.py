# SPDX-License-Identifier: Apache-2.0
"""What a trained supernet is good for: scores by inherited weights, and networks that take them along."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any, final

import torch
from torch import nn

from archloom.contracts import Architecture, Metrics, SharedRun, Trial
from archloom.evaluators.alone import Alone, keep_weights
from archloom.evaluators.batches import to_device
from archloom.evaluators.networks import build_network
from archloom.evaluators.seeding import seeded, threads
from archloom.evaluators.setup import TrainingSetup
from archloom.evaluators.supernet.recalibration import recalibrate
from archloom.nn.routed import Supernet
from archloom.search_spaces import SearchSpace

__all__ = ["SharedWeights"]


@final
class SharedWeights:
    """A supernet and the data that it is scored on.

    Args:
        net: the supernet; it is routed by whoever uses it.
        space: whose architectures it holds.
        setup: data and task.
        calibration: batches of training data from which batch-norm statistics are measured before a score.
        n_batches: how many of them; 0 leaves the statistics as they are.
    """

    def __init__(
        self,
        net: Supernet,
        space: SearchSpace,
        setup: TrainingSetup,
        calibration: Iterable[Any],
        n_batches: int,
    ):
        self.net, self._space, self._setup = net, space, setup
        self._calibration = list(islice(calibration, n_batches))

    def score(self, architecture: Architecture, trial: Trial, *, test: bool = False) -> dict[str, float]:
        """Route the supernet, measure its batch norms anew, and score it on ``validation``.

        Args:
            architecture: what to score.
            trial: its seed and device.
            test: whether the test split is measured, too.
        """
        device = torch.device(trial.device)
        with threads(self._setup.n_threads), seeded(trial.seed, device):
            return self._measured(self.routed(architecture, device), device, test=test)

    def derive(self, architecture: Architecture, run: SharedRun) -> Metrics:
        """Take an architecture's plain network out of the supernet, measure it, and keep its weights.

        Its batch norms have the statistics that it is scored with. The test split is measured too.
        """
        setup, device = self._setup, torch.device(run.device)
        with threads(setup.n_threads), seeded(run.seed, device):
            network = build_network(architecture, setup.splits).to(device)
            self.hand_on(architecture, network)
            metrics = self._measured(network, device, test=True)
        if run.folder is not None:
            keep_weights(network, run.folder)
        run.report(0, metrics)
        return metrics

    def finetune(self, architecture: Architecture, run: SharedRun, epochs: int) -> Metrics:
        """Train an architecture's plain network from the weights that it inherits."""
        return Alone(self._setup, epochs)(architecture, run, partial(self.hand_on, architecture))

    def hand_on(self, architecture: Architecture, network: nn.Module) -> None:
        """Give a plain network the weights of its counterpart in the supernet."""
        self.routed(architecture, next(network.parameters()).device).hand_on(network)

    def routed(self, architecture: Architecture, device: torch.device) -> Supernet:
        """Route the supernet, and measure its batch norms anew."""
        net = self.net.to(device)
        net.route(self._space.routing(architecture.genotype))
        if self._calibration:
            computing = self._setup.precision.wrap(net, device)
            batches = self._calibration
            if device.type != "cpu":
                batches = [to_device(batch, device) for batch in batches]
            recalibrate(net, partial(self._setup.task.forward_batch, computing), batches)
        return net

    def _measured(self, network: nn.Module, device: torch.device, *, test: bool) -> dict[str, float]:
        setup, splits = self._setup, self._setup.splits
        computing = setup.precision.wrap(network, device)
        metrics = setup.measure(computing, "validation", splits.validation, device)
        if test and splits.test is not None:
            metrics |= setup.measure(computing, "test", splits.test, device)
        return metrics

# SPDX-License-Identifier: Apache-2.0
"""An evaluator: how much an untrained network amplifies noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from archloom.contracts import Architecture, Evaluator, Metrics, Trial
from archloom.errors import ConfigError
from archloom.evaluators import build_network, load_splits

__all__ = ["NoiseGain"]


class NoiseGain(Evaluator):
    """Measures how far the outputs move when the inputs do, relative to both, before any training.

    ``noise_gain = (|f(x + e) - f(x)| / |f(x)|) / (|e| / |x|)`` over one batch of training samples ``x`` and
    normal noise ``e`` a hundredth of their size; ``f`` has fresh weights.

    Args:
        data: what the inputs come from, as the ``training`` evaluator takes it.
        data_options: options of the data.
        n_samples: size of the batch.

    Raises:
        ConfigError: no sample.
    """

    gives = ("noise_gain",)  # so that an objective or a constraint on anything else is refused beforehand
    is_cheap = True  # so that it runs first, and a constraint on it saves the training

    def __init__(
        self, *, data: str | Any, data_options: Mapping[str, Any] | None = None, n_samples: int = 32
    ):
        if n_samples < 1:
            raise ConfigError(f"n_samples is a whole number of at least 1, got {n_samples}")
        self._splits = load_splits(data, data_options)
        self._n_samples = n_samples

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Measure one architecture; everything random comes from the trial's seed."""
        network = build_network(architecture, self._splits, seed=trial.seed, device=trial.device).eval()
        train: Any = self._splits.train
        x = torch.stack([train[i][0] for i in range(min(self._n_samples, len(train)))])
        noise = 0.01 * torch.randn(x.shape, generator=torch.Generator().manual_seed(trial.seed))
        with torch.no_grad():
            before, after = network(x.to(trial.device)), network((x + noise).to(trial.device))
        gain = ((after - before).norm() / before.norm()).item() / (noise.norm() / x.norm()).item()
        return {"noise_gain": gain}

# SPDX-License-Identifier: Apache-2.0
"""PPO: several steps on a batch, none of them far from the policy that it was met with."""

from __future__ import annotations

from typing import final

import numpy as np

from archloom.contracts import ChoiceArray, FloatArray
from archloom.errors import ConfigError
from archloom.strategies.policy.policy import Policy
from archloom.strategies.policy.search import PolicyName, PolicySearch

__all__ = ["PPO", "clipped"]

RATES: dict[str, float] = {"tabular": 0.03, "lstm": 1e-3}
"""Learning rates where none is given."""
MAX_LOG_RATIO = 20.0
"""Beyond which a ratio is as if it were there, so that nothing overflows."""


def clipped(advantages: FloatArray, log_ratios: FloatArray, clip: float) -> FloatArray:
    """Return the weights of log-probabilities in the gradient of ``mean(min(A r, A clip(r)))``, ``n``.

    That is ``A r``, and nothing where ``r`` is already further from 1 than ``clip``, to the side that the
    advantage would have it go.

    >>> clipped(np.array([1.0, 1.0, -1.0, -1.0]), np.log([1.1, 1.3, 1.3, 0.5]), 0.2).round(2).tolist()
    [1.1, 0.0, -1.3, -0.0]
    """
    ratios = np.exp(np.minimum(log_ratios, MAX_LOG_RATIO))
    is_beyond = np.where(advantages > 0, ratios > 1.0 + clip, ratios < 1.0 - clip)
    return np.asarray(advantages * ratios * ~is_beyond)


@final
class PPO(PolicySearch):
    """Proximal policy optimisation, with a moving average of rewards for a baseline.

    Each batch of finished trials moves the policy ``n_epochs`` steps up
    ``mean(min(A r, A clip(r, 1 - clip, 1 + clip))) + entropy * mean(H)``, where ``A`` is the reward less its
    moving average and ``r`` a row's probability over what it was when the batch was met.

    Schulman, Wolski, Dhariwal, Radford, Klimov: Proximal Policy Optimization Algorithms, 2017,
    arXiv:1707.06347. As an architecture search: Zoph, Vasudevan, Shlens, Le: Learning Transferable
    Architectures for Scalable Image Recognition, CVPR 2018, arXiv:1707.07012 (there 100 units, 20 trials a
    batch, baseline 0.95, and for 20,000 trials a learning rate of 3.5e-4 and 1e-5 for the entropy; the
    defaults here are for hundreds).

    Args:
        policy: ``lstm`` is a recurrent network that sees the choices before; ``tabular`` has one number a
            candidate.
        lr: learning rate (Adam); ``None`` for 1e-3 with the LSTM and 0.03 with the table.
        clip: how far from 1 a ratio may go.
        n_epochs: steps on a batch.
        baseline: what the moving average of rewards keeps of itself at each trial.
        entropy: weight of the policy's entropy, which keeps it from making up its mind.
        batch_size: finished trials that it learns from at a time.
        n_units: of the LSTM and of its embedding.
        tanh_constant: ``c``, where the LSTM's logits are to be ``c tanh(l)``.

    Raises:
        ConfigError: an option out of its range.
    """

    def __init__(
        self,
        *,
        policy: PolicyName = "lstm",
        lr: float | None = None,
        clip: float = 0.2,
        n_epochs: int = 4,
        baseline: float = 0.95,
        entropy: float = 0.02,
        batch_size: int = 20,
        n_units: int = 100,
        tanh_constant: float | None = None,
    ):
        if not clip > 0 or n_epochs < 1:
            raise ConfigError(
                f"clip is above zero and n_epochs a whole number of at least 1, got {clip} and {n_epochs}"
            )
        super().__init__(
            policy=policy,
            lr=RATES.get(policy, 1.0) if lr is None else lr,
            baseline=baseline,
            entropy=entropy,
            batch_size=batch_size,
            n_units=n_units,
            tanh_constant=tanh_constant,
        )
        self._clip, self._n_epochs = clip, n_epochs

    def _learn(self, policy: Policy, rows: ChoiceArray, advantages: FloatArray) -> None:
        before = policy.log_probabilities(rows)
        for _ in range(self._n_epochs):
            policy.improve(
                rows,
                lambda log_p: clipped(advantages, log_p - before, self._clip),
                self._entropy,
            )

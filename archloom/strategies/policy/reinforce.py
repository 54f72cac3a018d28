# SPDX-License-Identifier: Apache-2.0
"""REINFORCE: what did better than average becomes more likely."""

from __future__ import annotations

from typing import final

from archloom.contracts import ChoiceArray, FloatArray
from archloom.strategies.policy.policy import Policy
from archloom.strategies.policy.search import PolicyName, PolicySearch

__all__ = ["Reinforce"]

RATES: dict[str, float] = {"tabular": 0.01, "lstm": 3.5e-4}
"""Learning rates where none is given."""


@final
class Reinforce(PolicySearch):
    """Policy gradient with a moving average of rewards for a baseline (REINFORCE).

    Each batch of finished trials moves the policy one step up ``mean(A log p) + entropy * mean(H)``, where
    ``A`` is the reward less its moving average.

    Williams: Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning,
    Machine Learning 8, 1992. As an architecture search: Zoph, Le: Neural Architecture Search with
    Reinforcement Learning, ICLR 2017, arXiv:1611.01578. The defaults (one number a candidate, Adam with 0.01,
    0.9, one trial at a time) are those of the baseline in Dong, Liu, Musial, Gabrys: NATS-Bench, TPAMI 2021,
    arXiv:2009.00437.

    Args:
        policy: ``tabular`` has one number a candidate; ``lstm`` is a recurrent network that sees the choices
            before.
        lr: learning rate (Adam); ``None`` for 0.01 with the table and 3.5e-4 with the LSTM, which with 1e-3
            makes up its mind too early.
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
        policy: PolicyName = "tabular",
        lr: float | None = None,
        baseline: float = 0.9,
        entropy: float = 0.0,
        batch_size: int = 1,
        n_units: int = 100,
        tanh_constant: float | None = None,
    ):
        super().__init__(
            policy=policy,
            lr=RATES.get(policy, 1.0) if lr is None else lr,
            baseline=baseline,
            entropy=entropy,
            batch_size=batch_size,
            n_units=n_units,
            tanh_constant=tanh_constant,
        )

    def _learn(self, policy: Policy, rows: ChoiceArray, advantages: FloatArray) -> None:
        policy.improve(rows, lambda log_p: advantages, self._entropy)

# SPDX-License-Identifier: Apache-2.0
"""A policy as a strategy: it proposes what it draws, and learns batch by batch from what has finished."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from archloom.contracts import ChoiceArray, Finished, FloatArray, Genotypes, Objective, Strategy
from archloom.errors import ConfigError, did_you_mean
from archloom.search_spaces.filling import Filling
from archloom.strategies.policy.advantages import Advantages
from archloom.strategies.policy.choices import first_logits
from archloom.strategies.policy.policy import Policy
from archloom.strategies.policy.tabular import TabularPolicy

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["PolicyName", "PolicySearch"]

PolicyName = Literal["tabular", "lstm"]
POLICIES = ("tabular", "lstm")

FIRST_WEIGHTS = 1
"""The attempt number under which a policy's first weights are drawn; proposals draw under 0."""


class PolicySearch(Strategy):
    """Draws architectures from a policy that learns, for any space without floats.

    The finished trials are cut into batches of ``batch_size`` in the order in which they finished, and the
    policy learns from one after the other: after ``k`` trials it has seen the first ``k // batch_size``
    batches, so that it is a function of seed and history alone. Proposals on their way do not hold it up: a
    trial that was drawn by an older policy, or that somebody else proposed, is learned from as if it were
    drawn now. Rewards and their moving average are those of ``Advantages``.

    Args:
        policy: ``tabular`` or ``lstm``.
        lr: learning rate (Adam).
        baseline: what the moving average of rewards keeps of itself at each trial.
        entropy: weight of the policy's entropy, which keeps it from making up its mind.
        batch_size: finished trials that it learns from at a time.
        n_units: of the LSTM.
        tanh_constant: of the LSTM, see there.

    Raises:
        ConfigError: an option out of its range.
    """

    supports: ClassVar[frozenset[str]] = frozenset({"constraints"})
    space: SearchSpace

    def __init__(
        self,
        *,
        policy: PolicyName,
        lr: float,
        baseline: float,
        entropy: float,
        batch_size: int,
        n_units: int,
        tanh_constant: float | None,
    ):
        if policy not in POLICIES:
            raise ConfigError(f"there is no policy {policy!r}{did_you_mean(policy, POLICIES)}")
        if not lr > 0 or not entropy >= 0:
            raise ConfigError(f"lr is above zero and entropy not below, got {lr} and {entropy}")
        if not 0.0 < baseline < 1.0:
            raise ConfigError(f"baseline lies between 0 and 1, got {baseline}")
        if batch_size < 1 or n_units < 1:
            raise ConfigError(
                f"batch_size and n_units are whole numbers of at least 1, got {batch_size} and {n_units}"
            )
        if tanh_constant is not None and (policy != "lstm" or not tanh_constant > 0):
            raise ConfigError(
                f"tanh_constant is above zero, and the LSTM's alone, got {tanh_constant} with {policy!r}"
            )
        self._kind, self._lr = policy, lr
        self._baseline, self._entropy, self._batch_size = baseline, entropy, batch_size
        self._n_units, self._tanh_constant = n_units, tanh_constant

    @property
    def n_startup(self) -> int:
        """The first batch, before which nothing is learned."""
        return self._batch_size

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nothing is known yet."""
        super().setup(space, objectives, seed)
        self._filling: Filling = space.filling
        self._advantages = Advantages(self.objectives[0])
        self._policy: Policy | None = None
        self._n_batches = 0

    def tell(self, finished: Finished) -> None:
        """Remember the finished trials."""
        if len(finished):
            self._advantages.add(finished)

    def ask(self, n: int) -> Genotypes:
        """Propose ``n`` points."""
        d = self._filling.n_columns
        noise = [self.rng(self.n_asked + i).random(d) for i in range(n)]
        self.n_asked += n
        rows = self._learned().sample(np.array(noise).reshape(n, d))
        return Genotypes(rows, np.empty((n, 0)))

    # ------------------------------------------------------------------ learning

    @abstractmethod
    def _learn(self, policy: Policy, rows: ChoiceArray, advantages: FloatArray) -> None:
        """Learn from a batch.

        Args:
            policy: what learns.
            rows: ``n x d``.
            advantages: ``n``.
        """

    def _learned(self) -> Policy:
        """Return the policy as the finished trials have made it."""
        policy = self._policy = self._policy or self._fresh()
        size = self._batch_size
        for number in range(self._n_batches, len(self._advantages) // size):
            start, stop = number * size, (number + 1) * size
            advantages = self._advantages.of(start, stop, self._baseline)
            self._learn(policy, self._advantages.rows(start, stop), advantages)
            self._n_batches += 1
        return policy

    def _fresh(self) -> Policy:
        logits = first_logits(self.space, self._filling)
        if self._kind == "tabular":
            return TabularPolicy(self._filling, logits, lr=self._lr)
        from archloom.strategies.policy.lstm import LSTMPolicy  # torch only where it is needed

        return LSTMPolicy(
            self._filling,
            logits,
            self.rng(0, FIRST_WEIGHTS),
            lr=self._lr,
            n_units=self._n_units,
            tanh_constant=self._tanh_constant,
        )

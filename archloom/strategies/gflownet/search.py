# SPDX-License-Identifier: Apache-2.0
"""A flow as a strategy: rounds of learning from all that was measured, and of sampling from that."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, final

import numpy as np
import torch
from torch import Tensor

from archloom.contracts import ChoiceArray, Finished, FloatArray, Genotypes, Objective, Strategy
from archloom.errors import ConfigError
from archloom.search_spaces.filling import Filling
from archloom.strategies.gflownet.learner import Learner
from archloom.strategies.gflownet.replay import Replay
from archloom.strategies.gflownet.sampling import walk_backward, walk_forward
from archloom.strategies.gflownet.trajectories import Trajectories, backward_at_random
from archloom.strategies.numerics import one_thread

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["FlowSearch", "Known", "Schedule"]

LEARNING = 1
"""The attempt number under which rounds of learning draw; proposals draw under 0."""
N_SOURCES, N_WAYS = 20, 20
"""Of an augmentation: rows, and ways to each."""


@final
@dataclass(frozen=True)
class Schedule:
    """When a flow learns, and how long.

    Args:
        n_initial: random proposals at the start.
        n_round: finished trials between two rounds.
        n_steps: gradient steps a round.
        restart_every: rounds after which the network is made anew; 0 for never.
        restart_steps: gradient steps of such a round.
        batch_size: trajectories a step.

    Raises:
        ConfigError: a number below what makes sense.
    """

    n_initial: int = 64
    n_round: int = 10
    n_steps: int = 200
    restart_every: int = 10
    restart_steps: int = 2000
    batch_size: int = 128

    def __post_init__(self) -> None:
        for name, least in {
            "n_initial": 2,
            "n_round": 1,
            "n_steps": 1,
            "restart_every": 0,
            "batch_size": 2,
        }.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is a whole number of at least {least}, got {getattr(self, name)}")
        if self.restart_steps < 1:
            raise ConfigError(f"restart_steps is a whole number of at least 1, got {self.restart_steps}")

    def round_of(self, n_finished: int) -> int:
        """Return the number of the round that so many finished trials have brought, -1 before the first."""
        return (n_finished - self.n_initial) // self.n_round if n_finished >= self.n_initial else -1

    def n_known(self, number: int) -> int:
        """Return how many finished trials a round learns from."""
        return self.n_initial + number * self.n_round

    def is_restart(self, number: int) -> bool:
        """Whether the network is made anew in a round."""
        return number == 0 or (self.restart_every > 0 and number % self.restart_every == 0)

    def last_restart(self, number: int) -> int:
        """Return the last round up to this one in which the network was made anew."""
        return number - number % self.restart_every if self.restart_every else 0


class Known(NamedTuple):
    """What a round learns from: ``n`` rows, costs ``n x m`` and violations ``n``, in order of finishing."""

    rows: ChoiceArray
    costs: FloatArray
    violations: FloatArray

    def pick(self, index: Any) -> Known:
        """Select some rows."""
        return Known(self.rows[index], self.costs[index], self.violations[index])


class FlowSearch(Strategy):
    """Searches with a flow over the decisions of any space without floats.

    The first proposals are random. After every ``n_round`` finished trials the network learns from all of
    them, and the next proposals are drawn with its ``P_F``. In what order a row was filled is not kept: each
    step of learning draws a way to each of its rows anew, every column that may have been the last equally
    likely, so that the state is a function of seed and history alone. Every ``restart_every`` rounds the
    network is made anew, for one that has once made up its mind hardly changes it.

    Args:
        schedule: when it learns.
        width: of both hidden layers.
        lr: learning rate (Adam).
        lr_log_z: learning rate of ``log Z``.
        augmentation: whether each round ends with 20 steps on ways that ``P_B`` draws to 20 rows, half of
            them from the best tenth.
        epsilon: probability of a random step in a proposal.
        temperature: of proposals.

    Raises:
        ConfigError: an option out of its range.
    """

    supports: ClassVar[frozenset[str]] = frozenset({"constraints"})
    space: SearchSpace

    def __init__(
        self,
        schedule: Schedule,
        *,
        width: int,
        lr: float,
        lr_log_z: float,
        augmentation: bool,
        epsilon: float,
        temperature: float,
    ):
        if width < 1 or lr <= 0 or lr_log_z <= 0:
            raise ConfigError(f"width, lr and lr_log_z are above zero, got {width}, {lr} and {lr_log_z}")
        if not 0.0 <= epsilon <= 1.0 or temperature <= 0:
            raise ConfigError(
                f"epsilon is a probability and temperature above zero, got {epsilon} and {temperature}"
            )
        self._schedule = schedule
        self._width, self._lr, self._lr_log_z = width, lr, lr_log_z
        self._augmentation, self._epsilon, self._temperature = augmentation, epsilon, temperature

    @property
    def n_startup(self) -> int:
        """The random proposals before the first round."""
        return self._schedule.n_initial

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nothing is known yet."""
        super().setup(space, objectives, seed)
        self._filling: Filling = space.filling
        self._replay = Replay(self.objectives)
        self._round = -1
        self._learner: Learner | None = None

    def tell(self, finished: Finished) -> None:
        """Remember the finished trials."""
        if len(finished):
            self._replay.add(finished)

    def ask(self, n: int) -> Genotypes:
        """Propose ``n`` points."""
        rngs = [self.rng(self.n_asked + i) for i in range(n)]
        self.n_asked += n
        learner = self._learned()
        if learner is None or not n:
            drawn = [self.space.sample(1, rng) for rng in rngs]
            return Genotypes.concatenate(drawn) if drawn else self.space.sample(0, self.rng(0))
        with one_thread():
            walked = walk_forward(
                learner.network,
                self._filling,
                rngs,
                epsilon=self._epsilon,
                temperature=self._temperature,
                conditions=self._conditions(rngs),
            )
        return Genotypes(walked.rows, np.empty((n, 0)))

    @property
    def _n_conditions(self) -> int:
        """How many numbers a proposal is drawn under."""
        return 0

    def _conditions(self, rngs: list[np.random.Generator]) -> Tensor | None:
        """Draw what each of ``n`` proposals is to be like, ``n x c``."""
        del rngs
        return None

    # ------------------------------------------------------------------ learning

    @abstractmethod
    def _loss(self, learner: Learner, batch: Trajectories, known: Known, rng: np.random.Generator) -> Tensor:
        """Return what a step goes down.

        Args:
            learner: has the network.
            batch: ways to the rows of ``known``.
            known: what is known of them.
            rng: where the randomness comes from.
        """

    def _meet(self, known: Known) -> None:
        """See everything that a round learns from, before its first step."""
        del known

    def _pick(self, known: Known, rng: np.random.Generator) -> Known:
        """Draw what a step of learning sees."""
        n, size = len(known.rows), self._schedule.batch_size
        return known if n <= size else known.pick(rng.choice(n, size, replace=False))

    def _learned(self) -> Learner | None:
        """Return the network as the finished trials have made it, ``None`` before the first round."""
        number = self._schedule.round_of(len(self._replay))
        if number < 0 or not self._filling.n_actions:
            return None
        first = self._round + 1
        if self._learner is None or self._schedule.last_restart(number) >= first:
            first = self._schedule.last_restart(number)
        with one_thread():
            for each in range(first, number + 1):
                self._learn(each)
        self._round = number
        return self._learner

    def _learn(self, number: int) -> None:
        rng = self.rng(number, LEARNING)
        n_steps = self._schedule.n_steps
        if self._schedule.is_restart(number):
            self._learner = self._fresh(int(rng.integers(2**31)))
            n_steps = self._schedule.restart_steps
        assert self._learner is not None
        known = Known(*self._replay.first(self._schedule.n_known(number)))
        self._meet(known)
        for _ in range(n_steps):
            seen = self._pick(known, rng)
            batch = backward_at_random(self._filling, seen.rows, rng)
            self._learner.step(self._loss(self._learner, batch, seen, rng))
        if self._augmentation:
            self._augment(self._learner, known, rng)

    def _fresh(self, seed: int) -> Learner:
        return Learner(
            self._filling,
            seed,
            width=self._width,
            lr=self._lr,
            lr_log_z=self._lr_log_z,
            n_conditions=self._n_conditions,
        )

    def _augment(self, learner: Learner, known: Known, rng: np.random.Generator) -> None:
        """Learn from ways that ``P_B`` draws to a few rows, half of them from the best tenth."""
        order = np.argsort(-self._better(known), kind="stable")
        n_top = max(1, len(order) // 10)
        top, rest = order[:n_top], order[n_top:] if len(order) > n_top else order
        half = N_SOURCES // 2
        index = np.concatenate([rng.choice(top, half), rng.choice(rest, half)]).repeat(N_WAYS)
        seen = known.pick(index)
        batch = walk_backward(learner.network, self._filling, seen.rows, rng)
        for _ in range(N_SOURCES):
            learner.step(self._loss(learner, batch, seen, rng))

    @abstractmethod
    def _better(self, known: Known) -> FloatArray:
        """Return ``n`` numbers that are higher where a trial is better."""


def as_tensor(values: FloatArray) -> Tensor:
    """Return numbers as float32."""
    return torch.from_numpy(np.asarray(values, dtype=np.float32))

# SPDX-License-Identifier: Apache-2.0
"""The networks that a strategy proposes are the ones that are trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, final

import numpy as np
import torch
from torch import Tensor

from archloom.contracts import Finished, Genotypes, Objective, SharedRun, State, Strategy
from archloom.errors import ArchloomError, ConfigError
from archloom.evaluators.supernet.samplers import PathSampler, Score, check_paths

__all__ = ["StrategyPaths"]


@final
class StrategyPaths(PathSampler):
    """Trains what the study's strategy proposes, and tells it after each epoch how good some of that is.

    With ``reinforce`` this is the scheme of ENAS (Pham et al., ICML 2018, arXiv:1802.03268): weights are
    trained under the controller's distribution, and the controller by inherited weights on ``validation``, in
    turns. Any strategy will do. It is a copy that learns here: the search begins afresh when the weights are
    trained. Where the strategy has nothing left to propose, networks are drawn uniformly.

    Args:
        n_paths: how many networks a step.
        n_told: how many of an epoch's networks are scored and told.
        metric: on ``validation``, by which.
        direction: ``maximize`` or ``minimize``.

    Raises:
        ConfigError: a number out of its range.
        ArchloomError: (in ``start``) there is no strategy, as outside a study.
    """

    def __init__(
        self,
        *,
        n_paths: int = 1,
        n_told: int = 10,
        metric: str = "accuracy",
        direction: Literal["maximize", "minimize"] = "maximize",
    ):
        check_paths(n_paths, 1)
        if n_told < 1 or direction not in ("maximize", "minimize"):
            raise ConfigError(
                f"n_told is 1 or more, direction maximize or minimize; got {n_told}, {direction!r}"
            )
        self._n_paths, self._n_told = n_paths, n_told
        self._objective = Objective(f"validation/{metric}", direction)

    def start(self, run: SharedRun) -> None:
        """Have the strategy meet the space."""
        if run.strategy is None:
            raise ArchloomError("the sampler 'strategy' trains what a study's strategy proposes: run a study")
        self._strategy: Strategy = run.strategy
        self._strategy.setup(self.space, [self._objective], run.seed)
        self._asked: list[Genotypes] = []
        self._told: list[tuple[int, float]] = []  # number and value
        self._n_before = 0

    def draw(self, rng: np.random.Generator) -> Genotypes:
        """Ask the strategy."""
        rows = self._strategy.ask(self._n_paths)
        self._asked += [rows[i] for i in range(len(rows))]
        return rows if len(rows) else self.space.sample(self._n_paths, rng, uniform_over="decisions")

    def learn(self, score: Score) -> None:
        """Score the last of what was asked since the last time, and tell the strategy."""
        numbers = list(range(self._n_before, len(self._asked)))[-self._n_told :]
        self._n_before = len(self._asked)
        if not numbers:
            return
        metrics = score(Genotypes.concatenate([self._asked[number] for number in numbers]))
        if self._objective.metric not in metrics[0]:
            raise ConfigError(f"the task gives no {self._objective.metric}: it gives {', '.join(metrics[0])}")
        new = [(number, each[self._objective.metric]) for number, each in zip(numbers, metrics, strict=True)]
        self._told += new
        self._strategy.tell(self._finished(new))

    def state(self) -> dict[str, Tensor]:
        """Return all that was asked and told."""
        if not self._asked:
            return {}
        asked = Genotypes.concatenate(self._asked)
        return {
            "choices": torch.from_numpy(asked.choices.copy()),
            "floats": torch.from_numpy(asked.floats.copy()),
            "told": torch.tensor([number for number, _ in self._told], dtype=torch.int64),
            "values": torch.tensor([value for _, value in self._told], dtype=torch.float64),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Have the strategy recover from all that was asked and told."""
        if not state:
            return
        asked = Genotypes(state["choices"].numpy(), state["floats"].numpy())
        self._asked = [asked[i] for i in range(len(asked))]
        self._told = list(zip(state["told"].tolist(), state["values"].tolist(), strict=True))
        self._n_before = len(self._asked)
        self._strategy.recover(asked, self._finished(self._told))

    def _finished(self, told: list[tuple[int, float]]) -> Finished:
        rows = [self._asked[number] for number, _ in told]
        return Finished(
            np.array([number for number, _ in told], dtype=np.int64),
            Genotypes.concatenate(rows) if rows else self.space.sample(0, np.random.default_rng(0)),
            (State.COMPLETE,) * len(told),
            np.array([[value] for _, value in told], dtype=np.float64).reshape(-1, 1),
            np.zeros(len(told)),
            (None,) * len(told),
        )

# SPDX-License-Identifier: Apache-2.0
"""What surrogates believe of architectures, and which batch of them should raise the front most.

Notation: ``n`` rows, ``m`` objectives, ``s`` draws of what the surrogates hold possible.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray, FloatArray, Genotypes, Predictor
from archloom.strategies.gflownet.fronts import free_boxes, improvements
from archloom.strategies.gflownet.preferences import Scale
from archloom.strategies.gflownet.search import Known

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["Belief", "best_batch", "without_floats"]


def without_floats(rows: ChoiceArray) -> Genotypes:
    """Return rows of a space without floats as genotypes."""
    return Genotypes(rows, np.empty((len(rows), 0)))


@final
class Belief:
    """What surrogates make of all that was measured: rewards, and the chance to keep the constraints.

    Each objective has a surrogate of its own; rewards are scaled to ``[0, 1]`` over all measured values,
    feasible or not. Where something failed or broke a constraint, one more surrogate learns which did.

    Args:
        space: the search space.
        make: makes a predictor from a space.
        known: what was measured; some row has values.
    """

    def __init__(self, space: SearchSpace, make: Callable[[Any], Predictor], known: Known):
        is_measured = np.isfinite(known.costs).all(axis=1)
        costs = known.costs[is_measured]
        rewards = Scale.over(costs, np.zeros(len(costs))).rewards(costs)
        measured = without_floats(known.rows[is_measured])
        self._models = [_fitted(make(space), measured, column) for column in rewards.T]
        is_feasible = known.violations == 0
        self._feasible = None
        if not is_feasible.all():
            self._feasible = _fitted(make(space), without_floats(known.rows), is_feasible.astype(float))
        self.front = rewards[is_feasible[is_measured]]

    def predict(self, rows: ChoiceArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and deviation of the rewards, ``n x m`` each; what cannot be predicted is 0."""
        told = [model.predict(without_floats(rows)) for model in self._models]
        mean, deviation = (np.stack([np.asarray(each[i], dtype=float) for each in told], 1) for i in (0, 1))
        return np.nan_to_num(mean, posinf=0.0, neginf=0.0), np.nan_to_num(deviation, posinf=0.0)

    def feasible(self, rows: ChoiceArray) -> FloatArray:
        """Return the chance to keep the constraints, ``n``."""
        if self._feasible is None:
            return np.ones(len(rows))
        chance = np.asarray(self._feasible.predict(without_floats(rows))[0], dtype=float)
        return np.asarray(np.clip(np.nan_to_num(chance), 0.0, 1.0))

    def hopeful(self, rows: ChoiceArray, optimism: float) -> FloatArray:
        """Return rewards so many deviations above the mean, times the chance to be feasible, ``n x m``."""
        mean, deviation = self.predict(rows)
        return np.asarray(np.clip(mean + optimism * deviation, 0.0, 1.0) * self.feasible(rows)[:, None])

    def drawn(self, rows: ChoiceArray, n_draws: int, rng: np.random.Generator) -> FloatArray:
        """Draw what the rewards may be, 0 for a row that is infeasible in a draw, ``s x n x m``."""
        mean, deviation = self.predict(rows)
        rewards = mean + deviation * rng.standard_normal((n_draws, *mean.shape))
        is_feasible = rng.random(rewards.shape[:2]) < self.feasible(rows)
        return np.asarray(np.where(is_feasible[:, :, None], rewards, 0.0))


def best_batch(draws: FloatArray, front: FloatArray, n: int) -> npt.NDArray[np.intp]:
    """Return the order in which to measure rows: ``n`` by expected improvement of the hypervolume, the rest.

    Greedily: each is the one that raises the hypervolume most, the mean over the draws, when all before it
    have come out as in the draw. When nothing raises it any more, and after ``n``, the rest follows as it
    stood.

    Args:
        draws: ``s x rows x m`` rewards.
        front: ``k x m`` rewards measured.
        n: how many to choose.

    Example:
        >>> draws = np.array([[[0.9, 0.1], [0.8, 0.1], [0.1, 0.8]]])
        >>> best_batch(draws, np.empty((0, 2)), 2).tolist()
        [0, 2, 1]
    """
    fronts = [front] * len(draws)
    first = free_boxes(front)
    gains = np.stack([improvements(draw, first) for draw in draws])
    chosen: list[int] = []
    while len(chosen) < min(n, draws.shape[1]):
        expected = gains.mean(axis=0)
        expected[chosen] = -1.0
        best = int(expected.argmax())
        if expected[best] <= 0.0:
            break
        chosen.append(best)
        for i in np.flatnonzero(gains[:, best] > 0.0).tolist():
            fronts[i] = np.concatenate([fronts[i], draws[i, [best]]])
            gains[i] = improvements(draws[i], free_boxes(fronts[i]))
    rest = np.setdiff1d(np.arange(draws.shape[1]), chosen)
    return np.concatenate([np.array(chosen, dtype=np.intp), rest])


def _fitted(model: Predictor, rows: Genotypes, values: FloatArray) -> Predictor:
    model.fit(rows, values)
    return model

# SPDX-License-Identifier: Apache-2.0
"""Ridge regression on runs of neighbouring choices.

Notation: ``n`` rows, ``d`` choices, ``f`` floats, ``p`` features.
"""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np
import numpy.typing as npt

from archloom.contracts import FloatArray, Genotypes, Predictor
from archloom.errors import ConfigError

__all__ = ["NgramRidge"]

Ids = npt.NDArray[np.int64]
N_BINS = 8
"""Words of a float."""


@final
class NgramRidge(Predictor):
    """Predicts from which choices stand next to each other.

    The active choices of a row, in the order of their decisions, are a sentence. Its features are how often
    each run of 1 to ``length`` words stands in it, for the runs that the measured rows hold at least
    ``min_count`` times, and how long it is. A float's word is the bin, of eight on its scale, that it falls
    into; floats come last. The weights ``w`` minimise
    ``|y - X w|^2 + penalty |w|^2``, with ``X`` and ``y`` centred.

    The deviation is that of the same model read as a Gaussian one, with weights of variance
    ``sigma^2 / penalty`` and ``sigma^2`` as the data make it most likely.

    Negrinho, Gordon: DeepArchitect: Automatically Designing and Training Deep Architectures, 2017,
    arXiv:1704.08792 (there runs of up to 4 modules, ``min_count`` 3).

    Args:
        space: the search space.
        length: words in the longest run.
        min_count: how often a run must have been measured; more keeps long runs of large spaces few.
        penalty: above zero; larger is smoother.
        anchored: whether a word is a choice at its own decision, or only its label, wherever it stands:
            then what a ``conv`` before a ``pool`` is worth is learned from all places together.

    Raises:
        ConfigError: a number out of its range.

    Example:
        >>> import pyglove as pg
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.List([pg.oneof(["a", "b"]) for _ in range(3)]))
        >>> rows, model = space.enumerate(), NgramRidge(space, length=2, min_count=1, penalty=1e-6)
        >>> model.fit(rows, (rows.choices[:, 0] * rows.choices[:, 1]).astype(float))
        >>> abs(model.predict(rows)[0]).round(2).tolist()
        [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    """

    def __init__(
        self,
        space: Any,
        *,
        length: int = 2,
        min_count: int = 1,
        penalty: float = 1.0,
        anchored: bool = True,
    ):
        if length < 1 or min_count < 1:
            raise ConfigError(f"length and min_count are at least 1, got {length} and {min_count}")
        if not 0.0 < penalty < math.inf:
            raise ConfigError(f"penalty is a number above 0, got {penalty}")
        self._length, self._min_count, self._penalty = length, min_count, penalty
        self._space = space
        floats = [decision.name for decision in space.decisions if not decision.candidates]
        starts = space.filling.offsets
        self._offsets = np.concatenate([starts[:-1], starts[-1] + N_BINS * np.arange(len(floats))])
        labels = [label for decision in space.decisions for label in decision.candidates]
        labels += [f"{name} in bin {i}" for name in floats for i in range(N_BINS)]
        self._words = np.unique(labels, return_inverse=True)[1] if not anchored else np.arange(len(labels))
        self._runs: list[Ids] = []
        self._center: FloatArray = np.zeros(1)
        self._weights: FloatArray = np.zeros(1)
        self._rows: FloatArray = np.zeros((0, 1))
        self._inverse: FloatArray = np.zeros((1, 1))
        self._mean = self._variance = 0.0

    def fit(self, x: Genotypes, y: FloatArray) -> None:
        """Learn from measured architectures, forgetting what was learned before."""
        sentences = self._sentences(x)
        self._runs = self._frequent(sentences)
        features = self._features(x)
        self._center, self._mean = features.mean(axis=0), float(y.mean())
        centred, goal = features - self._center, y - self._mean
        # Of two systems the smaller is solved: over the features, or over the rows.
        is_short = len(centred) < centred.shape[1]
        left = centred @ centred.T if is_short else centred.T @ centred
        inverse = np.asarray(np.linalg.inv(left + self._penalty * np.eye(len(left))), dtype=float)
        weights = centred.T @ (inverse @ goal) if is_short else inverse @ (centred.T @ goal)
        self._inverse, self._weights = inverse, weights
        self._rows = centred if is_short else centred[:0]
        self._variance = max(float(goal @ (goal - centred @ weights)), 0.0) / len(goal)

    def predict(self, x: Genotypes) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation; before a fit, zeros."""
        centred = self._features(x) - self._center
        return self._mean + centred @ self._weights, np.sqrt(self._variance * self._spread(centred))

    def _spread(self, centred: FloatArray) -> FloatArray:
        """Return ``x' (X'X + penalty)^-1 x`` for each of ``n`` rows."""
        if not len(self._rows):
            return np.asarray(((centred @ self._inverse) * centred).sum(axis=1))
        shared = centred @ self._rows.T
        left = (centred**2).sum(axis=1) - ((shared @ self._inverse) * shared).sum(axis=1)
        return np.asarray(np.maximum(left, 0.0) / self._penalty)

    # ------------------------------------------------------------------ features

    def _sentences(self, x: Genotypes) -> Ids:
        """Return the words of each row, ``n x (d + f)``, those of inactive decisions (-1) at the end."""
        choices = x.choices.astype(np.int64)
        if x.floats.shape[1]:
            units = self._space.ordinal(x)[:, choices.shape[1] :]
            bins = np.minimum((units * N_BINS).astype(np.int64), N_BINS - 1)
            choices = np.concatenate([choices, np.where(units < 0, -1, bins)], axis=1)
        is_active = choices >= 0
        if not self._words.size:
            return np.full(choices.shape, -1, dtype=np.int64)
        words = np.where(is_active, self._words[np.where(is_active, choices + self._offsets, 0)], -1)
        order = np.argsort(~is_active, axis=1, kind="stable")
        return np.take_along_axis(words, order, axis=1).astype(np.int64)

    def _frequent(self, sentences: Ids) -> list[Ids]:
        """Return the codes of the frequent runs of each length, sorted.

        A run is frequent only if what it extends is: its code joins that run's place to the last word.
        """
        runs: list[Ids] = []
        codes = sentences
        for length in range(1, min(self._length, sentences.shape[1]) + 1):
            found, counts = np.unique(codes[codes >= 0], return_counts=True)
            runs.append(found[counts >= self._min_count])
            codes = self._extended(_places(codes, runs[-1]), sentences, length)
        return runs

    def _extended(self, places: Ids, sentences: Ids, length: int) -> Ids:
        """Return the codes of runs one word longer, ``n x (d - length)``, -1 where there is none."""
        begun, last = places[:, :-1], sentences[:, length:]
        return np.where((begun >= 0) & (last >= 0), begun * (self._words.max(initial=0) + 1) + last, -1)

    def _features(self, x: Genotypes) -> FloatArray:
        """Return how often each frequent run stands in each row, and the row's length, ``n x p``."""
        sentences = self._sentences(x)
        blocks = [
            (sentences >= 0).mean(axis=1, keepdims=True) if sentences.shape[1] else np.zeros((len(x), 1))
        ]
        codes = sentences
        for length, known in enumerate(self._runs, start=1):
            places = _places(codes, known)
            block = np.zeros((len(x), len(known)))
            row, start = np.nonzero(places >= 0)
            np.add.at(block, (row, places[row, start]), 1.0)
            blocks.append(block)
            codes = self._extended(places, sentences, length)
        return np.concatenate(blocks, axis=1)


def _places(codes: Ids, known: Ids) -> Ids:
    """Return where each code stands among the sorted known ones, -1 for an unknown one."""
    if not len(known):
        return np.full(codes.shape, -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return np.where(known[places] == codes, places, -1)

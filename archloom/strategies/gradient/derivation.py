# SPDX-License-Identifier: Apache-2.0
"""Which architecture a relaxation stands for.

Each candidate of a site has a *worth*: its own weight, times the worth of the best that lies below it. A
``oneof`` takes the best candidate, a ``manyof`` of ``k`` the best ``k``. With weights of operations alone
this is DARTS' rule (the two edges whose best operation is largest, and that operation), with weights of edges
too that of PC-DARTS. Sites that are weighed together, in slabs, take the longest path instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray, Genotypes
from archloom.search_spaces.points import ChoicePoint, Points
from archloom.strategies.gradient.paths import longest_path

__all__ = ["derived"]

Weights = Mapping[str, npt.NDArray[np.float64]]


def derived(space: Any, weights: Weights, *, excluding: Collection[str] = ()) -> Genotypes:
    """Return the best architecture by the weights of its sites.

    Args:
        space: a compiled ``SearchSpace``.
        weights: site or slab name to one weight a candidate; a site that has none weighs all alike.
        excluding: labels of candidates that are not taken, as ``none`` in DARTS; where all are such, one is.

    >>> import numpy as np
    >>> from archloom.search_spaces.nasbench201 import nasbench201
    >>> space = nasbench201()
    >>> path = space.network_points[0].path
    >>> row = derived(space, {path: np.array([0.4, 0.1, 0.3, 0.1, 0.1])}, excluding=["none"])
    >>> space.architecture(row).choices[path]
    'nor_conv_1x1'
    """
    row: ChoiceArray = np.full((1, space.sample(0, np.random.default_rng(0)).choices.shape[1]), -1, np.int16)
    _fill(row, space.points, {**weights, **_along_slabs(space, weights, excluding)}, frozenset(excluding))
    return Genotypes(row, np.empty((1, 0)))


def _along_slabs(space: Any, weights: Weights, excluding: Collection[str]) -> Weights:
    """Return weights for the sites of slabs: all on what the longest path takes."""
    if not space.slabs:
        return {}
    labels = {point.path: point.labels for point in space.points if isinstance(point, ChoicePoint)}
    sizes = {site: len(each) for site, each in labels.items()}
    open_to = {
        name: _without([labels[site] for site in members], weights.get(name), excluding)
        for name, members in space.slabs.items()
    }
    path = longest_path(space.slabs, sizes, open_to)
    return {site: np.eye(sizes[site])[choice] for site, choice in path.items()}


def _without(
    axes: Sequence[Sequence[str]], own: npt.NDArray[np.float64] | None, excluding: Collection[str]
) -> npt.NDArray[np.float64]:
    """Return a slab's weights, nothing for combinations with an excluded label, unless all have one."""
    is_out = np.array([any(label in excluding for label in each) for each in product(*axes)])
    weights = np.ones(len(is_out)) if own is None else own
    return weights if is_out.all() else np.where(is_out, -np.inf, weights)


def _fill(row: ChoiceArray, points: Points, weights: Weights, excluding: frozenset[str]) -> None:
    for point in points:
        if isinstance(point, ChoicePoint):
            for slot, (column, choice) in enumerate(
                zip(point.columns, _best(point, weights, excluding), strict=True)
            ):
                row[0, column] = choice
                _fill(row, point.below(slot, choice), weights, excluding)


def _best(point: ChoicePoint, weights: Weights, excluding: frozenset[str]) -> Sequence[int]:
    """Return the candidates of the slots."""
    worths = _worths(point, weights, excluding)
    if not point.is_distinct and point.k > 1:
        return [int(worths.argmax())] * point.k
    order = np.argsort(-worths, kind="stable")[: point.k]
    return sorted(order.tolist()) if point.is_sorted else order.tolist()


def _worths(point: ChoicePoint, weights: Weights, excluding: frozenset[str]) -> npt.NDArray[np.float64]:
    """Return what each candidate is worth; one that is excluded, nothing."""
    own = weights.get(point.path, np.ones(point.m))
    below = [_below(point.below(0, choice), weights, excluding) for choice in range(point.m)]
    worths = own * np.array(below)
    is_out = np.array([label in excluding for label in point.labels])
    return worths if is_out.all() else np.where(is_out, -np.inf, worths)


def _below(points: Points, weights: Weights, excluding: frozenset[str]) -> float:
    """Return the worth of the best that lies below a candidate."""
    found = [
        float(np.max(_worths(point, weights, excluding)))
        for point in points
        if isinstance(point, ChoicePoint)
    ]
    return float(np.prod(found)) if found else 1.0

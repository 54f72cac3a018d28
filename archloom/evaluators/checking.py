# SPDX-License-Identifier: Apache-2.0
"""Whether architectures fit their data, found by building and running them without weights.

On torch's ``meta`` device tensors have shapes and no numbers, so that even a huge network is checked in
milliseconds. One that looks at numbers cannot run there, and is tried with weights on the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from archloom.contracts import Architecture, Genotypes
from archloom.errors import SpaceError
from archloom.evaluators.networks import Shaped, build_network
from archloom.evaluators.seeding import seeded
from archloom.search_spaces import Blueprint, SearchSpace
from archloom.search_spaces.blueprint import origins
from archloom.search_spaces.points import ChoicePoint, walk
from archloom.search_spaces.tracing import Running, watched

__all__ = ["Misfit", "checked", "covering", "describes_network", "misfit"]

N_SAMPLES = 2
"""Of the batch that is run: batch norms of a single pixel need more than one."""

N_DRAWN = 4096
"""Among so many random points those are looked for that hold every candidate."""

MAX_REASON = 200


@dataclass(frozen=True)
class Misfit:
    """Why an architecture does not fit.

    Args:
        path: where in its decoded value: the symbolic path of the innermost described part that failed, as in
            ``layers[2].body``; empty for the whole.
        stage: ``build``, ``forward``, or ``output`` where it ran but gave another width than is needed.
        reason: what was wrong, in one line.
    """

    path: str
    stage: Literal["build", "forward", "output"]
    reason: str


def misfit(architecture: Architecture, shape: Shaped) -> Misfit | None:
    """Build an architecture, run a batch of two through it, and return what goes wrong (``None``: nothing).

    The batch is of zeros; of whole numbers for a network that takes no others, as embeddings do.

    Args:
        architecture: the point to check.
        shape: what it must fit: anything with ``input_shape`` and ``n_outputs``.

    >>> from archloom.evaluators.networks import NetworkShape
    >>> from archloom.search_spaces.blueprints import Conv, Linear, Sequence
    >>> import pyglove as pg
    >>> space = SearchSpace(Sequence([Conv(width=pg.oneof([4, 8])), Linear(10)]))
    >>> misfit(space.architecture(space.at([0])), NetworkShape((1, 8, 8), 10))
    Misfit(path='layers[1]', stage='forward', reason='a linear layer takes vectors or tokens, \
got (2, 4, 8, 8): flatten or pool before it')
    """
    tried: dict[str, Any] = {"device": "meta", "dtype": torch.float32}
    found = _tried(architecture, shape, **tried)
    while found is not None and found.needs and tried | dict(found.needs) != tried:
        tried |= found.needs
        found = _tried(architecture, shape, **tried)
    return None if found is None else found.misfit


def checked(
    space: SearchSpace, shape: Shaped, *, n: int = 100, rng: np.random.Generator
) -> Iterator[tuple[Any, Misfit | None]]:
    """Check ``n`` architectures of a space: all of a small one; otherwise first a few that together hold
    every candidate of every decision, then random ones.

    Args:
        space: the space.
        shape: what its architectures must fit.
        n: how many at most.
        rng: where the randomness comes from.

    Yields:
        Each architecture with what is wrong with it, ``None`` if nothing is.
    """
    for row in covering(space, n, rng):
        architecture = space.architecture(row)
        yield architecture, misfit(architecture, shape)


def covering(space: SearchSpace, n: int, rng: np.random.Generator) -> list[Genotypes]:
    """Return at most ``n`` different points: first some that together hold every candidate, then random ones.

    A candidate so deep that none of some thousand random points holds it is left out.

    >>> import pyglove as pg
    >>> space = SearchSpace(pg.List([pg.oneof(range(9)) for _ in range(4)]))
    >>> rows = covering(space, 20, np.random.default_rng(0))
    >>> len(rows), len({int(row.choices[0, 3]) for row in rows[:12]})
    (20, 9)
    """
    if space.size is not None and space.size <= n:
        every = space.enumerate()
        return [every[i] for i in range(len(every))]
    drawn = Genotypes.concatenate(
        [space.sample(N_DRAWN, rng, uniform_over="decisions"), space.sample(n, rng)]
    )
    n_indicators = sum(point.m * point.k for point in walk(space.points) if isinstance(point, ChoicePoint))
    held = space.one_hot(drawn)[:, :n_indicators] > 0
    order = [*_cover(held), *range(N_DRAWN, len(drawn)), *range(N_DRAWN)]
    unique: dict[bytes, int] = {}
    keys = drawn.keys()
    for index in order:
        unique.setdefault(keys[index], index)
    return [drawn[index] for index in list(unique.values())[:n]]


def describes_network(value: Any) -> bool:
    """Whether a decoded value is something that can be built: a blueprint, a callable, an ``nn.Module``.

    >>> describes_network(nn.Identity()), describes_network({"x": 3})
    (True, False)
    """
    return isinstance(value, Blueprint | nn.Module) or callable(value)


def _cover(held: Any) -> Iterator[int]:
    """Yield rows, each the one that holds most of what no row before it held."""
    left = held.any(axis=0)
    while left.any():
        best = int(held[:, left].sum(axis=1).argmax())
        yield best
        left &= ~held[best]


@dataclass(frozen=True)
class _Found:
    """A misfit, and under what other conditions there may be none."""

    misfit: Misfit
    needs: Mapping[str, Any]


def _tried(architecture: Architecture, shape: Shaped, device: Any, dtype: Any) -> _Found | None:
    with origins() as made, seeded(0), torch.no_grad():
        try:
            network = build_network(architecture, shape, device=device)
        except SpaceError as error:
            return _Found(_build_misfit(error), _needs(error))
        with watched(network) as running:
            try:
                output = network(torch.zeros(N_SAMPLES, *shape.input_shape, device=device, dtype=dtype))
            except Exception as error:
                paths = [made[module] for module, _ in running if module in made]
                found = Misfit(paths[-1] if paths else "", "forward", _explained(running, error))
                return _Found(found, _needs(error))
    reason = _wrong_output(output, shape)
    return _Found(Misfit("", "output", reason), {}) if reason else None


def _build_misfit(error: Any) -> Misfit:
    """Read where and why building failed; a layer that asks for its input's shape runs those before it."""
    cause: BaseException | None = error
    while cause is not None:
        running: Running | None = getattr(cause, "running", None)
        if running is not None and isinstance(cause.__cause__, Exception):
            return Misfit(error.at, "forward", _explained(running, cause.__cause__))
        cause = cause.__cause__
    return Misfit(getattr(error, "at", ""), "build", _one_line(getattr(error, "reason", str(error))))


_TAKEN = {"in_features": ("features", -1), "in_channels": ("channels", 1), "num_features": ("channels", 1)}
"""What torch's modules call the width that they take, what it counts, and in which dimension."""


def _explained(running: Running, error: Exception) -> str:
    """Say what the innermost module takes and what it got, where that is what is wrong."""
    reason = _one_line(str(error)) or type(error).__name__
    if not running or not running[-1][1] or not isinstance(running[-1][1][0], Tensor):
        return reason
    module, shape = running[-1][0], running[-1][1][0].shape
    came, name = " x ".join(map(str, shape)), type(module).__name__
    for attribute, (what, dim) in _TAKEN.items():
        width = getattr(module, attribute, None)
        if isinstance(width, int) and (len(shape) < 2 or shape[dim] != width):
            return f"{name} takes {width} {what}, got {came}"
    return reason if str(tuple(shape)) in reason else f"{reason} ({name} got {came})"


def _wrong_output(output: Any, shape: Shaped) -> str:
    if not isinstance(output, Tensor):
        return f"the network gives a {type(output).__name__} where one tensor is needed"
    is_column = output.ndim == 1 and shape.n_outputs == 1
    if is_column or (output.ndim > 1 and tuple(output.shape[:2]) == (N_SAMPLES, shape.n_outputs)):
        return ""
    came = " x ".join(map(str, output.shape)) or "a single number"
    return f"{N_SAMPLES} samples need {N_SAMPLES} x {shape.n_outputs} outputs, got {came}"


def _needs(error: BaseException | None) -> dict[str, Any]:
    """Say what the error, or one behind it, asks for: numbers, which meta has not, or whole ones."""
    while error is not None:
        if isinstance(error, NotImplementedError) or "meta" in str(error).lower():
            return {"device": "cpu"}
        if "scalar types: Long, Int" in str(error):
            return {"dtype": torch.int64}
        error = error.__cause__
    return {}


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = lines[0] if lines else ""
    return first if len(first) <= MAX_REASON else f"{first[: MAX_REASON - 3]}..."

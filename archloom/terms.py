# SPDX-License-Identifier: Apache-2.0
"""The terms of a study: what it is made of, checked before the first trial."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, final

from archloom.contracts import Evaluator, Objective, Strategy
from archloom.errors import ConfigError
from archloom.evaluators.function import Function
from archloom.objectives import Directions
from archloom.search_spaces import SearchSpace
from archloom.store import StudyRecord

__all__ = [
    "Change",
    "OtherTermsError",
    "artifacts_beside",
    "check_device",
    "check_fit",
    "check_kinds",
    "check_least",
    "check_same",
    "evaluators_of",
    "gives_of",
]


class Change(NamedTuple):
    """An entry of the terms that is another than it was.

    Args:
        path: the keys and list indices that lead to it.
        then: what it was.
        now: what it is.
    """

    path: tuple[str | int, ...]
    then: Any
    now: Any

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))} was {self.then!r}, now {self.now!r}"


@final
class OtherTermsError(ConfigError):
    """A study is to go on under other terms than it began with.

    >>> str(OtherTermsError("cells", [Change(("seed",), 0, 1)]))
    "study 'cells' was begun under other terms: seed was 0, now 1 (give the new search another name)"

    Args:
        study: its name.
        changes: what is another; none where it is the search space itself.
    """

    def __init__(self, study: str, changes: Sequence[Change]):
        self.study, self.changes = study, tuple(changes)
        told = [str(change) for change in changes[:5]] or ["the search space is another one"]
        super().__init__(
            f"study {study!r} was begun under other terms: {'; '.join(told)}"
            f"{'; ...' if len(changes) > 5 else ''} (give the new search another name)"
        )


def check_kinds(**parts: tuple[Any, Any, str]) -> None:
    """Refuse a part that is not of its kind, saying what to write instead."""
    for name, (value, kind, advice) in parts.items():
        if not isinstance(value, kind):
            raise ConfigError(f"{name} is a {getattr(kind, '__name__', kind)}, got {value!r:.80}: {advice}")


def check_device(device: str) -> None:
    """Refuse a device that torch does not know or this machine does not have."""
    if device == "cpu":
        return
    import torch

    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"device {device!r} cannot be used here ({reason}); cpu always can") from None


def artifacts_beside(store: str, name: str, *, root: Path | None = None) -> Path | None:
    """Return the folder of a study's artifacts, ``<database>-artifacts/<study>`` unless a root is given.

    ``None`` for a store in memory.

    >>> artifacts_beside("sqlite:///runs/digits.db", "my cells").as_posix()
    'runs/digits-artifacts/my_cells'

    Args:
        store: URL or file.
        name: the study's name.
        root: holds a folder for each study.
    """
    scheme, separator, rest = store.partition("://")
    file = rest.removeprefix("/").partition("?")[0] if separator else store
    if root is None and separator and not scheme.startswith("sqlite"):
        root = Path("archloom-artifacts")
    elif root is None and file not in ("", ":memory:"):
        root = Path(file).with_name(f"{Path(file).stem}-artifacts")
    return None if root is None else root / re.sub(r"[^\w.-]+", "_", name)


def check_fit(strategy: Strategy, space: SearchSpace, objectives: Sequence[Objective]) -> None:
    """Refuse a strategy that cannot do what the space or the objectives ask for."""
    needed = {"several_objectives": len(objectives) > 1, "floats": space.has_floats}
    for ability, is_needed in needed.items():
        if is_needed and ability not in strategy.supports:
            raise ConfigError(
                f"strategy {type(strategy).__name__} cannot do {ability.replace('_', ' ')}: "
                "choose another strategy"
            )


def check_least(**values: tuple[int, int]) -> None:
    """Refuse a number that is not whole or below its least."""
    for name, (value, least) in values.items():
        if not isinstance(value, int) or value < least:
            raise ConfigError(f"{name} is a whole number of at least {least}, got {value!r}")


def evaluators_of(evaluator: Any, objectives: Directions | Sequence[Objective]) -> tuple[Evaluator, ...]:
    """Make a tuple of evaluators, cheap ones first; a function's bare number is the first objective."""
    if evaluator is None:
        return ()
    first = next(iter(objectives), "value")
    metric = first.metric if isinstance(first, Objective) else str(first)
    parts: Iterable[Any] = evaluator if isinstance(evaluator, list | tuple) else [evaluator]
    made = [part if isinstance(part, Evaluator) else Function(function=part, metric=metric) for part in parts]
    return tuple(sorted(made, key=lambda part: not part.is_cheap))


def gives_of(evaluators: Sequence[Evaluator]) -> list[str] | None:
    """Return every metric that the evaluators give, ``None`` where one cannot say."""
    if not evaluators or any(evaluator.gives is None for evaluator in evaluators):
        return None
    gives = [metric for evaluator in evaluators for metric in evaluator.gives or ()]
    for metric in gives:
        if gives.count(metric) > 1:
            raise ConfigError(f"two evaluators give {metric!r}: leave it to one of them")
    return gives


def check_same(earlier: StudyRecord, now: StudyRecord) -> None:
    """Refuse to go on with a study under other terms than it began with.

    Raises:
        OtherTermsError: something is another than it was.
    """
    changes = list(_changes(_terms(earlier), _terms(now), ()))
    if changes or earlier.fingerprint != now.fingerprint:
        raise OtherTermsError(now.name, changes)


def _terms(study: StudyRecord) -> dict[str, Any]:
    kept = ("space", "strategy", "evaluator", "pruner", "duplicates", "batch_size")
    objectives = {objective.metric: objective.direction for objective in study.objectives}
    terms = {"seed": study.seed, "objectives": objectives, "constraints": list(study.constraints)}
    return terms | {key: study.config[key] for key in kept if key in study.config}


def _changes(then: Any, now: Any, path: tuple[str | int, ...]) -> Iterator[Change]:
    """Say where two plain values differ, down to the single entry."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in [*then, *(key for key in now if key not in then)]:
            yield from _changes(then.get(key), now.get(key), (*path, str(key)))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for i, (old, new) in enumerate(zip(then, now, strict=True)):
            yield from _changes(old, new, (*path, i))
    elif then != now:
        yield Change(path, then, now)

# SPDX-License-Identifier: Apache-2.0
"""The terms of a study: what it is made of, checked before the first trial."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple, final, get_args

from archloom.contracts import Evaluator, Executor, Objective, Pruner, Strategy
from archloom.errors import ConfigError
from archloom.evaluators.function import Function
from archloom.executors import InlineExecutor
from archloom.objectives import Directions
from archloom.relaxation import RelaxedEvaluator
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.recorded import differences
from archloom.store import StudyRecord

__all__ = [
    "Change",
    "OtherTermsError",
    "artifacts_beside",
    "changes_between",
    "check_device",
    "check_fit",
    "check_kinds",
    "check_lease",
    "check_least",
    "evaluators_of",
    "executor_of",
    "fixed",
    "gives_of",
    "parts_of",
]


class Change(NamedTuple):
    """An entry of the terms that is another than it was.

    Args:
        path: the keys and list indices that lead to it.
        then: what it was.
        now: what it is.
        words: what has changed, where that says more than the two.
    """

    path: tuple[str | int, ...]
    then: Any = None
    now: Any = None
    words: str = ""

    def __str__(self) -> str:
        return self.words or f"{'.'.join(map(str, self.path))} was {self.then!r}, now {self.now!r}"


@final
class OtherTermsError(ConfigError):
    """A study is to go on under other terms than it began with.

    >>> str(OtherTermsError("cells", [Change(("seed",), 0, 1)])).partition(" (")[0]
    "study 'cells' was begun under other terms: seed was 0, now 1"

    Args:
        study: its name.
        changes: what is another; none where it is the search space itself.
    """

    def __init__(self, study: str, changes: Sequence[Change]):
        self.study, self.changes = study, tuple(changes)
        told = [str(change) for change in changes[:5]] or ["the search space is another one"]
        advice = _NEVER if fixed(changes) else _BY_REQUEST
        super().__init__(
            f"study {study!r} was begun under other terms: {'; '.join(told)}"
            f"{'; ...' if len(changes) > 5 else ''} ({advice})"
        )


_N_TOLD = 8
_NEVER = "a study keeps its seed and its objectives: give the new search another name"
_BY_REQUEST = (
    "`--allow-changes` goes on under the new ones and keeps a record, in Python changes='record'; "
    "or give the new search another name"
)


def fixed(changes: Sequence[Change]) -> list[Change]:
    """Return those that no study can go on with: what its trials were drawn from and compared by."""
    return [change for change in changes if change.path[0] in ("seed", "objectives")]


def check_kinds(**parts: tuple[Any, Any, str]) -> None:
    """Refuse a part that is not of its kind, saying what to write instead."""
    for name, (value, kind, advice) in parts.items():
        if not isinstance(value, kind):
            raise ConfigError(f"{name} is a {_named(kind)}, got {value!r:.80}: {advice}")


def _named(kind: Any) -> str:
    return " or ".join(each.__name__ for each in get_args(kind) or (kind,) if each is not type(None))


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
    return None if root is None else root / _folder_name(name)


def _folder_name(name: str) -> str:
    """Return a folder's name for a study; ``.`` and ``..`` would be other folders than its own."""
    plain = re.sub(r"[^\w.-]+", "_", name)
    if plain.strip("."):
        return plain
    return f"study-{hashlib.blake2b(name.encode(), digest_size=3).hexdigest()}"


ABLE = {"several_objectives": "nsga2", "floats": "smbo"}
"""A strategy for each ability that a space or the objectives may ask for."""


def check_fit(strategy: Strategy, space: SearchSpace, objectives: Sequence[Objective]) -> None:
    """Refuse a strategy that cannot do what the space or the objectives ask for, or that says so itself."""
    needed = {"several_objectives": len(objectives) > 1, "floats": space.has_floats}
    for ability, is_needed in needed.items():
        if is_needed and ability not in strategy.supports:
            raise ConfigError(
                f"strategy {type(strategy).__name__} cannot do {ability.replace('_', ' ')}: "
                f"choose another strategy, such as {ABLE[ability]}"
            )
    strategy.setup(space, objectives, 0)  # as good as new when the search begins and sets it up again


def check_lease(lease: float, retries: int) -> None:
    """Refuse a lease that is no number of seconds, or a number of retries that is none."""
    check_least(retries=(retries, 0))
    if not lease > 0:
        raise ConfigError(f"lease is a number of seconds above 0, got {lease!r}")


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


def executor_of(
    given: Executor | None, evaluators: Sequence[Evaluator], device: str, *, joins: bool = False
) -> Executor:
    """Return where trials are evaluated: in this process, where nothing else is given.

    Args:
        given: what was asked for.
        evaluators: of the study.
        device: where they compute.
        joins: whether this process joins another that proposes.

    Raises:
        ConfigError: there is nothing to evaluate them with, or a search by gradients would have to be shared.
    """
    if not evaluators:
        raise ConfigError("this study has no evaluator: drive it with ask() and tell()")
    is_shared = joins or not isinstance(given, InlineExecutor | None)
    if is_shared and any(isinstance(evaluator, RelaxedEvaluator) for evaluator in evaluators):
        raise ConfigError(
            "a search by gradients is one training in one process: it takes no workers and no "
            "executor.processes"
        )
    return given or InlineExecutor(device)


def gives_of(evaluators: Sequence[Evaluator]) -> list[str] | None:
    """Return every metric that the evaluators give, ``None`` where one cannot say."""
    if not evaluators or any(evaluator.gives is None for evaluator in evaluators):
        return None
    gives = [metric for evaluator in evaluators for metric in evaluator.gives or ()]
    for metric in gives:
        if gives.count(metric) > 1:
            raise ConfigError(f"two evaluators give {metric!r}: leave it to one of them")
    return gives


def changes_between(
    earlier: StudyRecord,
    now: StudyRecord,
    earlier_parts: Mapping[str, Any] | None = None,
    parts: Mapping[str, Any] | None = None,
) -> list[Change]:
    """Say how the terms of a study are others than they were; the budget is none of them.

    Args:
        earlier: as it was.
        now: as it is to be.
        earlier_parts: what it was made of, as ``parts_of`` says; nothing, where that is not known.
        parts: what it is made of.
    """
    changes = list(_changes(_terms(earlier), _terms(now), ()))
    then, order = ([goal.metric for goal in study.objectives] for study in (earlier, now))
    if then != order and sorted(then) == sorted(order):
        changes.append(Change(("objectives",), ", ".join(then), ", ".join(order)))
    if earlier.fingerprint != now.fingerprint and all(change.path[0] != "space" for change in changes):
        changes.insert(0, Change(("space",), words=_words_for_space(earlier, now)))
    return changes + list(_other_parts(earlier_parts or {}, parts or {}, {*earlier.config, *now.config}))


def _words_for_space(earlier: StudyRecord, now: StudyRecord) -> str:
    told = differences(earlier.space, now.space)
    more = f" and {len(told) - _N_TOLD} more" if len(told) > _N_TOLD else ""
    return "the search space is another one" + (f": {', '.join(told[:_N_TOLD])}{more}" if told else "")


def _other_parts(then: Mapping[str, Any], now: Mapping[str, Any], elsewhere: Set[str]) -> Iterator[Change]:
    """Say which parts are others; a study that is opened without an evaluator has not lost it."""
    for key in sorted((then.keys() & now.keys()) - elsewhere):
        if then[key] != now[key] and (key != "evaluator" or (then[key] and now[key])):
            yield Change((key,), then[key], now[key])


def parts_of(
    strategy: Strategy, evaluators: Sequence[Evaluator], pruner: Pruner | None, duplicates: str
) -> dict[str, Any]:
    """Name what a study is made of that no study file describes.

    The classes only: what they were made with they need not tell.
    """
    return {
        "strategy": type(strategy).__name__,
        "evaluator": [type(evaluator).__name__ for evaluator in evaluators],
        "pruner": type(pruner).__name__ if pruner is not None else None,
        "duplicates": duplicates,
    }


def _terms(study: StudyRecord) -> dict[str, Any]:
    kept = ("space", "strategy", "evaluator", "pruner", "duplicates", "batch_size")
    objectives = {objective.metric: objective.direction for objective in study.objectives}
    terms = {"seed": study.seed, "objectives": objectives, "constraints": list(study.constraints)}
    return terms | {key: study.config[key] for key in kept if key in study.config}


def _changes(then: Any, now: Any, path: tuple[str | int, ...]) -> Iterator[Change]:
    """Say where two plain values differ, down to the single entry."""
    names = [value.get("name") if isinstance(value, Mapping) else None for value in (then, now)]
    if None not in names and names[0] != names[1]:
        yield Change((*path, "name"), names[0], names[1])  # their options have nothing to do with each other
    elif isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in [*then, *(key for key in now if key not in then)]:
            yield from _changes(then.get(key), now.get(key), (*path, str(key)))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for i, (old, new) in enumerate(zip(then, now, strict=True)):
            yield from _changes(old, new, (*path, i))
    elif then != now:
        yield Change(path, then, now)

# SPDX-License-Identifier: Apache-2.0
"""The options that every evaluator that trains takes beside its own.

They are declared and explained where they are used, in ``TrainingSetup`` and ``Optimisation``. An evaluator
has them by ``takes_setup`` and hands them to ``setup_of``::

    @takes_setup()
    class Brief(Evaluator):
        def __init__(self, *, epochs: int = 3, **setup: Unpack[SetupOptions]):
            self._setup = setup_of(setup)

Its signature and its docstring then tell of every option, and so does all that is read off them: the check
of a study file, the JSON Schema, ``search evaluators``, the reference.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, TypedDict, TypeVar, Unpack

from archloom.contracts import Evaluator
from archloom.evaluators.optimisation import Optimisation, OptimizerName, ScheduleName
from archloom.evaluators.options import check_options
from archloom.evaluators.precision import PrecisionName
from archloom.evaluators.setup import TrainingSetup

__all__ = ["SetupDefaults", "SetupOptions", "setup_of", "spelled", "takes_setup"]

E = TypeVar("E", bound=Evaluator)

_ARGS = re.compile(r"^Args:\n(?P<entries>(?:(?: {4}.*)?\n)*)", re.MULTILINE)
_PLAIN = (str, int, float, list, tuple, dict)
_OF_SPEED = ("n_workers", "n_threads")


class SetupDefaults(TypedDict, total=False):
    """The options that have a default, for the type checker; a test holds them to the signatures."""

    data_options: dict[str, Any] | None
    task: str | Any
    task_options: dict[str, Any] | None
    batch_size: int
    optimizer: OptimizerName
    lr: float
    weight_decay: float | None
    momentum: float
    schedule: ScheduleName
    power: float
    lr_min: float
    warmup_epochs: float
    gradient_clip: float | None
    augment: Sequence[str | Any]
    precision: PrecisionName
    n_workers: int
    n_threads: int


class SetupOptions(SetupDefaults):
    """All of them. A constructor under ``takes_setup`` is given each, those left out with their default."""

    data: str | Any


def setup_of(options: SetupOptions) -> TrainingSetup:
    """Return the setup that an evaluator's options ask for.

    Raises:
        ConfigError: an option is out of its range.
    """
    given: dict[str, Any] = {**options}
    moving = {name: given.pop(name) for name in inspect.signature(Optimisation).parameters if name in given}
    return TrainingSetup(**given, optimisation=Optimisation(**moving))


def takes_setup(**defaults: Unpack[SetupDefaults]) -> Callable[[type[E]], type[E]]:
    """Return a decorator by which an evaluator takes a setup's options beside those that its class writes.

    A call with an option that is unknown, or without one that is needed, raises ``ConfigError``.

    Args:
        **defaults: what the evaluator takes where others take something else.

    >>> @takes_setup(optimizer="sgd")
    ... class Brief(Evaluator):
    ...     def __init__(self, *, epochs: int = 3, **setup: Unpack[SetupOptions]):
    ...         self.optimizer = setup_of(setup).optimisation.optimizer
    ...
    ...     def evaluate(self, architecture, trial): ...
    >>> list(inspect.signature(Brief).parameters)[3:7]
    ['task_options', 'epochs', 'batch_size', 'optimizer']
    >>> Brief(data="digits").optimizer
    'sgd'
    """

    def take(evaluator: type[E]) -> type[E]:
        init = vars(evaluator)["__init__"]
        itself, *own = inspect.signature(init, eval_str=True).parameters.values()
        known = inspect.Signature(list(_merged(own, defaults)))
        left_out = {
            name: one.default
            for name, one in known.parameters.items()
            if name in _SHARED and one.default is not one.empty
        }

        @wraps(init)
        def checked(self: E, **given: Any) -> None:
            check_options(known, given, evaluator.__name__)
            init(self, **{**left_out, **given})

        options = list(known.parameters.values())
        # On the constructor: a subclass would inherit what stands on the class, whatever it takes itself.
        checked.__signature__ = known.replace(parameters=[itself, *options])  # type: ignore[attr-defined]
        checked.__annotations__ = {one.name: one.annotation for one in options}
        evaluator.__init__ = checked  # type: ignore[assignment]
        if evaluator.__doc__:  # none under -OO
            evaluator.__doc__ = _documented(evaluator.__doc__, known.parameters)
        return evaluator

    return take


def spelled(options: Mapping[str, Any]) -> str:
    """Spell what decides the weights, for a checkpoint.

    A live object is spelled by its class: no more can be told of it.

    >>> spelled({"data": "digits", "task": object(), "task_options": {}, "augment": (), "n_threads": 4})
    '{"data": "digits", "task": "object"}'
    """
    told = {
        name: value if isinstance(value, _PLAIN) else _class(value)
        for name, value in options.items()
        if name not in _OF_SPEED and not _says_nothing(value)
    }
    return json.dumps(told, sort_keys=True, default=_class)


def _says_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, dict | list | tuple) and not value)


def _class(value: Any) -> str:
    return type(value).__name__


def _parameters(target: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(target, eval_str=True).parameters)


def _shared() -> Iterator[inspect.Parameter]:
    """Yield a setup's options, with those of its optimisation in their place."""
    for name, one in _parameters(TrainingSetup).items():
        yield from _parameters(Optimisation).values() if name == "optimisation" else [one]


_SHARED = {one.name: one for one in _shared()}


def _merged(own: Iterable[inspect.Parameter], defaults: Mapping[str, Any]) -> Iterator[inspect.Parameter]:
    """Yield every option of an evaluator: data and task, its own, the rest."""
    for name, one in _SHARED.items():
        yield one.replace(default=defaults.get(name, one.default))
        if name == "task_options":
            yield from (one for one in own if one.kind is not one.VAR_KEYWORD)


def _documented(doc: str, options: Iterable[str]) -> str:
    """Return a docstring with the words on every option, in this order."""
    doc = inspect.cleandoc(doc) + "\n"
    words = _entries(TrainingSetup.__doc__ or "") | _entries(Optimisation.__doc__ or "") | _entries(doc)
    block = "Args:\n" + "".join(f"    {words[name]}\n" for name in options if name in words)
    before, after = _ARGS.split(doc, maxsplit=1)[::2] if _ARGS.search(doc) else (doc + "\n", "")
    return f"{before}{block}\n{after}".rstrip()


def _entries(doc: str) -> dict[str, str]:
    """Return what the ``Args:`` of a docstring say, each with its name and as it is broken into lines."""
    found = _ARGS.search(inspect.cleandoc(doc) + "\n")
    listed = re.split(r"^ {4}(?=\S)", found["entries"], flags=re.MULTILINE)[1:] if found else []
    return {entry.partition(":")[0]: entry.rstrip() for entry in listed}

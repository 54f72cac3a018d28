# SPDX-License-Identifier: Apache-2.0
"""Any Python function as an evaluator."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal

from archloom.contracts import Architecture, Evaluator, Metrics, Trial
from archloom.errors import ArchloomError, ConfigError
from archloom.registry import import_path

__all__ = ["Function"]


class Function(Evaluator):
    """Scores an architecture with a function ``f(architecture)`` or ``f(architecture, trial)``.

    The function returns a number, or a mapping of metric names to numbers. It gets the trial where it
    has a parameter named ``trial`` or needs a second argument.

    Args:
        function: the function, or its import path ``package.module:name``.
        metric: the name of a number that is returned bare.
        gives: the names of the metrics it returns, where they should be checked before the first trial
            and after each one; ``None`` leaves both unchecked.

    Example:
        >>> evaluator = Function(function=lambda architecture: len(architecture), metric="length")
        >>> evaluator.evaluate("abc", Trial())
        {'length': 3.0}
    """

    def __init__(self, *, function: str | Any, metric: str = "value", gives: list[str] | None = None):
        self._call: Callable[..., Any] = import_path(function) if isinstance(function, str) else function
        self._name = function if isinstance(function, str) else _name_of(function)
        self._trial_by = _how_the_trial_is_passed(self._call, self._name)
        self._metric = metric
        self.gives = None if gives is None else tuple(gives)

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Call the function.

        Raises:
            ArchloomError: it returned something other than numbers, or not what ``gives`` promises.
        """
        if self._trial_by == "keyword":
            result = self._call(architecture, trial=trial)
        elif self._trial_by == "position":
            result = self._call(architecture, trial)
        else:
            result = self._call(architecture)
        return self._checked(result)

    def _checked(self, result: Any) -> dict[str, float]:
        rows = result if isinstance(result, Mapping) else {self._metric: result}
        metrics = {str(name): self._number(value, str(name)) for name, value in rows.items()}
        missing = [name for name in self.gives or () if name not in metrics]
        if missing:
            raise ArchloomError(
                f"{self._name} should give {', '.join(self.gives or ())}, but {', '.join(missing)} is not "
                f"in what it returned: {', '.join(metrics) or 'nothing'}"
            )
        return metrics

    def _number(self, value: Any, name: str) -> float:
        try:
            if isinstance(value, str | bytes):
                raise TypeError
            return float(value)
        except (TypeError, ValueError, RuntimeError):
            raise ArchloomError(
                f"{self._name} must return a number or a mapping of names to numbers; "
                f"for {name!r} got {value!r:.80} ({type(value).__name__})"
            ) from None


def _name_of(function: Any) -> str:
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def _how_the_trial_is_passed(function: Any, name: str) -> Literal["keyword", "position", "not at all"]:
    if not callable(function):
        raise ConfigError(f"{name} is no function: got {function!r:.80} ({type(function).__name__})")
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C do not tell
        return "not at all"
    if "trial" in signature.parameters and _binds(signature, "architecture", trial="trial"):
        return "keyword"
    if _binds(signature, "architecture"):
        return "not at all"
    if _binds(signature, "architecture", "trial"):
        return "position"
    raise ConfigError(f"{name}{signature} must be callable as f(architecture) or f(architecture, trial)")


def _binds(signature: inspect.Signature, *args: str, **kwargs: str) -> bool:
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True

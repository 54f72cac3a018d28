# SPDX-License-Identifier: Apache-2.0
"""The named things of a study file: ``{name: training, epochs: 5}`` or just ``random``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archloom.config._blame import mentioned
from archloom.config._document import KeyPath, Problems
from archloom.config._options import check_options, defaults, parameters
from archloom.config._raised import raised
from archloom.config._searched import Searched, is_searched, read_searched
from archloom.contracts import Evaluator
from archloom.errors import ArchloomError, DataError, MissingExtraError, UnknownNameError, did_you_mean
from archloom.evaluators import Tuned
from archloom.registry import Registry


@dataclass(frozen=True, eq=False)
class Part:
    """A named thing whose options have been checked.

    Args:
        path: its key path in the study file.
        name: a registered name or an import path.
        target: what the name stands for.
        options: the options given, converted to the annotated types.
        searched: the options that hold decisions (of an evaluator).
    """

    path: KeyPath
    name: str
    target: Any
    options: Mapping[str, Any]
    searched: Mapping[str, Searched] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """What decisions among the options are called by: the name, without the module of an import path."""
        return re.split(r"[:.]", self.name)[-1]

    @property
    def example(self) -> dict[str, Any]:
        """Every option, with one of the values that it may take where it is searched."""
        return {**self._defaults, **self.options, **{key: one.example for key, one in self.searched.items()}}

    def build(self, problems: Problems) -> Any:
        """Make the thing, or note why it cannot be made and return ``None``."""
        try:
            made = self._make()
        except MissingExtraError:
            raise
        except DataError as error:
            path = (*self.path, *mentioned(str(error), self._given))
            raise DataError(problems.document.located(path, str(error))) from error
        except (Exception, SystemExit) as error:  # the user's own code may raise anything
            problems.add((*self.path, *mentioned(str(error), self._given)), self._words(error), cause=error)
            return None
        if made is None:
            problems.add(self.path, f"{self.name!r} gave nothing (None)")
        return made

    def _words(self, error: BaseException) -> str:
        """Say what went wrong; an error that is not archloom's own with its type and place."""
        is_told = isinstance(error, ArchloomError) or ":" not in self.name
        if is_told and isinstance(error, ArchloomError | TypeError | ValueError):
            return str(error)
        return f"{self.name}() raised {raised(error)}"

    def _make(self) -> Any:
        if not callable(self.target):
            return self.target
        if not self.searched:
            return self.target(**self.options)
        templates = {key: one.template for key, one in self.searched.items()}
        return Tuned(self.target, owner=self.owner, **self.options, **templates)

    def resolved(self) -> dict[str, Any]:
        """Return the name with every option, those left at their default too, decisions as written."""
        options = {**self._defaults, **self._given}
        options.pop("name", None)  # an option of that name cannot be given, and must not rename the part
        return {"name": self.name, **options}

    @property
    def _defaults(self) -> dict[str, Any]:
        return defaults(self.target) if callable(self.target) else {}

    @property
    def _given(self) -> dict[str, Any]:
        return {**self.options, **{key: one.written for key, one in self.searched.items()}}


def read_part(value: Any, path: KeyPath, registry: Registry, problems: Problems) -> Part | None:
    """Check a named thing and its options; note what is wrong and return ``None`` for it."""
    n_before = len(problems)
    part = _read(value, path, registry, problems)
    return part if len(problems) == n_before else None


def _read(value: Any, path: KeyPath, registry: Registry, problems: Problems) -> Part | None:
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        rule = f"should be one of the {registry.kind} by name, or a mapping with a 'name'"
        problems.add(path, f"{rule}, got {value!r:.80}{did_you_mean('', registry.names())}")
        return None
    name = given["name"]
    at = path if isinstance(value, str) else (*path, "name")
    try:
        target = registry.get(name)
    except UnknownNameError as error:
        problems.add(at, str(error))
        return None
    except (Exception, SystemExit) as error:  # the user's own module may raise anything
        problems.add(at, f"importing {name!r} failed: {raised(error)}", cause=error)
        return None
    options = {key: option for key, option in given.items() if key != "name"}
    if registry.kind == "evaluators" and _is_score(target, options):
        problems.add(at, f"{name!r} is a function, not an Evaluator: {as_function(name)}")
        return None
    if callable(target) and registry.kind == "evaluators":
        return _evaluator(Part(path, name, target, options), problems)
    if callable(target):
        return Part(path, name, target, check_options(target, options, path, problems))
    for key in options:
        problems.add((*path, key), f"{name!r} is a finished object and takes no options")
    return Part(path, name, target, {})


def _evaluator(part: Part, problems: Problems) -> Part:
    """Check the options of an evaluator, of those that are decisions every candidate."""
    given, known = part.options, parameters(part.target)
    takes_any = any(one.kind is one.VAR_KEYWORD for one in known.values())
    searched, wrong = {}, set()
    for key in [key for key in given if is_searched(given[key]) and (key in known or takes_any)]:
        one = read_searched(part.target, key, given[key], (*part.path, key), problems)
        if one is None:
            wrong.add(key)
        else:
            searched[key] = one
    values = {key: searched[key].example if key in searched else value for key, value in given.items()}
    options = check_options(part.target, values, part.path, problems, ignored=wrong)
    plain = {key: value for key, value in options.items() if key not in searched}
    return replace(part, options=plain, searched=searched)


def as_function(name: str) -> str:
    """Say how a function that scores architectures is named."""
    return f"to score architectures with it write {{name: function, function: {name!r}}}"


def _is_score(target: Any, options: Mapping[str, Any]) -> bool:
    """Whether this is a function of an architecture, not a factory whose options are given by name."""
    if not inspect.isroutine(target):
        return False
    try:
        signature = inspect.signature(target)
    except ValueError:  # some functions written in C do not tell
        return True
    needed = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.default is parameter.empty and parameter.kind not in (parameter.KEYWORD_ONLY,)
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    is_factory = signature.return_annotation in (Evaluator, "Evaluator")
    return bool(needed) and needed[0].name not in options and not is_factory

# SPDX-License-Identifier: Apache-2.0
"""An evaluator some of whose options are decisions of the search."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, final

import numpy as np

from archloom.contracts import Architecture, Evaluator, Genotypes, Metrics, Trial
from archloom.errors import ArchloomError, ConfigError, MissingExtraError
from archloom.evaluators.options import call_with_options
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.labels import describe
from archloom.search_spaces.settings import holds_choice, settings_words

__all__ = ["Tuned"]

N_FIRST = 8
MAX_MADE = 8


@final
class Tuned(Evaluator):
    """An evaluator that is made anew for each architecture, with the options that were chosen for it.

    Options that hold a placeholder (``pg.oneof``, ``pg.floatv``, ..., also inside a list or a mapping) are
    decisions like any other; the rest is passed on. The space must have them too:
    ``space.with_settings(tuned.settings)``. Each candidate, and both ends of each float, is tried on
    construction, one changed choice at a time, so that an option out of its range is met before the first
    trial. The last few evaluators are kept for architectures with the same settings.

    Args:
        make: the evaluator's class, or a function that returns one.
        owner: what its settings are called by, ``training.lr``; ``None`` takes the name of ``make`` in
            snake_case.
        **options: the evaluator's own.

    Raises:
        ConfigError: no option is a decision; an option, or a candidate of one, is refused; or candidates
            would make evaluators that give different metrics.
        SpaceError: the decisions cannot be compiled.

    Example:
        >>> import pyglove as pg
        >>> from archloom.evaluators import Training
        >>> tuned = Tuned(Training, data="digits", epochs=3, lr=pg.floatv(1e-4, 1e-1, scale="log"))
        >>> space = SearchSpace(pg.oneof(["small", "large"])).with_settings(tuned.settings)
        >>> [decision.name for decision in space.decisions]
        ['value', 'training.lr']
    """

    def __init__(self, make: Callable[..., Evaluator], /, *, owner: str | None = None, **options: Any):
        self._make = make
        self._owner = _owner_of(make) if owner is None else owner
        self._fixed = {name: value for name, value in options.items() if not holds_choice(value)}
        chosen = {name: value for name, value in options.items() if name not in self._fixed}
        if not chosen:
            raise ConfigError(
                f"no option of {self._owner} is a decision (oneof, manyof, permutate or floatv): "
                "use the evaluator itself"
            )
        self.settings: dict[str, dict[str, Any]] = {self._owner: chosen}
        self._space = SearchSpace({}, settings=self.settings)
        self._names = frozenset(decision.name for decision in self._space.decisions)
        row, self._first = self._a_first()
        if self._first.shares:
            raise ConfigError(
                f"{self._owner} trains a {self._first.shares} once, for all architectures: none of its "
                f"options can be a decision ({', '.join(chosen)})"
            )
        self.gives, self.is_cheap, self.keyed_by = _face(self._first)
        for other, words in self._others(row):
            with _told(words):
                self._check_face(self._made(other))
        self._search_space: Any = None
        self._kept: OrderedDict[tuple[Any, ...], Evaluator] = OrderedDict()

    def prepare(self, space: Any) -> None:
        """Check that the space has these settings, and prepare one evaluator.

        Raises:
            ConfigError: it has not, or with other candidates.
        """
        there = getattr(space, "settings", {}).get(self._owner, {})
        for option, value in self.settings[self._owner].items():
            if option not in there:
                raise ConfigError(
                    f"the space has no decision {self._owner}.{option}: "
                    "search space.with_settings(evaluator.settings)"
                )
            if describe(there[option]) != describe(value):
                raise ConfigError(
                    f"{self._owner}.{option} is {describe(there[option])} in the space and {describe(value)} "
                    "here: search space.with_settings(evaluator.settings)"
                )
        self._search_space = space
        self._kept.clear()
        self._first.prepare(space)
        self.gives = self._first.gives

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Measure with the evaluator of the architecture's settings.

        Raises:
            ConfigError: the architecture has no such settings, or their evaluator gives other metrics.
        """
        return self._evaluator(architecture).evaluate(architecture, trial)

    def conditions(self) -> Mapping[str, str]:
        """Say what the evaluator says."""
        return self._first.conditions()

    # ------------------------------------------------------------------ for a trial

    def _evaluator(self, architecture: Architecture) -> Evaluator:
        choices = {name: value for name, value in architecture.choices.items() if name in self._names}
        key = tuple(choices.items())
        if key not in self._kept:
            self._kept[key] = self._prepared(architecture, settings_words(choices))
            while len(self._kept) > MAX_MADE:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _prepared(self, architecture: Architecture, words: str) -> Evaluator:
        settings = architecture.settings.get(self._owner)
        if settings is None:
            raise ConfigError(
                f"{architecture.text} has no settings of {self._owner}: "
                "search space.with_settings(evaluator.settings)"
            )
        with _told(words):
            evaluator = self._call(settings)
            evaluator.prepare(self._search_space)
            self._check_face(evaluator)
        return evaluator

    # ------------------------------------------------------------------ before the first trial

    def _a_first(self) -> tuple[Genotypes, Evaluator]:
        """Make the first evaluator that can be made; where none can, say why of the first."""
        rows = self._space.sample(N_FIRST, np.random.default_rng(0), uniform_over="decisions")
        refusals = []
        for i in range(N_FIRST):
            try:
                return rows[i], self._made(rows[i])
            except MissingExtraError:
                raise
            except ArchloomError as error:
                refusals.append(error)
        if len(set(map(str, refusals))) == 1:  # whatever is chosen, so it is not for the choices
            raise refusals[0]
        with _told(settings_words(self._space.choices(rows[0]))):
            raise refusals[0]

    def _others(self, first: Genotypes) -> Iterator[tuple[Genotypes, str]]:
        """Yield rows that bring in every candidate and both ends of every float, with what is new in words.

        Each differs from another in one choice; one that opens decisions is the start of further ones.
        """
        rng = np.random.default_rng(0)
        seen = set(self._space.choices(first).items())
        starts = [first]
        while starts:
            start = starts.pop()
            near = self._space.neighbours(start, rng)
            for row in (*(near[i] for i in range(len(near))), *self._ends(start)):
                choices = self._space.choices(row)
                new = {name: value for name, value in choices.items() if (name, value) not in seen}
                if not new:
                    continue
                if not new.keys() <= {name for name, _ in seen}:
                    starts.append(row)
                seen |= new.items()
                yield row, settings_words(new)

    def _ends(self, row: Genotypes) -> Iterator[Genotypes]:
        """Yield the row with each active float at either end of its range."""
        floats = [decision for decision in self._space.decisions if not decision.candidates]
        for column, decision in enumerate(floats):
            if np.isnan(row.floats[0, column]):
                continue
            for end in (decision.low, decision.high):
                changed = row.floats.copy()
                changed[0, column] = end
                yield Genotypes(row.choices, changed)

    # ------------------------------------------------------------------ making

    def _made(self, row: Genotypes) -> Evaluator:
        return self._call(self._space.settings_of(row)[self._owner])

    def _call(self, settings: Mapping[str, Any]) -> Evaluator:
        try:
            made = call_with_options(self._make, {**self._fixed, **settings}, self._owner)
        except ArchloomError:
            raise
        except Exception as error:  # the evaluator's own code may raise anything
            raise ConfigError(f"{self._owner} raised {type(error).__name__}: {error}") from error
        if not isinstance(made, Evaluator):
            raise ConfigError(f"{self._owner} made no Evaluator, got {made!r:.80}")
        return made

    def _check_face(self, evaluator: Evaluator) -> None:
        """Refuse an evaluator that gives something else than the first."""
        mine, other = (self.gives, self.is_cheap, self.keyed_by), _face(evaluator)
        if _as_sets(mine) != _as_sets(other):
            raise ConfigError(
                f"whatever is chosen, {self._owner} must give the same metrics; "
                f"it gives {_spell_face(other)}, or else {_spell_face(mine)}"
            )


@contextmanager
def _told(words: str) -> Iterator[None]:
    """Add to an error the choices that led to it."""
    try:
        yield
    except MissingExtraError:  # its message is an install line
        raise
    except ArchloomError as error:
        error.args = (f"{error} (with {words})",)
        raise


_Face = tuple[tuple[str, ...] | None, bool, Any]


def _owner_of(make: Callable[..., Evaluator]) -> str:
    name = getattr(make, "__name__", "")
    owner = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if not owner.isidentifier():
        raise ConfigError(f"{make!r:.80} has no name to call its settings by: give owner='...'")
    return owner


def _face(evaluator: Evaluator) -> _Face:
    return evaluator.gives, evaluator.is_cheap, evaluator.keyed_by


def _as_sets(face: _Face) -> tuple[Any, ...]:
    gives, *rest = face
    return (None if gives is None else frozenset(gives), *rest)


def _spell_face(face: _Face) -> str:
    gives, is_cheap, keyed_by = face
    metrics = "what is not known before" if gives is None else ", ".join(gives)
    return f"{metrics} ({'cheap' if is_cheap else 'dear'}, keyed by {keyed_by})"

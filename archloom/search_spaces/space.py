# SPDX-License-Identifier: Apache-2.0
"""``SearchSpace``: symbolic outside, arrays inside; and ``Architecture``, one point of it."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from archloom.contracts import FloatArray, Genotypes
from archloom.errors import SpaceError, did_you_mean
from archloom.search_spaces import dna, encoding, enumeration, sites
from archloom.search_spaces.compiler import Part, compile_templates
from archloom.search_spaces.counting import count_points
from archloom.search_spaces.drawing import Drawer
from archloom.search_spaces.filling import Filling
from archloom.search_spaces.labels import describe
from archloom.search_spaces.legality import Legality
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Points, decision_names, walk
from archloom.search_spaces.recorded import read_rows
from archloom.search_spaces.settings import (
    Settings,
    join_settings,
    settings_reader,
    settings_template,
    settings_words,
)
from archloom.search_spaces.slabs import Slabs, checked_slabs
from archloom.search_spaces.variation import Variation

__all__ = ["Architecture", "Choices", "Decision", "SearchSpace"]

Choices = dict[str, str | float]
"""Decision name to candidate label, or to the number of a float decision."""

MAX_ENUMERATED = 20_000_000


@final
@dataclass(frozen=True)
class Decision:
    """One column of a genotype.

    Args:
        name: path and candidate labels, unique in the space.
        candidates: the labels to choose from; empty for a float.
        low: lower bound of a float.
        high: upper bound of a float.
        scale: ``linear``, ``log`` or ``rlog`` for a float.
        parent: the choice that must hold ``parent_choice`` for this decision to be active.
        parent_choice: that candidate's label.
        group: the ``manyof`` whose slots belong together.
    """

    name: str
    candidates: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    scale: str | None = None
    parent: str | None = None
    parent_choice: str | None = None
    group: str | None = None


@final
class SearchSpace:
    """A symbolic space, compiled once to a flat tuple of decisions.

    Args:
        template: any PyGlove value with ``pg.oneof``, ``pg.manyof``, ``pg.permutate`` and
            ``pg.floatv`` in it, nested at will; ``pg.hyper.reference`` ties one field to another.
        settings: decisions outside the network, ``{owner: {option: value}}`` with placeholders among the
            values (references count from here: ``training.lr``). They are the last columns, named
            ``training.lr``, and reach the evaluator as ``Architecture.settings``.
        canonical: maps the choices of an architecture (without settings) to a string that is the same for
            all architectures of the same meaning; their keys are then the same, where settings are too.
        text: maps the choices (without settings) to one line for people.
        slabs: sites that strategies which follow gradients weigh together, ``{name: [site, ...]}``: one
            coefficient for each combination; what they derive has the largest sum of coefficients.

    Raises:
        SpaceError: the template cannot be compiled, or a slab has a site that is no ``oneof`` at the root;
            the message names the path.

    Example:
        >>> import numpy as np
        >>> import pyglove as pg
        >>> space = SearchSpace(pg.Dict(op=pg.oneof(["conv", "pool"]), width=pg.oneof([8, 16, 32])))
        >>> space.size
        6
        >>> space.architecture(space.at([3])).text
        'op=pool, width=16'
        >>> space.from_choices({"op": "conv", "width": "8"}).value
        {op='conv', width=8}
        >>> tuned = space.with_settings({"training": {"batch_size": pg.oneof([32, 64])}})
        >>> tuned.architecture(tuned.at([6])).text
        'op=conv, width=8; training.batch_size=64'
    """

    def __init__(
        self,
        template: Any,
        *,
        settings: Settings | None = None,
        canonical: Callable[[Mapping[str, str | float]], str] | None = None,
        text: Callable[[Mapping[str, str | float]], str] | None = None,
        slabs: Slabs | None = None,
    ):
        outside = [settings_template(settings)] if settings else []
        compiled = compile_templates(template, *outside)
        self._source, self._settings = template, settings or {}
        self._description = {"template": describe(template)}
        if settings:
            self._description["settings"] = describe(outside[0])
        self._canonical, self._text = canonical, text
        self._hold(*compiled)
        self.slabs = checked_slabs(slabs or {}, self.network_points)
        if self.slabs:
            self._description["slabs"] = {name: list(members) for name, members in self.slabs.items()}

    @classmethod
    def of_points(cls, part: Part) -> SearchSpace:
        """Return the space of points that were compiled before: a part of another space (see ``parts``)."""
        space = cls.__new__(cls)
        space._source, space._settings, space._description = part, {}, {}
        space._canonical = space._text = None
        space.slabs = {}
        names = decision_names(part.points)
        n_floats = sum(isinstance(point, FloatPoint) for point in walk(part.points))
        space._hold((part,), len(names) - n_floats, n_floats)
        return space

    def _hold(self, parts: tuple[Part, ...], n_choices: int, n_floats: int) -> None:
        self._parts, self._n_choices, self._n_floats = parts, n_choices, n_floats
        self.template = parts[0].template
        self.points = tuple(point for part in parts for point in part.points)
        self._setting_names = {name for part in parts[1:] for name in decision_names(part.points)}
        self._count = count_points(self.points)
        self._by_architecture = Drawer(self.points, is_weighted=True)
        self._by_decision = Drawer(self.points, is_weighted=False)
        self._variation = Variation(self.points, self._by_architecture)
        self._legality = Legality(self.points)
        self._walked = tuple(walk(self.points))

    def __repr__(self) -> str:
        size = "infinitely many" if self.size is None else f"{self.size:,}"
        return f"SearchSpace({size} architectures, {len(self.decisions)} decisions)"

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Every decision: the discrete ones in column order, then the floats."""
        discrete, floats = [], []
        for point in walk(self.points):
            parent, parent_choice = point.parent or (None, None)
            if isinstance(point, FloatPoint):
                scale = point.scale or "linear"
                floats.append(Decision(point.name, (), point.low, point.high, scale, parent, parent_choice))
                continue
            group = point.path if point.names != (point.path,) else None
            discrete += [
                Decision(name, point.labels, None, None, None, parent, parent_choice, group)
                for name in point.names
            ]
        return (*discrete, *floats)

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The decisions outside the network as they were given; ``{}`` without."""
        return {owner: dict(options) for owner, options in self._settings.items()}

    def with_settings(self, settings: Settings) -> SearchSpace:
        """Return this space with more decisions outside the network.

        Raises:
            SpaceError: settings that cannot be compiled, or that are there already.
        """
        if isinstance(self._source, Part):
            raise SpaceError("a part of a space takes no settings: give them to the whole space")
        joined = join_settings(self._settings, settings)
        return SearchSpace(
            self._source, settings=joined, canonical=self._canonical, text=self._text, slabs=self.slabs
        )

    @property
    def size(self) -> int | None:
        """The exact number of architectures; ``None`` where a float makes it infinite."""
        return None if self._n_floats else self._count

    @property
    def has_floats(self) -> bool:
        """Whether any decision is a float."""
        return self._n_floats > 0

    def to_json(self) -> dict[str, Any]:
        """Describe the space as plain JSON: its decisions in order, and what they come from."""
        groups = {p.path: p for p in walk(self.points) if isinstance(p, ChoicePoint)}
        rows = []
        for decision in self.decisions:
            row = {k: v for k, v in vars(decision).items() if v not in (None, ())}
            if decision.group is not None:
                point = groups[decision.group]
                row |= {"distinct": point.is_distinct, "sorted": point.is_sorted}
            rows.append(row | ({"candidates": list(decision.candidates)} if decision.candidates else {}))
        return {"decisions": rows, **self._description}

    @cached_property
    def fingerprint(self) -> str:
        """A hash of decisions and template: equal for spaces whose genotypes mean the same."""
        return _hash(json.dumps(self.to_json(), sort_keys=True))

    # ------------------------------------------------------------------ arrays

    def sample(
        self,
        n: int,
        rng: np.random.Generator,
        *,
        uniform_over: Literal["architectures", "decisions"] = "architectures",
    ) -> Genotypes:
        """Draw ``n`` points.

        Args:
            n: how many.
            rng: where the randomness comes from.
            uniform_over: ``architectures`` gives each the same chance (a candidate weighs as much as
                the architectures below it); ``decisions`` gives each candidate the same chance.
        """
        rows = self._empty(n)
        drawer = self._by_architecture if uniform_over == "architectures" else self._by_decision
        drawer.fill(rows.choices, rows.floats, rng, is_empty=True)
        return rows

    def mutate(self, parents: Genotypes, rng: np.random.Generator) -> Genotypes:
        """Change one active decision of each row to another legal choice."""
        return self._variation.mutate(parents, rng)

    def crossover(self, a: Genotypes, b: Genotypes, rng: np.random.Generator) -> Genotypes:
        """Mix each row of ``a`` with the same row of ``b``, decision by decision."""
        return self._variation.crossover(a, b, rng)

    def neighbours(self, row: Genotypes, rng: np.random.Generator) -> Genotypes:
        """Return every architecture one changed choice away from a ``1 x d`` row."""
        return self._variation.neighbours(row, rng)

    def is_legal(self, genotypes: Genotypes) -> npt.NDArray[np.bool_]:
        """Return which of ``n`` rows are points of this space."""
        return self._legality(genotypes)

    def at(self, ranks: npt.ArrayLike) -> Genotypes:
        """Return the architectures of the given ranks, ``0`` to ``size - 1``.

        Raises:
            SpaceError: the space is infinite, or a rank lies outside it.
        """
        if self.size is None:
            raise SpaceError("a space with a float decision cannot be enumerated: it is infinite")
        exact = np.asarray(ranks, dtype=np.int64 if self.size < 2**62 else object)
        if len(exact) and not (exact.min() >= 0 and exact.max() < self.size):
            raise SpaceError(f"ranks go from 0 to {self.size - 1}, got {exact.min()} to {exact.max()}")
        return enumeration.unrank(self.points, exact, self._n_choices)

    def enumerate(self) -> Genotypes:
        """Return every architecture of a finite space, each once.

        Raises:
            SpaceError: the space is infinite, or has more than 20 million points.
        """
        if self.size is not None and self.size > MAX_ENUMERATED:
            raise SpaceError(
                f"at most {MAX_ENUMERATED} architectures can be enumerated, here are {self.size}"
            )
        return self.at(np.arange(self.size or 0))

    def one_hot(self, genotypes: Genotypes) -> FloatArray:
        """Encode as indicators, ``n x (sum of candidates + f)``; inactive is zero."""
        return encoding.one_hot(self.points, genotypes)

    def ordinal(self, genotypes: Genotypes) -> FloatArray:
        """Encode as one number a decision in ``[0, 1]``, ``n x (d + f)``; inactive is ``-1``."""
        return encoding.ordinal(self.points, genotypes)

    @cached_property
    def filling(self) -> Filling:
        """The steps by which rows are filled choice by choice, for strategies that construct."""
        return Filling(self.points)

    # ------------------------------------------------------------------ symbols

    def architecture(self, row: Genotypes) -> Architecture:
        """Return one ``1 x d`` row as an architecture."""
        return Architecture(self, row)

    def from_choices(self, choices: Mapping[str, str | float]) -> Architecture:
        """Return the architecture with the given decision names and candidate labels.

        Raises:
            SpaceError: an unknown decision or label, or one that is missing or too many.
        """
        row = self._empty(1)
        left = dict(choices)
        for point in walk(self.points):
            if point.when and not (row.choices[0, list(point.when.columns)] == point.when.choice).any():
                continue
            if isinstance(point, FloatPoint):
                row.floats[0, point.column] = float(self._pop(left, point.name))
                continue
            for name, column in zip(point.names, point.columns, strict=True):
                label = str(self._pop(left, name))
                if label not in point.labels:
                    raise SpaceError(
                        f"{name}: there is no candidate {label!r}{_nearest(label, point.labels)}"
                    )
                row.choices[0, column] = point.labels.index(label)
        if left:
            self._check_names(left)
            raise SpaceError(f"{next(iter(left))!r} is not active here")
        if not self.is_legal(row)[0]:
            raise SpaceError(
                f"these choices break a distinct or sorted group or a float's range: {dict(choices)}"
            )
        return Architecture(self, row)

    def read(self, recorded: Sequence[Mapping[str, str | float]]) -> tuple[Genotypes, npt.NDArray[np.bool_]]:
        """Return recorded choices as ``n`` rows, and which of these are points of this space.

        >>> import pyglove as pg
        >>> space = SearchSpace(pg.Dict(op=pg.oneof(["conv", "pool"])))
        >>> rows, is_point = space.read([{"op": "pool"}, {"op": "skip"}, {}])
        >>> is_point.tolist()
        [True, False, False]
        """
        rows, is_known = read_rows(self.points, recorded, self._n_choices, self._n_floats)
        return rows, is_known & self.is_legal(rows)

    def choices(self, row: Genotypes) -> Choices:
        """Return the active decisions of a ``1 x d`` row by name."""
        made: Choices = {}
        chosen, numbers = row.choices[0].tolist(), row.floats[0].tolist()
        for point in self._walked:
            if isinstance(point, FloatPoint):
                value = numbers[point.column]
                if value == value:
                    made[point.name] = value
                continue
            for name, column in zip(point.names, point.columns, strict=True):
                choice = chosen[column]
                if choice >= 0:
                    made[name] = point.labels[choice]
        return made

    def canonical(self, choices: Mapping[str, str | float]) -> str:
        """Return the string that all architectures of the same meaning share."""
        network, outside = self._apart(choices)
        form = self._canonical(network) if self._canonical is not None else _plain_form(network)
        return f"{form}\n{_plain_form(outside)}" if outside else form

    def key(self, choices: Mapping[str, str | float], *, is_canonical: bool = True) -> str:
        """Hash an architecture by its meaning, or exactly as it was chosen."""
        return _hash(self.canonical(choices) if is_canonical else _plain_form(choices))

    def spell(self, choices: Mapping[str, str | float]) -> str:
        """Return the choices in one line for people."""
        network, outside = self._apart(choices)
        if self._text is not None:
            text = self._text(network)
        else:
            text = ", ".join(f"{name}={label}" for name, label in network.items())
        return "; ".join(filter(None, (text, settings_words(outside)))) if outside else text

    @cached_property
    def dna_spec(self) -> Any:
        """PyGlove's specification of this space, for its algorithms."""
        if len(self._parts) == 1:
            return self._parts[0].dna_spec
        import pyglove as pg

        return pg.geno.space([element for part in self._parts for element in part.dna_spec.elements])

    def to_dna(self, row: Genotypes) -> Any:
        """Return a ``1 x d`` row as a ``pg.DNA``."""
        import pyglove as pg

        return pg.DNA.from_numbers(dna.to_numbers(self.points, row), self.dna_spec)

    def from_dna(self, value: Any) -> Genotypes:
        """Return a ``pg.DNA`` as a ``1 x d`` row.

        Raises:
            SpaceError: the DNA is not one of this space.
        """
        numbers = value.to_numbers() if value.value is not None or value.children else []
        row = dna.from_numbers(self.points, numbers, self._n_choices, self._n_floats)
        if not self.is_legal(row)[0]:
            raise SpaceError(f"this DNA is not a point of the space: {value}")
        return row

    def decode(self, row: Genotypes) -> Any:
        """Return a ``1 x d`` row as the symbolic value it stands for, without settings."""
        return self._parts[0].decode(row)

    @property
    def network_points(self) -> Points:
        """The points of the network, without settings."""
        return self._parts[0].points

    def routing(self, row: Genotypes) -> dict[str, tuple[int, ...]]:
        """Return what a ``1 x d`` row takes at each choice site of the space's supernet."""
        return sites.routing(self.network_points, row)

    def settings_of(self, row: Genotypes) -> dict[str, dict[str, Any]]:
        """Return the settings of a ``1 x d`` row, ``{owner: {option: value}}``; ``{}`` without."""
        return self._read_settings(row)

    @cached_property
    def _read_settings(self) -> Callable[[Genotypes], dict[str, dict[str, Any]]]:
        return settings_reader(self._settings, self._parts[1]) if self._settings else lambda row: {}

    def _apart(self, choices: Mapping[str, str | float]) -> tuple[Mapping[str, str | float], Choices]:
        """Split choices into the network's and those of the settings."""
        names = self._setting_names
        if not names:
            return choices, {}
        outside = {name: choice for name, choice in choices.items() if name in names}
        return {name: choice for name, choice in choices.items() if name not in names}, outside

    def _empty(self, n: int) -> Genotypes:
        return Genotypes(
            np.full((n, self._n_choices), -1, dtype=np.int16), np.full((n, self._n_floats), np.nan)
        )

    def _pop(self, left: dict[str, str | float], name: str) -> str | float:
        try:
            return left.pop(name)
        except KeyError:
            self._check_names(left)
            raise SpaceError(f"{name}: a choice is missing") from None

    def _check_names(self, choices: Mapping[str, str | float]) -> None:
        """Refuse a name that is no decision's; the last words of a longer name are meant for it."""
        known = [decision.name for decision in self.decisions]
        for name in choices:
            if name not in known:
                longer = [one for one in known if one.endswith(f".{name}")]
                advice = f"; did you mean {longer[0]!r}?" if longer else _nearest(name, known)
                raise SpaceError(f"{name!r} is not a decision{advice}")


@final
class Architecture:
    """One point of a search space.

    Args:
        space: the space.
        genotype: a ``1 x d`` row of it.
    """

    def __init__(self, space: SearchSpace, genotype: Genotypes):
        self.space = space
        self.genotype = genotype

    @cached_property
    def value(self) -> Any:
        """The decoded symbolic value (PyGlove takes milliseconds, so it is made on first use)."""
        return self.space.decode(self.genotype)

    @cached_property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The decisions outside the network, ``{"training": {"lr": 0.003}}``; ``{}`` without."""
        return self.space.settings_of(self.genotype)

    @cached_property
    def choices(self) -> Choices:
        """Active decisions only: name to candidate label, or to a float's number."""
        return self.space.choices(self.genotype)

    @cached_property
    def key(self) -> str:
        """Canonical hash: architectures that mean the same share it."""
        return self.space.key(self.choices)

    @cached_property
    def text(self) -> str:
        """The architecture in one line of words."""
        return self.space.spell(self.choices)

    def __repr__(self) -> str:
        return f"Architecture({self.text})"


def _nearest(word: str, words: Sequence[str]) -> str:
    """Say which word is near, or which there are, in their own order: numbers are not sorted as text."""
    if difflib.get_close_matches(word, words, n=1):
        return did_you_mean(word, words)
    return f"; there are: {', '.join(words)}" if words else ""


_SORTED = json.JSONEncoder(sort_keys=True)
"""As ``json.dumps(..., sort_keys=True)``, which makes a new encoder each time."""


def _plain_form(choices: Mapping[str, str | float]) -> str:
    return _SORTED.encode(dict(choices))


def _hash(text: str) -> str:
    # 80 bits: among a million architectures two would share a key in one of 10 ** 12 studies.
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()[:20]

# SPDX-License-Identifier: Apache-2.0
"""Plain data -> nodes: special words are understood, parts and repeats are written out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, final

import pyglove as pg

from archloom.errors import did_you_mean
from archloom.search_spaces.literal.mistakes import KeyPath, LiteralError, Mistakes
from archloom.search_spaces.literal.nodes import Broken, Choice, Fields, Items, Node, Range, Scalar, Tie
from archloom.search_spaces.literal.vocabulary import blueprint, imported, library
from archloom.search_spaces.literal.words import CHOICES, KEYS, LABEL, WORDS, meant, spelled

__all__ = ["MAX_DEPTH", "MAX_NODES", "Reader"]

MAX_NODES = 20_000
"""Nodes of a tree once parts and repeats are written out (PyGlove takes 0.1 ms a node)."""

MAX_DEPTH = 100
MAX_SLOTS = 1_000
"""Slots of one ``manyof`` or ``permutate``."""
SCALES = ("linear", "log", "rlog")


class Spot(NamedTuple):
    """A piece of data and where it was written."""

    value: Any
    at: KeyPath


Spots = Mapping[str, Spot]


@final
class Reader:
    """Reads one tree.

    Args:
        parts: the named parts.
        mistakes: where mistakes are noted.
        has_blueprints: whether ``name``, ``call``, ``import``, ``repeat``, ``part`` and ``reference`` mean
            something; otherwise only the four words that make decisions do.
    """

    def __init__(self, parts: Mapping[str, Spot], mistakes: Mistakes, *, has_blueprints: bool = True):
        self._parts, self._mistakes = parts, mistakes
        self._words = WORDS if has_blueprints else CHOICES
        self._has_blueprints = has_blueprints
        self._n_nodes = 0
        self._depth = 0
        self._open_parts: list[str] = []
        self._used: set[str] = set()
        self._special: dict[str, Callable[[Spots, KeyPath], Node]] = {
            "oneof": self._oneof,
            "manyof": self._manyof,
            "permutate": self._permutate,
            "floatv": self._floatv,
            "repeat": self._repeat,
            "reference": self._reference,
            "call": self._call,
            "import": self._import,
            "part": self._part,
        }

    def node(self, value: Any, at: KeyPath) -> Node:
        """Read a piece of data.

        Raises:
            LiteralError: the tree is larger or deeper than a tree may be.
        """
        self._count(at)
        self._depth += 1
        try:
            if isinstance(value, Mapping):
                return self._mapping(_spots(value, at), at)
            if isinstance(value, list | tuple):
                return Items(at, tuple(self._items(value, at)))
            return self._scalar(value, at)
        finally:
            self._depth -= 1

    def check_parts(self) -> None:
        """Read the parts that nothing uses, so that their mistakes are not hidden."""
        for name, spot in self._parts.items():
            if name not in self._used:
                self.node(spot.value, spot.at)

    def _count(self, at: KeyPath, n: int = 1) -> None:
        self._n_nodes += n
        if self._n_nodes > MAX_NODES:
            rule = f"a tree has at most {MAX_NODES:,} nodes, parts, repeats, aliases and slots written out"
            raise LiteralError([(at, rule)])
        if self._depth >= MAX_DEPTH:
            raise LiteralError([(at, f"a tree is at most {MAX_DEPTH} levels deep")])

    def _scalar(self, value: Any, at: KeyPath) -> Node:
        if isinstance(value, float) and not math.isfinite(value):
            return self._wrong(at, f"numbers are finite, got {value}")
        if isinstance(value, str) and "\0" in value:
            return self._wrong(at, f"a text holds no NUL character, got {value!r:.80}")
        if value is None or isinstance(value, bool | int | float | str):
            return Scalar(at, value)
        return self._wrong(at, f"a tree is made of plain data, got {value!r:.80} ({type(value).__name__})")

    def _items(self, values: Sequence[Any], at: KeyPath) -> Iterable[Node]:
        """Read list items; a fixed repeat is spliced in."""
        for index, value in enumerate(values):
            place = (*at, index)
            if self._has_blueprints and isinstance(value, Mapping) and "repeat" in value:
                yield from self._spliced(value, place)
            else:
                yield self.node(value, place)

    # ------------------------------------------------------------------ mappings

    def _mapping(self, spots: Spots, at: KeyPath) -> Node:
        is_named = self._has_blueprints and "name" in spots and not any(word in spots for word in CHOICES)
        if is_named:
            return self._blueprint(spots, at)
        words = [word for word in self._words if word in spots]
        if len(words) > 1:
            both = " and ".join(map(repr, words))
            return self._wrong(at, f"one special word a mapping, got {both}: nest one inside the other")
        if words:
            return self._special[words[0]](spots, at)
        near = meant(spots, self._words)
        if near is not None:
            return self._wrong((*at, near[0]), f"unknown key; did you mean {near[1]!r}?")
        return Fields(at, self._fields(spots))

    def _fields(self, spots: Spots) -> dict[str, Node]:
        return {key: self.node(spot.value, spot.at) for key, spot in spots.items()}

    def _blueprint(self, spots: Spots, at: KeyPath) -> Node:
        name = spots["name"]
        rest = {key: spot for key, spot in spots.items() if key != "name"}
        if not isinstance(name.value, str):
            rule = "should be the name of a blueprint (to choose among several, list them under 'oneof')"
            return self._wrong(name.at, f"{rule}, got {name.value!r:.80}")
        target = blueprint(name.value, name.at, self._mistakes)
        is_field = target is not None and target.__schema__.get_field(LABEL) is not None
        label = "" if is_field else self._label(rest.pop(LABEL, None))
        fields = self._fields(rest)
        return Broken(at) if target is None else Fields(at, fields, target, name.value, label)

    def _label(self, spot: Spot | None) -> str:
        """Read what a candidate is called."""
        if spot is None:
            return ""
        if isinstance(spot.value, str) and spot.value.strip() and spot.value.isprintable():
            return spot.value
        rule = "should be what this is called as a candidate, a text"
        self._mistakes.add(spot.at, f"{rule}, got {spot.value!r:.80}")
        return ""

    def _import(self, spots: Spots, at: KeyPath) -> Node:
        self._check_keys("import", spots)
        path, place = spots["import"]
        if not isinstance(path, str) or ":" not in path:
            rule = "should be an import path 'package.module:name' of a class, function or constant"
            return self._wrong(place, f"{rule}, got {path!r:.80}")
        return imported(path, place, self._mistakes)

    def _call(self, spots: Spots, at: KeyPath) -> Node:
        self._check_keys("call", spots)
        target, args = spots["call"], spots.get("args", Spot({}, at))
        if not isinstance(target.value, str) or ":" not in target.value:
            rule = "should be an import path 'package.module:name' of a class or function"
            return self._wrong(target.at, f"{rule}, got {target.value!r:.80}")
        if not isinstance(args.value, Mapping):
            rule = "should be a mapping of argument names to values"
            return self._wrong(args.at, f"{rule}, got {args.value!r:.80}")
        # The keys of `args` are the target's own words, so that none of them is special.
        given = Fields(args.at, self._fields(_spots(args.value, args.at)))
        fields: dict[str, Node] = {"target": Scalar(target.at, target.value), "args": given}
        if "out" in spots:
            fields["out"] = self.node(spots["out"].value, spots["out"].at)
        made = library("call", at, self._mistakes)
        label = self._label(spots.get(LABEL))
        return Broken(at) if made is None else Fields(at, fields, made, "call", label)

    # ------------------------------------------------------------------ decisions

    def _candidates(self, word: str, spots: Spots) -> tuple[Node, ...] | None:
        self._check_keys(word, spots)
        values, at = spots[word]
        if not isinstance(values, list | tuple):
            self._mistakes.add(at, f"{word} takes a list of candidates, got {values!r:.80}")
            return None
        if not values:
            self._mistakes.add(at, f"{word} needs at least one candidate, got []")
            return None
        return tuple(self.node(value, (*at, index)) for index, value in enumerate(values))

    def _oneof(self, spots: Spots, at: KeyPath) -> Node:
        candidates = self._candidates("oneof", spots)
        return Broken(at) if candidates is None else Choice(at, candidates)

    def _permutate(self, spots: Spots, at: KeyPath) -> Node:
        candidates = self._candidates("permutate", spots)
        if candidates is None:
            return Broken(at)
        if len(candidates) > MAX_SLOTS:
            what = f"permutate takes at most {MAX_SLOTS:,} candidates, got {len(candidates):,}"
            return self._wrong(spots["permutate"].at, what)
        return Choice(at, candidates, len(candidates))

    def _manyof(self, spots: Spots, at: KeyPath) -> Node:
        n_before = self._n_nodes
        candidates = self._candidates("manyof", spots)
        k = self._slots(spots, at)
        is_distinct, is_sorted = self._flag("distinct", spots, True), self._flag("sorted", spots, False)
        if candidates is None or k is None or is_distinct is None or is_sorted is None:
            return Broken(at)
        if is_distinct and k > len(candidates):
            rule = f"{k} distinct ones cannot be chosen from {len(candidates)}"
            return self._wrong(spots["k"].at, f"{rule}: lower k or write distinct: false")
        if not is_distinct:  # each slot has a copy of every candidate, with decisions of its own
            self._count(at, (k - 1) * (self._n_nodes - n_before))
        return Choice(at, candidates, k, is_distinct, is_sorted)

    def _floatv(self, spots: Spots, at: KeyPath) -> Node:
        self._check_keys("floatv", spots)
        bounds, place = spots["floatv"]
        scale = spots.get("scale", Spot("linear", at))
        is_pair = isinstance(bounds, list | tuple) and len(bounds) == 2
        if not is_pair or not all(_is_number(bound) for bound in bounds):
            return self._wrong(place, f"floatv takes two finite numbers, [low, high], got {bounds!r:.80}")
        if scale.value not in SCALES:
            near = did_you_mean(str(scale.value), SCALES)
            return self._wrong(scale.at, f"scale is {spelled(SCALES)}, got {scale.value!r:.40}{near}")
        low, high = float(bounds[0]), float(bounds[1])
        if low >= high:
            return self._wrong(place, f"floatv needs low < high, got [{low:g}, {high:g}]")
        if scale.value != "linear" and low <= 0:
            return self._wrong(place, f"a {scale.value} scale needs low > 0, got [{low:g}, {high:g}]")
        return Range(at, low, high, None if scale.value == "linear" else scale.value)

    def _reference(self, spots: Spots, at: KeyPath) -> Node:
        self._check_keys("reference", spots)
        path, place = spots["reference"]
        if not isinstance(path, str) or not path:
            rule = "should be the path of another field, such as 'layers[0].width'"
            return self._wrong(place, f"{rule}, got {path!r:.80}")
        try:
            pg.KeyPath.parse(path)
        except ValueError:
            return self._wrong(place, f"{path!r:.80} is no path; one reads 'layers[0].width'")
        return Tie(at, path)

    # ------------------------------------------------------------------ copies

    def _spliced(self, value: Mapping[str, Any], at: KeyPath) -> list[Node]:
        """Read a repeat inside a list: copies side by side, or one node where the depth is searched."""
        spots = _spots(value, at)
        if not isinstance(spots["repeat"].value, int) or any(word in spots for word in CHOICES):
            return [self.node(value, at)]
        self._check_keys("repeat", spots)
        return self._copies(spots, at, spots["repeat"]) or [Broken(at)]

    def _copies(self, spots: Spots, at: KeyPath, count: Spot) -> list[Node] | None:
        n = count.value
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            self._mistakes.add(count.at, f"repeat needs a count of at least 1, got {n!r:.40}")
            return None
        if "of" not in spots:
            self._mistakes.add(at, "of: missing: repeat needs what to repeat")
            return None
        return [self.node(spots["of"].value, spots["of"].at) for _ in range(n)]

    def _repeat(self, spots: Spots, at: KeyPath) -> Node:
        """Read a repeat that is a node of its own: a blueprint of copies, or a choice among such."""
        self._check_keys("repeat", spots)
        count, place = spots["repeat"]
        if not isinstance(count, Mapping):
            return self._repeated(spots, at, spots["repeat"])
        counts = count.get("oneof")
        if list(count) != ["oneof"] or not isinstance(counts, list | tuple) or not counts:
            rule = "repeat takes a count, or {oneof: [1, 2, 3]} to search it"
            return self._wrong(place, f"{rule}, got {dict(count)!r:.80}")
        places = [Spot(n, (*place, "oneof", index)) for index, n in enumerate(counts)]
        return Choice(at, tuple(self._repeated(spots, at, spot) for spot in places))

    def _repeated(self, spots: Spots, at: KeyPath, count: Spot) -> Node:
        copies = self._copies(spots, at, count)
        target = library("repeat", at, self._mistakes)
        if copies is None or target is None:
            return Broken(at)
        return Fields(count.at, {"layers": Items(spots["of"].at, tuple(copies))}, target, "repeat")

    def _part(self, spots: Spots, at: KeyPath) -> Node:
        name, place = spots["part"]
        if not isinstance(name, str) or name not in self._parts:
            hint = did_you_mean(str(name), self._parts) or "; this space has no parts"
            return self._wrong(place, f"there is no part {name!r:.80}{hint}")
        if name in self._open_parts:
            circle = " > ".join([*self._open_parts[self._open_parts.index(name) :], name])
            return self._wrong(place, f"parts go round in a circle: {circle}")
        part = self._parts[name]
        overrides = {key: spot for key, spot in spots.items() if key != "part"}
        if overrides and not isinstance(part.value, Mapping):
            return self._wrong(at, f"part {name!r} has no fields to override, it is {part.value!r:.60}")
        self._used.add(name)
        self._open_parts.append(name)
        try:
            if overrides:
                return self._mapping({**_spots(part.value, part.at), **overrides}, at)
            return self.node(part.value, part.at)
        finally:
            self._open_parts.pop()

    # ------------------------------------------------------------------ checks

    def _check_keys(self, word: str, spots: Spots) -> None:
        known = (word, *KEYS[word])
        for key, spot in spots.items():
            if key not in known:
                beside = did_you_mean(key, KEYS[word]) if KEYS[word] else f"; {word} stands alone"
                self._mistakes.add(spot.at, f"unknown key beside {word!r}{beside}")

    def _slots(self, spots: Spots, at: KeyPath) -> int | None:
        if "k" not in spots:
            self._mistakes.add(at, "k: missing: manyof needs how many are chosen")
            return None
        k, place = spots["k"].value, spots["k"].at
        if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_SLOTS:
            self._mistakes.add(place, f"should be a count from 1 to {MAX_SLOTS:,}, got {k!r:.40}")
            return None
        return k

    def _flag(self, key: str, spots: Spots, default: bool) -> bool | None:
        if key not in spots:
            return default
        if isinstance(spots[key].value, bool):
            return bool(spots[key].value)
        self._mistakes.add(spots[key].at, f"should be true or false, got {spots[key].value!r:.40}")
        return None

    def _wrong(self, at: KeyPath, what: str) -> Broken:
        self._mistakes.add(at, what)
        return Broken(at)


def _spots(value: Mapping[Any, Any], at: KeyPath) -> dict[str, Spot]:
    return {str(key): Spot(item, (*at, str(key))) for key, item in value.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

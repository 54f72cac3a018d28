# SPDX-License-Identifier: Apache-2.0
"""From values to sketches: a blueprint draws itself, all else is drawn as well as its fields tell.

A value *draws itself* where its class has ``drawn``, its part of a larger sketch, and ``sketches``, the
pictures of it alone; ``Blueprint`` has both, with defaults from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyglove as pg

from archloom.errors import SpaceError
from archloom.search_spaces.labels import candidate_label
from archloom.search_spaces.sketch import Sketch, box, chain, framed, loose

if TYPE_CHECKING:
    from archloom.search_spaces.space import Architecture

__all__ = ["box_of", "drawn", "sketches_of", "unjoined", "word"]

ABSENT = "none"
"""What stands for a layer, an edge or a path that is not there."""


def sketches_of(architecture: Architecture) -> list[Sketch]:
    r"""Return what a picture of an architecture shows: one sketch, or several, each with a title.

    An architecture that does not draw itself is shown by its decisions, in groups.

    >>> from archloom.search_spaces.mlp import mlp
    >>> space = mlp(layers=1, widths=[8, 16])
    >>> [node.label for node in sketches_of(space.architecture(space.at([0])))[0].nodes]
    ['input', 'dense\n8 relu', 'linear', 'output']
    """
    value = architecture.value
    if _draws_itself(value):
        found: list[Sketch] = value.sketches()
        return found
    own = value.sym_items() if isinstance(value, pg.Dict) else ()
    alone = {str(key): field for key, field in own if _draws_itself(field)}
    sketches = [
        sketch.titled(": ".join(filter(None, [key, sketch.title])))
        for key, field in alone.items()
        for sketch in field.sketches()
    ]
    settings = {f"{owner}.{name}" for owner, options in architecture.settings.items() for name in options}
    rest = {
        name: choice
        for name, choice in architecture.choices.items()
        if name not in settings and re.split(r"[.\[(]", name, maxsplit=1)[0] not in alone
    }
    if rest or not sketches:
        sketches.append(_decisions(rest))
    return sketches


def drawn(part: Any) -> Sketch:
    """Return a part of an architecture as a part of a sketch: a list is a chain, and ``none`` left out."""
    if isinstance(part, list | tuple):
        return chain(*(drawn(one) for one in part if not _is_absent(one)))
    if _draws_itself(part):
        made: Sketch = part.drawn()
        return made
    return box_of(part)


def box_of(value: Any, *, title: str | None = None, fields: Mapping[str, Any] | None = None) -> Sketch:
    """Return one box: what it is, and its fields below.

    Args:
        value: an operation's name, a symbolic object, a function, a class, ...
        title: the first line; by default the name of its class.
        fields: what stands below, by default all of its fields that hold something.

    >>> box_of("sep_conv_3x3").nodes[0].label
    'sep_conv_3x3'
    """
    if not isinstance(value, pg.Object) or isinstance(value, pg.Functor):
        return box(title or word(value))
    name = title or type(value).__name__
    own = value.sym_init_args.items() if fields is None else fields.items()
    words = [f"{key}={word(field)}" for key, field in own if field is not None]
    return box(name + ("\n" + ", ".join(words) if words else ""))


def unjoined(value: pg.Object) -> list[Sketch]:
    """Return the picture of an object that does not say how its parts are joined.

    An object without parts is a box between an input and an output. Parts stand one below the other, without
    arrows, each group under the name of the field that holds it: how they are wired only ``build`` knows.
    """
    fields = dict(value.sym_init_args.items())
    parts = {key: list(_parts(field)) for key, field in fields.items()}
    name = type(value).__name__
    if not any(parts.values()):
        return [framed(box_of(value), name)]
    plain = {key: field for key, field in fields.items() if not parts[key]}
    shown = [box_of(value, fields=plain)]
    for key, held in parts.items():
        shown += [drawn(part).grouped(key) for part in held]
    return [loose(shown, f"{name}: its parts")]


def word(value: Any) -> str:
    """Return the label of a value, whatever it is."""
    try:
        return candidate_label(value)
    except SpaceError:  # a plain module of torch has no name of its own
        return type(value).__name__


def _decisions(choices: Mapping[str, str | float]) -> Sketch:
    """Return the decisions as boxes, those below one path together."""
    shown = []
    for name, choice in choices.items():
        at = max(name.rfind("."), 0)
        key = name[at:].lstrip(".")
        value = f"{choice:.6g}" if isinstance(choice, float) else choice
        shown.append(box(f"{key} = {value}").grouped(name[:at]))
    return loose(shown or [box("nothing to decide")], "decisions")


def _parts(field: Any) -> Sequence[Any]:
    """Return the parts that a field holds, lists laid out."""
    if isinstance(field, list | tuple):
        return [part for one in field for part in _parts(one)]
    return [field] if _draws_itself(field) else []


def _draws_itself(value: Any) -> bool:
    return not isinstance(value, type) and all(hasattr(type(value), name) for name in ("drawn", "sketches"))


def _is_absent(part: Any) -> bool:
    return part is None or (isinstance(part, str) and part == ABSENT)

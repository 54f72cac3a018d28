# SPDX-License-Identifier: Apache-2.0
"""Plain values of a part that are chosen: found, and set, in a template that is built undecoded.

A field is plain where its type says so (numbers, strings, lists of them), or where all that may stand in it
are numbers; what stands in other fields of a blueprint are parts, which it builds itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyglove as pg

__all__ = ["first_scalar", "stamp", "stamped", "substituted"]

_PLAIN = (pg.typing.Int, pg.typing.Float, pg.typing.Bool, pg.typing.Str, pg.typing.Enum)
_HOLDERS = (pg.hyper.HyperValue, pg.hyper.DerivedValue)
_SITE = "_archloom_site"


def stamp(root: Any) -> None:
    """Have each placeholder below ``root`` remember where it stands, whatever its copies are put into."""
    for path, placeholder in _placeholders(root):
        object.__setattr__(placeholder, _SITE, path)


def stamped(placeholder: Any) -> str:
    """Return where a placeholder, or that which it is a copy of, stands."""
    return str(getattr(placeholder, _SITE, placeholder.sym_path))


def first_scalar(part: Any) -> tuple[str, Any] | None:
    """Return path and placeholder of the first plain value of a part that is chosen, ``None`` without."""
    if not isinstance(part, pg.Object) or isinstance(part, _HOLDERS) or not part.sym_puresymbolic:
        return None
    elastic: frozenset[str] = getattr(part, "elastic", frozenset())
    is_open = hasattr(part, "build") and not getattr(part, "is_opaque", False)
    for key, value in part.sym_init_args.sym_items():
        if key in elastic:
            continue
        spec = type(part).__schema__.get_field(key)
        is_plain = not is_open or (spec is not None and _is_plain(spec.value))
        for path, placeholder in _placeholders(value, str(key), is_deep=not is_open):
            if is_plain or _is_number(placeholder):
                return path, placeholder
    return None


def substituted(part: Any, path: str, value: Any) -> Any:
    """Return a copy of a part with another value at a path; placeholders keep their places in the space."""
    copy = part.clone()
    fresh = value.sym_clone(deep=True) if isinstance(value, pg.Symbolic) else value
    _stamp_alike(part, copy)
    if isinstance(fresh, pg.Symbolic):
        _stamp_alike(value, fresh)
    copy.rebind({path: fresh}, raise_on_no_change=False)
    return copy


def _stamp_alike(original: Any, copy: Any) -> None:
    pairs = zip(_placeholders(original), _placeholders(copy), strict=True)
    for (_, placeholder), (_, twin) in pairs:
        object.__setattr__(twin, _SITE, stamped(placeholder))


def _placeholders(value: Any, path: str = "", *, is_deep: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield path and placeholder; ``is_deep``: those inside objects and inside other candidates as well."""
    if isinstance(value, _HOLDERS):
        yield path, value
        if not is_deep or not isinstance(value, pg.hyper.Choices):
            return
        for index, candidate in enumerate(value.candidates):
            yield from _placeholders(candidate, f"{path}.candidates[{index}]".lstrip("."))
    elif isinstance(value, pg.List):
        for index, item in enumerate(value.sym_values()):
            yield from _placeholders(item, f"{path}[{index}]", is_deep=is_deep)
    elif isinstance(value, pg.Dict) or (is_deep and isinstance(value, pg.Object)):
        held = value if isinstance(value, pg.Dict) else value.sym_init_args
        for key, item in held.sym_items():
            yield from _placeholders(item, f"{path}.{key}".lstrip("."), is_deep=is_deep)


def _is_plain(spec: Any) -> bool:
    if isinstance(spec, pg.typing.List):
        return _is_plain(spec.element.value)
    if isinstance(spec, pg.typing.Union):
        return all(_is_plain(candidate) for candidate in spec.candidates)
    return isinstance(spec, _PLAIN)


def _is_number(placeholder: Any) -> bool:
    """Whether nothing but numbers, truth values and ``None`` may stand there."""
    if isinstance(placeholder, pg.hyper.Choices):
        return all(_is_number(candidate) for candidate in placeholder.candidates)
    return isinstance(placeholder, int | float | pg.hyper.Float | None)

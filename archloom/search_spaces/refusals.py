# SPDX-License-Identifier: Apache-2.0
"""What PyGlove would lose or break in silence is refused, with its path."""

from __future__ import annotations

from typing import Any

import pyglove as pg

from archloom.errors import SpaceError

__all__ = ["join_path", "refuse_dangling", "refuse_hidden"]


def join_path(prefix: str, path: str) -> str:
    """Join two symbolic paths.

    >>> join_path("a", "b"), join_path("a", "[0]"), join_path("", "b")
    ('a.b', 'a[0]', 'b')
    """
    return f"{prefix}.{path}" if prefix and path and not path.startswith("[") else prefix + path


def refuse_hidden(value: Any, path: str = "") -> None:
    """Find the placeholders that PyGlove would pass over: inside tuples and sets, and those of other kinds.

    Raises:
        SpaceError: there is one.
    """
    if isinstance(value, pg.hyper.Choices):
        for index, candidate in enumerate(value.candidates):
            refuse_hidden(candidate, f"{path}({index})")
    elif isinstance(value, pg.hyper.HyperValue) and not isinstance(value, pg.hyper.HyperPrimitive):
        raise SpaceError(
            f"{path or 'the space'}: only oneof, manyof, permutate and floatv can be compiled, "
            f"got {type(value).__name__}"
        )
    elif isinstance(value, tuple | set | frozenset):
        for index, item in enumerate(value):
            if pg.contains(item, type=(pg.hyper.HyperValue, pg.hyper.DerivedValue)):
                raise SpaceError(
                    f"{join_path(path, f'[{index}]')}: a placeholder inside a {type(value).__name__} "
                    "would be ignored; use a list"
                )
    elif isinstance(value, dict | pg.Object):
        for key, item in value.sym_items() if isinstance(value, pg.Symbolic) else value.items():
            refuse_hidden(item, join_path(path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value.sym_values() if isinstance(value, pg.List) else value):
            refuse_hidden(item, f"{path}[{index}]")


def refuse_dangling(template: Any) -> None:
    """Find the references whose target is not there in every architecture.

    Raises:
        SpaceError: there is one; PyGlove would notice only when an architecture is decoded.
    """

    def visit(path: Any, value: Any, parent: Any) -> Any:
        del parent
        if isinstance(value, pg.hyper.DerivedValue):
            try:
                value.resolve()
            except ValueError as error:
                raise SpaceError(
                    f"{path}: a reference needs a target in every architecture; {error}"
                ) from None
        return pg.TraverseAction.ENTER

    if isinstance(template, pg.Symbolic):
        pg.traverse(template, visit)

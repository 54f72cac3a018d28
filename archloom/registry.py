# SPDX-License-Identifier: Apache-2.0
"""Names in a study file to classes: built-in names, plug-ins by entry point, import paths.

A registry holds import strings, so that naming something imports nothing else.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from archloom.errors import UnknownNameError, did_you_mean

__all__ = ["Registry", "import_path"]


def import_path(path: str) -> Any:
    """Import ``package.module:attribute``.

    >>> import_path("math:sqrt")(9.0)
    3.0

    Raises:
        UnknownNameError: no such module or attribute.
    """
    module_name, _, attribute = path.partition(":")
    if not module_name or not attribute:
        raise UnknownNameError(f"an import path reads 'package.module:attribute', got {path!r}")
    try:
        value: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        raise UnknownNameError(f"{path!r}: there is no module {error.name!r} on the import path") from None
    for name in attribute.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            raise UnknownNameError(
                f"{path!r}: {module_name} has no {name!r}{did_you_mean(name, _public(value))}"
            ) from None
    return value


def _public(value: Any) -> list[str]:
    return [name for name in dir(value) if not name.startswith("_")]


class Registry:
    """The registered implementations of one kind.

    Args:
        kind: what they are in the plural, ``strategies``; also the entry-point group
            ``archloom.strategies`` that plug-ins use.
        builtins: name to import path.
    """

    def __init__(self, kind: str, builtins: Mapping[str, str]):
        self.kind = kind
        self._builtins = dict(builtins)

    def names(self) -> list[str]:
        """All names, built-in and from plug-ins, sorted."""
        return sorted(self._builtins | self._plugins())

    def get(self, name: str) -> Any:
        """Return what is registered under ``name``, or what the import path ``module:attribute`` holds.

        Raises:
            UnknownNameError: nothing is; the message names the nearest.
        """
        if ":" in name:
            return import_path(name)
        path = self._builtins.get(name) or self._plugins().get(name)
        if path is None:
            raise UnknownNameError(
                f"{name!r} is not one of the {self.kind.replace('_', ' ')}{did_you_mean(name, self.names())}"
            )
        return import_path(path)

    def _plugins(self) -> dict[str, str]:
        return {point.name: point.value for point in entry_points(group=f"archloom.{self.kind}")}

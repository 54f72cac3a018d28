# SPDX-License-Identifier: Apache-2.0
"""Names in a study file to classes: built-in names, plug-ins by entry point, import paths.

A registry holds import strings, so that naming something imports nothing else, and a plug-in that is
broken is in nobody's way until it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distributions
from typing import Any, final

from archloom.errors import MissingExtraError, UnknownNameError, did_you_mean

__all__ = ["Plugin", "Registry", "import_path"]

PREFIX = "archloom."


def import_path(path: str) -> Any:
    """Import ``package.module:attribute``.

    >>> import_path("math:sqrt")(9.0)
    3.0

    Raises:
        UnknownNameError: no such module or attribute.
    """
    module_name, _, attribute = path.partition(":")
    names = [*module_name.split("."), *attribute.split(".")]
    if not all(name.isidentifier() for name in names):  # nothing is imported for what can never be found
        raise UnknownNameError(f"an import path reads 'package.module:attribute', got {path!r}")
    try:
        value: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        raise UnknownNameError(f"{path!r}: there is no module {error.name!r} on the import path") from None
    except SystemExit as error:
        raise ImportError(f"{module_name} ends the program when it is imported ({error!r})") from error
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


@final
@dataclass(frozen=True, order=True)
class Plugin:
    """A name that an installed distribution registers by an entry point.

    Args:
        name: the name in a study file.
        path: the import path ``package.module:attribute`` that it stands for, as it was written.
        distribution: who registers it.
    """

    name: str
    path: str
    distribution: str


@final
class Registry:
    """The registered implementations of one kind.

    Plug-ins register names through the entry-point group ``archloom.<kind>``. A built-in name keeps its
    meaning whatever is installed, and a name that two plug-ins register means neither.

    Args:
        kind: what they are in the plural, ``strategies``; also the entry-point group
            ``archloom.strategies`` that plug-ins use.
        builtins: name to import path.
        families: names that stand before a colon, ``optuna`` in ``optuna:TPESampler``, to the import path of
            a function that returns what the rest names.

    Example:
        >>> roots = Registry("roots", {"square": "math:sqrt", "cube": "math:cbrt"})
        >>> roots.names()
        ['cube', 'square']
        >>> roots.get("square")(9.0)
        3.0
    """

    def __init__(self, kind: str, builtins: Mapping[str, str], families: Mapping[str, str] | None = None):
        self.kind = kind
        self._builtins = dict(builtins)
        self._families = dict(families or {})

    def names(self) -> list[str]:
        """All names, built-in and from plug-ins, sorted; nothing is imported."""
        return sorted({*self._builtins, *(p.name for p in self.plugins() if _is_name(p.name))})

    def get(self, name: str) -> Any:
        """Return what is registered under ``name``, or what the import path ``module:attribute`` holds.

        Raises:
            UnknownNameError: nothing is (the message names the nearest), two plug-ins are, or the plug-in
                cannot be imported; the message names its distribution, its entry point and the reason.
            MissingExtraError: the plug-in needs a library that is not installed.
        """
        if self.is_of_family(name):
            family, _, member = name.partition(":")
            return import_path(self._families[family])(member)
        if ":" in name:
            return import_path(name)
        if name in self._builtins:
            return import_path(self._builtins[name])
        found = [plugin for plugin in self.plugins() if plugin.name == name]
        if not found:
            raise UnknownNameError(
                f"{name!r} is not one of the {self._words}{did_you_mean(name, self.names())}"
            )
        if len(found) > 1:
            raise UnknownNameError(_clash(name, found))
        return self._load(found[0])

    def is_of_family(self, name: str) -> bool:
        """Whether a name with a colon is one of ours, and no import path."""
        family, _, member = name.partition(":")
        return bool(member) and family in self._families

    def plugins(self) -> list[Plugin]:
        """The plug-ins of this kind, sound or not, sorted by name; nothing is imported."""
        return _installed().get(PREFIX + self.kind, [])

    def problems(self) -> dict[str, str]:
        """Import every plug-in; return the names of those that cannot be used, each with the reason."""
        reasons: dict[str, str] = {}
        for plugin in self.plugins():
            reason = self._problem(plugin)
            if reason:
                reasons[plugin.name] = reason
        return reasons

    @property
    def _words(self) -> str:
        return self.kind.replace("_", " ")

    def _problem(self, plugin: Plugin) -> str:
        """Say why a plug-in cannot be used, or return an empty string."""
        who = f"the plug-in of {plugin.distribution} ({plugin.path})"
        if not _is_name(plugin.name):
            return f"{who} needs a name without ':', got {plugin.name!r}"
        if plugin.name in self._builtins:
            return f"{plugin.name!r} is built in, so {who} is ignored: ask for it by its import path"
        try:
            self.get(plugin.name)
        except (UnknownNameError, MissingExtraError) as error:
            return str(error)
        return ""

    def _load(self, plugin: Plugin) -> Any:
        where = (
            f"the plug-in {plugin.name!r} of {plugin.distribution} "
            f"(entry point {PREFIX}{self.kind}: {plugin.name} = {plugin.path})"
        )
        try:
            return import_path(plugin.path)
        except MissingExtraError as error:
            raise MissingExtraError(f"{where}: {error}") from error
        except (
            Exception,
            SystemExit,
        ) as error:  # a stranger's module, which may do anything as it is imported
            reason = " ".join(str(error).split())
            kind = "" if isinstance(error, UnknownNameError) else f"{type(error).__name__}: "
            raise UnknownNameError(f"{where} cannot be imported: {kind}{reason}") from error


def _is_name(name: str) -> bool:
    """Whether a name can be asked for: what holds a colon is read as an import path."""
    return bool(name) and ":" not in name


def _clash(name: str, plugins: list[Plugin]) -> str:
    listed = " and ".join(f"{plugin.distribution} ({plugin.path})" for plugin in plugins)
    return f"{len(plugins)} plug-ins are named {name!r}, from {listed}: uninstall one, or name an import path"


@cache
def _installed() -> dict[str, list[Plugin]]:
    """Read the plug-ins of all kinds, by entry-point group, once: it takes milliseconds.

    ``importlib.metadata.entry_points`` would fail for all where one file is malformed.
    """
    found: dict[str, set[Plugin]] = {}
    known: set[str] = set()
    for distribution in distributions():
        text = _entry_points(distribution)
        if PREFIX not in text:
            continue
        metadata = distribution.metadata
        name = str(metadata["Name"]) if metadata and "Name" in metadata else "a distribution without a name"
        if name not in known:  # the first on the path is the one that is imported
            for group, plugin in _parsed(text, name):
                found.setdefault(group, set()).add(plugin)
        known.add(name)
    return {group: sorted(plugins) for group, plugins in found.items()}


def _entry_points(distribution: Distribution) -> str:
    try:
        return distribution.read_text("entry_points.txt") or ""
    except (OSError, UnicodeDecodeError):  # nobody can say whom it concerns
        return ""


def _parsed(text: str, distribution: str) -> Iterator[tuple[str, Plugin]]:
    """Yield group and plug-in of each line ``name = path``; a line without ``=`` has an empty path."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[] ")
        elif line and not line.startswith(("#", ";")) and group.startswith(PREFIX):
            name, _, path = line.partition("=")
            yield group, Plugin(name.strip(), path.partition("[")[0].strip(), distribution)

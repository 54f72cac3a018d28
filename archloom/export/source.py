# SPDX-License-Identifier: Apache-2.0
"""Gathering the source that classes need: definitions to copy and imports to write.

What comes from archloom or from the user's own files is copied with everything it uses, found
statically by name; what comes from the standard library or from installed packages is imported.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from archloom.errors import ArchloomError
from archloom.export.scope import Scope, bound_name, globals_of, is_builtin, is_copied

__all__ = ["Sources"]


@dataclass
class Sources:
    """Names bound in the file to be written.

    Args:
        definitions: name to copied text, in an order in which the file can be run.
        origins: every bound name to where it came from, so that no two things share one.
        plain_imports: modules for ``import x``, with ``as`` where there is one.
        from_imports: module to the names for ``from x import ...``.
        placed: modules already written, by identity, and their paths.
    """

    definitions: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    plain_imports: set[str] = field(default_factory=set)
    from_imports: dict[str, set[str]] = field(default_factory=dict)
    placed: dict[int, str] = field(default_factory=dict)

    def reserve(self, name: str) -> None:
        """Keep a name for the file's own functions."""
        self.origins[name] = f"the exported file's own {name}"

    def refer(self, value: Any) -> str:
        """Return how the file names a class or a function, after copying or importing it.

        Raises:
            ArchloomError: it has no name that can be found again, or its name is taken.
        """
        public = _public(value)
        if public is not None:
            root, _, last = public.rpartition(".")
            if root:
                self._import_from(root, last, last)
            else:
                self.import_module(last)
            return f"{last}.{value.__name__}"
        module, name = value.__module__, value.__qualname__
        if "<lambda>" in name:
            raise ArchloomError(
                "a lambda has no name to be exported under: use a function at the top of a file"
            )
        if "." in name:
            raise ArchloomError(f"{name} is not defined at the top of a file: move it there to export it")
        if getattr(importlib.import_module(module), name, None) is not value:
            raise ArchloomError(
                f"{module} has no {name} by that name: a class made at run time has no source"
            )
        if not is_copied(module):
            self._import_from(module, name, name)
            return str(name)
        return self._copy(module, name)

    @property
    def copies_archloom(self) -> bool:
        """Whether any of the copied code is archloom's."""
        return any(self.origins[name].startswith("archloom.") for name in self.definitions)

    def import_name(self, module: str, name: str) -> str:
        """Import ``name`` from ``module`` in the file."""
        self._import_from(module, name, name)
        return name

    def import_module(self, module: str) -> str:
        """Import a module in the file."""
        self._bind(module.partition(".")[0], module.partition(".")[0])
        self.plain_imports.add(module)
        return module

    def packages(self) -> list[str]:
        """Return the installed packages that the file imports, sorted."""
        modules = [*self.plain_imports, *self.from_imports]
        roots = {module.partition(" ")[0].partition(".")[0] for module in modules}
        return sorted(roots - set(sys.stdlib_module_names))

    def import_lines(self) -> str:
        """Return the import statements, the standard library's first."""
        statements = [(name.partition(" ")[0], f"import {name}") for name in self.plain_imports]
        for module, names in self.from_imports.items():
            statements.append((module, _from_import(module, sorted(names))))
        groups: tuple[list[str], list[str]] = ([], [])
        for module, statement in sorted(statements, key=lambda pair: (pair[1].startswith("from"), pair[1])):
            groups[module.partition(".")[0] not in sys.stdlib_module_names].append(statement)
        return "\n\n".join("\n".join(group) for group in groups if group)

    def _bind(self, name: str, origin: str) -> bool:
        """Bind a name; return whether it is new."""
        known = self.origins.setdefault(name, origin)
        if known != origin:
            raise ArchloomError(
                f"one file can hold only one {name!r}, but it would come from {known} and from {origin}: "
                "rename one"
            )
        return name not in self.definitions

    def _import_from(self, module: str, name: str, alias: str) -> None:
        self._bind(alias, f"{module}.{name}")
        self.from_imports.setdefault(module, set()).add(name if name == alias else f"{name} as {alias}")

    def _copy(self, module: str, name: str) -> str:
        """Copy a top-level definition and all it uses; return its name."""
        scope = Scope.of(module)
        origin = f"{module}.{name}"
        statement = scope.bindings.get(name)
        if statement is None:
            raise ArchloomError(
                f"{origin} has no definition at the top of {scope.path}, so its source cannot be copied"
            )
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return self._follow(scope, statement, name)
        if self.origins.get(name) == origin or not self._bind(name, origin):
            return name
        text = scope.text(statement)
        for used in globals_of(text, origin):
            if used == name or (used not in scope.bindings and is_builtin(used)):
                continue
            if used not in scope.bindings:
                raise ArchloomError(
                    f"{origin} uses {used!r}, which is not defined at the top of {scope.path} by name: "
                    "define it or import it there (not by `import *`)"
                )
            self._copy(module, used)
        self.definitions[name] = text
        return name

    def _follow(self, scope: Scope, statement: ast.Import | ast.ImportFrom, name: str) -> str:
        """Repeat an import, or copy what it brings if that is the user's own."""
        item = next(item for item in statement.names if name == bound_name(item))
        if isinstance(statement, ast.Import):
            return self._follow_module(scope, item, name)
        relative = "." * statement.level + (statement.module or "")
        source = importlib.util.resolve_name(relative, scope.package or None)
        if not is_copied(source):
            self._import_from(source, item.name, name)
            return name
        value = getattr(importlib.import_module(source), item.name, None)
        if isinstance(value, ModuleType) and is_copied(value.__name__):
            raise _whole_module(scope, f"{source}.{item.name}")
        copied = self._copy(source, item.name)
        if copied != name and self._bind(name, f"{source}.{item.name} as {name}"):
            self.definitions[name] = f"{name} = {copied}"
        return name

    def _follow_module(self, scope: Scope, item: ast.alias, name: str) -> str:
        if is_copied(item.name):
            raise _whole_module(scope, item.name)
        if item.asname is None:
            return self.import_module(item.name)
        package, _, last = item.name.rpartition(".")
        if package and last == item.asname:
            self._import_from(package, last, last)
        else:
            self._bind(name, item.name)
            self.plain_imports.add(f"{item.name} as {item.asname}")
        return name


def _public(value: Any) -> str | None:
    """Return where in torch people know the value from, if it is there."""
    for place in ("torch.nn", "torch.nn.functional", "torch"):
        if getattr(importlib.import_module(place), value.__name__, None) is value:
            return place
    return None


def _whole_module(scope: Scope, module: str) -> ArchloomError:
    return ArchloomError(
        f"{scope.path} imports the module {module} as a whole: import the names it needs from it, "
        "so that each can be copied"
    )


def _from_import(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 100:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])

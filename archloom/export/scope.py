# SPDX-License-Identifier: Apache-2.0
"""Reading modules as text: what their top level binds, what a statement uses, and whose they are."""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import inspect
import symtable
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from archloom.errors import ArchloomError

__all__ = ["Scope", "bound_name", "globals_of", "is_builtin", "is_copied"]

_INSTALLED = {"site-packages", "dist-packages"}


@dataclass(frozen=True)
class Scope:
    """The top level of one module.

    Args:
        path: its file.
        package: what its relative imports start from.
        source: its text.
        bindings: name to the last statement that binds it.
    """

    path: str
    package: str
    source: str
    bindings: dict[str, ast.stmt]

    @classmethod
    def of(cls, module: str) -> Scope:
        """Read a module.

        Raises:
            ArchloomError: its source cannot be found.
        """
        loaded = importlib.import_module(module)
        try:
            source = inspect.getsource(loaded)
        except (OSError, TypeError):
            raise ArchloomError(
                f"the source of {module} cannot be read: put the classes to export in a file of their own"
            ) from None
        bindings: dict[str, ast.stmt] = {}
        for statement in ast.parse(source).body:
            _bind_names(statement, bindings)
        return cls(str(loaded.__file__), str(loaded.__package__ or ""), source, bindings)

    def text(self, statement: ast.stmt) -> str:
        """Return a statement's source, decorators included but for PyGlove's."""
        lines = self.source.splitlines()
        decorators = getattr(statement, "decorator_list", [])
        kept = [d for d in decorators if not self._is_symbolic(d)]
        head = [f"@{ast.get_source_segment(self.source, decorator)}" for decorator in kept]
        return "\n".join([*head, *lines[statement.lineno - 1 : statement.end_lineno]])

    def _is_symbolic(self, decorator: ast.expr) -> bool:
        """Whether a decorator only makes a class symbolic, which a plain network does not need."""
        names = [node.id for node in ast.walk(decorator) if isinstance(node, ast.Name)]
        bound = self.bindings.get(names[0]) if names else None
        if isinstance(bound, ast.Import):
            return any(item.name.partition(".")[0] == "pyglove" for item in bound.names)
        return isinstance(bound, ast.ImportFrom) and (bound.module or "").partition(".")[0] == "pyglove"


def is_copied(module: str) -> bool:
    """Whether a module's source is copied: archloom's and the user's own files.

    >>> is_copied("archloom.nn"), is_copied("torch.nn"), is_copied("math")
    (True, False, False)
    """
    root = module.partition(".")[0]
    if root in ("archloom", "__main__"):
        return True
    if root in sys.stdlib_module_names:
        return False
    path = _path_of(module)
    if path is None:
        return False
    standard = Path(sysconfig.get_path("stdlib"))
    return not (_INSTALLED & set(path.parts)) and not path.is_relative_to(standard)


def _path_of(module: str) -> Path | None:
    """Return where a module's code is, importing nothing."""
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded is not None:
        return Path(loaded)
    spec = importlib.util.find_spec(module.partition(".")[0])
    places = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or [])]
    return next((Path(place) for place in places if place), None)


def _bind_names(statement: ast.stmt, bindings: dict[str, ast.stmt]) -> None:
    """Note which names a top-level statement binds; imports also inside ``if`` and ``try``."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        bindings[statement.name] = statement
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for node in (node for target in targets for node in ast.walk(target)):
            if isinstance(node, ast.Name):
                bindings[node.id] = statement
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for item in statement.names:
            bindings[bound_name(item)] = statement
    elif isinstance(statement, ast.If | ast.Try):
        for inner in statement.body:
            if isinstance(inner, ast.Import | ast.ImportFrom):
                _bind_names(inner, bindings)


def bound_name(item: ast.alias) -> str:
    """Return the name that one item of an import binds."""
    return item.asname or item.name.partition(".")[0]


def globals_of(text: str, origin: str) -> list[str]:
    """Return the global names that a statement uses, in order of the alphabet.

    Raises:
        ArchloomError: it imports something that would have to be copied, inside its body.
    """
    for node in ast.walk(ast.parse(text)):
        inner = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        names = [item.name for item in node.names] if isinstance(node, ast.Import) else [inner]
        if isinstance(node, ast.ImportFrom) and node.level:
            raise ArchloomError(f"{origin} imports relatively inside its body: import at the top of the file")
        for name in filter(None, names):
            if is_copied(name):
                raise ArchloomError(f"{origin} imports {name} inside its body: import at the top of the file")
    found: set[str] = set()
    tables = [symtable.symtable(text, origin, "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        found |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return sorted(found)


def is_builtin(name: str) -> bool:
    """Whether a name needs no definition."""
    return hasattr(builtins, name) or name in ("__name__", "__file__", "__doc__")

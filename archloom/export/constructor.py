# SPDX-License-Identifier: Apache-2.0
"""Writing a module tree back as the constructor calls that make it.

The rule (scikit-learn's): every parameter of ``__init__`` is kept as the attribute of that name. (Of a
class that a space calls itself, ``{call: my.net:MyNet}``, the arguments are known anyway.)
Modules among them are written as calls in turn, a ``ModuleList`` as a list.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Iterator, Mapping
from inspect import Parameter
from typing import Any

import torch
from torch import Tensor, nn

from archloom.errors import ArchloomError
from archloom.export.layout import Group, Node, call, flat, items
from archloom.export.scope import is_copied
from archloom.export.source import Sources
from archloom.search_spaces.arguments import arguments_of

__all__ = ["constructor"]

RULE = "every parameter of __init__ must be kept as the attribute of the same name"
_SQUARE = ("torch.nn.modules.conv", "torch.nn.modules.pooling")
"""Where a size that is the same on every side may be written as one number."""

_MISSING = object()
_NAMED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def constructor(module: nn.Module, sources: Sources, path: str = "") -> Node:
    """Return the call that makes ``module``, noting in ``sources`` the classes it names.

    >>> flat(constructor(nn.Conv2d(3, 8, 3, padding=1, bias=False), Sources()))
    'nn.Conv2d(3, 8, 3, padding=1, bias=False)'

    Raises:
        ArchloomError: a module that cannot be written so; the message names its path and the rule.
    """
    kind = _written_class(type(module))
    try:
        _refuse_twice(module, sources, path)
        _refuse_hooks(module)
        name = sources.refer(kind)
        if kind.__init__ is nn.Sequential.__init__:
            return _sequential(module, name, sources, path)
        if kind in (nn.ModuleList, nn.ModuleDict):
            return call(name, [_value(module, sources, path)], [])
        return _call(module, kind, name, sources, path)
    except ArchloomError as error:
        if hasattr(error, "module_path"):
            raise
        where = f"{path} ({kind.__name__})" if path else f"the network ({kind.__name__})"
        located = ArchloomError(f"{where} cannot be exported: {error}")
        located.module_path = path  # type: ignore[attr-defined]
        raise located from error


def _written_class(kind: type[nn.Module]) -> type[nn.Module]:
    """Return the class to name: the wrapped one, where ``pg.symbolize(nn.Linear)`` made one on the fly."""
    name = (kind.__module__, kind.__qualname__)
    known = getattr(sys.modules.get(kind.__module__), kind.__name__, None)
    wrapped = [
        base for base in kind.__mro__ if base is known and (base.__module__, base.__qualname__) == name
    ]
    return wrapped[0] if wrapped else kind


def _refuse_twice(module: nn.Module, sources: Sources, path: str) -> None:
    """Refuse a module in two places: written as two calls, it would be two modules."""
    first = sources.placed.setdefault(id(module), path)
    if first != path:
        raise ArchloomError(f"it is the same module as {first}; make one for each place")


def _refuse_hooks(module: nn.Module) -> None:
    """Refuse what works from outside the class: its source would not show it."""
    for name in ("_forward_hooks", "_forward_pre_hooks"):
        if getattr(module, name):
            raise ArchloomError("it has forward hooks, which its source does not show: remove them first")
    if "forward" in vars(module):
        raise ArchloomError("its forward was replaced on the instance, which its source does not show")


def _call(module: nn.Module, kind: type[nn.Module], name: str, sources: Sources, path: str) -> Node:
    positional: list[Node] = []
    keywords: list[tuple[str, Node]] = []
    parameters = _parameters(kind)
    has_rest = any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in parameters)
    for parameter in parameters:
        if not _is_written(module, kind, parameter):
            continue
        where = f"{path}.{parameter.name}" if path else parameter.name
        value = _kept(module, parameter.name)
        if parameter.kind is Parameter.VAR_POSITIONAL:
            positional += [_value(item, sources, f"{where}.{i}") for i, item in enumerate(value)]
        elif parameter.kind is Parameter.VAR_KEYWORD:
            keywords += [(key, _value(item, sources, where)) for key, item in value.items()]
        else:
            node = _argument(parameter, value, kind, sources, where)
            if _is_positional(parameter, node, is_first=not keywords, has_rest=has_rest):
                positional.append(node)
            elif parameter.default is Parameter.empty or flat(node) != _default(parameter):
                keywords.append((parameter.name, node))
    return call(name, positional, keywords)


def _parameters(kind: type[nn.Module]) -> list[Parameter]:
    return list(inspect.signature(kind.__init__).parameters.values())[1:]


def _is_written(module: nn.Module, kind: type[nn.Module], parameter: Parameter) -> bool:
    """Whether the parameter was kept; where it was not, the class must be able to do without."""
    if parameter.name == "bias" and (_is_off(module, "affine") or _is_off(module, "elementwise_affine")):
        return False
    if _kept(module, parameter.name) is not _MISSING:
        return True
    is_optional = parameter.default is not Parameter.empty or parameter.kind in (
        Parameter.VAR_POSITIONAL,
        Parameter.VAR_KEYWORD,
    )
    author = next(base for base in kind.__mro__ if "__init__" in vars(base))
    if is_optional and not is_copied(author.__module__):
        return False
    lost = [p.name for p in _parameters(kind) if p.kind in _NAMED and _kept(module, p.name) is _MISSING]
    advice = "; ".join(f"self.{name} = {name}" for name in lost)
    raise ArchloomError(f"{RULE}, but {kind.__name__} keeps no {parameter.name!r}: write {advice}")


def _is_off(module: nn.Module, flag: str) -> bool:
    return getattr(module, flag, None) is False


def _kept(module: nn.Module, name: str) -> Any:
    """Return the attribute of that name, or the argument that was noted when the module was made."""
    noted = getattr(module, "sym_init_args", None) or arguments_of(module)
    return getattr(module, name, noted.get(name, _MISSING))


def _is_positional(parameter: Parameter, node: Node, *, is_first: bool, has_rest: bool) -> bool:
    """Whether to leave out the keyword: leading plain values, and where Python demands it."""
    if parameter.kind is Parameter.KEYWORD_ONLY:
        return False
    if parameter.kind is Parameter.POSITIONAL_ONLY or has_rest:
        return True
    return is_first and parameter.default is Parameter.empty and isinstance(node, str)


def _argument(parameter: Parameter, value: Any, kind: type[nn.Module], sources: Sources, path: str) -> Node:
    """Write one argument; ``bias=True`` leaves a parameter behind and ``bias=False`` None."""
    is_flag = isinstance(parameter.default, bool) or parameter.annotation in (bool, "bool")
    if is_flag and (value is None or isinstance(value, Tensor)):
        return str(value is not None)
    if kind.__module__ in _SQUARE and isinstance(value, tuple) and value and len(set(value)) == 1:
        value = value[0]
    return _value(value, sources, path)


def _default(parameter: Parameter) -> str | None:
    """Spell a plain default; ``None`` for any other, which is then written out."""
    try:
        return flat(_value(parameter.default, Sources(), ""))
    except ArchloomError:
        return None


def _value(value: Any, sources: Sources, path: str) -> Node:
    """Write a value: a module, a plain value, or a container of them."""
    if isinstance(value, nn.ModuleList):
        return items([constructor(child, sources, f"{path}.{i}") for i, child in enumerate(value)])
    if isinstance(value, nn.ModuleDict):
        children = [(key, constructor(child, sources, f"{path}.{key}")) for key, child in value.items()]
        return Group("{", tuple((f"{_quoted(key)}: ", child) for key, child in children), "}")
    if isinstance(value, nn.Module):
        return constructor(value, sources, path)
    if isinstance(value, list):
        return items([_value(item, sources, path) for item in value])
    if isinstance(value, tuple):
        return flat(Group("(", tuple(("", _value(item, sources, path)) for item in value), ")"))
    if isinstance(value, Mapping):
        pairs = [
            (f"{_scalar(key, sources, path)}: ", _value(item, sources, path)) for key, item in value.items()
        ]
        return Group("{", tuple(pairs), "}")
    return _scalar(value, sources, path)


def _scalar(value: Any, sources: Sources, path: str) -> str:
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, int):
        return repr(int(value))
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else f'float("{value}")'
    if isinstance(value, str):
        return _quoted(str.__str__(value))
    if isinstance(value, torch.dtype):
        sources.import_module("torch")
        return str(value)
    if inspect.isclass(value) or inspect.isroutine(value):
        return sources.refer(value)
    raise ArchloomError(
        f"{path} holds {value!r} of type {type(value).__name__}; a constructor argument is a module, "
        "a number, a string, None, a list, tuple or dict of these, or a named function or class"
    )


def _quoted(text: str) -> str:
    """Spell a string in double quotes where that needs no escape."""
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in text else plain


def _sequential(module: nn.Module, name: str, sources: Sources, path: str) -> Node:
    """Write an ``nn.Sequential``, whose children are its arguments."""
    children = dict(_children(module, sources, path))
    if list(children) == [str(i) for i in range(len(children))]:
        return Group(f"{name}(", items(list(children.values())).parts, ")")
    ordered = sources.import_name("collections", "OrderedDict")
    pairs: list[Node] = [Group("(", (("", _quoted(key)), ("", node)), ")") for key, node in children.items()]
    return call(name, [call(ordered, [items(pairs)], [])], [])


def _children(module: nn.Module, sources: Sources, path: str) -> Iterator[tuple[str, Node]]:
    # not named_children(), which passes over a module that it has seen.
    for key, child in module._modules.items():
        if child is not None:
            yield key, constructor(child, sources, f"{path}.{key}" if path else key)

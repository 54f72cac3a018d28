# SPDX-License-Identifier: Apache-2.0
"""The reference page of the Python API: public names, signatures, docstrings.

Code stands in blocks of plain text: a formatter of Markdown would rewrite what is marked as Python.
"""

from __future__ import annotations

import collections.abc
import enum
import importlib
import inspect
import re
import types
from collections.abc import Iterator
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

FACES = (
    "archloom",
    "archloom.contracts",
    "archloom.search_spaces",
    "archloom.search_spaces.blueprints",
    "archloom.search_spaces.sketch",
    "archloom.strategies",
    "archloom.evaluators",
    "archloom.evaluators.supernet",
    "archloom.predictors",
    "archloom.executors",
    "archloom.nn",
    "archloom.store",
    "archloom.bench",
    "archloom.retraining",
    "archloom.export",
    "archloom.report",
    "archloom.config",
    "archloom.registry",
    "archloom.errors",
    "archloom.testing.evaluators",
    "archloom.testing.spaces",
    "archloom.testing.stores",
    "archloom.testing.strategies",
)
WIDTH = 110
SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Example|Examples|Class attributes):$")
ENTRY = re.compile(r"^ {4}([*\w. ,`]+): (.*)$")


def python_page() -> Iterator[str]:
    """A chapter a package, a section a public name; a name is explained where it is met first."""
    yield "# The Python API"
    yield (
        "Everything that a package lists in `__all__`. What is not here may change. Each name is loaded "
        "on first use: `import archloom` alone loads no torch."
    )
    known: dict[int, str] = {}
    for face in FACES:
        module = importlib.import_module(face)
        yield f"## {face}"
        yield markdown(module.__doc__ or "")
        for name in sorted(module.__all__):
            yield from _entry(f"{face}.{name}", getattr(module, name), known)


def _entry(path: str, value: Any, known: dict[int, str]) -> Iterator[str]:
    yield f"### `{path}`"
    if id(value) in known:
        yield f"The same as `{known[id(value)]}`."
        return
    if inspect.isclass(value) or inspect.isfunction(value):
        known[id(value)] = path
        yield from _described(path.rpartition(".")[2], value)
        if inspect.isclass(value):
            for name, member in sorted(_members(value)):
                yield f"#### `{path}.{name}`"
                yield from _described(name, member)
    elif get_origin(value) is Literal:
        yield f"One of {', '.join(f'`{word}`' for word in get_args(value))}."
    else:
        yield f"A constant of the type `{type(value).__name__}`."


def _described(name: str, value: Any) -> Iterator[str]:
    """Yield the signature and the docstring of a class, a function or a property."""
    if inspect.isclass(value) and issubclass(value, enum.Enum):
        yield ", ".join(f"`{member.name}`" for member in value) + "."
    elif shown := _signature(name, value):
        yield f"```text\n{shown}\n```"
    doc = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    if doc:
        yield markdown(doc)


def _members(owner: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties that a class of ours writes itself."""
    for name, member in vars(owner).items():
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if not name.startswith("_") and (inspect.isfunction(plain) or isinstance(plain, property)):
            yield name, plain


def _signature(name: str, value: Any) -> str:
    """Write a call, over several lines where one is too short; empty where there is none."""
    if isinstance(value, property):
        shown = _annotation(value.fget.__annotations__.get("return")) if value.fget else ""
        return f"{name}: {shown}" if shown else ""
    if inspect.isclass(value) and (issubclass(value, BaseException) or getattr(value, "_is_protocol", False)):
        return ""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    parts: list[str] = []
    is_keyword = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not is_keyword:
            parts.append("*")
            is_keyword = True
        is_keyword = is_keyword or parameter.kind is parameter.VAR_POSITIONAL
        parts.append(_parameter(parameter))
    returns = "" if inspect.isclass(value) else _annotation(signature.return_annotation)
    end = f") -> {returns}" if returns else ")"
    line = f"{name}({', '.join(parts)}{end}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), end])


def _parameter(parameter: inspect.Parameter) -> str:
    stars = "*" * (1 + (parameter.kind is parameter.VAR_KEYWORD)) if _is_rest(parameter) else ""
    annotation = _annotation(parameter.annotation)
    shown = f"{stars}{parameter.name}" + (f": {annotation}" if annotation else "")
    if parameter.default is parameter.empty:
        return shown
    default = repr(parameter.default)
    return f"{shown} = {'...' if default.startswith('<') or ' at 0x' in default else default}"


def _is_rest(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _annotation(annotation: Any) -> str:
    if annotation in (inspect.Parameter.empty, None):
        return ""
    if isinstance(annotation, ForwardRef):  # a field of a named tuple
        annotation = annotation.__forward_arg__
    text = annotation if isinstance(annotation, str) else _written(annotation)
    return re.sub(r"\b(?:typing|collections\.abc|pyglove\.core\.[\w.]+)\.", "", text)


def _written(annotation: Any) -> str:
    """Write a type as a module would that imports its parts; Pythons differ in how they write a union."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " | ".join(_written(one) for one in inner)
    if origin in (list, dict, tuple, collections.abc.Sequence, collections.abc.Mapping):
        return f"{origin.__name__}[{', '.join(_written(one) for one in inner)}]"
    if inspect.isclass(annotation) and annotation.__module__.startswith("archloom."):
        return annotation.__qualname__
    return inspect.formatannotation(annotation) if annotation is not types.NoneType else "None"


def markdown(doc: str) -> str:
    """Turn a docstring into Markdown: sections, lists of arguments, examples, literal blocks."""
    out: list[str] = []
    section, fence = "", ""
    for line in [*inspect.cleandoc(doc).splitlines(), ""]:
        if fence and (
            not line.strip() if fence == "example" else line.strip() and not line.startswith("    ")
        ):
            out.append("```")
            fence = ""
        if fence:
            out.append(line.strip() if fence == "example" else line[4:])
        elif line.strip().startswith(">>>"):
            fence = "example"
            out += ["", "```text", line.strip()]
        elif line.endswith("::"):
            fence = "literal"
            out += [_line(line[:-1], "") if line != "::" else "", "", "```text"]
        elif found := SECTION.match(line):
            section = found[1]
            out += [f"**{section}**", ""]
        else:
            section = section if not line.strip() or line.startswith(" ") else ""
            out.append(_line(line, section))
    if fence:
        out.append("```")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip()


def _line(line: str, section: str) -> str:
    """Write one line of prose; those of a section as a list."""
    line = line.replace("``", "`")
    if not section:
        return line
    if entry := ENTRY.match(line):
        return f"- `{entry[1].strip('`')}`: {entry[2]}"
    return f"  {line.strip()}".rstrip()

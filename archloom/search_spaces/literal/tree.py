# SPDX-License-Identifier: Apache-2.0
"""``read_tree``: a search space written as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from archloom.search_spaces.literal.covering import Version, covering
from archloom.search_spaces.literal.maker import Maker
from archloom.search_spaces.literal.mistakes import KeyPath, Mistakes
from archloom.search_spaces.literal.nodes import Choice, Node, Range, walk
from archloom.search_spaces.literal.origin import origin
from archloom.search_spaces.literal.reader import Reader, Spot
from archloom.search_spaces.literal.text import Speller

__all__ = ["Tree", "read_tree", "read_values"]


@final
class Tree:
    """A literal tree that has been read.

    Args:
        root: its nodes.
        template: the PyGlove value that ``SearchSpace`` compiles.
    """

    def __init__(self, root: Node, template: Any):
        self.root = root
        self.template = template
        self.spell = Speller(root)
        """Maps choices to one line for people: ``SearchSpace(tree.template, text=tree.spell)``."""

    @property
    def has_decisions(self) -> bool:
        """Whether anything in it is left to choose."""
        return any(isinstance(node, Choice | Range) for node in walk(self.root))

    def versions(self) -> list[Version]:
        """Return concrete versions that cover every candidate, each with where its values were written.

        For trees of plain values (``read_values``).
        """
        return covering(self.root)

    def origin(self, architecture: Any, path: str) -> KeyPath:
        """Return where a part of a decoded architecture was written.

        Args:
            architecture: a point of the space of ``template``; of it only ``choices`` is read.
            path: a symbolic path in its value, ``layers[2].kernel_size``; empty for the whole.

        Returns:
            Keys and indices in the data, through the chosen candidates: ``("layers", 2, "oneof", 0,
            "kernel_size")``. What comes from a part lies under ``("parts", name)``.
        """
        return origin(self.root, architecture.choices, path)


def read_tree(data: Any, *, parts: Mapping[str, Any] | None = None) -> Tree:
    """Read a search space from plain data (what YAML or JSON gives).

    The words are PyGlove's::

        {oneof: [a, b]}                             one of the candidates; any node, with decisions of its own
        {manyof: [a, b, c], k: 2}                   several; distinct: true, sorted: false unless said
        {permutate: [a, b, c]}                      all, in some order
        {floatv: [0.001, 0.1], scale: log}          a number; linear, log or rlog
        {name: conv, width: 32}                     a blueprint by its registered name or import path
        {call: "my.net:MyNet", args: {width: 32}}   a plain module class or function; out: its output width
        {import: "torch.nn:ReLU"}                   the class, function or constant itself, as an argument
        {repeat: 3, of: a}                          in a list: three copies, each with decisions of its own
        {repeat: {oneof: [1, 2]}, of: a}            how many is a decision, too
        {part: block, width: 32}                    a copy of a named part, some fields overridden
        {reference: "layers[0].width"}              whatever that field is

    Any other mapping is a mapping, any list a list, and scalars are themselves: the string ``conv_3x3`` names
    an operation where a network is built of it. A blueprint and a call are called as candidates by what they
    are; two that differ only in their decisions need a ``label: wide`` beside the name.

    Args:
        data: the tree.
        parts: name to tree, for ``{part: name}``; parts may use parts.

    Raises:
        LiteralError: all that is wrong, each with the keys that lead to it; at most 20,000 nodes and 100
            levels are read.

    >>> from archloom.search_spaces import SearchSpace
    >>> tree = read_tree({"depth": {"oneof": [1, 2]}, "rate": {"floatv": [0.0, 0.5]}})
    >>> [decision.name for decision in SearchSpace(tree.template).decisions]
    ['depth', 'rate']
    """
    return _read(data, parts or {}, has_blueprints=True)


def read_values(data: Any) -> Tree:
    """Read plain data in which only ``oneof``, ``manyof``, ``permutate`` and ``floatv`` are special.

    For options whose own keys may be called ``name`` or ``repeat``.

    Raises:
        LiteralError: as ``read_tree``.
    """
    return _read(data, {}, has_blueprints=False)


def _read(data: Any, parts: Mapping[str, Any], *, has_blueprints: bool) -> Tree:
    mistakes = Mistakes()
    spots = {str(name): Spot(part, ("parts", str(name))) for name, part in parts.items()}
    reader = Reader(spots, mistakes, has_blueprints=has_blueprints)
    root = reader.node(data, ())
    reader.check_parts()
    template = Maker(mistakes).template(root)
    mistakes.check()
    return Tree(root, template)

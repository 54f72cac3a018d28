# SPDX-License-Identifier: Apache-2.0
"""The space of NASNet cells, which of them are the same, and the one that was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import pyglove as pg

from archloom.errors import ConfigError, UnknownNameError, did_you_mean
from archloom.search_spaces.nasnet.network import COMBINES, Block, NasNet, NasNetCell, state_names
from archloom.search_spaces.operations import NASNET, OPERATIONS
from archloom.search_spaces.space import SearchSpace

__all__ = ["NASNET_A", "canonical_blocks", "nasnet"]

_CELLS = ("normal", "reduction")
_FIELDS = ("source_0", "op_0", "source_1", "op_1", "combine")

Blocks: TypeAlias = Iterable[Sequence[str]]
"""The blocks of a cell, each as (source, operation, source, operation, combine)."""


def nasnet(
    *,
    blocks: int = 5,
    operations: Sequence[str] | None = None,
    combines: Sequence[str] = COMBINES,
    channels: int = 16,
    n_cells: int = 1,
    keep_path: float = 1.0,
) -> SearchSpace:
    """Make the search space of NASNet: a normal and a reduction cell, stacked into a network.

    Zoph, Vasudevan, Shlens and Le, "Learning transferable architectures for scalable image recognition", CVPR
    2018, arXiv:1707.07012.

    Block ``i`` of a cell makes five decisions: which two of the cell's two inputs and of the ``i`` blocks
    before it are read, which operation is applied to each, and whether the results are added or put side by
    side. With five blocks that is 50 decisions. Blocks that no other reads are the cell's output, side by
    side. (The released NASNet-A is not wholly of this form: its cells put one more state into their output
    although it is read.) Operations bring what they read to the cell's width, pooling and skip connections by
    a 1x1 convolution, and take stride 2 on the inputs of a reduction cell. There are
    ``prod_i (n_combines * (n_operations * (i + 2))^2)`` cells of either kind. Architectures that differ only
    in the order of the two halves of a block share a key.

    Args:
        blocks: blocks of either cell.
        operations: names of the operations to choose from; ``None`` for NASNet's thirteen.
        combines: how two results may become one: ``add``, ``concat`` or both.
        channels: channels of an operation in the first of three stages.
        n_cells: normal cells a stage (the paper: 2 in its search, 6 in its final networks for CIFAR); a
            reduction cell is between two stages.
        keep_path: below 1, operations other than skip connections are dropped while a network is trained, by
            the paper's schedule: at its end the last cell keeps each for this share of the examples, earlier
            cells for more. 1 drops nothing; the paper took 0.6 for CIFAR.

    Raises:
        ConfigError: a count below 1, no operation, no way to combine, or a ``keep_path`` that is not above 0
            and at most 1.
        UnknownNameError: an operation, or a way to combine, that does not exist.

    >>> space = nasnet(blocks=1, operations=["skip_connect", "sep_conv_3x3"])
    >>> space.size, len(space.decisions)
    (1024, 10)
    >>> space.architecture(space.at([1023])).text.partition("; ")[0]
    'normal: block_0 = concat(sep_conv_3x3(input_1), sep_conv_3x3(input_1))'
    """
    names = list(NASNET if operations is None else operations)
    if blocks < 1 or channels < 1 or n_cells < 1 or not names or not combines:
        raise ConfigError(
            "nasnet needs blocks >= 1, channels >= 1, n_cells >= 1, at least one operation and one way to "
            f"combine, got blocks={blocks}, channels={channels}, n_cells={n_cells}, operations={names}, "
            f"combines={list(combines)}"
        )
    if not 0 < keep_path <= 1:
        raise ConfigError(f"nasnet needs 0 < keep_path <= 1, got keep_path={keep_path}")
    for name in names:
        OPERATIONS.get(name)
    for name in combines:
        if name not in COMBINES:
            raise UnknownNameError(
                f"two results are combined by {' or '.join(COMBINES)}, not by {name!r}"
                f"{did_you_mean(name, COMBINES)}"
            )
    cells = {cell: NasNetCell(_choices_of_cell(blocks, names, list(combines))) for cell in _CELLS}
    template = NasNet(**cells, channels=channels, n_cells=n_cells, keep_path=float(keep_path))

    def canonical(choices: Mapping[str, str | float]) -> str:
        return "; ".join(canonical_blocks(_read(choices, cell, blocks)) for cell in _CELLS)

    def text(choices: Mapping[str, str | float]) -> str:
        return "; ".join(f"{cell}: {_spell(_read(choices, cell, blocks))}" for cell in _CELLS)

    return SearchSpace(template, canonical=canonical, text=text)


def canonical_blocks(blocks: Blocks) -> str:
    """Return a string that two cells share when they differ in the order of halves of blocks only.

    Both ways to combine allow it: whatever reads two results side by side is fully connected to them. Blocks
    are not renumbered.

    Args:
        blocks: each as (source, operation, source, operation, combine).

    >>> halves = ["input_0", "a", "input_1", "b", "add"], ["input_1", "b", "input_0", "a", "add"]
    >>> canonical_blocks([halves[0]]) == canonical_blocks([halves[1]])
    True
    """
    ordered = []
    for source_0, op_0, source_1, op_1, combine in blocks:
        first, second = sorted([(source_0, op_0), (source_1, op_1)])
        ordered.append((*first, *second, combine))
    return _spell(ordered)


def _choices_of_cell(n_blocks: int, operations: list[str], combines: list[str]) -> list[Any]:
    blocks = []
    for index in range(n_blocks):
        states = state_names(index + 2)
        halves = [pg.oneof(states), pg.oneof(operations), pg.oneof(states), pg.oneof(operations)]
        blocks.append(Block(*halves, pg.oneof(combines)))
    return blocks


def _read(choices: Mapping[str, str | float], cell: str, n_blocks: int) -> list[list[str]]:
    """Read the blocks of a cell from the choices of an architecture."""
    return [[str(choices[f"{cell}.blocks[{i}].{field}"]) for field in _FIELDS] for i in range(n_blocks)]


def _spell(blocks: Blocks) -> str:
    """Spell blocks as ``block_0 = add(a(input_0), b(input_1)), block_1 = ...``."""
    lines = []
    for index, (source_0, op_0, source_1, op_1, combine) in enumerate(blocks):
        lines.append(f"block_{index} = {combine}({op_0}({source_0}), {op_1}({source_1}))")
    return ", ".join(lines)


_FOUND = {
    "normal": (
        ("input_1", "sep_conv_5x5", "input_0", "sep_conv_3x3"),
        ("input_0", "sep_conv_5x5", "input_0", "sep_conv_3x3"),
        ("input_1", "avg_pool_3x3", "input_0", "skip_connect"),
        ("input_0", "avg_pool_3x3", "input_0", "avg_pool_3x3"),
        ("input_1", "sep_conv_3x3", "input_1", "skip_connect"),
    ),
    "reduction": (
        ("input_1", "sep_conv_5x5", "input_0", "sep_conv_7x7"),
        ("input_1", "max_pool_3x3", "input_0", "sep_conv_7x7"),
        ("input_1", "avg_pool_3x3", "input_0", "sep_conv_5x5"),
        ("block_1", "skip_connect", "block_0", "avg_pool_3x3"),
        ("block_0", "sep_conv_3x3", "input_1", "max_pool_3x3"),
    ),
}

NASNET_A: dict[str, str] = {
    f"{cell}.blocks[{index}].{field}": choice
    for cell, found in _FOUND.items()
    for index, block in enumerate(found)
    for field, choice in zip(_FIELDS, (*block, "add"), strict=True)
}
"""The choices that the paper's search found (NASNet-A), for ``nasnet().from_choices``."""

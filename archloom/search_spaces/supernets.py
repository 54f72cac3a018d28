# SPDX-License-Identifier: Apache-2.0
"""A supernet is the space, built before it is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archloom.errors import ArchloomError, SpaceError
from archloom.search_spaces.blueprint import Blueprint, build
from archloom.search_spaces.points import FloatPoint, walk
from archloom.search_spaces.sharing import shared
from archloom.search_spaces.space import SearchSpace

if TYPE_CHECKING:
    from archloom.nn.routed import Supernet

__all__ = ["supernet"]


def supernet(space: SearchSpace, c_in: int, *args: Any, partial_channels: int = 1, **kwargs: Any) -> Supernet:
    """Build every network of a space in one, with shared weights.

    Where an architecture's network has a part that was chosen, the supernet has all of its candidates, and
    ``space.routing(row)`` takes those of the architecture. A width or kernel that a blueprint reads as a
    ``knob`` is one weight, of which smaller networks use a slice. Settings have no part in it.

    Args:
        space: the space; its template is a ``Blueprint``.
        c_in: input width.
        *args: as for ``build``: outputs.
        partial_channels: operations that are chosen see one channel in so many, as in PC-DARTS.
        **kwargs: as for ``build``: ``input_shape``.

    Raises:
        SpaceError: what cannot be shared, with its path: candidates of different widths, a float, too many
            combinations of plain values; or a template that is no blueprint.

    >>> import torch
    >>> from archloom.search_spaces.nasbench201 import nasbench201
    >>> space = nasbench201(channels=4, n_cells=1)
    >>> net = supernet(space, 3, 10)
    >>> row = space.at([1234])
    >>> network = build(space.architecture(row).value, 3, 10)
    >>> net.route(space.routing(row))
    >>> net.hand_on(network)
    >>> x = torch.rand(2, 3, 8, 8)
    >>> bool(torch.equal(net.eval()(x), network.eval()(x)))
    True
    """
    from archloom.nn.routed import Supernet

    template = space.template
    if not isinstance(template.value, Blueprint):
        raise SpaceError(
            "a supernet is built of a Blueprint, whose parts may be chosen; this space's template is a "
            f"{type(template.value).__name__}"
        )
    points = space.network_points
    for point in walk(points):
        if isinstance(point, FloatPoint):
            raise SpaceError(
                f"{point.name} is a number of any size, which weights cannot be shared over: choose among "
                "some values with oneof, or move it to the evaluator's options"
            )
    try:
        with shared(template, points, slabs=space.slabs, partial_channels=partial_channels) as switches:
            network = build(template.value, c_in, *args, **kwargs)
    except ValueError as error:
        raise error if isinstance(error, ArchloomError) else SpaceError(str(error)) from error
    return Supernet(network, switches)

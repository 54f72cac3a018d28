# SPDX-License-Identifier: Apache-2.0
"""Pictures of architectures.

============  ==================================================================
``ordering``  orders of few crossings, places without overlaps
``layers``    graphs in layers: boxes, and ways of edges around them
``plan``      where everything of a sketch stands, in inches
``columns``   long sketches in columns
``picture``   sketches to an SVG or PNG file
============  ==================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.lazy import lazy_face

if TYPE_CHECKING:
    from archloom.report.picture import draw

__all__ = ["draw"]

__getattr__, __dir__ = lazy_face(__name__, {"draw": "picture"}, __all__)

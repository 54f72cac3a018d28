# SPDX-License-Identifier: Apache-2.0
"""Pictures of architectures, and of the way to them.

==================  ============================================================
``paper``           SVG and PNG files, and the room that words take
``ordering``        orders of few crossings, places without overlaps
``layers``          graphs in layers: boxes, and ways of edges around them
``plan``            where everything of a sketch stands, in inches
``columns``         long sketches in columns
``picture``         sketches to a file
``course``          what candidates weighed in a search by gradients
``course_styles``   its lines, titles and scales
``course_plan``     where its panels stand
``course_picture``  it all to a file
==================  ============================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.lazy import lazy_face

if TYPE_CHECKING:
    from archloom.report.course import Course, course_of, found_course
    from archloom.report.course_picture import draw_course
    from archloom.report.picture import draw

__all__ = ["Course", "course_of", "draw", "draw_course", "found_course"]

_HOME = {
    "Course": "course",
    "course_of": "course",
    "draw": "picture",
    "draw_course": "course_picture",
    "found_course": "course",
}
__getattr__, __dir__ = lazy_face(__name__, _HOME, __all__)

# SPDX-License-Identifier: Apache-2.0
"""An error of the user's own code in one line."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

OURS = str(Path(__file__).parents[1])
LIBRARY = sysconfig.get_path("stdlib")
PACKAGES = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def raised(error: BaseException) -> str:
    """Say what was raised and where: ``KeyError: 'nope' (myspace.py:11)``."""
    words = " ".join(str(error).split())
    where = place(error)
    return f"{type(error).__name__}{words and ': ' + words}{where and f' ({where})'}"


def place(error: BaseException) -> str:
    """Return file and line in the code that archloom called, the user's own before a package's.

    Empty where the error did not come out of such code.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((OURS, "<"))
    ]
    packages = [frame for frame in frames if frame.filename.startswith(PACKAGES)]
    others = [frame for frame in frames if frame not in packages]
    own = [frame for frame in others if not frame.filename.startswith(LIBRARY)]
    found = own or packages
    return f"{Path(found[-1].filename).name}:{found[-1].lineno}" if found else ""

# SPDX-License-Identifier: Apache-2.0
"""Signs of life on a terminal's stderr, for what takes more than a moment."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 1.0


@contextlib.contextmanager
def waiting(words: str, *, quiet: bool = False) -> Iterator[None]:
    """Show a spinner while something takes longer than a second; nothing where stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    status = Console(stderr=True).status(words)
    timer = threading.Timer(PATIENCE, status.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()


def counted(items: Iterable[T], n: int, words: str, *, quiet: bool = False) -> Iterator[T]:
    """Yield items under a bar that fills up; without one where stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(items, total=n, description=words)

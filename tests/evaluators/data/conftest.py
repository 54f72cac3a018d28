"""Each of these tests reads its data anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from archloom.evaluators.data.loading import forget_splits


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Forget the data that were loaded before, and what this test loads."""
    forget_splits()
    yield
    forget_splits()

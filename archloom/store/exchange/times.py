# SPDX-License-Identifier: Apache-2.0
"""Times as the store writes them: ISO-8601 in UTC, all of one width."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["from_local", "to_local", "utc"]


def utc(text: str | None, *, seconds: float = 0.0) -> str | None:
    """Return a time in the store's form, some seconds later; one without a time zone is in UTC.

    >>> utc("2026-11-21T10:00:00+01:00", seconds=1.5)
    '2026-11-21T09:00:01.500000Z'

    Raises:
        ValueError: it is no ISO-8601 time.
    """
    if text is None:
        return None
    found = datetime.fromisoformat(text)
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return _spelled(found + timedelta(seconds=seconds))


def to_local(text: str | None) -> datetime | None:
    """Return a time of the store by this machine's clock, without a time zone: Optuna's way."""
    return None if text is None else datetime.fromisoformat(text).astimezone().replace(tzinfo=None)


def from_local(found: datetime | None) -> str | None:
    """Return a time by this machine's clock in the store's form."""
    return None if found is None else _spelled(found.astimezone(UTC))


def _spelled(found: datetime) -> str:
    return found.isoformat(timespec="microseconds").replace("+00:00", "Z")

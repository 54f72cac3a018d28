# SPDX-License-Identifier: Apache-2.0
"""What a store says of what is there already."""

from __future__ import annotations

from sqlalchemy import func, select

from archloom.store.schema import studies, trials
from archloom.store.session import Session

__all__ = ["words_for_existing"]


def words_for_existing(session: Session, name: str) -> str:
    """Say that a study of a name is there, and how to go on with it."""
    n_trials = session.connection.scalar(
        select(func.count(trials.c.id)).join(studies).where(studies.c.name == name)
    )
    return (
        f"the study {name!r} is already in {session.label}, with {n_trials} trials: `--resume` "
        "continues it, another `study=NAME` starts a new one (in Python resume=True and name=)"
    )

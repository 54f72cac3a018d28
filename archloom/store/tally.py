# SPDX-License-Identifier: Apache-2.0
"""How many trials a study has, in each way of counting; quick, for workers that ask before every trial."""

from __future__ import annotations

from typing import final

from archloom.contracts import State
from archloom.errors import StoreError
from archloom.store import statements as sql
from archloom.store.life import Life
from archloom.store.records import Standing
from archloom.store.session import Session

__all__ = ["Tally"]


@final
class Tally:
    """Counts, of which those that grow with the study are carried on from the last time.

    Args:
        session: on the database; every call stands in a transaction.
        life: of its trials.
    """

    def __init__(self, session: Session, life: Life):
        self._session, self._life = session, life
        self._counted: dict[tuple[int, bool], tuple[int, int, int]] = {}

    def forget(self) -> None:
        """A transaction was undone, and what was counted in it."""
        self._counted.clear()

    def n_open(self, study_id: int) -> dict[State, int]:
        """Return how many trials are WAITING and RUNNING."""
        found = dict(self._session.run(sql.N_OPEN, study_id=study_id))
        return {state: int(found.get(state.value, 0)) for state in (State.WAITING, State.RUNNING)}

    def n_counting(self, study_id: int, *, is_all: bool) -> int:
        """Return how many ended trials count: those really evaluated, or all of them."""
        n_finished, event = self._life.n_finished(study_id), self.last_event(study_id)
        since, n, known = self._counted.get((study_id, is_all), (0, 0, event))
        if known != event:  # such as that a trial counts no more
            since, n = 0, 0
        if n_finished > since:
            statement = sql.N_COUNTING if is_all else sql.N_EVALUATED
            ((more,),) = self._session.run(statement, study_id=study_id, since=since)
            n += int(more)
        self._counted[study_id, is_all] = (n_finished, n, event)
        return n

    def standing(self, study_id: int) -> Standing:
        """Return how a study stands.

        Raises:
            StoreError: there is none.
        """
        found = self._session.run(sql.STATUS, study_id=study_id)
        if not found:
            raise StoreError(f"{self._session.label} has no study with the id {study_id}")
        return Standing(*found[0])

    def n_left(self, study_id: int, n_apart: int) -> int | None:
        """Return how many more trials may start, ``None`` for any number."""
        standing = self.standing(study_id)
        if standing.max_trials is None:
            return None
        n_done = self.n_counting(study_id, is_all=standing.budget == "proposals")
        return max(0, standing.max_trials - n_done - self.n_open(study_id)[State.RUNNING] + n_apart)

    def last_event(self, study_id: int) -> int:
        """Return the id of the last event, 0 where there is none."""
        ((last,),) = self._session.run(sql.LAST_EVENT, study_id=study_id)
        return int(last or 0)

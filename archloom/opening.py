# SPDX-License-Identifier: Apache-2.0
"""How a study begins in its store, or goes on there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, final

from archloom.contracts import Evaluator
from archloom.errors import ConfigError, StudyExistsError, StudyNotFoundError, did_you_mean
from archloom.revising import Terms, changes_in, note_parts, revise
from archloom.store import Store, StudyRecord
from archloom.terms import OtherTermsError, fixed

__all__ = ["Changes", "Opening", "note_conditions"]

Changes = Literal["refuse", "record"]
"""What happens to a study that was begun under other terms."""


@final
class Opening:
    """A study that is about to begin, or to go on.

    Args:
        store: where.
        terms: what it is made of.
        resume: go on with a study of that name if there is one.
        changes: whether one that was begun under other terms is refused, or goes on with a record of what
            has changed.
        lease: of ``Study``.
        retries: of ``Study``.

    Raises:
        ConfigError: another word for ``changes``.
        StudyExistsError: there is one of that name, and it is not to be resumed.
        OtherTermsError: it was begun under other terms, and those are refused or can never change.
    """

    def __init__(
        self, store: Store, terms: Terms, *, resume: bool, changes: Changes, lease: float, retries: int
    ):
        if changes not in ("refuse", "record"):
            near = did_you_mean(str(changes), ["refuse", "record"])
            raise ConfigError(f"changes is refuse or record, got {changes!r}{near}")
        self._store, self._terms, self._resume = store, terms, resume
        self._is_recording, self._lease, self._retries = changes == "record", lease, retries
        self._look()

    def open(self) -> int:
        """Make the study, or take up the earlier one and what has changed; return its id."""
        if self._earlier is None:
            try:
                return self._create()
            except StudyExistsError:
                if not self._resume:
                    raise
            self._look()  # another process has begun it a moment ago
        assert self._earlier is not None
        assert self._earlier.id is not None
        if self._is_changed:
            revise(self._store, self._terms, self._lease, self._retries)
            return self._earlier.id
        note_parts(self._store, self._earlier.id, self._terms)
        return self._earlier.id

    def _create(self) -> int:
        with self._store.transaction():
            study_id = self._store.create_study(self._terms.record)
            note_parts(self._store, study_id, self._terms)
            return study_id

    def _look(self) -> None:
        """See what is there; refuse what cannot be, before anything dear is loaded."""
        self._earlier: StudyRecord | None = None
        self._is_changed = False
        record = self._terms.record
        try:
            self._earlier = self._store.study(record.name)
        except StudyNotFoundError:
            return
        if not self._resume:
            self._store.create_study(record)  # raises, and says what is there
        changes = changes_in(self._store, self._earlier, self._terms)
        if changes and (not self._is_recording or fixed(changes)):
            raise OtherTermsError(record.name, fixed(changes) if self._is_recording else changes)
        self._is_changed = bool(changes)


def note_conditions(store: Store, study_id: int, evaluators: Sequence[Evaluator]) -> None:
    """Note what the numbers depend on beside the architectures, where that is news."""
    conditions = {type(part).__name__: dict(part.conditions()) for part in evaluators}
    detail = json.dumps({name: told for name, told in conditions.items() if told}, sort_keys=True)
    earlier = [event.detail for event in store.events(study_id, "conditions")]
    if detail != (earlier[-1] if earlier else "{}"):
        store.add_event(study_id, "conditions", detail)

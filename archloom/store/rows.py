# SPDX-License-Identifier: Apache-2.0
"""Writing: records to rows, checked before anything is written."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from archloom.contracts import Objective
from archloom.errors import StoreError
from archloom.store.records import Outcome, Proposal, StudyRecord, label_value, split_key

__all__ = [
    "check_outcome",
    "clean",
    "decision_rows",
    "dump",
    "metric_rows",
    "now",
    "objective_rows",
    "revision_row",
    "seconds_between",
    "study_row",
    "trial_row",
    "trial_seed",
]


def now() -> str:
    """Return the time as ISO-8601 in UTC, of one width, so that it sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds_between(start: str, end: str) -> float:
    """Return the seconds from one of our times to another; 0 where a clock was set back."""
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def clean(words: str) -> str:
    r"""Return free text as every database takes it: what cannot be written is escaped.

    A failing trial is data: a strange character in its traceback must not lose it.

    >>> clean("NUL \x00, half a pair \ud800, plain é")
    'NUL \\x00, half a pair \\ud800, plain é'
    """
    return words.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def trial_seed(seed: int, number: int) -> int:
    """Return a trial's own seed, 32 bits from the study's and its number."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=4).digest(), "big")


def dump(value: Any, what: str) -> str:
    """Return a value as JSON text.

    Raises:
        StoreError: it is not JSON; ``what`` says whose it is.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise StoreError(f"{what} must be JSON: {error}") from None


def study_row(record: StudyRecord, created_at: str) -> dict[str, Any]:
    """Return a row of ``studies``."""
    if not record.name or "\0" in record.name:
        raise StoreError(f"a study needs a name without NUL characters; got {record.name!r}")
    if not record.objectives:
        raise StoreError(f"the study {record.name!r} needs at least one objective; it has none")
    return {
        "name": record.name,
        "seed": int(record.seed),
        "created_at": record.created_at or created_at,
        "archloom_version": record.version or version("archloom"),
        "space": dump(dict(record.space), "a search space"),
        "fingerprint": record.fingerprint,
        "config": dump(dict(record.config), "a study's config"),
        "constraints": dump(list(record.constraints), "a study's constraints"),
        "status": record.status,
        "reason": clean(record.reason),
    }


def revision_row(
    study_id: int, number: int, study: Mapping[str, Any], first_trial: int, detail: str = "created"
) -> dict[str, Any]:
    """Return a row of ``revisions`` from a row of ``studies``."""
    kept = {name: study[name] for name in ("space", "fingerprint", "config")}
    place = {"study_id": study_id, "number": number, "first_trial": first_trial}
    return {**place, **kept, "at": now(), "detail": clean(detail)}


def objective_rows(study_id: int, goals: Sequence[Objective]) -> list[dict[str, Any]]:
    """Return rows of ``objectives``."""
    rows = []
    for position, goal in enumerate(goals):
        split, name = split_key(goal.metric)
        place = {"study_id": study_id, "position": position}
        rows.append(place | {"split": split, "metric": name, "direction": goal.direction})
    return rows


def trial_row(
    study_id: int, number: int, ask: int, proposal: Proposal, at: str, seed: int, worker: int | None = None
) -> dict[str, Any]:
    """Return a row of ``trials``: WAITING or, where a worker is given, RUNNING there."""
    return {
        "study_id": study_id,
        "number": number,
        "state": "WAITING" if worker is None else "RUNNING",
        "key": proposal.key,
        "architecture": clean(proposal.text),
        "ask": ask,
        "seed": trial_seed(seed, number) if proposal.seed is None else int(proposal.seed),
        "fidelity": proposal.fidelity,
        "created_at": at,
        "started_at": None if worker is None else at,
        "worker_id": worker,
    }


def decision_rows(choices: Mapping[str, str | float]) -> list[dict[str, Any]]:
    """Return rows of ``decisions``, without their trial: a label as it is, a number exactly.

    Raises:
        StoreError: a name with a NUL character, or a number that is not finite.
    """
    rows = []
    for name, choice in choices.items():
        is_float = not isinstance(choice, str)
        label = repr(float(choice)) if is_float else str(choice)
        value = float(choice) if is_float else label_value(label)
        if value is not None and not math.isfinite(value):
            raise StoreError(f"a decision is a label or a finite number; {name!r} is {value}")
        if "\0" in name or "\0" in label:
            raise StoreError(f"a decision holds no NUL character; got {name!r}: {label!r}")
        rows.append({"name": name, "choice": label, "value": value, "is_float": is_float})
    return rows


def metric_rows(trial_id: int, metrics: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return rows of ``metrics``, without their step; what is not a number becomes NULL."""
    rows = []
    for key, given in metrics.items():
        split, name = split_key(key)
        value = float(given)
        stored = None if math.isnan(value) else value
        rows.append({"trial_id": trial_id, "split": split, "name": name, "value": stored})
    return rows


def check_outcome(number: int, outcome: Outcome, goals: Iterable[Objective]) -> None:
    """Refuse an outcome that the tables could not hold truly.

    Raises:
        StoreError: not a final state, a violation that is negative or not a number, or a COMPLETE
            trial without a finite value of every objective.
    """
    if not outcome.state.is_finished:
        raise StoreError(
            f"a trial ends as COMPLETE, PRUNED or FAIL; trial {number} was to end as {outcome.state}"
        )
    if not outcome.violation >= 0:
        raise StoreError(f"a violation is at least 0; trial {number} has {outcome.violation}")
    if outcome.state != "COMPLETE":
        return
    for goal in goals:
        value = outcome.metrics.get(goal.metric)
        if value is None or not math.isfinite(value):
            found = "not among its metrics" if value is None else str(value)
            raise StoreError(
                f"a COMPLETE trial has a finite value of every objective; "
                f"trial {number}: {goal.metric!r} is {found} (finish it as FAIL)"
            )

# SPDX-License-Identifier: Apache-2.0
"""Who works on a study, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archloom.store import StudyRecord, WorkerRecord


def crew_rows(workers: Sequence[WorkerRecord]) -> list[dict[str, Any]]:
    """Describe workers as plain JSON."""
    from archloom.store.workers import is_gone

    return [
        {
            "host": worker.host,
            "pid": worker.pid,
            "proposes": worker.is_proposer,
            "n_slots": worker.n_slots,
            "is_gone": is_gone(worker),
            "started_at": worker.started_at,
            "renewed_at": worker.renewed_at,
        }
        for worker in workers
    ]


def standing_words(study: StudyRecord, workers: Sequence[WorkerRecord]) -> str:
    """Return a study's status; one whose processes were killed still says that it runs, and does not."""
    from archloom.store.workers import is_gone

    if study.status != "running" or any(not is_gone(worker) for worker in workers):
        return study.status
    return "killed" if workers else "not running"


def worker_words(worker: dict[str, Any]) -> str:
    """Describe a worker in a line."""
    role = "proposes and evaluates" if worker["proposes"] else "evaluates"
    at = f"process {worker['pid']} on {worker['host']}"
    if worker["is_gone"]:
        return f"{at} is gone: `search resume` has its trials tried again"
    return f"{at} {role}, last sign of life {_ago(worker['renewed_at'])}"


def _ago(moment: str) -> str:
    from archloom.cli._words import span

    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    return f"{span(max(0.0, seconds))} ago"

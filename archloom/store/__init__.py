# SPDX-License-Identifier: Apache-2.0
"""The results database: SQLite by default, PostgreSQL for many machines; readable in plain SQL.

``select * from best`` and ``select * from pareto`` show results in words; ``Store.refresh_wide``
makes a table-like view of one study.
"""

from __future__ import annotations

from archloom.store.lease import Lease
from archloom.store.predictions import Prediction
from archloom.store.records import (
    Curve,
    Event,
    Outcome,
    Proposal,
    Standing,
    StudyRecord,
    TrialRecord,
    WorkerRecord,
)
from archloom.store.store import Store

__all__ = [
    "Curve",
    "Event",
    "Lease",
    "Outcome",
    "Prediction",
    "Proposal",
    "Standing",
    "Store",
    "StudyRecord",
    "TrialRecord",
    "WorkerRecord",
]

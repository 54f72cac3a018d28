# SPDX-License-Identifier: Apache-2.0
"""How much each decision matters: the share of a metric's variance that its choice explains.

For a decision with ``k`` choices among the ``n`` trials in which it is active::

    share = max(0, SS_between - (k - 1) * MS_within) / SS_total
    MS_within = SS_within / (n - k)

``SS_between`` and ``SS_within`` are the sums of squares between and within the groups of trials of equal
choice, ``SS_total`` that of all trials. It is the decision's own term in the functional analysis of
variance, by which Hutter, Hoos and Leyton-Brown ("An Efficient Approach for Assessing Hyperparameter
Importance", ICML 2014) define importance, taken from the trials as they are instead of from a forest that
was fitted to them. The term with ``MS_within`` is what groups differ by when the decision does nothing: with
it the share is Kelley's epsilon squared ("An Unbiased Correlation Ratio Measure", PNAS 21, 1935), which a
decision of many choices cannot win by having many.

* A *conditional* decision is compared among the trials in which it is active, so that it is not credited
  with what the choice above it does, by which it became active.
* A number is cut into up to 16 parts with as many trials each.
* The shares of independent decisions add up to 1 or less; the rest is interaction and noise. A strategy
  that learns draws decisions together, and then their shares overlap: trust the order more than the sum,
  and a random search most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archloom.contracts import State
from archloom.errors import ConfigError, UnknownNameError, did_you_mean
from archloom.store.frames import Columns, read_columns
from archloom.store.records import split_key
from archloom.store.session import Session
from archloom.store.views import short_key

if TYPE_CHECKING:
    import numpy as np

__all__ = ["importances", "shares"]

LEAST_TRIALS = 4
MOST_PARTS = 16
TRIALS_A_PART = 5


def importances(session: Session, study_id: int, metric: str) -> dict[str, float]:
    """Return the share of a metric's variance that each decision explains, largest first.

    COMPLETE trials count that were really evaluated, in full where any was, and are not excluded.

    Args:
        session: in a transaction.
        study_id: the study.
        metric: a full key, or ``accuracy`` for ``validation/accuracy``.

    Raises:
        UnknownNameError: no trial has that metric.
        ConfigError: too few trials, or all of one value.
    """
    import numpy as np

    columns = read_columns(session, study_id)
    key = _key(columns, metric)
    values = np.array(columns.metrics[key], dtype=float)
    counted = _counted(columns) & np.isfinite(values)
    if counted.sum() < LEAST_TRIALS:
        raise ConfigError(
            f"importances need at least {LEAST_TRIALS} evaluated trials with {key!r}, got {counted.sum()}"
        )
    chosen = np.flatnonzero(counted)
    names = sorted(columns.choices)
    found = shares(values[chosen], {name: [columns.choices[name][i] for i in chosen] for name in names})
    if not found:
        raise ConfigError(f"{key!r} is {values[chosen[0]]:g} in all {len(chosen)} trials: nothing to explain")
    return found


def shares(
    values: Sequence[float] | np.ndarray[Any, Any], choices: dict[str, Sequence[str | float | None]]
) -> dict[str, float]:
    """Return the share of the variance of values that each decision explains, largest first.

    Nothing where all values are equal.

    >>> {name: round(share, 3) for name, share in shares([1, 1, 3, 4], {"a": "xxyy", "b": "xyxy"}).items()}
    {'a': 0.889, 'b': 0.0}

    Args:
        values: finite, one a trial.
        choices: by decision one label or number a trial, ``None`` where it is inactive.
    """
    import numpy as np

    scores = np.asarray(values, dtype=float)
    size = np.abs(scores).max(initial=0.0) or 1.0
    scores = scores / size - np.mean(scores / size)  # squares of 1e300 are no numbers
    total = float(scores @ scores)
    if total <= len(scores) * (8 * np.finfo(float).eps) ** 2:
        return {}
    found = {name: min(_share(scores, column) / total, 1.0) for name, column in choices.items()}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _share(scores: np.ndarray[Any, Any], column: Sequence[str | float | None]) -> float:
    """Return the sum of squares that a decision explains, less what chance would."""
    import numpy as np

    active = np.array([choice is not None for choice in column], dtype=bool)
    groups = _groups([choice for choice in column if choice is not None])
    n, k = len(groups), int(groups.max(initial=-1)) + 1
    if k < 2 or n <= k:
        return 0.0
    own = scores[active] - scores[active].mean()
    sums = np.bincount(groups, own)
    between = float((sums**2 / np.bincount(groups)).sum())
    within = max(float(own @ own) - between, 0.0)
    return max(0.0, between - (k - 1) * within / (n - k))


def _groups(choices: Sequence[str | float]) -> np.ndarray[Any, Any]:
    """Number the groups of equal choices, or parts of the range of numbers, from 0."""
    import numpy as np

    if any(isinstance(choice, str) for choice in choices):
        return np.unique(np.array([str(choice) for choice in choices]), return_inverse=True)[1]
    numbers = np.array(choices, dtype=float)
    levels, groups = np.unique(numbers, return_inverse=True)
    n_parts = min(MOST_PARTS, max(2, len(numbers) // TRIALS_A_PART))
    if len(levels) <= n_parts:
        return groups
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, n_parts + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, numbers, side="right"), return_inverse=True)[1]


def _counted(columns: Columns) -> np.ndarray[Any, Any]:
    import numpy as np

    its = columns.trials
    plain = [
        state == State.COMPLETE and reused is None and not excluded
        for state, reused, excluded in zip(its["state"], its["reused_from"], its["excluded"], strict=True)
    ]
    full = [is_plain and fidelity is None for is_plain, fidelity in zip(plain, its["fidelity"], strict=True)]
    return np.array(full if any(full) else plain, dtype=bool)


def _key(columns: Columns, metric: str) -> str:
    """Return the full key of a metric."""
    for key in (metric, f"validation/{metric}"):
        if key in columns.metrics:
            return key
    pairs = [split_key(key) for key in columns.metrics]
    known = [short_key(*pair, pairs) for pair in pairs]
    raise UnknownNameError(f"no trial has a metric {metric!r}{did_you_mean(metric, known)}")

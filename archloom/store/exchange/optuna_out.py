# SPDX-License-Identifier: Apache-2.0
"""A study as an Optuna study, for Optuna's dashboard, plots and importances.

Each trial keeps its number, state, times and decisions (inactive ones are absent), the objectives'
values in their order and under their names, and the curve of the first objective. The other metrics
are user attributes, as are ``architecture``, ``seed``, ``fidelity``, ``reused_from`` and ``reason``.
A constraint is what Optuna takes for one: above 0 where it is broken, relative to its bound. What only
archloom reads again is in one system attribute, ``archloom``.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from archloom.contracts import State
from archloom.errors import ConfigError, StoreError
from archloom.objectives import Constraint, parse_constraint
from archloom.store.exchange.distributions import distributions_of
from archloom.store.exchange.optuna_rows import is_as_meant, write_rows
from archloom.store.exchange.optuna_storage import opened, quiet, storage_url
from archloom.store.exchange.times import to_local
from archloom.store.records import StudyRecord, TrialRecord

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

__all__ = ["export_optuna"]

Curves: TypeAlias = Mapping[int, Mapping[int, float]]
Track: TypeAlias = Callable[[Sequence[Any]], Iterable[Any]]

_OLD_CONSTRAINTS = "constraints"
"""The list that the dashboard reads; Optuna 5 itself reads them by name, too."""


def export_optuna(
    study: StudyRecord,
    trials: Sequence[TrialRecord],
    curves: Curves,
    url: str,
    *,
    overwrite: bool = False,
    track: Track = iter,
) -> None:
    """Write a study into an Optuna storage.

    Args:
        study: what to write.
        trials: all of its trials, by number.
        curves: what they reported of the first objective, by number and step.
        url: of the storage, made if need be: ``sqlite:///optuna.db``.
        overwrite: whether a study of that name may be replaced.
        track: wraps what takes long, to show how far it is.

    Raises:
        ConfigError: the storage holds a study of that name, or is archloom's own.
        StoreError: the database refused; nothing of the study is there.
    """
    frozen = _all_frozen(study, trials, curves)
    with opened(url) as storage, quiet(), _words_of(url):
        _make_room(study, storage, overwrite)
        try:
            made = _create(study, storage)
            if write_rows(storage.engine, made._study_id, frozen) and is_as_meant(made, frozen):
                return
            _remove(study, storage)
            made = _create(study, storage)
            for trial in track(frozen):
                made.add_trial(trial)
        except BaseException:  # half a study would pass for a whole one
            _remove(study, storage)
            raise


@contextlib.contextmanager
def _words_of(url: str) -> Iterator[None]:
    """Raise our own error in place of the database's."""
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, OptunaError) as error:
        label = storage_url(url).render_as_string(hide_password=True)
        told = getattr(error, "orig", None) or error.__cause__ or error
        raise StoreError(f"the Optuna storage {label}: {' '.join(str(told).split())}") from error


def _all_frozen(study: StudyRecord, trials: Sequence[TrialRecord], curves: Curves) -> list[FrozenTrial]:
    distributions = distributions_of(study.space, trials)
    constraints = [parse_constraint(text) for text in study.constraints]
    return [
        _frozen(trial, study, constraints, distributions, curves.get(trial.number, {})) for trial in trials
    ]


def _make_room(study: StudyRecord, storage: RDBStorage, overwrite: bool) -> None:
    """Remove a study of the same name, where that is asked."""
    import optuna

    if study.name not in optuna.get_all_study_names(storage):
        return
    if not overwrite:
        raise ConfigError(
            f"there is a study {study.name!r} in that Optuna storage already: name another storage, "
            "or --overwrite that study"
        )
    _remove(study, storage)


def _remove(study: StudyRecord, storage: RDBStorage) -> None:
    import optuna

    if study.name in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=study.name, storage=storage)


def _create(study: StudyRecord, storage: RDBStorage) -> Study:
    import optuna

    directions = [goal.direction for goal in study.objectives]
    made = optuna.create_study(study_name=study.name, storage=storage, directions=directions)
    made.set_metric_names([goal.metric for goal in study.objectives])
    notes = {"archloom": study.version, "seed": study.seed, "constraints": list(study.constraints)}
    for key, value in notes.items():
        made.set_user_attr(key, value)
    return made


def _frozen(
    trial: TrialRecord,
    study: StudyRecord,
    constraints: Sequence[Constraint],
    distributions: Mapping[str, BaseDistribution],
    curve: Mapping[int, float],
) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    values = _values(trial)
    told = _constraint_values(trial, constraints)
    frozen = create_trial(
        state=TrialState[str(trial.state)],
        values=values,
        params=dict(trial.choices),
        distributions={name: distributions[name] for name in trial.choices},
        user_attrs=_attributes(trial, study, is_valued=values is not None),
        system_attrs={"archloom": _ours(trial)} | ({_OLD_CONSTRAINTS: [*told.values()]} if told else {}),
        intermediate_values=dict(curve),
        constraints=told,
    )
    frozen.datetime_start = to_local(trial.started_at)
    frozen.datetime_complete = to_local(trial.finished_at)
    return frozen


def _values(trial: TrialRecord) -> list[float] | None:
    """Return the objectives' values where Optuna allows them: all of them, and not of a FAIL."""
    found = [value for value in trial.values if value is not None]
    is_allowed = trial.state in (State.COMPLETE, State.PRUNED) and len(found) == len(trial.values)
    return found if is_allowed else None


def _attributes(trial: TrialRecord, study: StudyRecord, *, is_valued: bool) -> dict[str, Any]:
    said = {
        "architecture": trial.text,
        "seed": trial.seed,
        "fidelity": trial.fidelity,
        "reused_from": trial.reused_from,
        "excluded": trial.excluded or None,
        "reason": trial.reason or None,
    }
    known = {name: value for name, value in said.items() if value is not None}
    searched = {goal.metric for goal in study.objectives} if is_valued else set()
    others = {key: value for key, value in trial.metrics.items() if key not in searched}
    return known | {f"{key} (metric)" if key in said else key: _json(value) for key, value in others.items()}


def _json(value: float) -> float | int | str:
    """Return a number as JSON has it: a count as one, and what is not finite as text."""
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _ours(trial: TrialRecord) -> dict[str, Any]:
    """Return what a person need not see, and reading the study again needs."""
    return {
        "number": trial.number,
        "key": trial.key,
        "ask": trial.ask,
        "violation": _json(trial.violation),
        "finish_order": trial.finish_order,
        "seconds": trial.seconds,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
    }


def _constraint_values(trial: TrialRecord, constraints: Sequence[Constraint]) -> dict[str, float]:
    """Return by how much each constraint is broken (above 0) or kept.

    Optuna must find feasible just what is feasible here, whatever can be computed again.
    """
    if not trial.state.is_finished:
        return {}
    told = {}
    for constraint in constraints:
        value = trial.metrics.get(constraint.metric, math.nan)
        if not math.isnan(value):
            told[str(constraint)] = _finite(_excess(constraint, value))
    if any(value > 0 for value in told.values()) != (trial.violation > 0):
        told = {"violation": _finite(trial.violation)}
    if trial.excluded:
        told["excluded"] = 1.0
    return told


def _excess(constraint: Constraint, value: float) -> float:
    excess = value - constraint.bound if constraint.relation == "<=" else constraint.bound - value
    return excess / (abs(constraint.bound) or 1.0)


def _finite(value: float) -> float:
    """Return a number that JSON can hold."""
    return max(-1e300, min(1e300, value))

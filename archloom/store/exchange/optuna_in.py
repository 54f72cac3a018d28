# SPDX-License-Identifier: Apache-2.0
"""A study from an Optuna storage.

Parameters become decisions (categories and whole numbers as labels, others as numbers), values and
user attributes that are numbers become metrics, intermediate values the curve of the first objective,
the sum of broken constraints the violation. What ``export_optuna`` wrote comes back as it was, but for
the curves of other metrics and the artifacts, which Optuna has no place for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archloom.contracts import Objective, State
from archloom.errors import ConfigError, did_you_mean
from archloom.store.exchange.cells import number_of
from archloom.store.exchange.incoming import Incoming, IncomingTrial
from archloom.store.exchange.optuna_storage import opened, quiet
from archloom.store.exchange.times import from_local

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

__all__ = ["read_optuna"]

_SAID = ("architecture", "seed", "fidelity", "reused_from", "excluded", "reason")
"""User attributes that ``export_optuna`` writes beside the metrics."""


def read_optuna(url: str, name: str | None = None) -> tuple[str, Incoming]:
    """Read a study of an Optuna storage; return its name there, too.

    Args:
        url: of the storage, ``sqlite:///optuna.db``.
        name: of the study; ``None`` where the storage holds only one.

    Raises:
        ConfigError: no such storage or study, or which one is not said.
    """
    import optuna

    with opened(url, must_exist=True) as storage, quiet():
        names = optuna.get_all_study_names(storage)
        chosen = _chosen(names, name)
        study = optuna.load_study(study_name=chosen, storage=storage)
        return chosen, _incoming(study)


def _chosen(names: list[str], name: str | None) -> str:
    if name is None and len(names) == 1:
        return names[0]
    if not names:
        raise ConfigError("that Optuna storage holds no study")
    if name is None:
        raise ConfigError(
            f"that Optuna storage holds {len(names)} studies, say which with --optuna-study: "
            + ", ".join(sorted(names))
        )
    if name not in names:
        raise ConfigError(f"that Optuna storage holds no study {name!r}{did_you_mean(name, names)}")
    return name


def _incoming(study: Study) -> Incoming:
    goals = _objectives(study)
    frozen = sorted(study.get_trials(deepcopy=False), key=lambda trial: trial.number)
    trials = [_trial(trial, goals) for trial in frozen]
    left = sorted({key for trial in frozen for key in _left_out(trial)})
    notes = [f"left out: user attributes that are no numbers: {', '.join(left)}"] if left else []
    told = study.user_attrs if "archloom" in study.user_attrs else {}
    constraints = told.get("constraints", [])
    seed = told.get("seed", 0)
    return Incoming(
        trials,
        goals,
        constraints=tuple(map(str, constraints)) if isinstance(constraints, list) else (),
        seed=seed if isinstance(seed, int) else 0,
        notes=tuple(notes),
    )


def _objectives(study: Study) -> tuple[Objective, ...]:
    names = study.metric_names
    if names is None:
        n = len(study.directions)
        names = ["value"] if n == 1 else [f"value_{i}" for i in range(n)]
    return tuple(
        Objective(name, "maximize" if direction.name == "MAXIMIZE" else "minimize")
        for name, direction in zip(names, study.directions, strict=True)
    )


def _trial(trial: FrozenTrial, goals: tuple[Objective, ...]) -> IncomingTrial:
    values = trial.values if trial.values is not None else []
    searched = {goal.metric: value for goal, value in zip(goals, values, strict=False)}
    curve = {int(step): float(value) for step, value in trial.intermediate_values.items()}
    known: dict[str, Any] = {
        "state": State[trial.state.name],
        "choices": {name: _choice(value) for name, value in trial.params.items()},
        "metrics": _metrics(trial) | searched,
        "curves": {goals[0].metric: curve} if curve else {},
        "violation": _violation(trial),
        "reason": _reason(trial),
        "started_at": from_local(trial.datetime_start),
        "finished_at": from_local(trial.datetime_complete),
    }
    return IncomingTrial(**known | _ours(trial))


def _reason(trial: FrozenTrial) -> str:
    """Return why a trial failed; only studies of an Optuna below 3 say it."""
    told = trial.system_attrs.get("fail_reason")
    return str(told or "it failed in Optuna, which keeps no reason") if trial.state.name == "FAIL" else ""


def _choice(value: Any) -> str | float:
    """Return a parameter as a label, but for a number that is not whole by its kind."""
    return value if isinstance(value, float) else str(value)


def _metrics(trial: FrozenTrial) -> dict[str, float]:
    is_ours = "archloom" in trial.system_attrs
    found: dict[str, float] = {}
    for key, value in trial.user_attrs.items():
        if is_ours and key in _SAID:
            continue
        number = number_of(value) if is_ours and isinstance(value, str) else value
        if isinstance(number, int | float) and not isinstance(number, bool):
            found[_unmarked(key) if is_ours else key] = float(number)
    return found


def _unmarked(key: str) -> str:
    name = key.removesuffix(" (metric)")
    return name if name in _SAID else key


def _left_out(trial: FrozenTrial) -> list[str]:
    """Return the user attributes that have no place in the store."""
    if "archloom" in trial.system_attrs:
        return []
    kept = _metrics(trial)
    return [key for key in trial.user_attrs if key not in kept]


def _violation(trial: FrozenTrial) -> float:
    """Return the sum of what is broken; each constraint once, where it is kept in Optuna's two ways."""
    told = trial.constraints
    named = {key: value for key, value in told.items() if not key.isdecimal()} or told
    return float(sum(max(0.0, value) for value in named.values()))


def _ours(trial: FrozenTrial) -> dict[str, Any]:
    """Return what ``export_optuna`` wrote for us; of another type it is somebody else's."""
    own = trial.system_attrs.get("archloom")
    if not isinstance(own, Mapping):
        return {}
    said = {name: trial.user_attrs[name] for name in _SAID if name in trial.user_attrs}
    if "architecture" in said:
        said["text"] = said.pop("architecture")
    known = {name: own[name] for name in _KINDS if name in own} | said
    if isinstance(known.get("violation"), str):
        known["violation"] = number_of(known["violation"])
    kept = {name: value for name, value in known.items() if isinstance(value, _KINDS.get(name, ()))}
    return {"reason": ""} | kept


_KINDS: dict[str, tuple[type, ...]] = {
    "key": (str,),
    "ask": (int,),
    "violation": (int, float),
    "finish_order": (int,),
    "seconds": (int, float),
    "started_at": (str,),
    "finished_at": (str,),
    "text": (str,),
    "seed": (int,),
    "fidelity": (str,),
    "reused_from": (int,),
    "excluded": (str,),
    "reason": (str,),
}

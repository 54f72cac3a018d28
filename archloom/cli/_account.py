# SPDX-License-Identifier: Apache-2.0
"""What a study came to, in a few numbers that can stand beside another's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from archloom.cli._words import bounds, number, span

if TYPE_CHECKING:
    from archloom.contracts import Objective
    from archloom.store import StudyRecord, TrialRecord

SHARES = (10, 25, 50, 100)
COSTS = ("params", "macs", "latency_ms", "memory_mb")


@final
@dataclass(frozen=True)
class Account:
    """A study in a few numbers.

    Args:
        name: the study's.
        store: where it lies.
        strategy: the name of its strategy, empty where the store does not know it.
        space: the name of its space, likewise.
        evaluators: its evaluators with their options as JSON, likewise.
        fingerprint: of its space.
        goals: ``maximize accuracy`` and so on.
        constraints: as written.
        states: state to number of trials.
        n_evaluations: finished trials that were really evaluated.
        n_proposals: finished trials.
        budget: ``{trials: 100, count: evaluations}``; empty where the store does not know it.
        best: the best feasible trial by the first objective.
        front: the feasible trials that no other dominates, without repeats.
        incumbent: share of the budget in percent to the best of the first objective by then.
        seconds: summed over all trials.
    """

    name: str
    store: str
    strategy: str
    space: str
    evaluators: str
    fingerprint: str
    goals: tuple[str, ...]
    constraints: tuple[str, ...]
    states: dict[str, int]
    n_evaluations: int
    n_proposals: int
    budget: dict[str, Any]
    best: TrialRecord | None
    front: list[TrialRecord]
    incumbent: dict[int, float | None]
    seconds: float

    def _its(self, best: TrialRecord, metric: str) -> dict[str, str]:
        """Describe a metric of the best trial, with its number where other trials are on the front."""
        value = number(best.metrics[metric])
        return {metric: f"{value} (trial {best.number})"} if len(self.goals) > 1 else {f"its {metric}": value}

    def row(self) -> dict[str, Any]:
        """Describe it as plain JSON."""
        from archloom.cli._studies import shown_url

        plain = {key: value for key, value in vars(self).items() if key not in ("best", "front", "store")}
        return plain | {
            "store": shown_url(self.store),
            "best_trial": None if self.best is None else self.best.number,
            "architecture": None if self.best is None else self.best.text,
            "metrics": {} if self.best is None else dict(self.best.metrics),
            "n_front": len(self.front),
        }

    def cells(self) -> dict[str, str]:
        """Describe it in words, label to text."""
        cells = {
            "space": self.space or "–",
            "strategy": self.strategy or "–",
            "evaluated": number(self.n_evaluations),
            "proposed": number(self.n_proposals),
            "failed": number(self.states.get("FAIL", 0)),
            "time": span(self.seconds),
        }
        for goal in self.goals:
            direction, metric = goal.split(" ", 1)
            ranked = [t.metrics[metric] for t in self.front if metric in t.metrics]
            pick = max if direction == "maximize" else min
            cells[f"best {metric}"] = number(pick(ranked, default=None))
        if len(self.goals) > 1:
            cells["on the front"] = number(len(self.front))
        if self.best is not None:
            searched = {goal.split(" ", 1)[1] for goal in self.goals}
            reported = [name for name in self.best.metrics if name.startswith("test/")]
            for name in dict.fromkeys([*reported, *bounds(self.constraints), *COSTS]):
                if name in self.best.metrics and name not in searched:
                    cells |= self._its(self.best, name)
        first = self.goals[0].split(" ", 1)[1] if self.goals else ""
        return cells | {f"{first} at {share:>3} %": number(v) for share, v in self.incumbent.items()}


def account(study: StudyRecord, trials: Sequence[TrialRecord], store: str) -> Account:
    """Sum up a study.

    Args:
        study: the study.
        trials: all of its trials.
        store: where it lies.
    """
    finished = [trial for trial in trials if trial.state.is_finished and not trial.excluded]
    finished.sort(key=lambda trial: trial.finish_order or 0)
    evaluated = [trial for trial in finished if trial.reused_from is None]
    budget = dict(study.config.get("budget") or {})
    counted = finished if budget.get("count") == "proposals" else evaluated
    feasible = [trial for trial in evaluated if _is_feasible(trial)]
    first = study.objectives[0]
    return Account(
        name=study.name,
        store=store,
        strategy=_name(study.config.get("strategy")),
        space=_name(study.config.get("space")),
        evaluators=json.dumps(study.config.get("evaluator"), sort_keys=True),
        fingerprint=study.fingerprint,
        goals=tuple(f"{o.direction} {o.metric}" for o in study.objectives),
        constraints=study.constraints,
        states=dict(Counter(str(trial.state) for trial in trials)),
        n_evaluations=len(evaluated),
        n_proposals=len(finished),
        budget={key: value for key, value in budget.items() if value is not None},
        best=min(feasible, key=lambda trial: first.sign * (trial.values[0] or 0.0), default=None),
        front=[trial for trial in trials if trial.is_pareto and trial.reused_from is None],
        incumbent=incumbents(counted, first, budget.get("trials") or len(counted)),
        seconds=sum(trial.seconds or 0.0 for trial in trials),
    )


def incumbents(trials: Sequence[TrialRecord], objective: Objective, n: int) -> dict[int, float | None]:
    """Return the best value after each of ``SHARES`` percent of ``n`` trials, ``None`` while there is none.

    A share that the study has not reached is left out; its last one always counts what there is.

    Args:
        trials: in the order in which they finished.
        objective: what is compared.
        n: the budget.
    """
    found: dict[int, float | None] = {}
    for share in SHARES:
        n_first = max(1, round(n * share / 100))
        if n_first <= len(trials) or share == SHARES[-1]:
            values = [t.values[0] for t in trials[:n_first] if _is_feasible(t) and t.values[0] is not None]
            found[share] = min(values, key=lambda value: objective.sign * value, default=None)
    return found


def differences(accounts: Sequence[Account]) -> list[str]:
    """Say in what the studies differ so that their numbers are not of one problem."""
    told = []
    for what, keys in (
        ("search different spaces", [one.fingerprint for one in accounts]),
        ("have different objectives", [", ".join(one.goals) for one in accounts]),
        ("are evaluated differently", [one.evaluators for one in accounts]),
        ("have different constraints", [", ".join(sorted(one.constraints)) for one in accounts]),
        ("have different budgets", [repr(sorted(one.budget.items())) for one in accounts]),
    ):
        if len(set(keys)) > 1:
            groups: dict[str, list[str]] = {}
            for one, key in zip(accounts, keys, strict=True):
                groups.setdefault(key, []).append(one.name)
            told.append(f"these studies {what}: {' | '.join(', '.join(names) for names in groups.values())}")
    return told


def _is_feasible(trial: TrialRecord) -> bool:
    return str(trial.state) == "COMPLETE" and not trial.violation and not trial.excluded


def _name(part: Any) -> str:
    """Return the name of a part of a study file; a tree that has none is a ``tree``."""
    if isinstance(part, dict):
        return str(next((part[key] for key in ("name", "call") if isinstance(part.get(key), str)), "tree"))
    return str(part or "")

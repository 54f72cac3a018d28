# SPDX-License-Identifier: Apache-2.0
"""What ``search run`` ends with: the winner, what it cost, where everything is, what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from archloom.cli._studies import leaders, shown_url
from archloom.cli._tables import architecture, exact, facts, plain, stacked, trial_facts, trials_table
from archloom.cli._words import inert, n_of, number, shortened, span
from archloom.relaxation import RelaxedEvaluator
from archloom.retraining import found_agreement

if TYPE_CHECKING:
    from archloom.cli._named import Named
    from archloom.contracts import Evaluator
    from archloom.store import Store
    from archloom.study import Study

SHOWN_FRONT = 10
SHOWN_NAME = 40


def summary(study: Study, seconds: float) -> list[RenderableType]:
    """Return the parts that show how a study ended, after how long."""
    parts: list[RenderableType] = []
    constraints = [str(constraint) for constraint in study.constraints]
    found = leaders(study.store, study.id, study.objectives, None)
    if found and len(study.objectives) == 1:
        inside = stacked(facts(trial_facts(found[0], study.objectives, constraints)), architecture(found[0]))
        parts.append(Panel(inside, title=_title(study, f"the winner is trial {found[0].number}")))
    elif found:
        inside = stacked(trials_table(found[:SHOWN_FRONT], study.objectives, constraints), *_more(len(found)))
        parts.append(Panel(inside, title=_title(study, f"{n_of(len(found), 'trial')} on the Pareto front")))
    else:
        kept = " and keeps the constraints" if constraints else ""
        parts.append(Text(f"No trial is COMPLETE{kept}."))
    return [*parts, facts([*_account(study, seconds), ("database", exact(shown_url(study.store.url)))])]


def _account(study: Study, seconds: float) -> list[tuple[str, RenderableType]]:
    states = ", ".join(f"{n} {state}" for state, n in study.store.counts(study.id).items() if n)
    trials = f"{number(study.n_evaluations)} evaluated of {number(study.n_proposals)} proposed ({states})"
    rows: list[tuple[str, RenderableType]] = [("trials", trials)]
    rows += ranking(study.store, study.id, study.evaluators)
    return [*rows, ("ended", f"{study.stop_reason}, after {span(seconds)}")]


def ranking(
    store: Store, study_id: int, evaluators: Sequence[Evaluator] = ()
) -> list[tuple[str, RenderableType]]:
    """Return what scores by shared weights were found to be worth as a ranking, or that nobody looked."""
    found = found_agreement(store, study_id)
    if found is not None:
        return [("ranking", found.words())]
    if any(evaluator.shares and not isinstance(evaluator, RelaxedEvaluator) for evaluator in evaluators):
        advice = "not checked: search retrain with --spread 8 trains some alone and compares"
        return [("ranking", advice)]
    return []


def next_commands(study: Study, named: Named, again: Sequence[str]) -> list[str]:
    """Return what to type next, nothing where no trial succeeded.

    Args:
        study: it has run.
        named: how commands name it.
        again: the words of the command that goes on with it.
    """
    found = leaders(study.store, study.id, study.objectives, None)
    commands = [named.command("best", "-n", "10"), named.command("show", "best")]
    is_shared = any(evaluator.shares for evaluator in study.evaluators)
    if is_shared:
        commands.append(named.command("retrain", "best", "--seeds", "3"))
    if is_shared or any(trial.artifacts for trial in found):
        commands.append(named.command("export", "best", f"{study.name}-model"))
    if any(
        isinstance(each, RelaxedEvaluator) and study.n_proposals >= each.n_epochs for each in study.evaluators
    ):
        again = ()  # a search by gradients has its epochs, and no more
    return [*commands, *([shlex.join(again)] if again else [])] if found else []


def _more(n: int) -> list[RenderableType]:
    return [Text(f"and {n - SHOWN_FRONT} more", style="dim")] if n > SHOWN_FRONT else []


def _title(study: Study, words: str) -> Text:
    """Return a panel's title, the study's name no longer than leaves room for the words."""
    return plain(shortened(inert(study.name), SHOWN_NAME), "bold").append(f": {words}", "not bold")

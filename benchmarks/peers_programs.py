# SPDX-License-Identifier: Apache-2.0
"""The programs that ``peers_resume`` starts and kills, one process each: ours, Optuna's and PyGlove's.

``python -m benchmarks.peers_programs NAME ARGUMENTS`` prints its answer as JSON. All search the same
table: three decisions of five candidates (or more, where ``side`` is larger), of which one is best.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pyglove as pg

from archloom import Study
from archloom.contracts import Finished, Genotypes, Objective, State, Trial
from archloom.search_spaces import Architecture, SearchSpace
from archloom.strategies import STRATEGIES
from archloom.testing.quick import quick_options

__all__ = ["PROGRAMS", "searched"]

EVOLUTION = quick_options("regularized_evolution")
"""Of ours and of PyGlove's alike, so that both learn within 20 trials."""


def labels(n: int) -> list[str]:
    """Return the candidates of a decision."""
    return [f"op{i}" for i in range(n)]


def searched(n_decisions: int, n_candidates: int) -> SearchSpace:
    """Return the space."""
    return SearchSpace(pg.Dict({f"x{i}": pg.oneof(labels(n_candidates)) for i in range(n_decisions)}))


def score(choices: Mapping[str, str]) -> float:
    """Return how good an architecture is: each decision has its own best candidate."""
    return -sum((int(label[2:]) - 3 - i % 2) ** 2 for i, label in enumerate(choices.values())) / 10


def trap(folder: str) -> None:
    """Leave a mark and hang, once: whoever waits for the mark kills this process in mid-trial."""
    mark = Path(folder) / "mark"
    if not mark.exists():
        mark.touch()
        time.sleep(600)


# ---------------------------------------------------------------- whole studies, on SQLite


def ours(folder: str, strategy: str, n: str, side: str, killed_at: str = "") -> Any:
    """Run our study in ``folder`` until it holds ``n`` trials; hang in trial ``killed_at``."""

    def evaluate(architecture: Architecture, trial: Trial) -> dict[str, float]:
        if killed_at and trial.number == int(killed_at):
            trap(folder)
        return {"value": score({k: str(v) for k, v in architecture.choices.items()})}

    n_decisions, n_candidates = map(int, side.split("x"))
    study = Study(
        searched(n_decisions, n_candidates),
        STRATEGIES.get(strategy)(**quick_options(strategy)),
        evaluate,
        {"value": "maximize"},
        store=Path(folder) / "study.db",
        resume=True,
    )
    study.run(trials=int(n))
    return [
        {
            "number": t.number,
            "state": str(t.state),
            "point": list(t.choices.values()),
            "reused": t.reused_from is not None,
        }
        for t in study.trials
    ]


def optunas(folder: str, sampler: str, n: str, side: str, killed_at: str = "") -> Any:
    """Run ``n`` more trials of Optuna's study in ``folder``, as its documents tell one to resume."""
    n_decisions, n_candidates = map(int, side.split("x"))

    def objective(trial: optuna.Trial) -> float:
        choices = {
            f"x{i}": trial.suggest_categorical(f"x{i}", labels(n_candidates)) for i in range(n_decisions)
        }
        if killed_at and trial.number == int(killed_at):
            trap(folder)
        return score(choices)

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    study = optuna.create_study(
        study_name="study",
        storage=f"sqlite:///{folder}/study.db",
        direction="maximize",
        sampler=getattr(optuna.samplers, sampler)(seed=0),
        load_if_exists=True,
    )
    study.optimize(objective, n_trials=int(n))
    return [
        {"number": t.number, "state": t.state.name, "point": list(t.params.values())} for t in study.trials
    ]


# ---------------------------------------------------------------- proposals after a history


def pygloves(folder: str, algorithm: str, n: str, side: str) -> Any:
    """Give a new algorithm the history in ``folder``, if there is one, and add ``n`` proposals to it."""
    n_decisions, n_candidates = map(int, side.split("x"))
    mutator = pg.evolution.mutators.Uniform(seed=0)
    made: dict[str, Callable[[], Any]] = {
        "Random": lambda: pg.geno.Random(seed=0),
        "regularized_evolution": lambda: pg.evolution.regularized_evolution(
            mutator,
            population_size=EVOLUTION["population_size"],
            tournament_size=EVOLUTION["sample_size"],
            seed=0,
        ),
        "hill_climb": lambda: pg.evolution.hill_climb(mutator, seed=0),
    }
    template = pg.template(pg.Dict({f"x{i}": pg.oneof(labels(n_candidates)) for i in range(n_decisions)}))
    source = made[algorithm]()
    source.setup(template.dna_spec())
    path = Path(folder) / "history.json"
    # Its DNA in its own JSON: what its evolution notes on a DNA comes back with it.
    told = pg.from_json(json.loads(path.read_text())) if path.exists() else []
    history = [(dna.use_spec(template.dna_spec()), reward) for dna, reward in told]
    if history:
        source.recover(history)
    for _ in range(int(n)):
        dna = source.propose()
        reward = score(template.decode(dna))
        source.feedback(dna, reward)
        history.append((dna, reward))
    path.write_text(pg.to_json_str([[dna, reward] for dna, reward in history]))
    return [list(template.decode(dna).values()) for dna, _ in history]


def our_proposals(folder: str, strategy: str, n: str, side: str) -> Any:
    """Do the same with one of our strategies, without a study around it."""
    n_decisions, n_candidates = map(int, side.split("x"))
    space = searched(n_decisions, n_candidates)
    source = STRATEGIES.get(strategy)(**quick_options(strategy))
    source.setup(space, (Objective("value", "maximize"),), 0)
    path = Path(folder) / "history.json"
    history = json.loads(path.read_text()) if path.exists() else []
    if history:
        points = [space.from_choices(choices) for choices in history]
        source.recover(Genotypes.concatenate([p.genotype for p in points]), _finished(points))
    for number in range(len(history), len(history) + int(n)):
        point = space.architecture(source.ask(1))
        source.tell(_finished([point], number))
        history.append(point.choices)
    path.write_text(json.dumps(history))
    return [list(choices.values()) for choices in history]


def _finished(points: list[Architecture], first: int = 0) -> Finished:
    values = [[score({k: str(v) for k, v in point.choices.items()})] for point in points]
    return Finished(
        numbers=np.arange(first, first + len(points)),
        genotypes=Genotypes.concatenate([point.genotype for point in points]),
        states=(State.COMPLETE,) * len(points),
        values=np.array(values),
        violations=np.zeros(len(points)),
        fidelity=(None,) * len(points),
    )


PROGRAMS: dict[str, Callable[..., Any]] = {
    program.__name__: program for program in (ours, optunas, pygloves, our_proposals)
}

if __name__ == "__main__":
    print(json.dumps(PROGRAMS[sys.argv[1]](*sys.argv[2:])))

# SPDX-License-Identifier: Apache-2.0
"""Proposals a second: policies in a batch, and evolution one by one beside PyGlove and Optuna.

Evolution has 100 members, regularized evolution draws 10 of them; every proposal is asked for alone and told
before the next. NSGA-II has two objectives. All compute the same scores from the choices. All propose
architectures of NAS-Bench-201: ours a row, PyGlove a DNA, Optuna a dictionary; nothing is decoded.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import optuna
import pyglove as pg

from archloom.contracts import Genotypes, Objective, Strategy
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies import NSGA2, PPO, RegularizedEvolution, Reinforce
from benchmarks.measuring import Row, compared, in_turn
from benchmarks.strategy_speed_words import finished, two_cells, worth

__all__ = ["evolution", "policies"]

POPULATION, SAMPLE = 100, 10
N_COLUMNS, N_CANDIDATES = 6, 5
POLICIES: dict[str, Callable[[], Strategy]] = {
    "REINFORCE, tabular": partial(Reinforce, policy="tabular"),
    "REINFORCE, LSTM": partial(Reinforce, policy="lstm"),
    "PPO, LSTM": partial(PPO, policy="lstm"),
}
LEAST = 1000
"""Architectures a second that a policy is to draw."""


def policies(n: int = 512, n_rounds: int = 7) -> list[str]:
    """Draw batches from policies that have learned from 200 trials; return architectures a second."""
    lines = [
        "| policy | space | architectures/s, median | least | most | wanted |",
        "|---|---|---|---|---|---|",
    ]
    for space_name, space in (("NAS-Bench-201", nasbench201()), ("two DARTS cells", two_cells())):
        made = {name: _told(make(), space) for name, make in POLICIES.items()}
        rates: dict[str, list[float]] = {name: [] for name in made}
        for _ in range(n_rounds):
            for name, strategy in made.items():
                started = time.perf_counter()
                strategy.ask(n)
                rates[name].append(n / (time.perf_counter() - started))
        for name, found in rates.items():
            median = statistics.median(found)
            wanted = f"{LEAST:,} {'met' if median >= LEAST else 'MISSED'}"
            figures = " | ".join(f"{rate:,.0f}" for rate in (median, min(found), max(found)))
            lines.append(f"| {name} | {space_name} | {figures} | {wanted} |")
    return lines


def _told(strategy: Strategy, space: SearchSpace, n: int = 200) -> Strategy:
    strategy.setup(space, [Objective("score")], 0)
    rows = strategy.ask(n)
    strategy.tell(finished(rows, 0, worth(rows)[:, None]))
    strategy.ask(1)  # learns
    return strategy


def evolution(n: int = 2000, n_rounds: int = 3) -> list[Row]:
    """Compare one by one; PyGlove takes most of the time."""
    rows = []
    one = partial(ours, lambda: RegularizedEvolution(population_size=POPULATION, sample_size=SAMPLE), 1, n)
    aging = partial(pg.evolution.regularized_evolution, population_size=POPULATION, tournament_size=SAMPLE)
    mine, (theirs,) = in_turn(one, [partial(pygloves, aging, 1, n)], n_rounds)
    rows.append(compared("regularized evolution, ask and tell", mine, "PyGlove", theirs, 20.0))
    two = partial(ours, lambda: NSGA2(population_size=POPULATION), 2, n)
    sorting = partial(pg.evolution.nsga2, population_size=POPULATION)
    mine, (theirs, optunas) = in_turn(two, [partial(pygloves, sorting, 2, n), partial(optuna_s, n)], n_rounds)
    rows.append(compared("NSGA-II, ask and tell", mine, "PyGlove", theirs, 20.0))
    rows.append(compared("NSGA-II, ask and tell", mine, "Optuna, in memory", optunas))
    return rows


def scores(choices: list[int], n_objectives: int) -> tuple[float, ...]:
    """Return what an architecture is worth: a smooth score, then what it costs."""
    gain = sum(math.sin(1.0 + 7.0 * i + choice) for i, choice in enumerate(choices))
    return (gain, -float(sum(choices)))[:n_objectives]


def ours(make: Callable[[], Strategy], n_objectives: int, n: int) -> float:
    """Return the seconds a proposal."""
    strategy, space = make(), nasbench201()
    strategy.setup(space, [Objective("gain"), Objective("cheapness")][:n_objectives], 0)
    started = time.perf_counter()
    for i in range(n):
        row: Genotypes = strategy.ask(1)
        values = scores(row.choices[0].tolist(), n_objectives)
        strategy.tell(finished(row, i, np.array([values])))
    return (time.perf_counter() - started) / n


def pygloves(make: Callable[..., Any], n_objectives: int, n: int) -> float:
    """Return the seconds a proposal of a PyGlove generator."""
    generator = make(seed=0)
    generator.setup(nasbench201().dna_spec)
    started = time.perf_counter()
    for _ in range(n):
        dna = generator.propose()
        values = scores(dna.to_numbers(), n_objectives)
        generator.feedback(dna, values if n_objectives > 1 else values[0])
    return (time.perf_counter() - started) / n


def optuna_s(n: int) -> float:
    """Return the seconds a trial of Optuna's NSGA-II."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=0)
    study = optuna.create_study(directions=["maximize"] * 2, sampler=sampler)
    names, candidates = [f"x{i}" for i in range(N_COLUMNS)], list(range(N_CANDIDATES))
    started = time.perf_counter()
    for _ in range(n):
        trial = study.ask()
        choices = [trial.suggest_categorical(name, candidates) for name in names]
        study.tell(trial, scores(choices, 2))
    return (time.perf_counter() - started) / n

# SPDX-License-Identifier: Apache-2.0
"""One search: its curve tells the truth, whatever the budget counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archloom.bench import Problem, run_all, search_once
from archloom.errors import ArchloomError, ConfigError

EVOLUTION = {"name": "regularized_evolution", "population_size": 4, "sample_size": 2}


def test_the_incumbent_only_improves_and_its_report_is_its_own(problem_file: Path) -> None:
    curve = search_once(Problem(problem_file, 20), "random", 3)
    assert (curve.problem, curve.strategy, curve.seed) == ("little", "random", 3)
    assert len(curve.objective) == 20
    assert (np.diff(curve.objective) >= 0).all()
    assert (curve.report == curve.objective // 100).all()
    assert curve.at(0.5, "proposals") != curve.at(1, "proposals")
    assert curve.at(99, "proposals") == (curve.objective[-1], curve.report[-1])


def test_repeats_are_proposals_and_no_evaluations(problem_file: Path) -> None:
    curve = search_once(Problem(problem_file, 60), EVOLUTION, 0)
    assert curve.strategy == "regularized_evolution(population_size=4, sample_size=2)"
    assert len(curve.objective) == 60
    assert curve.evaluations[-1] < 28
    fewer = search_once(Problem(problem_file, 12, "evaluations"), EVOLUTION, 0)
    assert fewer.evaluations[-1] == 12
    assert len(fewer.objective) >= 12


def test_seconds_are_those_of_the_table_and_a_repeat_costs_none(problem_file: Path) -> None:
    curve = search_once(Problem(problem_file, 20, "seconds"), "random", 0)
    assert curve.seconds[-1] >= 20
    assert (np.diff(curve.seconds) <= 3).all()
    assert np.isfinite(curve.at(20, "seconds")[0])


def test_a_space_that_is_used_up_ends_the_search(problem_file: Path) -> None:
    assert len(search_once(Problem(problem_file, 500), "random", 0).objective) == 27
    assert search_once(Problem(problem_file, 500, "seconds"), "grid", 0).objective[-1] == 222


def test_processes_change_nothing(problem_file: Path) -> None:
    problems, ended = [Problem(problem_file, 10)], []
    curves = run_all(problems, ["random", EVOLUTION], range(2), on_end=lambda n, of: ended.append((n, of)))
    assert [(curve.strategy[:6], curve.seed) for curve in curves] == [
        ("random", 0),
        ("random", 1),
        ("regula", 0),
        ("regula", 1),
    ]
    assert ended == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.slow
def test_processes_give_the_same_curves(problem_file: Path) -> None:
    problems = [Problem(problem_file, 10)]
    one, two = (run_all(problems, ["random"], range(3), processes=n) for n in (1, 2))
    assert [curve.objective.tolist() for curve in one] == [curve.objective.tolist() for curve in two]


def test_what_is_wrong_is_said(problem_file: Path) -> None:
    with pytest.raises(ConfigError, match="a budget is above 0"):
        Problem(problem_file, 0)
    with pytest.raises(ArchloomError, match="did you mean 'random'"):
        search_once(Problem(problem_file, 5), "randm", 0)
    several = problem_file.with_name("several.yaml")
    both = problem_file.read_text().replace("{score: v}", "{score: v, other: s}").replace(", seconds: s", "")
    several.write_text(both.replace("{score: maximize}", "{score: maximize, other: minimize}"))
    with pytest.raises(ConfigError, match="a benchmark has one objective, not 2"):
        search_once(Problem(several, 5), "random", 0)
    untimed = problem_file.with_name("untimed.yaml")
    untimed.write_text(problem_file.read_text().replace(", seconds: s", ""))
    with pytest.raises(ConfigError, match="needs the metric 'train_seconds'"):
        search_once(Problem(untimed, 5, "seconds"), "random", 0)

"""What a flow is made of may be said as in a study file, and what is wrong there is said as clearly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest

from archloom import config
from archloom.contracts import Strategy
from archloom.errors import ArchloomError, ConfigError, SpaceError, UnknownNameError
from archloom.search_spaces import SearchSpace
from archloom.strategies import MonteCarloTreeSearch, RandomSearch, RegularizedEvolution
from archloom.strategies.flows.factorized import FactorizedFlow
from archloom.strategies.flows.given import strategy_of
from archloom.strategies.flows.groups import divided
from archloom.strategies.flows.hybrid import HybridFlow
from archloom.strategies.flows.joint import JointFlow
from archloom.strategies.flows.separate import SeparateFlow
from archloom.study import Study

EVOLUTION = "regularized_evolution"


def space() -> SearchSpace:
    stem = pg.Dict(k=pg.oneof([1, 3]), w=pg.oneof([8, 16]))
    return SearchSpace(
        pg.Dict(stem=stem, op=pg.oneof([pg.Dict(rate=pg.oneof([1, 2])), "skip"])),
        settings={"training": {"lr": pg.floatv(0.0, 1.0)}},
    )


# ---------------------------------------------------------------- nested strategies


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("random", "RandomSearch"),
        ({"name": EVOLUTION, "population_size": 7}, "RegularizedEvolution"),
        ({"name": "optuna:TPESampler", "n_startup_trials": 5}, "OptunaStrategy"),
        ({"name": "pyglove:hill_climb"}, "PyGloveStrategy"),
        ("archloom.strategies.random:RandomSearch", "RandomSearch"),
        (RandomSearch(), "RandomSearch"),
        (RandomSearch, "RandomSearch"),
        (lambda: RegularizedEvolution(population_size=3), "RegularizedEvolution"),
    ],
)
def test_a_strategy_is_named_made_or_given(given: Any, kind: str) -> None:
    assert type(strategy_of(given, "inner")).__name__ == kind


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("randon", r"^inner: 'randon' is not one of the strategies; did you mean 'random'\?$"),
        (
            {"name": EVOLUTION, "populaton_size": 5},
            r"^inner: .* 'populaton_size'; did you mean 'population_size'\?",
        ),
        (
            {"name": EVOLUTION, "population_size": "5"},
            r"^inner: population_size should be a valid integer, got '5'$",
        ),
        (
            {"name": EVOLUTION, "population_size": 0},
            r"^inner: population_size and sample_size .* got 0 and 25$",
        ),
        ({"name": "optuna:TPESampler", "n_startup": 3}, r"^inner: .*n_startup"),
        ({"population_size": 5}, r"^inner: a strategy has a 'name', got \{'population_size': 5\}$"),
        ({"name": "math:pi", "x": 1}, r"^inner: 'math:pi' is finished and takes no options$"),
        ("math:pi", r"^inner is a strategy, .* got 'math:pi'$"),
        (7, r"^inner is a strategy, by name or as \{name: random, option: value\}, got 7$"),
        ({"name": "nowhere.at.all:This"}, r"^inner: .*there is no module 'nowhere'"),
    ],
)
def test_says_what_is_wrong_with_a_nested_strategy(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        strategy_of(given, "inner")


def test_flows_within_flows_say_which_of_them_is_wrong() -> None:
    inside = {"name": "archloom.strategies.flows.joint:JointFlow", "strategy": "randon"}
    with pytest.raises(UnknownNameError, match=r"^outer: strategy: 'randon' is not one of"):
        FactorizedFlow(outer=inside)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SeparateFlow(n_each=0), "n_each is at least 1, got 0"),
        (lambda: SeparateFlow(n_each=[5, 0]), "n_each is at least 1, got 0"),
        (lambda: FactorizedFlow(n_inner=0), "n_inner is at least 1, got 0"),
        (lambda: HybridFlow(n_kept=-1), "n_kept is at least 1, got -1"),
        (lambda: SeparateFlow(groups=["a", "b"]), r"groups are lists of decisions, .* got \['a', 'b'\]"),
        (lambda: SeparateFlow(groups=[[]]), "groups are lists of decisions"),
        (lambda: SeparateFlow(groups={}), "groups are lists of decisions"),
    ],
)
def test_refuses_impossible_options(make: Callable[[], Strategy], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_one_object_has_one_place() -> None:
    one = RandomSearch()
    with pytest.raises(ConfigError, match="got one object for both"):
        FactorizedFlow(outer=one, inner=one)
    with pytest.raises(ConfigError, match="got one object for two of them"):
        HybridFlow(outer=one, joint=one)


def test_supports_what_its_strategies_do() -> None:
    assert JointFlow(strategy="nsga2").supports == strategy_of("nsga2", "x").supports
    assert "several_objectives" not in SeparateFlow(strategy="nsga2").supports
    assert SeparateFlow(strategy="mcts").supports == MonteCarloTreeSearch.supports - {"several_objectives"}
    with pytest.raises(ConfigError, match="SeparateFlow cannot do several objectives"):
        Study(space(), SeparateFlow(), lambda a: (0.0, 0.0), {"a": "maximize", "b": "minimize"})


# ---------------------------------------------------------------- groups


def test_what_no_group_names_is_the_last() -> None:
    names = [part.names for part in divided(space(), [["training"], ["op"]])]
    assert names == [("training.lr",), ("op",), ("stem.k", "stem.w")]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([["stm"]], r"'stm' is neither a decision .*; did you mean"),
        ([["stem"], ["op", "stem.w"]], r"groups: 'stem\.w' is in two of them"),
        ([["stem", "op", "training"]], r"groups: there are at least two, here is one with all decisions"),
        ([["stem"], ["op"]], r"this search flow has 2 of them, got 2 and what is left: training\.lr"),
        ([["stem"], ["op"], ["training"]], r"this search flow has 2 of them, got 3$"),
    ],
)
def test_says_what_is_wrong_with_groups(groups: list[list[str]], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        Study(space(), FactorizedFlow(groups=groups), lambda a: 0.0, {"a": "maximize"}).run(trials=1)


def test_a_group_with_floats_needs_a_strategy_for_them() -> None:
    flow = SeparateFlow(strategy="mcts")
    with pytest.raises(ConfigError, match="cannot do floats"):
        Study(space(), flow, lambda a: 0.0, {"a": "maximize"}).run(trials=1)
    mixed = FactorizedFlow(groups=[["stem", "op"]], outer="mcts", inner=EVOLUTION, n_inner=3)
    study = Study(space(), mixed, lambda a: a.settings["training"]["lr"], {"a": "maximize"})
    assert (study.run(trials=12).best.values[0] or 0.0) > 0.5


# ---------------------------------------------------------------- a study file

FILE = """
study: flows
space: {{a: {{oneof: [0, 1, 2]}}, b: {{oneof: [0, 1, 2]}}, c: {{oneof: [0, 1, 2]}}}}
strategy:
  name: archloom.strategies.flows.factorized:FactorizedFlow
  groups: [[{group}]]
  outer: {{name: optuna:TPESampler, n_startup_trials: 3}}
  inner: {{name: regularized_evolution, {option}: 5}}
  n_inner: 4
evaluator: {{name: function, function: "operator:truth", metric: score}}
objectives: {{score: maximize}}
budget: {{trials: 12}}
store: "sqlite://"
"""


def load(folder: Path, **words: str) -> config.StudyFile:
    file = folder / "study.yaml"
    file.write_text(FILE.format(**{"group": "a", "option": "population_size", **words}), encoding="utf-8")
    return config.load(file)


def test_a_study_file_names_flows_and_what_is_in_them(tmp_path: Path) -> None:
    strategy = load(tmp_path).strategy()
    assert isinstance(strategy, FactorizedFlow)
    assert strategy.n_startup == 4 * 3


def test_a_wrong_word_deep_in_a_study_file_is_found(tmp_path: Path) -> None:
    with pytest.raises(
        ArchloomError, match=r"(?s)study\.yaml:8.*strategy\.inner.*did you mean 'population_size'"
    ):
        load(tmp_path, option="populaton_size").strategy()

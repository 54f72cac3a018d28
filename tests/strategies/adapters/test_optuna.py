"""Optuna's samplers as strategies: what they see, what they propose, and exact resuming."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
from optuna.trial import TrialState

from archloom import Study
from archloom.contracts import Finished, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError, MissingExtraError, UnknownNameError
from archloom.search_spaces import SearchSpace
from archloom.strategies.adapters import OptunaStrategy, sampler_strategy
from archloom.strategies.adapters.optuna_parameters import Suggester
from archloom.testing.strategies import StrategyContract, finished

SMALL: dict[str, dict[str, Any]] = {
    "TPESampler": {"n_startup_trials": 5, "n_ei_candidates": 6},
    "QMCSampler": {"scramble": True},
    "RandomSampler": {},
    "NSGAIISampler": {"population_size": 4},
    "NSGAIIISampler": {"population_size": 4},
}


def everything() -> SearchSpace:
    """Every kind of decision, some of them below others."""
    return SearchSpace(
        pg.Dict(
            op=pg.oneof([pg.Dict(k=pg.oneof([1, 3, 5]), lr=pg.floatv(1e-4, 1.0, scale="log")), "skip"]),
            edges=pg.manyof(2, [pg.Dict(x=pg.oneof([1, 2])), "b", "c", "d"], distinct=True, sorted=True),
            rows=pg.manyof(2, ["e", "f", "g"], distinct=False, sorted=True),
            order=pg.permutate([1, 2, 3]),
            momentum=pg.floatv(0.1, 0.9, scale="rlog"),
            only=pg.oneof(["one"]),
        )
    )


def strategy_of(name: str, space: SearchSpace, n_objectives: int = 1, seed: int = 0) -> OptunaStrategy:
    strategy = OptunaStrategy(name, **SMALL[name])
    strategy.setup(space, [Objective(f"m{i}", "maximize") for i in range(n_objectives)], seed)
    return strategy


def result(rows: Genotypes, n_objectives: int, number: int, seed: int = 0) -> Finished:
    """Return one result of any kind, failures and broken constraints among them."""
    rng = np.random.default_rng((seed, number))
    state = (State.COMPLETE, State.COMPLETE, State.COMPLETE, State.PRUNED, State.FAIL)[number % 5]
    values = (rows.choices == 0).sum() + rng.random((1, n_objectives))
    if state == State.FAIL or number % 7 == 6:
        values[:] = np.nan
    if number % 11 == 10:
        values[:] = np.inf
    violation = float(number) if number > 12 and number % 4 == 0 else 0.0
    return finished(rows, values, first=number, states=(state,), violations=[violation])


def joined(parts: list[Finished], space: SearchSpace, m: int) -> Finished:
    none = finished(space.sample(0, np.random.default_rng(0)), [])
    if not parts:
        return Finished(none.numbers, none.genotypes, (), np.empty((0, m)), none.violations, ())
    return Finished(
        np.concatenate([part.numbers for part in parts]),
        Genotypes.concatenate([part.genotypes for part in parts]),
        tuple(part.states[0] for part in parts),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.violations for part in parts]),
        (None,) * len(parts),
    )


def live_through(
    strategy: Strategy, space: SearchSpace, n: int, m: int, seed: int
) -> tuple[Genotypes, Finished]:
    """Ask and tell in a wild order, some results being of architectures that nobody proposed."""
    rng = np.random.default_rng(seed)
    proposed, number = [strategy.ask(3)], 0
    waiting: list[Genotypes] = []
    told: list[Finished] = []
    waiting += [proposed[0][i] for i in range(3)]
    while len(told) < n:
        if rng.random() < 0.4 or not waiting:
            rows = strategy.ask(int(rng.integers(1, 4)))
            proposed.append(rows)
            waiting += [rows[i] for i in range(len(rows))]
        elif rng.random() < 0.1:
            waiting.append(space.sample(1, rng))
        else:
            one = result(waiting.pop(int(rng.integers(len(waiting)))), m, number)
            strategy.tell(one)
            told.append(one)
            number += 1
    return Genotypes.concatenate(proposed), joined(told, space, m)


class TestLaws(StrategyContract):
    @pytest.fixture(params=sorted(SMALL))
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return lambda: OptunaStrategy(request.param, **SMALL[request.param])


@pytest.mark.parametrize("name", sorted(SMALL))
@pytest.mark.parametrize("m", [1, 2])
def test_resuming_is_exact_in_any_order_of_asking_and_telling(name: str, m: int) -> None:
    space = everything()
    for seed, n in ((0, 4), (1, 22)):
        live = strategy_of(name, space, m)
        proposed, told = live_through(live, space, n, m, seed)
        resumed = strategy_of(name, space, m)
        resumed.recover(proposed, told)
        assert resumed.ask(3).keys() == live.ask(3).keys()


def test_what_runs_is_part_of_the_history() -> None:
    """TPE keeps away from what is on its way, and a result takes it off."""
    space = everything()
    strategy = strategy_of("TPESampler", space)
    rows = strategy.ask(3)
    assert len(list(strategy._pending)) == 3
    strategy.tell(finished(rows[1], [1.0]))
    assert len(list(strategy._pending)) == 2
    trials = strategy._memory.study(None, strategy._pending).get_trials()
    assert [t.state for t in trials] == [TrialState.COMPLETE, TrialState.RUNNING, TrialState.RUNNING]
    momenta = [t.params["momentum"] for t in trials]
    assert momenta == pytest.approx([1.0 - rows.floats[i, 1] for i in (1, 0, 2)])


@pytest.mark.parametrize("name", sorted(SMALL))
def test_reaches_every_point_of_a_small_space_with_groups(name: str) -> None:
    space = SearchSpace(
        pg.Dict(a=pg.manyof(2, ["x", "y", "z"], sorted=True, distinct=True), b=pg.permutate([1, 2, 3]))
    )
    strategy = OptunaStrategy(name)
    strategy.setup(space, [Objective("m")], 0)
    assert len(set(strategy.ask(200).keys())) == space.size == 18


def test_random_suggestions_of_a_group_are_even() -> None:
    """What the other slots forbid is drawn again among what they allow, not bent to a neighbour."""
    space = SearchSpace(pg.permutate([1, 2, 3]))
    strategy = strategy_of("RandomSampler", space)
    keys = strategy.ask(600).keys()
    assert all(70 < keys.count(key) < 130 for key in set(keys))


def test_a_space_of_one_point() -> None:
    space = SearchSpace(pg.Dict(a=pg.oneof(["x"]), b=pg.floatv(0.5, 0.5)))
    for name in SMALL:
        strategy = strategy_of(name, space)
        for i in range(8):
            rows = strategy.ask(1)
            assert space.is_legal(rows).all()
            strategy.tell(finished(rows, [1.0], first=i))


def test_parameters_and_rows_say_the_same() -> None:
    space = everything()
    rows = space.sample(40, np.random.default_rng(0))
    suggester = Suggester(space)
    for i in range(len(rows)):
        params, distributions = suggester.parameters(rows[i])
        choices = space.choices(rows[i])
        assert params.keys() == choices.keys() == distributions.keys()
        assert params["momentum"] == pytest.approx(1.0 - float(choices["momentum"]))
        assert all(d._contains(d.to_internal_repr(params[name])) for name, d in distributions.items())


def test_a_scale_is_the_samplers_too() -> None:
    """Half of all random learning rates lie below the geometric mean; mirrored, above its mirror image."""
    space = SearchSpace(pg.Dict(a=pg.floatv(1e-4, 1.0, scale="log"), b=pg.floatv(1e-4, 1.0, scale="rlog")))
    floats = strategy_of("RandomSampler", space).ask(400).floats
    assert 160 < (floats[:, 0] < 1e-2).sum() < 240
    assert 160 < (floats[:, 1] > 1.0 - 1e-2).sum() < 240


def test_generations_are_made_of_complete_trials_as_they_come() -> None:
    space = everything()
    strategy = strategy_of("NSGAIISampler", space)
    for i in range(13):
        rows = strategy.ask(1)
        state = State.FAIL if i == 2 else State.COMPLETE
        strategy.tell(finished(rows, [float(i)], first=i, states=(state,)))
    trials = strategy._memory.finished
    generations = [t.system_attrs.get("NSGAIISampler:generation") for t in trials]
    assert generations == [0, 0, None, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    strategy.ask(1)
    chosen = {k: v for k, v in strategy._memory.get_study_system_attrs(0).items() if "parent" in k}
    assert sorted(chosen["NSGAIISampler:parent:1"]) == [0, 1, 3, 4]
    assert sorted(chosen["NSGAIISampler:parent:3"]) == [9, 10, 11, 12]


def test_states_become_optunas_states() -> None:
    space = everything()
    strategy = strategy_of("TPESampler", space)
    rows = strategy.ask(6)
    states = (State.COMPLETE, State.PRUNED, State.PRUNED, State.FAIL, State.COMPLETE, State.COMPLETE)
    values = [1.0, 2.0, np.nan, np.nan, np.inf, np.nan]
    strategy.tell(finished(rows, values, states=states, violations=[0, 0, 0, 0, 0, 3]))
    kept = [
        (t.state.name, t.values, dict(t.intermediate_values), t.constraints)
        for t in strategy._memory.finished
    ]
    fine = {"violation": 0.0}
    assert kept == [
        ("COMPLETE", [1.0], {}, fine),
        ("PRUNED", None, {0: 2.0}, fine),
        ("PRUNED", None, {}, fine),
        ("FAIL", None, {}, fine),
        ("FAIL", None, {}, fine),
        ("PRUNED", None, {}, {"violation": 3.0}),
    ]


@pytest.mark.parametrize("name", ["TPESampler", "NSGAIISampler"])
def test_learns_what_is_good_and_what_is_forbidden(name: str) -> None:
    """The best is all ``a``, but an ``a`` in the first place breaks the constraint."""
    space = SearchSpace(pg.List([pg.oneof(list("abcdef")) for _ in range(8)]))
    strategy = OptunaStrategy(name, **({"population_size": 20} if name == "NSGAIISampler" else {}))
    strategy.setup(space, [Objective("score", "maximize")], 0)
    made = []
    for i in range(160):
        row = strategy.ask(1)
        made.append(row)
        violation = float(row.choices[0, 0] == 0)
        value = np.nan if violation else float((row.choices == 0).sum())
        strategy.tell(finished(row, [value], first=i, violations=[violation]))
    rows = Genotypes.concatenate(made[-40:])
    assert (rows.choices[:, 0] == 0).mean() < 0.1
    assert (rows.choices[:, 1:] == 0).sum(axis=1).mean() > 3.0  # at random, 7 / 6


@pytest.mark.slow
def test_a_gaussian_process_searches_and_resumes() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("scipy")
    space = SearchSpace(pg.Dict(a=pg.oneof([pg.Dict(k=pg.oneof([1, 2])), "b"]), x=pg.floatv(0.0, 1.0)))
    live, resumed = (
        OptunaStrategy("GPSampler", n_startup_trials=3),
        OptunaStrategy("GPSampler", n_startup_trials=3),
    )
    for strategy in (live, resumed):
        strategy.setup(space, [Objective("m", "minimize")], 0)
    before = torch.get_rng_state()
    rows = []
    for i in range(5):
        rows.append(live.ask(1))
        value = (rows[-1].floats[0, 0] - 0.3) ** 2
        live.tell(finished(rows[-1], [value], first=i, violations=[float(i == 3)]))
    history = Genotypes.concatenate(rows)
    resumed.recover(history, finished(history, (history.floats[:, 0] - 0.3) ** 2, violations=[0, 0, 0, 1, 0]))
    assert resumed.ask(1).keys() == live.ask(1).keys()
    assert (abs(history.floats[3:, 0] - 0.3) < 0.2).all()
    assert torch.equal(torch.get_rng_state(), before)


def test_runs_a_study_on_a_conditional_space() -> None:
    space = everything()
    strategy = OptunaStrategy(n_startup_trials=5)
    study = Study(space, strategy, lambda a: float(len(a.choices)), {"n": "maximize"}, seed=1)
    best = study.run(trials=15).best.values[0]
    assert best is not None
    assert best >= 9


def test_a_study_resumes_exactly_from_its_store(tmp_path: Path) -> None:
    """Floats and choices come back from the store as they were proposed, and so does what follows them."""

    def study(file: str, *, resume: bool = False) -> Study:
        strategy = OptunaStrategy(n_startup_trials=4)
        store = tmp_path / file
        return Study(everything(), strategy, score, {"n": "maximize"}, store=store, resume=resume)

    def score(architecture: Any) -> float:
        if architecture.choices["op"] == "skip":
            raise ValueError("skipped")
        return float(architecture.choices["momentum"])

    whole = study("whole.db")
    whole.run(trials=14)
    study("parts.db").run(trials=6)
    parts = study("parts.db", resume=True)
    parts.run(trials=14)
    assert [trial.choices for trial in parts.trials] == [trial.choices for trial in whole.trials]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("TPEsampler", {}, "did you mean 'TPESampler'"),
        ("GridSampler", {}, "the strategy 'grid'"),
        ("BruteForceSampler", {}, "the strategy 'grid'"),
        ("CmaEsSampler", {}, "moves only floats"),
        ("QMCSampler", {"qmc_type": "latin"}, "halton"),
        ("PartialFixedSampler", {}, "one candidate"),
        ("TPESampler", {"n_startup_trial": 3}, "did you mean 'n_startup_trials'"),
        ("TPESampler", {"seed": 3}, "the study has a seed"),
        ("GPSampler", {"independent_sampler": None}, "carries a generator along"),
        ("NSGAIISampler", {"population_size": 1}, "greater than or equal to 2"),
    ],
)
def test_refuses_what_cannot_be_and_says_why(name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        OptunaStrategy(name, **options)


def test_a_sampler_by_name_has_its_own_signature() -> None:
    make = sampler_strategy("NSGAIISampler")
    parameters = inspect.signature(make).parameters
    assert parameters["population_size"].default == 50
    assert parameters["population_size"].annotation is int
    assert not {"seed", "constraints_func"} & parameters.keys()
    assert make(population_size=7).n_startup == 7
    assert OptunaStrategy("TPESampler").n_startup == 10
    assert OptunaStrategy("RandomSampler").n_startup == 0
    with pytest.raises(UnknownNameError, match="NSGAIISampler"):
        sampler_strategy("NSGASampler")


def test_a_sampler_without_its_library_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archloom.strategies.adapters.optuna_samplers.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="GPSampler needs 'scipy'"):
        OptunaStrategy("GPSampler")


def test_a_sequence_covers_a_space_evenly() -> None:
    """After the first result each proposal is the next place of the sequence, whoever asked for it."""
    space = SearchSpace(pg.Dict(a=pg.oneof(list("abcd")), x=pg.floatv(0.0, 1.0)))
    strategy = OptunaStrategy("QMCSampler")
    strategy.setup(space, [Objective("m")], 0)
    strategy.tell(finished(strategy.ask(1), [1.0]))
    rows = strategy.ask(31)
    counts = np.histogram2d(rows.choices[:, 0], rows.floats[:, 0], bins=[np.arange(5), np.linspace(0, 1, 5)])[
        0
    ]
    assert counts.min() >= 1  # of 16 cells; at random one is mostly empty
    assert counts.max() == 2

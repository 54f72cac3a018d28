"""Options of an evaluator as decisions: named, checked before the first trial, and used in each."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Architecture, Evaluator, Metrics, Strategy, Trial
from archloom.errors import ConfigError, MissingExtraError, SpaceError
from archloom.evaluators import Training, Tuned, load_splits
from archloom.search_spaces import SPACES, SearchSpace
from archloom.strategies import RandomSearch, RegularizedEvolution
from archloom.study import Study
from archloom.testing.evaluators import EvaluatorContract

SPACE = {"layers": 1, "widths": [8, 16]}
FEW = {"n_train": 60, "n_validation": 20, "n_test": 20}


class Scored(Evaluator):
    """Gives its own options back, and remembers what was made and prepared."""

    made: ClassVar[list[dict[str, Any]]] = []
    prepared: ClassVar[list[Any]] = []

    def __init__(self, *, lr: float = 0.1, steps: int = 1, extra: Any = None, gives: str = "score"):
        if lr <= 0:
            raise ConfigError(f"lr must be positive; got {lr}")
        if steps > 100:
            raise ValueError("too many steps")
        self.options = {"lr": lr, "steps": steps, "extra": extra}
        self.gives = (gives,)
        Scored.made.append(self.options)

    def prepare(self, space: Any) -> None:
        Scored.prepared.append(space)

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        del architecture, trial
        return {"score": self.options["lr"] * self.options["steps"]}

    def conditions(self) -> Mapping[str, str]:
        return {"machine": "this one"}


@pytest.fixture(autouse=True)
def nothing_made() -> None:
    """Forget what other tests made."""
    Scored.made, Scored.prepared = [], []


def mlp() -> SearchSpace:
    made: SearchSpace = SPACES.get("mlp")(**SPACE)
    return made


def drawn(tuned: Tuned, n: int = 20) -> list[Any]:
    space = mlp().with_settings(tuned.settings)
    tuned.prepare(space)
    rows = space.sample(n, np.random.default_rng(0))
    return [space.architecture(rows[i]) for i in range(n)]


class TestTunedTraining(EvaluatorContract):
    """A training with a searched learning rate keeps an evaluator's laws."""

    @pytest.fixture
    def make(self) -> Callable[[], Evaluator]:
        return lambda: Tuned(
            Training, data="digits", data_options=FEW, epochs=1, lr=pg.floatv(1e-3, 1e-1, scale="log")
        )

    @pytest.fixture
    def space(self, make: Callable[[], Evaluator]) -> SearchSpace:
        evaluator = make()
        assert isinstance(evaluator, Tuned)
        return mlp().with_settings(evaluator.settings)


# ------------------------------------------------------------------ what it is


def test_settings_are_the_options_that_hold_a_choice() -> None:
    lr, n = pg.floatv(0.1, 1.0), pg.oneof([1, 2])
    tuned = Tuned(Scored, lr=lr, steps=3, extra={"deep": [n, 4]})
    assert tuned.settings == {"scored": {"lr": lr, "extra": {"deep": [n, 4]}}}
    assert [d.name for d in mlp().with_settings(tuned.settings).decisions][-2:] == [
        "scored.extra.deep[0]",
        "scored.lr",
    ]


def test_the_evaluator_gets_what_was_chosen() -> None:
    tuned = Tuned(
        Scored, owner="mine", lr=pg.floatv(0.1, 1.0), extra={"deep": [pg.oneof([1, 2]), 4]}, steps=2
    )
    for architecture in drawn(tuned):
        metrics = tuned.evaluate(architecture, Trial())
        assert metrics == {"score": 2 * architecture.choices["mine.lr"]}
        assert Scored.made[-1] == {"steps": 2, **architecture.settings["mine"]}
        assert type(Scored.made[-1]["extra"]["deep"]) is list


def test_it_looks_like_what_it_makes() -> None:
    tuned = Tuned(Scored, lr=pg.floatv(0.1, 1.0))
    assert tuned.gives == ("score",)
    assert (tuned.is_cheap, tuned.keyed_by) == (False, "canonical")
    assert tuned.conditions() == {"machine": "this one"}


def test_few_evaluators_are_kept() -> None:
    tuned = Tuned(Scored, steps=pg.oneof(list(range(1, 21))))
    architectures = drawn(tuned, 200)
    n_before, n_prepared = len(Scored.made), len(Scored.prepared)
    for _ in range(3):
        tuned.evaluate(architectures[0], Trial())
    assert len(Scored.made) == n_before + 1
    assert len(Scored.prepared) == n_prepared + 1
    for architecture in architectures:
        score = tuned.evaluate(architecture, Trial())["score"]
        assert score == pytest.approx(0.1 * architecture.settings["scored"]["steps"])
    assert 20 < len(Scored.made) - n_before < 200


def test_a_name_is_needed_to_call_settings_by() -> None:
    make = functools.partial(Scored, steps=2)
    with pytest.raises(ConfigError, match=r"has no name to call its settings by: give owner='\.\.\.'"):
        Tuned(make, lr=pg.floatv(0.1, 1.0))
    assert Tuned(make, owner="mine", lr=pg.floatv(0.1, 1.0)).settings.keys() == {"mine"}


# ------------------------------------------------------------------ bad input


class OptionalScored(Scored):
    """Needs what is not there."""

    def __init__(self, *, lr: float) -> None:
        raise MissingExtraError("pip install 'archloom[more]'")


def unmade(*, lr: float) -> Any:
    """Make no evaluator."""
    return lr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 0.1}, "no option of scored is a decision .*: use the evaluator itself"),
        ({"lr": pg.oneof([0.1, -1])}, r"lr must be positive; got -1 \(with scored.lr=-1\)"),
        ({"lr": pg.oneof([0.0, -1])}, r"lr must be positive; got .* \(with scored.lr="),
        ({"lr": pg.floatv(0.0, 1.0)}, r"lr must be positive; got 0.0 \(with scored.lr=0\)"),
        ({"lr": pg.floatv(-1.0, -0.5)}, r"lr must be positive; got -0.\d+ \(with scored.lr=-0.\d+\)"),
        (
            {"lr": pg.oneof([0.1, 0.2]), "steps": pg.oneof([1, 2, 3, 1000])},
            r"scored raised ValueError: too many steps \(with scored.steps=1000\)",
        ),
        ({"lr": pg.floatv(0.1, 1.0), "steps": 1000}, "too many steps$"),
        ({"lr": pg.floatv(0.1, 1.0), "stpes": 3}, r"'stpes' is no option of scored; did you mean 'steps'\?$"),
        ({"stpes": pg.oneof([1, 2])}, r"'stpes' is no option of scored; did you mean 'steps'\?$"),
        (
            {"gives": pg.oneof(["score", "other"])},
            "whatever is chosen, scored must give the same metrics; it gives .*, or .*with scored.gives=",
        ),
    ],
)
def test_bad_options_and_candidates_are_met_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Tuned(Scored, **options)


@pytest.mark.parametrize("place", [0, 1])
def test_a_bad_candidate_below_another_is_found(place: int) -> None:
    def made(*, how: Any) -> Evaluator:
        return Scored(steps=how["steps"])

    steps = [pg.oneof([*range(1, 10)]), pg.oneof([*range(1, 10)])]
    steps[place] = pg.oneof([*range(1, 10), 1000])
    how = pg.oneof([pg.Dict(name="a", steps=steps[0]), pg.Dict(name="b", steps=steps[1])])
    with pytest.raises(ConfigError, match=r"too many steps \(with .*\.steps=1000\)"):
        Tuned(made, owner="m", how=how)


def test_what_cannot_be_compiled_or_imported_says_so() -> None:
    with pytest.raises(SpaceError, match=r"scored.extra\[0\]: a placeholder inside a tuple"):
        Tuned(Scored, extra=(pg.oneof([1, 2]), 3))
    with pytest.raises(SpaceError, match=r"names.*got 'my own'"):
        Tuned(Scored, owner="my own", lr=pg.floatv(0.1, 1.0))
    with pytest.raises(MissingExtraError, match=r"^pip install"):
        Tuned(OptionalScored, lr=pg.floatv(0.1, 1.0))
    with pytest.raises(ConfigError, match=r"unmade made no Evaluator, got 0\.\d+"):
        Tuned(unmade, lr=pg.floatv(0.1, 1.0))


def test_a_space_without_the_settings_is_refused() -> None:
    tuned = Tuned(Scored, lr=pg.floatv(0.1, 1.0))
    way_out = r": search space.with_settings\(evaluator.settings\)"
    with pytest.raises(ConfigError, match=f"no decision scored.lr{way_out}"):
        Study(mlp(), RandomSearch(), tuned, {"score": "maximize"})
    other = mlp().with_settings(Tuned(Scored, lr=pg.floatv(0.1, 2.0)).settings)
    with pytest.raises(ConfigError, match=rf"scored.lr is .*2\.0.* in the space and .*1\.0.* here{way_out}"):
        tuned.prepare(other)
    space = mlp()
    with pytest.raises(ConfigError, match=f"has no settings of scored{way_out}"):
        tuned.evaluate(space.architecture(space.at([0])), Trial())


def test_what_shows_only_with_the_data_fails_the_trial() -> None:
    """A choice whose data have no test split gives other metrics than the rest."""

    def data(*, has_test: bool) -> Any:
        splits = load_splits("digits", FEW)
        parts = (splits.train, splits.validation, splits.test)
        return parts if has_test else parts[:2]

    tuned = Tuned(Training, data=data, data_options={"has_test": pg.oneof([True, False])}, epochs=1)
    space = SearchSpace(mlp().template.value, settings=tuned.settings)
    tuned.prepare(space)
    row = space.at([0])
    other = space.neighbours(row, np.random.default_rng(0))[-1]
    assert space.choices(row)["training.data_options.has_test"] == "true"
    assert space.choices(other)["training.data_options.has_test"] == "false"
    evaluated, refused = (row, other) if "test/accuracy" in (tuned.gives or ()) else (other, row)
    assert set(tuned.evaluate(space.architecture(evaluated), Trial())) == set(tuned.gives or ())
    with pytest.raises(
        ConfigError, match=r"must give the same metrics; .*with training.data_options.has_test="
    ):
        tuned.evaluate(space.architecture(refused), Trial())


# ------------------------------------------------------------------ in a study


def study(store: Path, strategy: Strategy, n: int) -> Study:
    tuned = Tuned(
        Training,
        data="digits",
        data_options=FEW,
        epochs=1,
        batch_size=pg.oneof([10, 20]),
        lr=pg.floatv(1e-3, 1e-1, scale="log"),
    )
    return Study(
        mlp().with_settings(tuned.settings),
        strategy,
        tuned,
        {"validation/accuracy": "maximize"},
        store=store,
        resume=True,
        seed=3,
    ).run(trials=n)


@pytest.mark.parametrize(
    "make", [lambda: RegularizedEvolution(population_size=2, sample_size=2), RandomSearch]
)
def test_a_study_searches_the_learning_rate_and_resumes(make: Callable[[], Strategy], tmp_path: Path) -> None:
    whole = study(tmp_path / "whole.db", make(), 3)
    study(tmp_path / "parts.db", make(), 2)
    resumed = study(tmp_path / "parts.db", make(), 3)
    assert [t.choices for t in resumed.trials] == [t.choices for t in whole.trials]
    assert [t.values for t in resumed.trials] == [t.values for t in whole.trials]
    assert [t.state for t in whole.trials] == ["COMPLETE"] * 3
    with sqlite3.connect(tmp_path / "whole.db") as database:
        rows = database.execute("select name, choice from decisions order by trial_id").fetchall()
        space = json.loads(database.execute("select space from studies").fetchone()[0])
    rates = [float(choice) for name, choice in rows if name == "training.lr"]
    assert rates == [t.choices["training.lr"] for t in whole.trials]
    assert all(1e-3 <= rate <= 1e-1 for rate in rates)
    assert {choice for name, choice in rows if name == "training.batch_size"} <= {"10", "20"}
    assert space["settings"]["training"]["lr"] == {"floatv": [1e-3, 1e-1], "scale": "log"}
    assert "; training.batch_size=" in whole.best.text


def test_what_all_architectures_share_has_no_options_to_search() -> None:
    from archloom.evaluators import SupernetEvaluator

    with pytest.raises(
        ConfigError, match=r"trains a supernet once, .*: none of its options can be .* \(lr\)"
    ):
        Tuned(SupernetEvaluator, data="digits", lr=pg.oneof([0.1, 0.2]))

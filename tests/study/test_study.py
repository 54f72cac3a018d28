"""The loop: budgets, duplicates, failures, constraints, objectives, resume."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest

from archloom.contracts import Architecture, Evaluator, Metrics, Objective, State, Strategy, Trial
from archloom.errors import ArchloomError, ConfigError, StudyExistsError
from archloom.search_spaces import SearchSpace
from archloom.store import Store, TrialRecord
from archloom.strategies import MedianPruner, RandomSearch, RegularizedEvolution
from archloom.study import Study


def grid(n: int = 5) -> SearchSpace:
    return SearchSpace(pg.Dict(x=pg.oneof(list(range(n))), y=pg.oneof(list(range(n)))))


def product(architecture: Architecture) -> float:
    return float(architecture.value.x * architecture.value.y)


def make(evaluator: Any = product, space: SearchSpace | None = None, **options: Any) -> Study:
    strategy = options.pop("strategy", None) or RandomSearch()
    objectives = options.pop("objectives", {"value": "maximize"})
    return Study(space or grid(), strategy, evaluator, objectives, **options)


class Counting(Evaluator):
    """Counts its calls and gives two metrics."""

    gives = ("validation/accuracy", "test/accuracy")

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.seeds: list[int] = []

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        self.calls.append(architecture.text)
        self.seeds.append(trial.seed)
        value = float(architecture.value.x)
        return {"validation/accuracy": value + len(self.calls) / 1000, "test/accuracy": value - 1}


class Size(Evaluator):
    """A cheap metric."""

    gives = ("params",)
    is_cheap = True

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        return {"params": 100.0 * architecture.value.y}


def test_finds_the_best_and_says_why_it_stopped() -> None:
    study = make().run(trials=25)
    assert study.best.text == "x=4, y=4"
    assert study.best.values == (16.0,)
    assert study.stop_reason == "the budget of 25 evaluations is spent"
    assert [trial.number for trial in study.trials] == list(range(25))


def test_ends_when_the_space_is_used_up() -> None:
    study = make().run(trials=100)
    assert study.n_evaluations == 25
    assert study.stop_reason == "all 25 architectures have been tried"
    evolved = make(strategy=RegularizedEvolution(population_size=3, sample_size=2)).run(trials=100)
    assert evolved.n_evaluations <= 25
    assert "tried" in evolved.stop_reason or "nothing new" in evolved.stop_reason


def test_ends_when_nothing_new_comes() -> None:
    space = SearchSpace(
        pg.List([pg.oneof([0, 1, 2]) for _ in range(5)]),
        canonical=lambda choices: str(sorted(choices.values(), key=str)),
    )
    study = make(
        lambda a: float(sum(a.value)),
        space,
        strategy=RegularizedEvolution(population_size=3, sample_size=2),
        n_stall=20,
    )
    study.run(trials=200)
    assert study.stop_reason == "nothing new came in 20 proposals"
    assert study.n_evaluations <= 21 < study.n_proposals


def test_minutes_end_a_run() -> None:
    def slow(architecture: Architecture) -> float:
        time.sleep(0.02)
        return 1.0

    study = make(slow).run(minutes=0.1 / 60)
    assert 1 <= study.n_evaluations < 25
    assert "minutes" in study.stop_reason


@pytest.mark.parametrize(("trials", "minutes"), [(0, None), (-3, None), (5, 0)])
def test_impossible_budgets(trials: int, minutes: float | None) -> None:
    with pytest.raises(ConfigError, match="above zero"):
        make().run(trials=trials, minutes=minutes)


def test_same_seed_same_trials() -> None:
    def texts(seed: int) -> list[tuple[str, int]]:
        study = make(seed=seed, strategy=RegularizedEvolution(population_size=5, sample_size=2))
        return [(t.text, t.seed) for t in study.run(trials=20, count="proposals").trials]

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)


def repeating(duplicates: str, count: str = "proposals") -> tuple[Study, Counting]:
    counting = Counting()
    study = make(
        counting,
        SearchSpace(pg.Dict(x=pg.oneof([1, 2, 3]), y=pg.oneof([1, 2, 3]))),
        strategy=RegularizedEvolution(population_size=2, sample_size=2),
        objectives={"accuracy": "maximize"},
        duplicates=duplicates,
        n_stall=100,
    )
    study.run(trials=12, count=count)  # type: ignore[arg-type]
    return study, counting


def test_reuse_serves_repeats_from_the_store() -> None:
    study, counting = repeating("reuse")
    assert len(counting.calls) == len(set(counting.calls)) == study.n_evaluations
    repeats = [t for t in study.trials if t.reused_from is not None]
    assert len(repeats) == 12 - study.n_evaluations > 0
    for repeat in repeats:
        assert repeat.reused_from is not None
        assert repeat.metrics == study.trials[repeat.reused_from].metrics
        assert repeat.state == State.COMPLETE


def test_skip_prunes_repeats() -> None:
    study, counting = repeating("skip")
    assert len(counting.calls) == len(set(counting.calls))
    skipped = [trial for trial in study.trials if trial.state == State.PRUNED]
    assert len(skipped) == 12 - len(counting.calls) > 0
    assert all("duplicate of trial" in trial.reason for trial in skipped)


def test_reseed_evaluates_again_with_another_seed() -> None:
    study, counting = repeating("reseed")
    assert len(counting.calls) == study.n_evaluations == 12
    assert len(set(counting.calls)) < 12
    assert len(set(counting.seeds)) == 12


class Remembering(Strategy):
    """Proposes the same point for ever and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[float] = []

    def ask(self, n: int) -> Any:
        self.n_asked += n
        return self.space.enumerate()[[0] * n]

    def tell(self, finished: Any) -> None:
        self.told += finished.values[:, 0].tolist()


def test_average_tells_the_mean() -> None:
    scores = iter([1.0, 2.0, 6.0])
    strategy = Remembering()
    study = make(lambda a: next(scores), strategy=strategy, duplicates="average").run(trials=3)
    assert strategy.told == [1.0, 1.5, 3.0]
    assert [t.values[0] for t in study.trials] == [1.0, 2.0, 6.0]


def test_failures_are_data() -> None:
    def fragile(architecture: Architecture) -> float:
        if architecture.value.x == 2:
            raise RuntimeError("boom")
        return float("nan") if architecture.value.x == 3 else product(architecture)

    study = make(fragile).run(trials=25)
    failed = [t for t in study.trials if t.state == State.FAIL]
    assert len(failed) == 10
    assert {t.reason for t in failed} == {"RuntimeError: boom", "metric 'value' is nan"}
    assert any("raise RuntimeError" in t.traceback for t in failed)
    assert study.best.text == "x=4, y=4"


def test_a_wrong_metric_name_is_named() -> None:
    study = make(lambda a: {"acuracy": 1.0}, objectives={"accuracy": "maximize"}, max_failures=3).run(
        trials=25
    )
    assert study.stop_reason == (
        "3 trials in a row failed; the last: the evaluator gave no metric 'accuracy'; did you mean 'acuracy'?"
    )
    assert study.n_proposals == 3
    with pytest.raises(ArchloomError, match="no complete and feasible trial"):
        _ = study.best


def test_objectives_resolve_to_validation_never_to_test() -> None:
    study = make(Counting(), objectives={"accuracy": "maximize"})
    assert study.objectives[0].metric == "validation/accuracy"
    with pytest.raises(ConfigError, match="report metric"):
        make(Counting(), objectives={"test/accuracy": "maximize"})
    with pytest.raises(ConfigError, match="no evaluator gives a metric 'acuracy'; did you mean 'accuracy'"):
        make(Counting(), objectives={"acuracy": "maximize"})
    with pytest.raises(ConfigError, match="did you mean 'maximize'"):
        make(objectives={"value": "maximise"})
    with pytest.raises(ConfigError, match="at least one objective"):
        make(objectives={})


def test_cheap_first_and_constraints_spare_the_training() -> None:
    counting = Counting()
    study = make(
        [counting, Size()],
        objectives=[Objective("accuracy", "maximize"), Objective("params", "minimize")],
        constraints=["params <= 200"],
    ).run(trials=25)
    pruned = [t for t in study.trials if t.state == State.PRUNED]
    assert len(pruned) == 10
    assert len(counting.calls) == 15
    assert pruned[0].reason.endswith("breaks params <= 200")
    assert pruned[0].violation > 0
    assert all(t.metrics["params"] <= 200 for t in study.pareto)
    assert {t.text for t in study.pareto} >= {"x=4, y=0"}


def test_a_broken_constraint_on_the_objective_itself_is_never_best() -> None:
    study = make(constraints=["value <= 9"]).run(trials=25)
    assert study.best.values == (9.0,)
    over = [t for t in study.trials if t.values[0] and t.values[0] > 9]
    assert over
    assert all(t.state == State.COMPLETE and t.violation > 0 for t in over)


@pytest.mark.parametrize("text", ["params", "params < 3", "params <= many", "<= 3", "params == 3"])
def test_constraints_that_do_not_read(text: str) -> None:
    with pytest.raises(ConfigError, match=r"metric <= number|not a number"):
        make(constraints=[text])


def test_pareto_of_two_objectives() -> None:
    def both(architecture: Architecture) -> Mapping[str, float]:
        return {
            "gain": float(architecture.value.x),
            "cost": float(architecture.value.x + architecture.value.y),
        }

    study = make(both, objectives={"gain": "maximize", "cost": "minimize"}).run(trials=25)
    assert sorted(t.values for t in study.pareto) == [(float(i), float(i)) for i in range(5)]


class OneOnly(Strategy):
    """A strategy of one objective and no floats."""

    def ask(self, n: int) -> Any:
        return self.space.enumerate()[:n]


def test_what_a_strategy_cannot_do_is_refused_before_the_first_trial() -> None:
    with pytest.raises(ConfigError, match="OneOnly cannot do several objectives"):
        make(strategy=OneOnly(), objectives={"a": "maximize", "b": "minimize"})
    with pytest.raises(ConfigError, match="OneOnly cannot do floats"):
        make(strategy=OneOnly(), space=SearchSpace(pg.floatv(0.0, 1.0)))


def test_pruner_stops_by_the_curve() -> None:
    class Curve(Evaluator):
        gives = ("value",)

        def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
            metrics = {"value": 0.0}
            for step in range(3):
                metrics = {"value": product(architecture) * (step + 1)}
                if trial.report(step, metrics) == "stop":
                    break
            return metrics

    study = make(Curve(), pruner=MedianPruner(n_startup=3)).run(trials=25)
    pruned = [t for t in study.trials if t.state == State.PRUNED]
    assert 3 < len(pruned) < 20
    assert pruned[0].reason == "stopped early by the pruner"
    assert study.best.text == "x=4, y=4"


def test_ask_and_tell() -> None:
    study = make(None)
    number, architecture = study.ask()
    assert study.tell(number, product(architecture)).state == State.COMPLETE
    number, _ = study.ask()
    assert study.tell(number, reason="the board burnt").reason == "the board burnt"
    number, _ = study.ask()
    assert study.tell(number, {"value": 3.0, "extra": 1.0}).metrics == {"value": 3.0, "extra": 1.0}
    with pytest.raises(ArchloomError, match="already"):
        study.tell(number, 1.0)
    with pytest.raises(ConfigError, match="ask"):
        study.run(trials=3)
    for _ in range(22):
        study.tell(study.ask()[0], 0.0)
    with pytest.raises(ArchloomError, match="nothing more to propose"):
        study.ask()


def test_trials_asked_for_at_once_have_seeds_of_their_own() -> None:
    study = make(None)
    numbers = [study.ask()[0] for _ in range(3)]
    assert numbers == [0, 1, 2]
    assert len({trial.seed for trial in study.trials}) == 3


def test_tell_a_bare_number_needs_one_objective() -> None:
    study = make(None, objectives={"a": "maximize", "b": "minimize"})
    with pytest.raises(ConfigError, match="tell a mapping"):
        study.tell(study.ask()[0], 1.0)


def test_callbacks_see_each_trial_start_and_end() -> None:
    seen: list[tuple[int, State]] = []
    make().run(trials=3, callbacks=[lambda study, trial: seen.append((trial.number, trial.state))])
    assert seen == [(n, s) for n in range(3) for s in (State.RUNNING, State.COMPLETE)]


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("stop", [1, 7, 13])
def test_resume_equals_never_stopped(tmp_path: Path, stop: int, batch_size: int) -> None:
    def study(store: str, resume: bool = False) -> Study:
        strategy = RegularizedEvolution(population_size=4, sample_size=2)
        return make(strategy=strategy, space=grid(40), store=tmp_path / store, resume=resume)

    def rows(study: Study) -> list[tuple[int, str, int, tuple[float | None, ...]]]:
        return [(t.number, t.text, t.seed, t.values) for t in study.trials if t.state.is_finished]

    whole = study("whole.db").run(trials=25, batch_size=batch_size)
    study("parts.db").run(trials=stop, batch_size=batch_size).store.close()
    parts = study("parts.db", resume=True).run(trials=25, batch_size=batch_size)
    assert rows(parts) == rows(whole)


def test_an_interrupt_loses_nothing_and_resumes(tmp_path: Path) -> None:
    def interrupted(architecture: Architecture) -> float:
        if len(calls) == 5:
            calls.append("stop")
            raise KeyboardInterrupt
        calls.append("go")
        return product(architecture)

    calls: list[str] = []
    path = tmp_path / "s.db"
    with pytest.raises(KeyboardInterrupt):
        make(interrupted, store=path).run(trials=10)
    with Store(path) as store:
        assert store.study("study").status == "stopped"
    resumed = make(interrupted, store=path, resume=True).run(trials=10)
    assert [t.text for t in resumed.trials] == [t.text for t in make().run(trials=10).trials]
    assert {t.state for t in resumed.trials} == {State.COMPLETE}


def test_a_second_study_of_the_same_name(tmp_path: Path) -> None:
    make(store=tmp_path / "s.db").run(trials=2)
    with pytest.raises(StudyExistsError, match=r"'study'.*--resume"):
        make(store=tmp_path / "s.db")
    assert make(store=tmp_path / "s.db", name="other").run(trials=2).n_evaluations == 2


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"seed": 9}, "seed was 0, now 9"),
        ({"space": grid(6)}, "search space is another"),
        ({"constraints": ["value <= 3"]}, "constraints"),
    ],
)
def test_resume_under_other_terms_is_refused(tmp_path: Path, options: dict[str, Any], what: str) -> None:
    make(store=tmp_path / "s.db").run(trials=2)
    with pytest.raises(ConfigError, match=f"begun under other terms: .*{what}"):
        make(store=tmp_path / "s.db", resume=True, **options)


def test_artifacts_are_recorded(tmp_path: Path) -> None:
    class Writing(Evaluator):
        def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
            path = trial.artifact("note.txt")
            assert path is not None
            path.write_text("kept")
            return {"value": 1.0}

    study = make(Writing(), artifacts=tmp_path / "artifacts").run(trials=2)
    assert Path(study.trials[1].artifacts["note.txt"]).read_text() == "kept"


def test_frame_has_a_row_a_trial() -> None:
    frame = make().run(trials=4).frame()
    assert len(frame) == 4
    assert {"number", "state", "x", "y", "value"} <= set(frame.columns)


def test_unknown_duplicates_policy() -> None:
    with pytest.raises(ConfigError, match="reuse, skip, reseed or average"):
        make(duplicates="forget")


def test_rebuild_gives_the_architecture() -> None:
    study = make().run(trials=1)
    record: TrialRecord = study.trials[0]
    assert study.rebuild(record).text == record.text

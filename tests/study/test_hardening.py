"""What must not break a study: bad metrics, interrupts at any step, strategies that err."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Architecture, Evaluator, Genotypes, Metrics, State, Strategy, Trial
from archloom.errors import ArchloomError, ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies import MedianPruner, RandomSearch, RegularizedEvolution
from archloom.study import Study


def space(n: int = 6) -> SearchSpace:
    return SearchSpace(pg.Dict(x=pg.oneof(list(range(n))), y=pg.oneof(list(range(n)))))


class Giving(Evaluator):
    """Gives whatever it was made with."""

    def __init__(self, result: Any):
        self.result = result

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        made: Metrics = self.result(architecture) if callable(self.result) else self.result
        return made


def study(evaluator: Any, **options: Any) -> Study:
    strategy = options.pop("strategy", None) or RandomSearch()
    objectives = options.pop("objectives", {"v": "maximize"})
    return Study(options.pop("space", None) or space(), strategy, evaluator, objectives, **options)


@pytest.mark.parametrize(
    "bad",
    [{"note": "x"}, {"w": None}, {"w": "0.5"}, {"w": np.zeros(3)}, {3: 1.0}, {"": 1.0}, {"w": 10**400}],
    ids=str,
)
def test_a_bad_metric_fails_its_trial_and_nothing_else(bad: dict[Any, Any], tmp_path: Path) -> None:
    def some(architecture: Architecture) -> Mapping[str, float]:
        return {"v": 1.0, **(bad if architecture.value.x == 2 else {})}

    made = study(Giving(some), store=tmp_path / "s.db").run(trials=36)
    states = {t.choices["x"]: t.state for t in made.trials}
    assert states["2"] == State.FAIL
    assert set(states.values()) == {State.FAIL, State.COMPLETE}
    assert any("Giving: " in t.reason for t in made.trials)


def test_numbers_of_every_kind_are_numbers() -> None:
    torch = pytest.importorskip("torch")
    made = study(Giving({"v": np.float32(0.5), "n": 3, "t": torch.tensor(2.0), "b": True})).run(trials=1)
    assert made.best.metrics == {"v": 0.5, "n": 3.0, "t": 2.0, "b": 1.0}


def test_two_evaluators_may_not_give_the_same_metric() -> None:
    made = study([Giving({"v": 1.0}), Giving({"v": 2.0})], max_failures=2).run(trials=5)
    assert "another evaluator has given 'v' already" in made.stop_reason

    class Named(Giving):
        gives = ("v",)

    with pytest.raises(ConfigError, match="two evaluators give 'v'"):
        study([Named({"v": 1.0}), Named({"v": 1.0})])


@pytest.mark.parametrize("result", [{"v": 1.0, "params": 1e9}, {"v": 1.0, "parms": float("nan")}])
def test_a_constraint_that_nothing_measures_is_not_kept(result: dict[str, float]) -> None:
    made = study(Giving(result), constraints=["parms <= 10"], max_failures=2).run(trials=5)
    assert "no metric 'parms'; did you mean 'params'?" in made.stop_reason or "is nan" in made.stop_reason


def test_constraints_are_kept_to_the_last_digit() -> None:
    made = study(Giving({"v": 1.0, "params": 1234567.0}), constraints=["params <= 1234566", "v >= 0.125"])
    assert [str(constraint) for constraint in made.constraints] == ["params <= 1234566", "v >= 0.125"]


def test_repeats_of_what_broke_a_constraint_cost_nothing() -> None:
    calls: list[str] = []

    def size(architecture: Architecture) -> dict[str, float]:
        calls.append(architecture.text)
        return {"params": float(architecture.value.x)}

    made = study(
        [Giving(size), Giving({"v": 1.0})],
        strategy=RegularizedEvolution(population_size=4, sample_size=2),
        constraints=["params <= 2"],
    ).run(trials=200, count="proposals")
    assert len(calls) == len(set(calls))
    assert {t.state for t in made.trials if t.reused_from is not None} == {State.PRUNED, State.COMPLETE}


def test_a_failure_is_tried_twice_and_no_more() -> None:
    calls: list[str] = []

    def failing(architecture: Architecture) -> dict[str, float]:
        calls.append(architecture.text)
        raise RuntimeError("boom")

    def half(architecture: Architecture) -> dict[str, float]:
        return failing(architecture) if architecture.value.x else {"v": 1.0}

    study(
        Giving(half),
        space=space(2),
        strategy=RegularizedEvolution(population_size=3, sample_size=3),
        max_failures=100,
        n_stall=60,
    ).run(trials=300, count="proposals")
    assert calls
    assert max(calls.count(text) for text in calls) <= 2


class Watching(Strategy):
    """Proposes two points in turn and keeps what it hears."""

    def ask(self, n: int) -> Genotypes:
        rows = self.space.enumerate()[[(self.n_asked + i) % 2 for i in range(n)]]
        self.n_asked += n
        return rows

    def setup(self, space: Any, objectives: Any, seed: int) -> None:
        super().setup(space, objectives, seed)
        self.heard: list[int] = []

    def tell(self, finished: Any) -> None:
        self.heard += finished.numbers.tolist()


def test_a_skipped_repeat_is_not_told() -> None:
    watching = Watching()
    study(Giving({"v": 1.0}), strategy=watching, duplicates="skip").run(trials=6, count="proposals")
    assert watching.heard == [0, 1]


def test_a_strategy_serves_one_study_after_another() -> None:
    strategy = RandomSearch()
    first = study(Giving({"v": 1.0}), space=space(3), strategy=strategy).run(trials=9)
    second = study(Giving({"v": 1.0}), space=space(3), strategy=strategy).run(trials=9)
    assert [t.text for t in first.trials] == [t.text for t in second.trials]


class Illegal(Strategy):
    """Leaves a decision open."""

    def ask(self, n: int) -> Genotypes:
        return Genotypes(np.full((n, 2), -1, dtype=np.int16), np.empty((n, 0)))


def test_an_illegal_proposal_never_reaches_the_store() -> None:
    made = study(Giving({"v": 1.0}), strategy=Illegal())
    with pytest.raises(ArchloomError, match="Illegal proposed what is not a point"):
        made.run(trials=3)
    assert made.trials == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed is a whole number of at least 0, got -1"),
        ({"n_stall": 0}, "n_stall"),
        ({"max_failures": 0}, "max_failures"),
        ({"objectives": "v"}, "objectives map metrics to directions"),
        ({"objectives": ["v"]}, "objectives map metrics to directions"),
    ],
)
def test_impossible_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study(Giving({"v": 1.0}), **options)


def test_impossible_batches_and_doubled_objectives() -> None:
    with pytest.raises(ConfigError, match="batch_size"):
        study(Giving({"v": 1.0})).run(trials=3, batch_size=0)

    class Named(Giving):
        gives = ("validation/v",)

    with pytest.raises(ConfigError, match="'validation/v' is given 2 times"):
        study(Named({"validation/v": 1.0}), objectives={"v": "maximize", "validation/v": "maximize"})


def test_told_metrics_are_checked_and_may_be_told_again() -> None:
    made = study(None)
    number, _ = made.ask()
    with pytest.raises(ArchloomError, match="tell: metric 'v' is a number, got 'high'"):
        made.tell(number, {"v": "high"})  # type: ignore[dict-item]
    assert made.tell(number, {"v": 2.0}).state == State.COMPLETE


def rows(made: Study) -> list[tuple[Any, ...]]:
    return [(t.number, t.ask, t.text, t.seed, t.values, t.state) for t in made.trials if t.state.is_finished]


def interrupted(method: str, owner: Any, after: int) -> Callable[[pytest.MonkeyPatch], None]:
    """Make a method raise KeyboardInterrupt right after it has done its work for the n-th time."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        whole, calls = getattr(owner, method), [0]

        def broken(*args: Any, **kwargs: Any) -> Any:
            result = whole(*args, **kwargs)
            calls[0] += 1
            if calls[0] == after:
                raise KeyboardInterrupt
            return result

        monkeypatch.setattr(owner, method, broken)

    return patch


@pytest.mark.parametrize("is_same_object", [True, False])
@pytest.mark.parametrize("after", [1, 5])
@pytest.mark.parametrize("method", ["ask", "tell", "start", "claim_many", "finish_many", "evaluate"])
def test_an_interrupt_at_any_step_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, method: str, after: int, is_same_object: bool
) -> None:
    from archloom.store import Store

    def fresh(store: str, resume: bool = False) -> Study:
        strategy = RegularizedEvolution(population_size=3, sample_size=2)
        score = Giving(lambda a: {"v": float(a.value.x * a.value.y)})
        return study(score, strategy=strategy, store=tmp_path / store, resume=resume)

    whole = rows(fresh("whole.db").run(trials=12, batch_size=2))
    owner = {"ask": RegularizedEvolution, "tell": RegularizedEvolution, "evaluate": Giving}.get(method, Store)
    made = fresh("parts.db")
    with monkeypatch.context() as patch:
        interrupted(method, owner, after)(patch)
        with pytest.raises(KeyboardInterrupt):
            made.run(trials=12, batch_size=2)
    if not is_same_object:
        made.store.close()
        made = fresh("parts.db", resume=True)
    assert rows(made.run(trials=12, batch_size=2)) == whole


def test_resume_follows_the_order_in_which_trials_finished(tmp_path: Path) -> None:
    def fresh(resume: bool = False) -> Study:
        strategy = RegularizedEvolution(population_size=3, sample_size=2)
        return study(None, strategy=strategy, store=tmp_path / "s.db", resume=resume)

    made = fresh()
    for _ in range(3):
        asked = [made.ask() for _ in range(4)]
        for number, architecture in reversed(asked):
            made.tell(number, float(architecture.value.x))
    following = made.ask()[1].text
    made.store.close()
    assert fresh(resume=True).ask()[1].text == following


def test_a_run_that_breaks_off_leaves_asked_trials_alone() -> None:
    def broken(architecture: Architecture) -> dict[str, float]:
        raise KeyboardInterrupt

    made = study(Giving(broken))
    number, _ = made.ask()
    with pytest.raises(KeyboardInterrupt):
        made.run(trials=5)
    assert made.store.trial(made.id, number).state == State.RUNNING
    assert made.tell(number, 1.0).state == State.COMPLETE


def test_the_pruner_compares_with_complete_trials_also_after_resume(tmp_path: Path) -> None:
    class Curve(Evaluator):
        gives = ("v",)

        def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
            value = 0.0
            for step in range(2):
                value = float(architecture.value.x + step)
                if trial.report(step, {"v": value}) == "stop":
                    break
            return {"v": value}

    def fresh(name: str, resume: bool = False) -> Study:
        return study(Curve(), pruner=MedianPruner(n_startup=3), store=tmp_path / name, resume=resume)

    whole = fresh("whole.db").run(trials=30)
    fresh("parts.db").run(trials=12).store.close()
    parts = fresh("parts.db", resume=True).run(trials=30)
    assert rows(parts) == rows(whole)
    assert State.PRUNED in {t.state for t in whole.trials}


def test_a_failed_run_may_be_tried_again() -> None:
    is_broken = [True]

    def sometimes(architecture: Architecture) -> dict[str, float]:
        if is_broken[0]:
            raise RuntimeError("the disk was away")
        return {"v": 1.0}

    made = study(Giving(sometimes), max_failures=3).run(trials=20)
    assert "3 trials in a row failed" in made.stop_reason
    is_broken[0] = False
    assert made.run(trials=20).stop_reason == "the budget of 20 evaluations is spent"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"space": pg.Dict(x=pg.oneof([1, 2]))}, "space is a SearchSpace, got .*compile the template"),
        (
            {"strategy": "random"},
            r"strategy is a Strategy or GradientStrategy, got 'random': make one, such as RandomSearch\(\)",
        ),
        ({"strategy": RandomSearch}, "strategy is a Strategy"),
        ({"constraints": "v <= 3"}, "list them"),
        ({"pruner": "median"}, r"make one, such as MedianPruner\(\)"),
        ({"device": "cudda"}, "device 'cudda' cannot be used here .*; cpu always can"),
    ],
)
def test_parts_of_the_wrong_kind_are_refused_with_advice(arguments: dict[str, Any], message: str) -> None:
    parts = {"space": space(), "strategy": RandomSearch(), **arguments}
    with pytest.raises(ConfigError, match=message):
        Study(parts.pop("space"), parts.pop("strategy"), Giving({"v": 1.0}), {"v": "maximize"}, **parts)


def test_a_misspelt_told_metric_may_be_told_again() -> None:
    made = study(None)
    number, _ = made.ask()
    with pytest.raises(ArchloomError, match="the objective 'v' is not there"):
        made.tell(number, {"w": 1.0})
    assert made.tell(number, {"v": 1.0}).state == State.COMPLETE


class Writing(Evaluator):
    """Leaves a file with each trial."""

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        path = trial.artifact("note.txt")
        if path is not None:
            path.write_text("kept")
        return {"v": 1.0}


def test_artifacts_lie_beside_a_store_in_a_file(tmp_path: Path) -> None:
    made = study(Writing(), store=tmp_path / "runs.db", name="my study").run(trials=1)
    assert made.best.artifacts == {
        "note.txt": str(tmp_path / "runs-artifacts" / "my_study" / "0" / "note.txt")
    }
    assert study(Writing()).run(trials=1).best.artifacts == {}
    none = study(Writing(), store=tmp_path / "none.db", artifacts=False).run(trials=1)
    assert none.best.artifacts == {}
    assert not (tmp_path / "none-artifacts").exists()


def test_the_best_of_equals_is_on_the_front() -> None:
    """Equal in the first objective, the second decides; the number only after that."""
    made = study(
        Giving(lambda a: {"v": 1.0, "cost": float(a.value.x)}),
        objectives={"v": "maximize", "cost": "minimize"},
    ).run(trials=36)
    assert made.best.is_pareto
    assert made.best.values == (1.0, 0.0)
    assert made.best.number in {trial.number for trial in made.pareto}


@pytest.mark.parametrize("where", ["score", "import"])
def test_code_that_ends_the_program_ends_its_trial(where: str, tmp_path: Path) -> None:
    from archloom.registry import import_path

    if where == "import":
        (tmp_path / "leaving.py").write_text("import sys\nsys.exit(0)\n")
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(tmp_path)
            with pytest.raises(ImportError, match="leaving ends the program when it is imported"):
                import_path("leaving:Net")
        return

    def leave(architecture: Architecture) -> dict[str, float]:
        raise SystemExit(0)

    made = study(Giving(leave), max_failures=2).run(trials=5)
    assert "2 trials in a row failed; the last: SystemExit: 0" in made.stop_reason


def test_an_interrupt_anywhere_leaves_a_store_that_works(tmp_path: Path) -> None:
    """Interrupt at every line of the store's session in turn; the same object goes on, and loses nothing."""
    import sys

    from archloom.store import session

    def fresh(name: str) -> Study:
        strategy = RegularizedEvolution(population_size=3, sample_size=2)
        return study(Giving({"v": 1.0}), strategy=strategy, store=tmp_path / name, duplicates="reseed")

    whole = rows(fresh("whole.db").run(trials=6))
    for line in range(5, 400, 9):
        made, seen = fresh(f"{line}.db"), [0]

        def trace(frame: Any, event: str, argument: Any, line: int = line, seen: list[int] = seen) -> Any:
            if frame.f_code.co_filename == session.__file__ and event == "line":
                seen[0] += 1
                if seen[0] == line:
                    raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            made.run(trials=6)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
        made.run(trials=6)
        made.store.close()
        again = fresh_resumed(tmp_path / f"{line}.db")
        assert rows(again) == whole, line


def fresh_resumed(path: Path) -> Study:
    strategy = RegularizedEvolution(population_size=3, sample_size=2)
    return study(Giving({"v": 1.0}), strategy=strategy, store=path, duplicates="reseed", resume=True)

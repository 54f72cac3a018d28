# SPDX-License-Identifier: Apache-2.0
"""A study goes on under other terms: what is refused, what becomes of its trials, who notices."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom import config
from archloom.contracts import Architecture, Evaluator, Finished, Metrics, State, Strategy, Trial
from archloom.errors import ConfigError, StudyBusyError
from archloom.search_spaces import SearchSpace
from archloom.store import Store
from archloom.store.corrections import Corrections
from archloom.store.integrity import check
from archloom.store.revisions import Revisions, StudyRevisedError
from archloom.strategies import Grid, LocalSearch, MedianPruner, RandomSearch, RegularizedEvolution
from archloom.study import Study

YAML = """
study: cells
space: {a: {oneof: [conv, pool]}, b: {oneof: [conv, pool]}, width: {oneof: [8, 16]}}
strategy: random
evaluator: {name: function, function: "scoring_of_revisions:score"}
objectives: {score: maximize}
budget: {trials: 8}
store: cells.db
"""

SCORING = """
SCORES = {"conv": 2, "pool": 1, "skip": 5}

def score(architecture):
    made = architecture.value
    return {"score": float(SCORES[made.a] + SCORES[made.b]), "width": float(made.width)}
"""


def space(n: int = 3, *more: str) -> SearchSpace:
    fields = {name: pg.oneof(list(range(n))) for name in ("x", "y", "z")}
    return SearchSpace(pg.Dict(**fields, **{name: pg.oneof(["on", "off"]) for name in more}))


def total(architecture: Architecture) -> float:
    return float(sum(architecture.value[name] for name in "xyz"))


def study(path: Path, searched: SearchSpace | None = None, **options: Any) -> Study:
    strategy = options.pop("strategy", None) or RandomSearch()
    evaluator = options.pop("evaluator", total)
    objectives = options.pop("objectives", {"v": "maximize"})
    usual: dict[str, Any] = {"resume": True, "changes": "record", "artifacts": False}
    usual["store"] = f"sqlite:///{path}?synchronous=normal"
    options = usual | options
    return Study(searched or space(), strategy, evaluator, objectives, **options)


def rows(made: Study) -> list[tuple[Any, ...]]:
    return [(t.number, t.ask, t.text, t.seed, t.values, t.reused_from, t.excluded) for t in made.trials]


def revisions(made: Study) -> list[str]:
    return [revision.detail for revision in Revisions(made.store, made.id).records()]


class Sizes(Evaluator):
    """Two metrics, one of them a size."""

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        return {"v": total(architecture), "size": 10.0 * architecture.value.x}


class Told(Strategy):
    """Proposes at random and remembers what it was told."""

    def setup(self, space: Any, objectives: Any, seed: int) -> None:
        super().setup(space, objectives, seed)
        self.told: list[int] = []

    def ask(self, n: int) -> Any:
        self.n_asked += n
        return self.space.sample(n, self.rng(self.n_asked))

    def tell(self, finished: Finished) -> None:
        self.told += finished.numbers.tolist()


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"seed": 1}, "seed was 0, now 1 (a study keeps its seed and its objectives"),
        ({"objectives": {"v": "minimize"}}, "objectives.v was 'maximize', now 'minimize' (a study keeps"),
        ({"objectives": {"v": "maximize", "size": "minimize"}}, "objectives.size was None, now 'minimize'"),
        (
            {"changes": "refuse", "searched": space(4)},
            "one: x gains '3', y gains '3', z gains '3' (`--allow-",
        ),
        (
            {"changes": "refuse", "searched": space(3, "w")},
            "the search space is another one: w is new (`--all",
        ),
        ({"changes": "refuse", "strategy": Grid()}, "strategy was 'RandomSearch', now 'Grid' (`--allow-"),
        ({"changes": "refuse", "evaluator": total}, "evaluator was ['Sizes'], now ['Function'] ("),
        ({"changes": "refuse", "duplicates": "skip"}, "duplicates was 'reuse', now 'skip' ("),
        ({"changes": "refuse", "pruner": MedianPruner()}, "pruner was None, now 'MedianPruner' ("),
        ({"changes": "refuse", "constraints": ["size <= 3"]}, "constraints was [], now ['size <= 3'] ("),
    ],
)
def test_other_terms_are_refused_and_the_message_says_what_can_be_done(
    tmp_path: Path, options: dict[str, Any], what: str
) -> None:
    options = {"evaluator": Sizes()} | options
    study(tmp_path / "s.db", evaluator=Sizes()).run(trials=2)
    with pytest.raises(ConfigError) as caught:
        study(tmp_path / "s.db", **options)
    assert str(caught.value).startswith("study 'study' was begun under other terms: ")
    assert what in str(caught.value)
    assert len(revisions(study(tmp_path / "s.db", evaluator=Sizes(), changes="refuse"))) == 1


def test_the_order_of_objectives_is_one_of_the_terms(tmp_path: Path) -> None:
    two = {"v": "maximize", "size": "minimize"}
    study(tmp_path / "s.db", evaluator=Sizes(), objectives=two).run(trials=2)
    with pytest.raises(ConfigError, match="objectives was 'v, size', now 'size, v'"):
        study(tmp_path / "s.db", evaluator=Sizes(), objectives=dict(reversed(two.items())))


def test_another_word_for_changes_is_refused() -> None:
    with pytest.raises(ConfigError, match="changes is refuse or record, got 'recrod'; did you mean 'record'"):
        Study(space(), RandomSearch(), total, {"v": "maximize"}, changes="recrod")  # type: ignore[arg-type]


def test_a_study_that_is_opened_without_evaluator_has_not_lost_it(tmp_path: Path) -> None:
    study(tmp_path / "s.db").run(trials=2)
    assert study(tmp_path / "s.db", evaluator=None, changes="refuse").n_evaluations == 2
    study(tmp_path / "s.db", space(4), evaluator=None)
    with pytest.raises(ConfigError, match="evaluator was"):
        study(tmp_path / "s.db", space(4), evaluator=Sizes(), changes="refuse")


def test_a_study_that_an_older_archloom_began_learns_what_it_is_made_of(tmp_path: Path) -> None:
    first = study(tmp_path / "s.db").run(trials=2)
    with closing(sqlite3.connect(tmp_path / "s.db")) as database, database:
        database.execute("DELETE FROM events WHERE kind = 'parts'")
    assert len(revisions(study(tmp_path / "s.db", strategy=Grid(), changes="refuse"))) == 1
    with pytest.raises(ConfigError, match="strategy was 'Grid', now 'RandomSearch'"):
        study(tmp_path / "s.db", changes="refuse")
    first.store.close()


# ---------------------------------------------------------------- what becomes of the trials


def test_a_study_file_may_grow_lose_and_regain_a_candidate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("scoring_of_revisions.py").write_text(SCORING)
    file = Path("study.yaml")

    def resumed(*changed: tuple[str, str], allows: bool = True) -> Study:
        text = YAML
        for old, new in changed:
            assert old in text
            text = text.replace(old, new)
        file.write_text(text)
        read = config.load(file)
        made = read.study(resume=True, changes="record" if allows else "refuse")
        return made.run(**read.run_options)

    grown = ("a: {oneof: [conv, pool]}", "a: {oneof: [conv, skip, pool]}")
    assert resumed().best.values == (4.0,)
    with pytest.raises(ConfigError, match=r"study.yaml:3: space.a.oneof: .*`--allow-changes` goes on"):
        resumed(grown, ("trials: 8", "trials: 12"), allows=False)
    made = resumed(grown, ("trials: 8", "trials: 12"))
    assert made.n_evaluations == 12
    assert made.best.values == (7.0,)
    assert all(not trial.excluded for trial in made.trials)
    assert resumed(("trials: 8", "trials: 12")).best.values == (4.0,)
    evolved = ("random", "{name: regularized_evolution, population_size: 4, sample_size: 2}")
    made = resumed(grown, evolved, ("trials: 8", "trials: 12"))
    assert made.best.values == (7.0,)
    texts = revisions(made)
    assert "space.a.oneof was ['conv', 'pool'], now ['conv', 'skip', 'pool']" in texts[1]
    assert texts[2].endswith("; 4 trials: fall outside the space")
    assert texts[3].endswith("; 4 trials: lie inside the space again")
    assert "strategy.name was 'random', now 'regularized_evolution'" in texts[3]
    assert made.store.study("cells").config["strategy"]["name"] == "regularized_evolution"
    made.store.close()
    assert check("cells.db") == []


def test_what_lies_outside_is_neither_told_nor_counted_nor_served(tmp_path: Path) -> None:
    study(tmp_path / "s.db").run(trials=27)
    strategy = Told()
    shrunk = study(tmp_path / "s.db", space(2), strategy=strategy)
    inside = {trial.number for trial in shrunk.trials if "2" not in trial.choices.values()}
    assert {trial.number for trial in shrunk.trials if not trial.excluded} == inside
    shrunk.run(trials=30)
    assert set(strategy.told[:8]) == inside
    assert shrunk.n_evaluations == 8
    assert shrunk.best.values == (3.0,)
    assert shrunk.pareto == [shrunk.best]
    assert strategy.n_asked == len(shrunk.trials)


def test_a_new_decision_puts_all_earlier_trials_outside(tmp_path: Path) -> None:
    study(tmp_path / "s.db").run(trials=4)
    grown = study(tmp_path / "s.db", space(3, "w"))
    assert {trial.excluded for trial in grown.trials} == {"outside"}
    grown.run(trials=5)
    assert len(grown.trials) == 9
    assert [trial.excluded for trial in grown.trials[4:]] == [""] * 5
    back = study(tmp_path / "s.db")
    assert [trial.excluded for trial in back.trials] == [""] * 4 + ["outside"] * 5


def test_what_waits_and_falls_outside_is_never_evaluated(tmp_path: Path) -> None:
    first = study(tmp_path / "s.db").run(trials=2)
    for x in range(3):
        first.enqueue({"x": str(x), "y": "0", "z": "2"})
    first.enqueue({"x": "1", "y": "1", "z": "1"})
    shrunk = study(tmp_path / "s.db", space(2)).run(trials=8)
    ended = shrunk.trials[2:6]
    assert [trial.state for trial in ended] == [State.FAIL] * 3 + [State.COMPLETE]
    assert {trial.reason for trial in ended[:3]} == {"outside the space since revision 1"}
    grown = study(tmp_path / "s.db").run(trials=27)
    assert [trial.excluded for trial in grown.trials[2:6]] == ["outside"] * 3 + [""]
    tried = {trial.text for trial in grown.trials if trial.state == State.COMPLETE}
    assert len(tried) == 27  # those that had to wait in vain among them


def test_constraints_are_kept_or_broken_anew(tmp_path: Path) -> None:
    free = study(tmp_path / "s.db", evaluator=Sizes()).run(trials=27)
    assert free.best.metrics == {"v": 6.0, "size": 20.0}
    bound = study(tmp_path / "s.db", evaluator=Sizes(), constraints=["size <= 10"])
    assert bound.best.metrics == {"v": 5.0, "size": 10.0}
    assert {trial.metrics["size"] for trial in bound.trials if trial.violation} == {20.0}
    assert {trial.violation for trial in bound.trials} == {0.0, 1.0}
    assert [trial.values for trial in bound.pareto] == [(5.0,)]
    tight = study(tmp_path / "s.db", evaluator=Sizes(), constraints=["size <= 10", "macs <= 5"])
    assert not tight.pareto  # nothing says whether they keep the second
    loose = study(tmp_path / "s.db", evaluator=Sizes())
    assert rows(loose) == rows(free)
    assert loose.best == free.best
    assert [detail.split("; ")[-1] for detail in revisions(loose)[1:]] == [
        "9 trials: break the constraints now",
        "18 trials: break the constraints now",
        "27 trials: keep the constraints now",
    ]


def test_keys_follow_a_space_that_means_more(tmp_path: Path) -> None:
    def form(choices: Any) -> str:
        return "".join(sorted(choices.values()))

    plain = study(tmp_path / "s.db", strategy=Grid()).run(trials=27)
    assert len({trial.key for trial in plain.trials}) == 27
    sym = SearchSpace(pg.Dict(**{name: pg.oneof(list(range(4))) for name in "xyz"}), canonical=form)
    grown = study(tmp_path / "s.db", sym, strategy=RegularizedEvolution(population_size=3, sample_size=2))
    assert len({trial.key for trial in grown.trials}) == 10
    grown.run(trials=60, count="proposals")
    served = [trial for trial in grown.trials[27:] if trial.reused_from is not None]
    assert served
    assert all(form(t.choices) == form(grown.trials[t.reused_from or 0].choices) for t in served)


def test_what_is_invalid_stays_so(tmp_path: Path) -> None:
    full = study(tmp_path / "s.db").run(trials=27)
    top = [trial.number for trial in full.store.best(full.id, 3)]
    Corrections(full.store, full.id).invalidate(top, "measured on the wrong machine")
    shrunk = study(tmp_path / "s.db", space(2))
    assert {shrunk.trials[number].excluded for number in top} == {"outside"}
    assert shrunk.run(trials=30).n_evaluations == 8
    grown = study(tmp_path / "s.db")
    assert [trial.number for trial in grown.trials if trial.excluded] == sorted(top)
    assert {grown.trials[number].excluded for number in top} == {"invalid"}
    Corrections(grown.store, grown.id).restore(top)
    study(tmp_path / "s.db", space(2))
    assert not [trial.number for trial in study(tmp_path / "s.db").trials if trial.excluded]


def test_recorded_choices_are_read_as_rows_of_the_space() -> None:
    ops = [pg.Dict(op="conv", kernel=pg.oneof([3, 5])), "pool", "skip"]
    many = SearchSpace(
        pg.Dict(
            cell=pg.manyof(2, ops, distinct=True, sorted=True),
            free=pg.manyof(2, ["a", "b"], distinct=False, sorted=False),
            opt=pg.oneof([pg.Dict(lr=pg.floatv(1e-3, 1e-1, scale="log")), "none"]),
        )
    )
    rows = many.sample(200, np.random.default_rng(0))
    recorded = [many.choices(rows[i]) for i in range(200)]
    read, is_point = many.read(recorded)
    assert is_point.all()
    assert read.keys() == rows.keys()
    for name in recorded[0]:
        missing = [{key: value for key, value in made.items() if key != name} for made in recorded]
        assert not any(
            flag for flag, made in zip(many.read(missing)[1], recorded, strict=True) if name in made
        )
    for wrong in ({"lr": 0.5}, {"opt.lr": "adam"}, {"cell[0]": "nope"}, {"free[0]": 1.0}):
        assert not many.read([{**recorded[0], **wrong}])[1].any()
    assert len(many.read([])[0]) == 0


# ---------------------------------------------------------------- the search goes on

STRATEGIES: list[Callable[[], Strategy]] = [
    RandomSearch,
    Grid,
    lambda: RegularizedEvolution(population_size=6, sample_size=3),
    lambda: LocalSearch(n_initial=4),
]


@pytest.mark.parametrize("make", STRATEGIES)
@pytest.mark.parametrize("later", [space(4), space(2), space(3, "w")], ids=["grown", "shrunk", "deeper"])
def test_after_a_revision_resuming_is_exact(
    tmp_path: Path, make: Callable[[], Strategy], later: SearchSpace
) -> None:
    for name in ("whole.db", "parts.db"):
        study(tmp_path / name, strategy=make()).run(trials=8, count="proposals")
    whole = study(tmp_path / "whole.db", later, strategy=make()).run(trials=16, batch_size=2)
    for trials in (3, 9, 16):
        parts = study(tmp_path / "parts.db", later, strategy=make())
        parts.run(trials=trials, batch_size=2)
        parts.store.close()
    parts = study(tmp_path / "parts.db", later, strategy=make(), changes="refuse")
    assert rows(parts) == rows(whole)
    new = later.read([trial.choices for trial in parts.trials[8:]])[1]
    assert new.all()
    assert len(revisions(parts)) == 2


def test_a_strategy_learns_from_what_another_has_proposed(tmp_path: Path) -> None:
    study(tmp_path / "s.db").run(trials=20)
    best = study(tmp_path / "s.db").best.choices
    strategy = RegularizedEvolution(population_size=20, sample_size=20)
    evolved = study(tmp_path / "s.db", space(4), strategy=strategy).run(trials=21)
    child = evolved.trials[20].choices
    assert sum(child[name] != best[name] for name in child) == 1


# ---------------------------------------------------------------- who notices


def test_nobody_changes_the_terms_of_a_study_that_another_is_running(tmp_path: Path) -> None:
    first = study(tmp_path / "s.db").run(trials=2)
    with Store(tmp_path / "s.db") as other:
        assert other.workers.step_up(first.id)
        with pytest.raises(StudyBusyError, match="is being run by process"):
            study(tmp_path / "s.db", space(4))
    assert len(revisions(first)) == 1
    assert study(tmp_path / "s.db", space(4)).run(trials=5).n_evaluations == 5


def test_who_knows_other_terms_claims_and_asks_no_more(tmp_path: Path) -> None:
    old = study(tmp_path / "s.db")
    number, _ = old.ask()
    other, _ = old.ask()
    grown = study(tmp_path / "s.db", space(4))
    assert old.tell(number, 1.0).state == State.COMPLETE  # what it has begun it may end
    for act in (old.ask, lambda: old.run(trials=9), old.work):
        with pytest.raises(StudyRevisedError, match=r"x gains '3'.*start it again with the new ones"):
            act()
    assert old.tell(other, 2.0).state == State.COMPLETE
    assert [trial.values for trial in grown.run(trials=4).trials[:2]] == [(1.0,), (2.0,)]


def test_a_worker_ends_its_trial_and_then_stops(tmp_path: Path) -> None:
    has_begun, may_end = threading.Event(), threading.Event()
    caught: list[BaseException] = []

    def slow(architecture: Architecture) -> float:
        has_begun.set()
        assert may_end.wait(20)
        return total(architecture)

    def work() -> None:
        worker = study(tmp_path / "s.db", evaluator=slow, changes="refuse")
        try:
            worker.work()
        except BaseException as error:
            caught.append(error)
        worker.store.close()

    first = study(tmp_path / "s.db")
    for x in range(3):
        first.enqueue({"x": str(x), "y": "0", "z": "2"})
    first.store.set_status(first.id, "running")
    thread = threading.Thread(target=work)
    thread.start()
    assert has_begun.wait(20)
    grown = study(tmp_path / "s.db", space(4), strategy=LocalSearch())
    may_end.set()
    thread.join(20)
    assert [type(error) for error in caught] == [StudyRevisedError]
    assert [trial.state for trial in grown.trials] == [State.COMPLETE, State.WAITING, State.WAITING]
    grown.run(trials=6)
    grown.store.close()
    first.store.close()
    assert check(tmp_path / "s.db") == []


def test_what_ends_late_is_judged_by_the_constraints_of_now(tmp_path: Path) -> None:
    made = study(tmp_path / "s.db", evaluator=Sizes()).run(trials=5)
    old = study(tmp_path / "s.db", evaluator=None)
    first, _ = old.ask()
    second, _ = old.ask()
    assert old.tell(first, {"v": 90.0, "size": 20.0}).is_pareto
    bound = study(tmp_path / "s.db", evaluator=Sizes(), constraints=["size <= 10"])
    assert old.tell(second, {"v": 99.0, "size": 20.0}).violation == 1.0
    assert bound.best.metrics["size"] <= 10
    assert not any(trial.violation for trial in bound.pareto)
    made.store.close()
    assert check(tmp_path / "s.db") == []


def test_a_front_that_has_lost_a_member_to_new_constraints_takes_what_that_dominated(tmp_path: Path) -> None:
    old = study(tmp_path / "s.db", evaluator=None)
    numbers = [old.ask()[0] for _ in range(3)]
    old.tell(numbers[0], {"v": 90.0, "size": 20.0})
    bound = study(tmp_path / "s.db", evaluator=None, constraints=["size <= 10"])
    assert bound.pareto == []
    assert old.tell(numbers[1], {"v": 9.0, "size": 5.0}).is_pareto
    assert not old.tell(numbers[2], {"v": 8.0, "size": 5.0}).is_pareto


def test_the_grid_goes_on_with_what_is_new(tmp_path: Path) -> None:
    study(tmp_path / "s.db", strategy=RandomSearch()).run(trials=10)
    study(tmp_path / "s.db", strategy=Grid()).run(trials=20)
    grown = study(tmp_path / "s.db", space(4), strategy=Grid()).run(trials=40)
    grown = study(tmp_path / "s.db", space(4), strategy=Grid()).run(trials=100)
    assert len(grown.trials) == 64
    assert len({trial.text for trial in grown.trials}) == 64


def test_who_knows_other_terms_enqueues_nothing(tmp_path: Path) -> None:
    old = study(tmp_path / "s.db")
    study(tmp_path / "s.db", space(2))
    with pytest.raises(StudyRevisedError):
        old.enqueue({"x": "2", "y": "0", "z": "0"})

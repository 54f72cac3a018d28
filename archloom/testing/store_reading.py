# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102 (the name of a test is the law that it holds)
"""The laws of reading from a store; a part of ``StoreContract``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from archloom.contracts import State
from archloom.errors import StoreError
from archloom.store import Outcome, Store
from archloom.testing.store_parts import complete, proposals, query, study_record

__all__ = ["ReadingLaws"]


class ReadingLaws:
    """What is read back, what a transaction shows, and what plain SQL sees."""

    # Reading

    def test_trials_by_state(self, store: Store, study: int) -> None:
        store.propose(study, 0, proposals(4))
        for state in (State.FAIL, State.PRUNED):
            trial = store.claim(study)
            assert trial is not None
            store.finish(study, trial.number, Outcome(state, {}))
        store.claim(study)
        assert [trial.state for trial in store.trials(study)] == [
            State.FAIL,
            State.PRUNED,
            State.RUNNING,
            State.WAITING,
        ]
        assert [t.number for t in store.trials(study, states=[State.WAITING, State.FAIL])] == [0, 3]
        assert store.trials(study, states=[]) == []
        assert store.counts(study) == {
            State.WAITING: 1,
            State.RUNNING: 1,
            State.COMPLETE: 0,
            State.PRUNED: 1,
            State.FAIL: 1,
        }

    def test_finished_with_key_leaves_out_what_was_reused(self, store: Store, study: int) -> None:
        store.propose(
            study, 0, [*proposals(1, "same"), *proposals(1, "same"), *proposals(1, "same"), *proposals(1)]
        )
        ends = [
            Outcome(State.COMPLETE, {"accuracy": 0.5}),
            Outcome(State.COMPLETE, {"accuracy": 0.5}, reused_from=0),
            Outcome(State.FAIL, {}),
            Outcome(State.COMPLETE, {"accuracy": 0.6}),
        ]
        for number, outcome in enumerate(ends):
            store.finish(study, number, outcome)
        assert [trial.number for trial in store.finished_with_key(study, "same0")] == [0, 2]
        assert store.finished_with_key(study, "other") == []
        assert store.trial(study, 1).reused_from == 0

    def test_best_is_feasible_and_earliest(self, store: Store, study: int) -> None:
        complete(store, study, {"accuracy": 0.9}, violation=1.0)
        complete(store, study, *[{"accuracy": value} for value in (0.5, 0.8, 0.7, 0.8)])
        store.propose(study, 0, proposals(1))
        store.claim(study)
        store.finish(study, 5, Outcome(State.FAIL, {"accuracy": 1.0}))
        assert [trial.number for trial in store.best(study)] == [2]
        assert [trial.number for trial in store.best(study, 9)] == [2, 4, 3, 1]
        assert [trial.number for trial in store.pareto(study)] == [2, 4]

    @pytest.mark.parametrize("n_objectives", [1, 2, 3])
    def test_front_is_the_front(self, store: Store, n_objectives: int) -> None:
        goals = [("a", "max"), ("b", "min"), ("validation/c", "max")][:n_objectives]
        study = store.create_study(study_record("front", *goals))
        rng = np.random.default_rng(20 + n_objectives)
        store.propose(study, 0, proposals(40))
        drawn = rng.integers(0, 9, (20, n_objectives)).tolist()
        points: dict[int, list[float]] = {}
        for number in map(int, rng.permutation(40)):
            values = [float(value) for value in drawn[number % 20]]
            state = State.PRUNED if number % 9 == 8 else State.COMPLETE
            violation = float(number % 7 == 6)
            metrics = {metric: value for (metric, _), value in zip(goals, values, strict=True)}
            trial = store.finish(study, number, Outcome(state, metrics, violation=violation))
            if state == State.COMPLETE and not violation:
                points[number] = [
                    -v if way == "max" else v for v, (_, way) in zip(values, goals, strict=True)
                ]
            assert trial.is_pareto == (number in front(points))
        assert [trial.number for trial in store.pareto(study)] == front(points)
        assert len({tuple(points[n]) for n in front(points)}) < len(front(points)), (
            "no equal points: a weak test"
        )

    def test_frame(self, store: Store, study: int) -> None:
        complete(store, study, {"accuracy": 0.5, "state": 1.0}, {"accuracy": 0.75})
        store.propose(study, 1, proposals(1))
        table = store.frame(study)
        assert list(table.columns[:6]) == ["number", "state", "lr", "op", "accuracy", "state (metric)"]
        assert table["state"].tolist() == ["COMPLETE", "COMPLETE", "WAITING"]
        assert table["accuracy"].tolist()[:2] == [0.5, 0.75]
        assert table["accuracy"].isna().tolist() == [False, False, True]
        assert table["lr"].dtype == "float64"
        assert table["reused_from"].isna().all()

    def test_frame_of_nothing_has_its_columns(self, store: Store, study: int) -> None:
        assert {"number", "state", "seconds"} <= set(store.frame(study).columns)

    # Transactions

    def test_transaction_is_seen_whole_or_not_at_all(self, store: Store, url: str, study: int) -> None:
        with Store(url) as other:
            with store.transaction():
                store.propose(study, 0, proposals(1))
                with store.transaction():
                    store.claim(study)
                assert other.trials(study) == []
                assert len(store.trials(study)) == 1
            assert other.trials(study)[0].state == State.RUNNING

    def test_exception_undoes_everything(self, store: Store, study: int) -> None:
        def interrupted() -> None:
            with store.transaction():
                store.create_study(study_record("new"))
                store.propose(study, 0, proposals(1))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert store.trials(study) == []
        assert [each.name for each in store.studies()] == ["digits"]
        assert store.propose(study, 0, proposals(1)) == [0]

    def test_refused_write_leaves_the_rest(self, store: Store, study: int) -> None:
        complete(store, study, {"accuracy": 0.5})
        with store.transaction():
            store.propose(study, 0, proposals(1))
            with pytest.raises(StoreError, match="already"):
                store.finish(study, 0, Outcome(State.FAIL, {}))
        assert len(store.trials(study)) == 2

    def test_half_done_inner_transaction_undoes_the_outer(self, store: Store, study: int) -> None:
        def half() -> None:
            with store.transaction():
                store.propose(study, 0, proposals(1))
                raise ZeroDivisionError

        def whole() -> None:
            with store.transaction(), pytest.raises(ZeroDivisionError):
                half()

        with pytest.raises(StoreError, match="nothing of it was kept"):
            whole()
        assert store.trials(study) == []

    # Plain SQL

    def test_best_and_pareto_views(self, store: Store, url: str) -> None:
        study = store.create_study(study_record("two", ("validation/accuracy", "max"), ("params", "min")))
        points = [(0.5, 100), (0.98, 12034), (0.98, 12034), (0.97, 20000)]
        for accuracy, params in points:
            complete(
                store, study, {"validation/accuracy": accuracy, "params": params, "test/accuracy": 2 / 3}
            )
        best = query(url, "SELECT * FROM best")
        assert [(row["objective"], row["trial"], row["value"]) for row in best] == [
            ("validation/accuracy", 1, 0.98),
            ("params", 0, 100.0),
        ]
        assert best[0]["study"] == "two"
        assert best[0]["architecture"] == "conv 0"
        assert best[0]["direction"] == "maximize"
        assert best[0]["metrics"] == "accuracy=0.98, params=12034, test/accuracy=0.666667"
        assert best[0]["finished_at"] == store.trial(study, 1).finished_at
        pareto = query(url, "SELECT * FROM pareto")
        assert [(row["trial"], row["objective"], row["value"]) for row in pareto] == [
            (0, "validation/accuracy", 0.5),
            (1, "validation/accuracy", 0.98),
            (2, "validation/accuracy", 0.98),
        ]
        assert pareto[0]["objectives"] == "maximize validation/accuracy, minimize params"

    def test_best_view_shows_the_earliest_of_equals(self, store: Store, url: str, study: int) -> None:
        complete(store, study, {"accuracy": 0.5}, {"accuracy": 0.7}, {"accuracy": 0.7})
        assert [row["trial"] for row in query(url, "SELECT trial FROM best")] == [1]
        assert [row["trial"] for row in query(url, "SELECT trial FROM pareto")] == [1, 2]

    def test_wide_view(self, store: Store, url: str) -> None:
        study = store.create_study(study_record("Digits-cells", ("validation/accuracy", "max")))
        complete(store, study, {"validation/accuracy": 0.5, "test/accuracy": 0.25})
        assert store.refresh_wide(study) == "wide_digits_cells"
        complete(store, study, {"validation/accuracy": 0.75, "params": 5})
        assert store.refresh_wide(study) == "wide_digits_cells"
        rows = query(
            url, 'SELECT number, state, lr, op, accuracy, "test/accuracy", params FROM wide_digits_cells'
        )
        assert [tuple(row.values()) for row in rows] == [
            (0, "COMPLETE", 0.0, "conv", 0.5, 0.25, None),
            (1, "COMPLETE", 0.0, "conv", 0.75, None, 5.0),
        ]

    def test_events(self, store: Store, url: str, study: int) -> None:
        store.propose(study, 0, proposals(1))
        store.add_event(study, "started", "by hand")
        store.add_event(study, "note", "strange \0", number=0)
        rows = query(url, "SELECT kind, detail, trial_id IS NULL AS of_study FROM events ORDER BY id")
        assert [(r["kind"], r["detail"], bool(r["of_study"])) for r in rows] == [
            ("started", "by hand", True),
            ("note", "strange \\x00", False),
        ]
        assert [(e.kind, e.detail, e.number) for e in store.events(study)] == [
            ("started", "by hand", None),
            ("note", "strange \\x00", 0),
        ]
        assert [e.kind for e in store.events(study, "note")] == ["note"]


def front(points: Mapping[int, Sequence[float]]) -> list[int]:
    """Return the Pareto front by its definition: who is dominated by nobody."""

    def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
        return all(x <= y for x, y in zip(a, b, strict=True)) and any(
            x < y for x, y in zip(a, b, strict=True)
        )

    return sorted(
        n for n, point in points.items() if not any(dominates(other, point) for other in points.values())
    )

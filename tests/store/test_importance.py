# SPDX-License-Identifier: Apache-2.0
"""Importances: what is known analytically, no credit for nothing, and clear refusals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, update

from archloom.contracts import State
from archloom.errors import ConfigError, StoreError, UnknownNameError
from archloom.store import Outcome, Proposal, Store
from archloom.store.importance import shares
from archloom.store.schema import trials

Column = list[str | float | None]


def _drawn(rng: np.random.Generator, n: int, k: int) -> tuple[np.ndarray[Any, Any], Column]:
    """Draw one of ``k`` choices for each of ``n`` trials, as numbers and as labels."""
    numbers = rng.integers(0, k, n)
    return numbers, [f"c{i}" for i in numbers]


def test_shares_are_those_of_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(0)
    a, labels_a = _drawn(rng, 20_000, 2)
    b, labels_b = _drawn(rng, 20_000, 3)
    _, nothing = _drawn(rng, 20_000, 5)
    noise = rng.normal(0, 1, 20_000)
    # Variances: 9/4 of a, 4 * 2/3 of b, 1 of the noise.
    found = shares(3.0 * a + 2.0 * b + noise, {"a": labels_a, "b": labels_b, "nothing": nothing})
    total = 9 / 4 + 8 / 3 + 1
    assert list(found) == ["b", "a", "nothing"]
    assert found["a"] == pytest.approx(9 / 4 / total, abs=0.01)
    assert found["b"] == pytest.approx(8 / 3 / total, abs=0.01)
    assert found["nothing"] < 0.001


def test_a_number_is_cut_into_parts() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.random(20_000), rng.random(20_000)
    # The variance of sin(2 pi x) is 1/2, that of y 1/12; cut into parts they lose little.
    found = shares(np.sin(2 * math.pi * x) + y, {"x": list(x), "y": list(y)})
    assert found["x"] == pytest.approx(6 / 7, abs=0.02)
    assert found["y"] == pytest.approx(1 / 7, abs=0.02)


def test_interaction_is_nobody_s() -> None:
    rng = np.random.default_rng(2)
    (a, labels_a), (b, labels_b) = _drawn(rng, 10_000, 2), _drawn(rng, 10_000, 2)
    found = shares((a ^ b).astype(float), {"a": labels_a, "b": labels_b})
    assert max(found.values()) < 0.001


def test_a_conditional_decision_is_not_credited_with_what_activates_it() -> None:
    rng = np.random.default_rng(3)
    op, labels = _drawn(rng, 20_000, 2)
    kernel = rng.integers(0, 2, 20_000)
    kernels: Column = [f"k{k}" if o else None for o, k in zip(op, kernel, strict=True)]
    idle: Column = [f"i{k}" if o else None for o, k in zip(op, rng.integers(0, 4, 20_000), strict=True)]
    # Var(op) = 1/4 * (2 + 1/2)^2, and the kernel adds 1/4 where it is active, in half of the trials.
    found = shares(2.0 * op + op * kernel, {"op": labels, "kernel": kernels, "idle": idle})
    total = 2.5**2 / 4 + 1 / 8
    assert found["op"] == pytest.approx(2.5**2 / 4 / total, abs=0.01)
    assert found["kernel"] == pytest.approx(1 / 8 / total, abs=0.01)
    assert found["idle"] < 0.001


def test_many_choices_win_nothing_by_their_number() -> None:
    rng = np.random.default_rng(4)
    found: list[float] = []
    matters: list[float] = []
    for _ in range(200):
        a, labels = _drawn(rng, 20, 2)
        noise = rng.normal(0, 1, 20)
        result = shares(
            2.0 * a + noise, {"a": labels, "b": _drawn(rng, 20, 10)[1], "x": list(rng.random(20))}
        )
        found += [result["b"], result["x"]]
        matters.append(result["a"])
    assert np.mean(matters) == pytest.approx(0.5, abs=0.06)
    # Without the correction ten choices explain about 9/19 of any twenty trials.
    assert np.median(found) < 0.05
    assert np.mean(found) < 0.12


@pytest.mark.parametrize(
    "column", [["x"] * 6, [None] * 6, list("abcdef"), [0.5] * 6, ["x", None, None, None, None, None]]
)
def test_what_never_varies_or_always_does_explains_nothing(column: Column) -> None:
    assert shares([1, 2, 3, 4, 5, 6], {"a": column}) == {"a": 0.0}


@pytest.mark.parametrize("scale", [1e-300, 1e300, 1.0])
def test_the_scale_does_not_matter(scale: float) -> None:
    values = np.array([1.0, 1.0, 3.0, 3.0]) * scale
    assert shares(values, {"a": list("xxyy")})["a"] == pytest.approx(1.0)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300])
def test_equal_values_have_no_shares(value: float) -> None:
    assert shares([value] * 9, {"a": list("xxyyxyxyx")}) == {}


def _study(store: Store, study: int, rows: Sequence[tuple[dict[str, str | float], dict[str, float]]]) -> None:
    with store.transaction():
        store.propose(study, 0, [Proposal(f"k{i}", "t", c, i) for i, (c, _) in enumerate(rows)])
        for i, (_, metrics) in enumerate(rows):
            store.finish(study, i, Outcome(State.COMPLETE, metrics))


def test_the_trials_that_count(store: Store, url: str, study: int) -> None:
    rows = [
        ({"a": "xy"[i % 2], "b": "uv"[i // 2 % 2]}, {"accuracy": 1.0 + i % 2, "validation/loss": i // 2 % 2})
        for i in range(16)
    ]
    _study(store, study, rows)  # type: ignore[arg-type]
    assert store.importances(study) == pytest.approx({"a": 1.0, "b": 0.0})
    assert store.importances(study, "loss") == pytest.approx({"b": 1.0, "a": 0.0})
    misleading = {"a": "x", "b": "u"}
    more = [Proposal("m", "t", misleading, 0, fidelity) for fidelity in (None, None, "epochs=1", None, None)]
    store.propose(study, 1, more)
    store.finish(study, 16, Outcome(State.PRUNED, {"accuracy": 99.0}))
    store.finish(study, 17, Outcome(State.COMPLETE, {"accuracy": 2.0}, reused_from=1))
    store.finish(study, 18, Outcome(State.COMPLETE, {"accuracy": 99.0}))
    store.finish(study, 19, Outcome(State.COMPLETE, {"accuracy": 99.0}))
    store.finish(study, 20, Outcome(State.FAIL, {"accuracy": math.nan}))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            update(trials).where(trials.c.number == 19).values(excluded="invalid", is_pareto=False)
        )
    engine.dispose()
    assert store.importances(study) == pytest.approx({"a": 1.0, "b": 0.0})


def test_where_no_trial_is_full_the_others_count(store: Store, study: int) -> None:
    store.propose(study, 0, [Proposal("k", "t", {"a": "xy"[i % 2]}, 0, "epochs=1") for i in range(6)])
    for i in range(6):
        store.finish(study, i, Outcome(State.COMPLETE, {"accuracy": i % 2}))
    assert store.importances(study)["a"] == pytest.approx(1.0)


def test_refusals(store: Store, study: int) -> None:
    with pytest.raises(UnknownNameError, match="no trial has a metric 'accuracy'"):
        store.importances(study)
    _study(store, study, [({"a": "x"}, {"accuracy": 0.5, "params": i}) for i in range(3)])
    with pytest.raises(ConfigError, match="need at least 4 evaluated trials with 'accuracy', got 3"):
        store.importances(study)
    store.propose(study, 1, [Proposal("k", "t", {"a": "y"}, 0)])
    store.finish(study, 3, Outcome(State.COMPLETE, {"accuracy": 0.5, "params": 3}))
    with pytest.raises(ConfigError, match=r"'accuracy' is 0\.5 in all 4 trials: nothing to explain"):
        store.importances(study)
    with pytest.raises(UnknownNameError, match="did you mean 'params'"):
        store.importances(study, "parms")
    with pytest.raises(StoreError, match="no study"):
        store.importances(99)

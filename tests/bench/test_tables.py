# SPDX-License-Identifier: Apache-2.0
"""Means, spread, ranks and paired tests, against numbers worked out by hand; CSV there and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from archloom.bench import Curve, compare, draw, read_csv, write_csv
from archloom.bench.plots import _edges, _regrets
from archloom.bench.tables import sign_flip_test
from archloom.errors import DataError


def curve(strategy: str, seed: int, objective: Sequence[float]) -> Curve:
    values = np.array(objective, dtype=float)
    n = np.arange(1, len(values) + 1, dtype=float)
    return Curve(strategy, "p", seed, n, 10 * n, values, values / 10, 0.5)


CURVES = [
    *(curve("a", seed, [1.0, last]) for seed, last in enumerate([4.0, 5.0, 6.0])),
    *(curve("b", seed, [2.0, last]) for seed, last in enumerate([4.0, 4.0, 3.0])),
]


def test_rows() -> None:
    first, second = compare(CURVES, [2], "proposals")
    assert (first.strategy, second.strategy) == ("a", "b")
    assert (first.objective, first.report, first.n_seeds, first.evaluations) == (5.0, 0.5, 3, 2.0)
    assert first.objective_error == pytest.approx(1.0 / math.sqrt(3))
    assert (first.rank, second.rank) == pytest.approx((3.5 / 3, 5.5 / 3))
    assert math.isnan(first.p)
    assert second.p == 0.5  # of the four signs of two differences, both extremes


def test_the_budget_and_the_direction_count() -> None:
    assert [row.strategy for row in compare(CURVES, [1], "proposals")] == ["b", "a"]
    assert [row.strategy for row in compare(CURVES, [2], "proposals", is_maximized=False)] == ["b", "a"]
    assert [row.budget for row in compare(CURVES, [10, 20], "seconds")] == [10, 10, 20, 20]
    early = compare(CURVES, [5], "seconds")
    assert [row.n_seeds for row in early] == [0, 0]


def test_a_strategy_with_fewer_seeds_is_compared_by_those() -> None:
    first, second = compare(CURVES[:-1], [2], "proposals")
    assert (first.strategy, first.n_seeds, second.strategy, second.n_seeds) == ("a", 3, "b", 2)
    assert (first.rank, second.rank) == pytest.approx((3.5 / 3, 1.75))


def test_the_test_is_exact_for_few_and_drawn_for_many() -> None:
    assert sign_flip_test(np.array([1.0, 2.0, 3.0])) == 0.25
    many = np.random.default_rng(0).normal(1.0, 0.1, 40)
    assert sign_flip_test(many) == pytest.approx(1 / 10_001)
    assert sign_flip_test(np.random.default_rng(1).normal(0.0, 1.0, 40)) > 0.05
    assert sign_flip_test(np.array([np.inf, np.nan])) == 1.0


def test_csv_has_every_turn(tmp_path: Path) -> None:
    write_csv([curve("a, b", 0, [math.nan, 1.0, 1.0, 2.0, 2.0])], tmp_path / "c.csv")
    rows = read_csv(tmp_path / "c.csv")
    assert [row["proposals"] for row in rows] == ["1", "2", "4", "5"]
    assert rows[2]["strategy"] == "a, b"
    assert (rows[2]["objective"], rows[2]["report"], rows[0]["objective"]) == ("2.0", "0.2", "nan")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="is no table of curves"):
        read_csv(tmp_path / "x.csv")


@pytest.mark.slow
def test_pictures(tmp_path: Path) -> None:
    png, html = draw(CURVES, "proposals", "score", tmp_path)
    assert png.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    text = html.read_text(encoding="utf-8")
    assert "score of the incumbent" in text
    assert "https://cdn.plot.ly" not in text.split("</script>")[-2]


@pytest.mark.slow
def test_a_picture_of_regrets_where_the_optimum_is_known(tmp_path: Path) -> None:
    html = draw(CURVES, "proposals", "score", tmp_path, optimum={CURVES[0].problem: 100.0})[1]
    text = html.read_text(encoding="utf-8")
    assert "regret of the incumbent's score" in text.replace("\\u0027", "'")
    assert '"type":"log"' in text.rpartition("yaxis")[2]


def test_a_band_of_regrets_ends_at_the_optimum_and_stays_above_zero() -> None:
    three = np.array([1.0, 2.0, 3.0])
    bands = {"a": (three, np.array([7.0, 9.0, 10.0]), np.array([5.0, 0.5, 0.0]))}
    budgets, regrets, errors = _regrets(bands, 10.0)["a"]
    assert (budgets.tolist(), regrets.tolist()) == ([1.0, 2.0], [3.0, 1.0])
    low, high = _edges(regrets, errors, "log")
    assert (low.tolist(), high.tolist()) == ([0.3, 0.5], [8.0, 1.5])
    assert _edges(regrets, errors, "linear")[0].tolist() == [-2.0, 0.5]

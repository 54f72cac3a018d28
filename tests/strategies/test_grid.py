"""Grid search: every point once, in a fixed order, floats by levels, however large the space."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.cli import main
from archloom.contracts import Objective, Strategy
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies import Grid
from archloom.study import Study
from archloom.testing.strategies import finished

SCORE = [Objective("score")]


def started(space: SearchSpace, seed: int = 0, **options: Any) -> Grid:
    grid = Grid(**options)
    grid.setup(space, SCORE, seed)
    return grid


def groups() -> SearchSpace:
    return SearchSpace(
        pg.Dict(
            op=pg.oneof([pg.Dict(k=pg.oneof([1, 3, 5])), "skip"]),
            a=pg.manyof(2, list("abcd"), distinct=True, sorted=True),
            b=pg.manyof(2, [pg.Dict(x=pg.oneof([1, 2])), "y"], distinct=False, sorted=True),
            p=pg.permutate([1, 2, 3]),
        )
    )


def test_the_last_decision_counts_fastest() -> None:
    space = SearchSpace(pg.Dict(x=pg.oneof([pg.Dict(z=pg.oneof([7, 8])), "-"]), y=pg.oneof(["p", "q"])))
    rows = started(space, order="lexicographic").ask(99)
    values = [space.architecture(rows[i]).value for i in range(len(rows))]
    spelled = [f"{value.x if value.x == '-' else value.x.z}{value.y}" for value in values]
    assert spelled == ["7p", "7q", "8p", "8q", "-p", "-q"]


@pytest.mark.parametrize("batch", [1, 7, 1000])
@pytest.mark.parametrize("order", ["shuffled", "lexicographic"])
def test_visits_each_point_once_then_stops(order: str, batch: int) -> None:
    space = groups()
    grid = started(space, order=order)
    keys: list[bytes] = []
    while len(rows := grid.ask(batch)):
        assert space.is_legal(rows).all()
        keys += rows.keys()
    assert space.size == grid.size == len(keys)
    assert set(keys) == set(space.enumerate().keys())
    assert len(grid.ask(3)) == 0


def test_shuffled_by_the_seed_alone() -> None:
    space = groups()
    orders = {seed: started(space, seed).ask(9999).keys() for seed in (0, 1)}
    assert orders[0] != orders[1]
    assert orders[0] == started(space, 0).ask(9999).keys()
    counted = started(space, order="lexicographic").ask(9999).keys()
    assert counted not in orders.values()
    assert counted == started(space, 5, order="lexicographic").ask(9999).keys()


def test_an_early_end_has_seen_an_even_sample() -> None:
    """Any point may come first, and the first hundred of a large space hold each choice in its share."""
    tiny = SearchSpace(pg.oneof(list("abc")))
    firsts = Counter(int(started(tiny, seed).ask(1).choices[0, 0]) for seed in range(600))
    assert all(150 < firsts[choice] < 250 for choice in range(3))
    large = SearchSpace(pg.List([pg.oneof(list("ab")) for _ in range(20)]))
    shares = started(large).ask(2000).choices.mean(axis=0)
    assert np.abs(shares - 0.5).max() < 0.05


@pytest.mark.parametrize("n_decisions", [18, 60, 400], ids=["10^18", "10^60", "10^400"])
def test_a_huge_space_costs_nothing(n_decisions: int) -> None:
    space = SearchSpace(pg.List([pg.oneof(list(range(10))) for _ in range(n_decisions)]))
    grid = started(space)
    began = time.process_time()
    rows = grid.ask(100)
    assert grid.size == 10**n_decisions
    assert len(set(rows.keys())) == 100
    assert rows.choices.min() == 0
    assert rows.choices.max() == 9
    assert time.process_time() - began < 10.0  # listing it would take the age of the universe


def test_floats_take_levels_on_their_scale_where_active() -> None:
    space = SearchSpace(
        pg.Dict(
            opt=pg.oneof([pg.Dict(lr=pg.floatv(1e-4, 1.0, scale="log"), m=pg.floatv(0.0, 0.9)), "none"]),
            drop=pg.floatv(0.5, 0.5),
            wd=pg.floatv(0.0, 1.0),
        )
    )
    grid = started(space, n_levels=5)
    rows = grid.ask(1000)
    assert space.is_legal(rows).all()
    assert grid.size == len(rows) == len(set(rows.keys())) == (5 * 5 + 1) * 5
    by_name = {d.name: i for i, d in enumerate(d for d in space.decisions if not d.candidates)}
    seen = {name.split(".")[-1]: np.unique(rows.floats[:, i]) for name, i in by_name.items()}
    assert seen["lr"][:5] == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])
    assert seen["lr"][0] == 1e-4
    assert seen["wd"].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert seen["drop"].tolist() == [0.5]
    assert np.isnan(rows.floats[:, by_name[next(n for n in by_name if n.endswith("lr"))]]).sum() == 5


def test_reversed_log_levels_end_at_the_bounds() -> None:
    space = SearchSpace(pg.floatv(0.3, 0.7, scale="rlog"))
    levels = started(space, n_levels=7, order="lexicographic").ask(9).floats[:, 0]
    assert (levels[0], levels[-1]) == (0.3, 0.7)
    assert (np.diff(levels) > 0).all()
    assert (np.diff(levels, 2) < 0).all()


@pytest.mark.parametrize("make", [Grid, lambda: Grid(n_levels=3, order="lexicographic")])
@pytest.mark.parametrize("stop", [0, 1, 255, 256, 257, 300])
def test_resumes_where_it_was(make: Callable[[], Strategy], stop: int) -> None:
    space = SearchSpace(pg.Dict(a=pg.List([pg.oneof(list("abc")) for _ in range(5)]), x=pg.floatv(0.0, 1.0)))
    whole = make()
    whole.setup(space, SCORE, 3)
    rows = whole.ask(320)
    resumed = make()
    resumed.setup(space, SCORE, 3)
    before = rows[:stop]
    resumed.recover(before, finished(before, np.zeros(stop)))
    assert resumed.n_asked == stop
    assert resumed.ask(20).keys() == rows[stop : stop + 20].keys()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_levels": 1}, "from 2 to 32767, got 1"),
        ({"n_levels": 40_000}, "got 40000"),
        ({"order": "random"}, "shuffled or lexicographic, got 'random'"),
    ],
)
def test_refuses_impossible_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        Grid(**options)


def test_a_study_ends_when_all_is_tried() -> None:
    space = SearchSpace(pg.Dict(op=pg.oneof(["a", "b"]), lr=pg.floatv(1e-3, 1e-1, scale="log")))
    study = Study(space, Grid(n_levels=3), lambda a: a.value.lr, {"score": "maximize"})
    study.run()
    assert study.n_evaluations == 6
    assert study.best.choices["lr"] == 0.1
    assert "nothing more to propose" in study.stop_reason


def test_from_a_study_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    study = """study: grid
space: {name: mlp, layers: 2, widths: [8, 16], activations: [relu]}
strategy: {name: grid, order: ORDER}
evaluator: {name: function, function: "builtins:id", metric: score}
objectives: {score: maximize}
budget: {trials: 100}
store: sqlite:///grid.db
"""
    (tmp_path / "grid.yaml").write_text(study.replace("ORDER", "lexicographic"))
    assert '"n_evaluations": 6' in _searched("run", "grid.yaml", "--format", "json", capsys=capsys)
    (tmp_path / "grid.yaml").write_text(study.replace("ORDER", "backwards"))
    said = _searched("run", "grid.yaml", capsys=capsys)
    assert "grid.yaml:3: strategy.order: should be 'shuffled' or 'lexicographic', got 'backwards'" in said


def _searched(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main(words)
    return "".join(capsys.readouterr())

# SPDX-License-Identifier: Apache-2.0
"""What a running study shows on stderr."""

from __future__ import annotations

import io
import re

import pyglove as pg
import pytest
from rich.console import Console

from archloom.cli import _progress
from archloom.cli._progress import LiveProgress, Pace, PlainProgress
from archloom.search_spaces import SearchSpace
from archloom.strategies import RandomSearch, RegularizedEvolution
from archloom.study import Study


class Clock:
    """A clock that goes on by ``step`` seconds at each look."""

    def __init__(self, step: float):
        self.now, self.step = 0.0, step

    def monotonic(self) -> float:
        """Tell the time."""
        self.now += self.step
        return self.now


def _study(**options: object) -> Study:
    space = SearchSpace(pg.Dict(x=pg.oneof(list(range(20))), y=pg.oneof([1, 2])))
    several = {"x": "maximize", "y": "minimize"}
    objectives = several if options.get("several") else {"x": "maximize"}
    strategy = RegularizedEvolution(population_size=4) if options.get("several") else RandomSearch()
    return Study(space, strategy, lambda a: {"x": a.value.x, "y": a.value.y}, objectives, name="[s]")  # type: ignore[arg-type]


def _pace(trials: int | None = 5, minutes: float | None = None) -> Pace:
    return Pace(trials=trials, minutes=minutes, count="evaluations")


def _console(*, is_terminal: bool = False) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=is_terminal, width=80, highlight=False, markup=True), out


def test_plain_lines_come_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "time", Clock(1.0))
    console, out = _console()
    with PlainProgress(console, _pace()) as progress:
        _study().run(5, callbacks=[progress])
    lines = out.getvalue().splitlines()
    assert 1 <= len(lines) <= 5
    assert all(
        re.fullmatch(r"\[s\]: \d/5 trials, best x \d+ \(trial \d\), .* each, .* left", line) for line in lines
    )


def test_plain_lines_are_few_when_trials_are_fast() -> None:
    console, out = _console()
    with PlainProgress(console, _pace()) as progress:
        _study().run(5, callbacks=[progress])
    assert out.getvalue() == ""


def test_the_live_bar_shows_the_architecture_at_work() -> None:
    console, out = _console(is_terminal=True)
    with LiveProgress(console, _pace(), interval=0.0) as progress:
        _study().run(5, callbacks=[progress])
    shown = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", out.getvalue())
    assert "trial 4: x=" in shown
    assert "4/5 trials, best x" in shown
    assert "━" * 60 in [line.strip() for line in shown.splitlines()]


def test_the_live_bar_is_drawn_no_more_often_than_ten_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "time", Clock(1e-4))
    console, out = _console(is_terminal=True)
    with LiveProgress(console, _pace(30)) as progress:
        _study().run(30, callbacks=[progress])
    assert out.getvalue().count("30 trials") <= 2  # the first drawing and the last


def test_several_objectives_tell_the_front() -> None:
    study = _study(several=True)
    assert _progress.best_words(study) == ""
    study.run(5)
    assert _progress.best_words(study) == f"{len(study.pareto)} on the front"


def test_nothing_is_best_before_a_trial_is_complete() -> None:
    assert _progress.best_words(_study()) == ""


def test_a_resumed_study_is_timed_by_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(0.0)
    monkeypatch.setattr(_progress, "time", clock)
    study = _study()
    study.run(10)
    pace = _pace(20)
    pace.update(study)
    assert pace.words("") == "10/20 trials"
    study.run(15)
    clock.now += 10.0
    pace.update(study)
    assert pace.words("") == "15/20 trials, 2.0 s each, 10.0 s left"


def test_minutes_bound_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(0.0)
    monkeypatch.setattr(_progress, "time", clock)
    pace = Pace(trials=None, minutes=1.0, count="proposals")
    clock.now += 15.0
    pace.update(_study())
    assert pace.left == 45.0
    assert pace.words("") == "0 trials, 45.0 s left"


def test_trainings_that_are_no_trials_are_shown_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "time", Clock(6.0))
    study = _study()
    console, out = _console()
    plain = PlainProgress(console, _pace())
    for epoch in (1, 2, 3, 4):
        plain.on_run(study, "supernet", epoch, {"train/loss": 1 / epoch})
    lines = out.getvalue().splitlines()
    assert 1 <= len(lines) < 4
    assert all(re.fullmatch(r"\[s\]: training supernet: epoch \d, train/loss [\d.]+", line) for line in lines)
    console, out = _console(is_terminal=True)
    with LiveProgress(console, _pace()) as live:
        live.on_run(study, "supernet", 7, {})
    assert "training supernet: epoch 7" in out.getvalue()

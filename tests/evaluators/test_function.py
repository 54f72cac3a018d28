# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from archloom.contracts import Trial
from archloom.errors import ArchloomError, ConfigError, UnknownNameError
from archloom.evaluators.function import Function


def length(architecture: Any) -> float:
    return len(architecture)


def seeded_length(architecture: Any, trial: Trial) -> dict[str, float]:
    return {"length": len(architecture), "seed": trial.seed}


def keyword_only(architecture: Any, *, trial: Trial) -> float:
    return trial.seed


def optional(architecture: Any, verbose: bool = False) -> float:
    return float(verbose)


def by_position(architecture: Any, context: Trial, /) -> float:
    return context.seed


def too_many(architecture: Any, trial: Trial, more: int) -> float:
    return more


def nothing() -> float:
    return 0.0


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (length, {"value": 3.0}),
        (len, {"value": 3.0}),
        (seeded_length, {"length": 3.0, "seed": 7.0}),
        (keyword_only, {"value": 7.0}),
        (optional, {"value": 0.0}),
        (by_position, {"value": 7.0}),
        (functools.partial(seeded_length), {"length": 3.0, "seed": 7.0}),
        (lambda architecture: np.float32(0.5), {"value": 0.5}),
        (lambda architecture: torch.tensor(2), {"value": 2.0}),
        ("builtins:len", {"value": 3.0}),
        (operator.length_hint, {"value": 3.0}),
    ],
)
def test_any_function_scores(function: Any, expected: dict[str, float]) -> None:
    text: Any = "abc"
    metrics = Function(function=function).evaluate(text, Trial(seed=7))
    assert metrics == expected


def test_a_function_whose_signature_is_unknown_gets_the_architecture() -> None:
    architecture: Any = [7, 9]
    assert Function(function=max).evaluate(architecture, Trial()) == {"value": 9.0}


def test_a_bare_number_takes_the_name_of_the_metric() -> None:
    evaluator = Function(function=len, metric="length", gives=["length"])
    architecture: Any = [1, 2]
    assert evaluator.gives == ("length",)
    assert evaluator.evaluate(architecture, Trial()) == {"length": 2.0}


@pytest.mark.parametrize("wrong", ["0.5", b"1", None, [1.0], torch.zeros(2)])
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: {"value": value}])
def test_what_is_no_number_is_named(wrong: Any, wrap: Callable[[Any], Any]) -> None:
    def score(architecture: Any) -> Any:
        return wrap(wrong)

    architecture: Any = "abc"
    with pytest.raises(ArchloomError, match=rf"score must return a number.*'value'.*{type(wrong).__name__}"):
        Function(function=score).evaluate(architecture, Trial())


def test_a_promised_metric_that_is_missing_is_named() -> None:
    architecture: Any = "abc"
    with pytest.raises(
        ArchloomError, match="should give accuracy, but accuracy is not in what it returned: value"
    ):
        Function(function=length, gives=["accuracy"]).evaluate(architecture, Trial())


@pytest.mark.parametrize("function", [too_many, nothing])
def test_a_function_of_other_arguments_is_refused_at_once(function: Any) -> None:
    with pytest.raises(ConfigError, match=r"must be callable as f\(architecture\)"):
        Function(function=function)


def test_what_is_no_function_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="is no function"):
        Function(function="math:pi")
    with pytest.raises(ConfigError, match="float is no function"):
        Function(function=1.5)
    with pytest.raises(UnknownNameError, match="did you mean 'sqrt'"):
        Function(function="math:sqr")

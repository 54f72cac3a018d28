# SPDX-License-Identifier: Apache-2.0
"""The options of a setup are declared once, and each evaluator that trains has them as its own."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Unpack, get_type_hints

import pytest

from archloom.config._arguments import options_of
from archloom.config._options import option_errors, options_model
from archloom.contracts import Architecture, Evaluator, Metrics, Trial
from archloom.errors import ConfigError
from archloom.evaluators.optimisation import Optimisation
from archloom.evaluators.setup import TrainingSetup
from archloom.evaluators.setup_options import (
    SetupDefaults,
    SetupOptions,
    setup_of,
    spelled,
    takes_setup,
)
from archloom.evaluators.supernet import SupernetEvaluator
from archloom.evaluators.training import Training

FIRST = ["data", "data_options", "task", "task_options"]


@takes_setup(optimizer="sgd", lr=0.025)
class Brief(Evaluator):
    """Trains briefly.

    Args:
        epochs: how often,
            and no more.
        lr: the rate of its own.

    Raises:
        ConfigError: an option is out of its range.
    """

    def __init__(self, *, epochs: int = 3, **setup: Unpack[SetupOptions]):
        self.epochs, self.given, self.setup = epochs, setup, setup_of(setup)

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        return {}


@takes_setup()
class Silent(Brief):
    def __init__(self, **setup: Unpack[SetupOptions]):
        super().__init__(**setup)


class Lasting(Brief):
    """Trains for long."""

    def __init__(self, *, patience: int):
        super().__init__(data="digits", epochs=100 * patience)


def shared() -> dict[str, inspect.Parameter]:
    setup = inspect.signature(TrainingSetup, eval_str=True).parameters
    moving = inspect.signature(Optimisation, eval_str=True).parameters
    return {name: one for name, one in {**setup, **moving}.items() if name != "optimisation"}


def test_the_type_checker_is_told_what_the_signatures_say() -> None:
    assert get_type_hints(SetupOptions) == {name: one.annotation for name, one in shared().items()}
    needed = {name for name, one in shared().items() if one.default is one.empty}
    assert SetupOptions.__required_keys__ == needed
    assert {*SetupDefaults.__annotations__} == {*shared()} - needed


@pytest.mark.parametrize("evaluator", [Training, SupernetEvaluator])
def test_an_evaluator_has_every_option_with_type_default_and_words(evaluator: type[Evaluator]) -> None:
    found = inspect.signature(evaluator).parameters
    assert all(one.kind is one.KEYWORD_ONLY for one in found.values())
    assert {name: found[name] for name in shared()} == shared()
    options = {option.name: option for option in options_of(evaluator)}
    assert [*options] == [*found]
    assert [*options][:4] == FIRST
    assert [*options][-2:] == ["n_workers", "n_threads"]
    assert all(option.description for option in options.values())
    assert options["schedule"].type == "constant | cosine | cosine_power | linear"
    assert options["data_options"].description == "the data set's own options, {n_train: 2000}."
    assert options["epochs"].default == {"Training": 10, "SupernetEvaluator": 50}[evaluator.__name__]


def test_an_evaluator_may_have_other_defaults_and_words() -> None:
    options = {option.name: option for option in options_of(Brief)}
    assert [*options][:6] == [*FIRST, "epochs", "batch_size"]
    assert (options["optimizer"].default, options["lr"].default) == ("sgd", 0.025)
    assert options["lr"].description == "the rate of its own."
    assert options["epochs"].description == "how often, and no more."
    made = Brief(data="digits")
    assert made.setup.optimisation == Optimisation(optimizer="sgd", lr=0.025)
    assert Brief(data="digits", lr=0.1, power=3).setup.optimisation == Optimisation(
        optimizer="sgd", lr=0.1, power=3
    )
    assert made.given.keys() == shared().keys()


def test_the_docstring_keeps_its_shape() -> None:
    doc = Brief.__doc__ or ""
    assert doc.startswith("Trains briefly.\n\nArgs:\n    data: a registered data set")
    assert "    epochs: how often,\n        and no more.\n    batch_size: " in doc
    assert doc.count("    lr: ") == doc.count("Args:") == doc.count("Raises:") == 1
    assert doc.endswith("\n\nRaises:\n    ConfigError: an option is out of its range.")


def test_without_a_docstring_or_options_of_its_own_it_works_as_well() -> None:
    assert Silent.__doc__ is None
    assert {*inspect.signature(Silent).parameters} == {*shared()}
    assert Silent(data="digits").epochs == 3


def test_a_class_that_inherits_has_options_of_its_own() -> None:
    assert [*inspect.signature(Lasting).parameters] == ["patience"]
    assert Lasting(patience=2).epochs == 200


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Training(data="digits", epoch=3), "'epoch' is no option of Training; did you mean 'epochs'"),  # type: ignore[call-arg]
        (lambda: Brief(data="digits", learning=3), "'learning' is no option of Brief"),  # type: ignore[call-arg]
        (lambda: Training(epochs=3), "Training needs the option 'data', which is missing"),  # type: ignore[call-arg]
        (lambda: Training(data="digits", lr=-1.0), "lr must be above 0; got -1.0"),
        (lambda: Training(data="digits", optimizer="adamW"), "did you mean 'adam"),  # type: ignore[arg-type]
        (lambda: Training(data="digits", n_threads=10**6), "n_threads must be at most"),
        (lambda: Training(data="digits", task="clasification"), "did you mean 'classification'"),
    ],
)
def test_wrong_options_are_met_with_the_right_ones(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        call()


def test_a_study_file_knows_each_of_them() -> None:
    schema = options_model(Training, "training").model_json_schema()
    assert schema["properties"]["lr_min"] == {"default": 0.0, "title": "lr_min", "type": "number"}
    assert schema["required"] == ["data"]
    assert schema["additionalProperties"] is False
    (problem,) = option_errors(Training, "schedule", "cosin")
    assert "'cosine_power'" in problem[1]
    ((_, words),) = option_errors(Training, "lr_mni", 0.1)
    assert words == "unknown key; did you mean 'lr_min'?"


def test_what_decides_the_weights_is_spelled() -> None:
    made = Brief(data="digits", data_options={"n_train": 9}, augment=["flip"], n_threads=3)
    text = spelled(made.given)
    for fact in ('"data": "digits"', '"n_train": 9', '"augment": ["flip"]', '"lr": 0.025', '"power": 2.0'):
        assert fact in text
    assert "n_threads" not in text
    same = Brief(data="digits", data_options={"n_train": 9}, augment=("flip",), task_options={})
    assert spelled(same.given) == text
    assert spelled({**same.given, "batch_size": 1}) != text
    assert spelled({"data": made, "augment": [made]}) == '{"augment": ["Brief"], "data": "Brief"}'


def test_a_class_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(Training)) is Training


def test_it_stands_without_docstrings() -> None:
    code = (
        "import archloom.evaluators as e; print(e.Training(data='digits', lr=0.5).epochs, e.Training.__doc__)"
    )
    ran = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["10", "None"]

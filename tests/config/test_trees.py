# SPDX-License-Identifier: Apache-2.0
"""A search space written in the study file, and evaluator options that are decisions."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archloom import config
from archloom.errors import ArchloomError, ConfigError
from archloom.evaluators import Tuned

Write = Callable[..., Path]

TREE = """\
study: small
space:
  name: sequence
  parts:
    block:
      name: conv
      kernel_size: {oneof: [3, 5]}
  layers:
    - {part: block, width: {oneof: [4, 8]}}
    - repeat: {oneof: [1, 2]}
      of: {part: block, width: 4}
strategy: random
evaluator:
  name: training
  data: digits
  epochs: 1
  data_options: {n_train: 64, n_validation: 32, n_test: 32}
  lr: {floatv: [0.001, 0.1], scale: log}
objectives: {accuracy: maximize}
budget: {trials: 2}
store: sqlite:///small.db
"""

MODULE = """\
from archloom.contracts import Evaluator
from archloom.search_spaces import Blueprint

class Score(Evaluator):
    gives = ("score",)
    def __init__(self, *, factor: float = 1.0, name: str = "", sizes: list[int] = (), data: str = "digits"):
        self.factor = factor
    def evaluate(self, architecture, trial):
        return {"score": self.factor * float(architecture.value.x)}

class Block(Blueprint):
    width: int
    def build(self, c_in):
        raise NotImplementedError

class Net:
    def __init__(self, width):
        self.width = width

seen = []

def note(study, record):
    seen.append((record.number, str(record.state)))

answer = 42
"""


@pytest.fixture
def mine(write: Write) -> str:
    """Write ``mine.py`` beside the study file."""
    write()
    Path("mine.py").write_text(MODULE)
    sys.modules.pop("mine", None)
    return "mine"


def _message(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(path, overrides)
    return str(caught.value)


def _names(file: config.StudyFile) -> list[str]:
    return [decision.name for decision in file.space.decisions]


def test_a_tree_is_compiled_together_with_the_evaluator_s_decisions(write: Write) -> None:
    file = config.load(write(text=TREE))
    assert _names(file) == [
        "layers[0].width",
        "layers[0].kernel_size",
        "layers[1]",
        "layers[1](1x).layers[0].kernel_size",
        "layers[1](2x).layers[0].kernel_size",
        "layers[1](2x).layers[1].kernel_size",
        "training.lr",
    ]
    (evaluator,) = file.evaluators()
    assert isinstance(evaluator, Tuned)
    assert file.data == ("digits", {"n_train": 64, "n_validation": 32, "n_test": 32})


def test_a_resolved_tree_gives_the_same_again(write: Write) -> None:
    file = config.load(write(text=TREE), ["space.layers.0.width=32"])
    resolved = json.loads(json.dumps(file.resolved()))
    assert resolved["space"]["layers"][0] == {"part": "block", "width": 32}
    assert resolved["evaluator"][0]["lr"] == {"floatv": [0.001, 0.1], "scale": "log"}
    again = config.restore(resolved, source="study 'small'")
    assert again.resolved() == resolved
    assert again.space.fingerprint == file.space.fingerprint


@pytest.mark.slow
def test_a_tree_is_trained_and_goes_on(write: Write) -> None:
    path = write(text=TREE)
    study = config.load(path).study()
    with study.store:
        study.run(trials=2)
        chosen = [trial.choices for trial in study.trials]
    assert all(0.001 <= float(choices["training.lr"]) <= 0.1 for choices in chosen)
    study = config.load(path).study(resume=True)
    with study.store:
        study.run(trials=3)
        assert [trial.choices for trial in study.trials][:2] == chosen
        assert all("validation/accuracy" in trial.metrics for trial in study.trials)


def test_a_place_in_the_tree_is_found_by_its_symbolic_path(write: Write) -> None:
    file = config.load(write(text=TREE), ["space.layers.0.stride=2"])
    architecture = file.space.architecture(file.space.sample(1, np.random.default_rng(0)))
    size = file.where(architecture, "layers[0].kernel_size")
    assert size.startswith("study.yaml:7: space.parts.block.kernel_size.oneof.")
    assert file.where(architecture, "layers[1].layers[0].width") == "study.yaml:11: space.layers.1.of.width"
    assert file.where(architecture) == "study.yaml:2: space"
    assert file.where(architecture, "layers[0].stride") == (
        "override 'space.layers.0.stride=2': space.layers.0.stride"
    )
    named = config.load(write())
    assert named.where(named.space.architecture(named.space.at([0])), "layers[0]") == "study.yaml:2: space"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[4, 8]}",
            "[4, x]}",
            "study.yaml:9: space.layers.0.width.oneof.1: should be an integer or null, got 'x'",
        ),
        ("kernel_size:", "kernal_size:", "study.yaml:7: space.parts.block.kernal_size: conv has no field"),
        (
            "    - {part: block,",
            "    - {part: blok,",
            "study.yaml:9: space.layers.0.part: there is no part 'blok'",
        ),
        ("name: sequence", "name: sequnce", "study.yaml:3: space.name: 'sequnce' is not one of the search"),
        ("name: sequence", "name: mpl", "; did you mean 'mlp'?"),
        ("name: sequence", "name: sequnce", "; did you mean 'sequence'?"),
        (
            "[0.001, 0.1]",
            "[0, 0.1]",
            "study.yaml:18: evaluator.lr.floatv: a log scale needs low > 0, got [0, 0.1]",
        ),
        (
            "{floatv: [0.001, 0.1], scale: log}",
            "{oneof: [0.1, much]}",
            "study.yaml:18: evaluator.lr.oneof.1: should be a valid number, got 'much'",
        ),
        ("{floatv: [0.001, 0.1], scale: log}", "{oneof: [0.1, -1]}", "study.yaml:18: evaluator.lr.oneof.1: "),
        (
            "epochs: 1",
            "epochs: {floatv: [1, 2]}",
            "study.yaml:16: evaluator.epochs.floatv.0: should be a valid integer",
        ),
        ("  lr:", "  l_r:", "study.yaml:18: evaluator.l_r: unknown key; did you mean 'lr'?"),
        (
            "n_train: 64",
            "n_train: {oneof: [64, 32], k: 1}",
            "study.yaml:17: evaluator.data_options.n_train.k: unknown key beside 'oneof'",
        ),
    ],
)
def test_a_mistake_names_its_line(write: Write, old: str, new: str, message: str) -> None:
    assert message in _message(write((old, new), text=TREE))


def test_mistakes_of_the_whole_file_are_told_at_once(write: Write) -> None:
    path = write(
        ("[4, 8]}", "[4, x]}"), ("name: conv", "name: conf"), ("lr:", "lrr:"), ("random", "randm"), text=TREE
    )
    lines = [line.split(": ")[0] for line in _message(path).splitlines()]
    assert lines == [f"study.yaml:{n}" for n in (6, 12, 18)]


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("{name: conv}", "space: there is nothing to decide"),
        ("{layers: 2}", "space: there is nothing to decide"),
        ("{parts: 3, x: {oneof: [1, 2]}}", "space.parts: should be a mapping of names to trees, got 3"),
        ("[1, 2]", "space: should be one of the search_spaces by name, or a mapping with a 'name'"),
        ("{x: {oneof: [mine, {reference: y}]}}", "space.x.oneof.1: reference 'y' must lead to"),
        ("{name: 'mine:Net', width: {oneof: [1, 2]}}", "write {call: 'mine:Net', args: {...}}"),
        (
            "{name: 'mine:Block', width: {oneof: [1, b]}}",
            "space.width.oneof.1: should be an integer, got 'b'",
        ),
    ],
)
def test_spaces_that_are_none(mine: str, space: str, message: str) -> None:
    assert message in _message(Path("study.yaml"), "evaluator={name: 'mine:Score'}", f"space={space}")


def test_a_space_without_decisions_may_be_searched_for_its_settings(mine: str) -> None:
    evaluator = "evaluator={name: 'mine:Score', factor: {oneof: [1, 2]}, name2: 1}"
    assert "evaluator.name2: unknown key" in _message(Path("study.yaml"), "space={x: 3}", evaluator)
    file = config.load(
        Path("study.yaml"),
        [
            "space={x: 3}",
            "evaluator={name: 'mine:Score', factor: {oneof: [1, 2]}}",
            "objectives={score: maximize}",
        ],
    )
    assert _names(file) == ["Score.factor"]
    study = file.study()
    with study.store:
        assert study.run(trials=2).best.metrics["score"] == 6.0


def test_two_evaluators_whose_decisions_have_the_same_name(mine: str) -> None:
    one = "{name: 'mine:Score', factor: {oneof: [1, 2]}}"
    message = _message(Path("study.yaml"), f"evaluator=[{one}, {one}]")
    assert "evaluator.1: decisions of another evaluator are called 'Score' too" in message


def test_a_searched_data_set_lends_its_shape_to_no_costs(mine: str) -> None:
    one = "{name: 'mine:Score', data: {oneof: [a, b]}, sizes: {oneof: [[1, 2], [3]]}}"
    file = config.load(Path("study.yaml"), [f"evaluator={one}", "objectives={score: maximize}"])
    assert file.data is None
    assert _names(file)[-2:] == ["Score.data", "Score.sizes"]


def test_labels_and_imported_things_outlive_the_database(mine: str) -> None:
    space = (
        "space={call: 'mine:Net', args: {width: {oneof: [{import: 'mine:Net'}, {import: 'mine:answer'}, "
        "{name: 'mine:Block', width: {oneof: [1, 2]}}, "
        "{name: 'mine:Block', width: {oneof: [3, 4]}, label: wide}]}}}"
    )
    file = config.load(Path("study.yaml"), ["evaluator='mine:Score'", "objectives={score: maximize}", space])
    assert file.space.decisions[0].candidates == ("Net", "42", "Block", "wide")
    resolved = json.loads(json.dumps(file.resolved()))
    trusted = ["mine:Score", "mine:Net", "mine:Block"]
    with pytest.raises(ConfigError, match=r"asks to import or run mine:answer "):
        config.restore(resolved, source="study 'small'", trusted=trusted)
    again = config.restore(resolved, source="study 'small'", trusted=[*trusted, "mine:answer"])
    assert again.space.fingerprint == file.space.fingerprint
    message = _message(
        Path("study.yaml"), "evaluator='mine:Score'", space.replace("mine:answer", "mine:anwser")
    )
    assert (
        "space.args.width.oneof.1.import: 'mine:anwser': mine has no 'anwser'; did you mean 'answer'?"
        in message
    )


# ---------------------------------------------------------------- callbacks and enqueue


def test_callbacks_are_imported_and_called(mine: str) -> None:
    overrides = ["space={x: {oneof: [1, 2]}}", "evaluator='mine:Score'", "objectives={score: maximize}"]
    file = config.load(Path("study.yaml"), [*overrides, "callbacks=['mine:note']"])
    study = file.study()
    with study.store:
        study.run(trials=1, callbacks=file.callbacks)
    assert sys.modules["mine"].seen == [(0, "RUNNING"), (0, "COMPLETE")]
    wrong = _message(Path("study.yaml"), *overrides, "callbacks=['mine:nte', 'mine:answer', 'nope:x']")
    assert "callbacks.0: 'mine:nte': mine has no 'nte'; did you mean 'note'?" in wrong
    assert "callbacks.1: 'mine:answer' should be a function, called as callback(study, record)" in wrong
    assert "callbacks.2: 'nope:x': there is no module 'nope'" in wrong


def test_enqueued_architectures_come_first_and_once(mine: str) -> None:
    overrides = ["space={x: {oneof: [1, 2, true]}}", "evaluator='mine:Score'", "objectives={score: maximize}"]
    rows = "enqueue=[{x: true}, {x: 2}]"
    path = Path("study.yaml")
    study = config.load(path, [*overrides, rows]).study()
    with study.store:
        study.run(trials=1)
    study = config.load(path, [*overrides, rows]).study(resume=True)
    with study.store:
        study.run(trials=3)
        chosen = [trial.choices["x"] for trial in study.trials]
        assert chosen[:2] == ["true", "2"]
        assert "1" in chosen[2:]
    wrong = _message(path, *overrides, "enqueue=[{x: 2}, {x: 9}, {y: 1}]")
    assert "enqueue.1.x: there is no candidate '9'; there are: 1, 2, true" in wrong
    assert "enqueue.2.y: 'y' is not a decision; there are: x" in wrong


def test_architectures_enqueued_later_are_tried_on_resume_and_only_once(mine: str) -> None:
    space = "space={x: {oneof: [1, 2, 3, 4]}}"
    overrides = [space, "evaluator='mine:Score'", "objectives={score: maximize}", "enqueue=[{x: 3}]"]
    path = Path("study.yaml")
    study = config.load(path, overrides).study()
    with study.store:
        study.run(trials=1)
    for _ in range(2):
        study = config.load(path, [*overrides, "enqueue=[{x: 3}, {x: 4}]"]).study(resume=True)
        with study.store:
            study.run(trials=2)
            assert [trial.choices["x"] for trial in study.trials] == ["3", "4"]


def test_a_callback_that_raises_is_named_with_its_trial(mine: str) -> None:
    Path("mine.py").write_text(MODULE + "\n\ndef fail(study, record):\n    raise RuntimeError('boom')\n")
    overrides = ["space={x: {oneof: [1, 2]}}", "evaluator='mine:Score'", "objectives={score: maximize}"]
    file = config.load(Path("study.yaml"), [*overrides, "callbacks=['mine:fail']"])
    study = file.study()
    with (
        study.store,
        pytest.raises(ArchloomError, match=r"^callback mine:fail failed for trial 0: RuntimeE.*: boom"),
    ):
        study.run(trials=1, callbacks=file.callbacks)


# ---------------------------------------------------------------- trust


def test_a_strategy_of_a_family_is_no_import_path_also_below_a_flow() -> None:
    flow = {
        "name": "factorized_flow",
        "outer": "optuna:TPESampler",
        "inner": {"name": "pyglove:random", "seed": "evil:seed"},
    }
    assert config.import_paths({"strategy": flow}) == {"evil:seed"}
    assert config.import_paths({"strategy": {"name": "smbo", "surrogate": "optuna:TPESampler"}})
    assert config.import_paths({"evaluator": "optuna:TPESampler"})


@pytest.mark.parametrize(
    "hidden",
    [
        {"space": {"call": "evil:Net"}},
        {"space": {"layers": [{"repeat": 2, "of": {"oneof": [{"name": "evil:Net"}]}}]}},
        {"space": {"args": {"device": {"call": "evil:Net"}}}},
        {"space": {"x": {"oneof": ["conv_3x3", "evil:Net"]}}},
        {"callbacks": ["evil:Net"]},
        {"space": {"call": "evil:Net", "args": {"act": {"import": "evil:Net"}}}},
    ],
)
def test_import_paths_are_found_wherever_they_stand(hidden: dict[str, object]) -> None:
    assert config.import_paths(hidden) == {"evil:Net"}


def test_odd_names_that_python_would_import_are_found_and_devices_are_not() -> None:
    odd = {"space": ["my-module:f", "é:f", "0:1", "a b:c"], "device": "cuda:0"}
    assert config.import_paths(odd) == {"my-module:f", "é:f", "0:1", "a b:c"}
    assert config.import_paths({"evaluator": [{"device": "cuda:0"}], "enqueue": [{"x": "a:b"}]}) == set()


def test_a_tree_of_a_database_is_not_imported_without_trust(mine: str) -> None:
    tree = "space={name: 'mine:Block', width: {oneof: [1, 2]}}"
    resolved = config.load(Path("study.yaml"), [tree]).resolved()
    sys.modules.pop("mine")
    with pytest.raises(ConfigError, match=r"asks to import or run mine:Block"):
        config.restore(resolved, source="study 'small'")
    assert "mine" not in sys.modules


def test_commands_of_a_database_need_trust_too() -> None:
    hidden = {"evaluator": [{"name": "latency", "data": "digits", "command": "rm -r ."}, "training"]}
    assert config.foreign_code(hidden) == {"rm -r ."}
    with pytest.raises(ConfigError, match=r"asks to import or run rm -r \. .*--trust"):
        config.restore(hidden, source="study 'x'")

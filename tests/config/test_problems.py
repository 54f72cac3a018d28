# SPDX-License-Identifier: Apache-2.0
"""A wrong study file: every message names file, line, key, rule, value and the nearest right word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archloom import config
from archloom.errors import ConfigError

Write = Callable[..., Path]


def _message(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(path, overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "population_size",
            "popluation_size",
            "study.yaml:5: strategy.popluation_size: unknown key; did you mean 'population_size'?",
        ),
        ("layers: 2", "layers: two", "study.yaml:4: space.layers: should be a valid integer, got 'two'"),
        ("layers: 2", "layers: 0", "study.yaml:4: space.layers: mlp needs layers >= 1, got 0"),
        (
            "regularized_evolution",
            "regularised_evolution",
            "study.yaml:5: strategy.name: 'regularised_evolution' is not one of the strategies; "
            "did you mean 'regularized_evolution'?",
        ),
        ("study: small\n", "", "study.yaml: study: missing"),
        ("study: small", "study: 3", "study.yaml:1: study: should be a valid string, got 3"),
        (
            "accuracy: maximize",
            "accuracy: maximise",
            "study.yaml:7: objectives.accuracy: should be 'maximize' or 'minimize', got 'maximise'",
        ),
        (
            "{accuracy: maximize}",
            "{}",
            "study.yaml:7: objectives: should name at least one metric, such as {accuracy: maximize}",
        ),
        (
            "{accuracy: maximize}",
            "{parms: minimize}",
            "study.yaml:7: objectives.parms: no evaluator gives a metric 'parms'; did you mean 'params'?",
        ),
        (
            "budget:",
            "constraints: [loss <= 9, parms <= 3]\nbudget:",
            "study.yaml:8: constraints.1: no evaluator gives a metric 'parms'; did you mean 'params'?",
        ),
        ("trials: 3", "trials: 0", "study.yaml:8: budget.trials: should be greater than 0, got 0"),
        ("trials: 3", "trails: 3", "study.yaml:8: budget.trails: unknown key; did you mean 'trials'?"),
        ("{trials: 3}", "{}", "study.yaml:8: budget: should give trials, minutes or both, got {}"),
        ("{trials: 3}", "100", "study.yaml:8: budget: should be a mapping, got 100"),
        (
            "data: digits, ",
            "",
            "study.yaml:6: evaluator.data: missing",
        ),
        (
            "{name: training, data: digits, epochs: 1}",
            "[{name: training, data: digits, epochs: '1'}]",
            "study.yaml:6: evaluator.0.epochs: should be a valid integer, got '1'",
        ),
        (
            "{name: training, data: digits, epochs: 1}",
            "[]",
            "study.yaml:6: evaluator: should name at least one evaluator, got []",
        ),
        (
            "{name: training, data: digits, epochs: 1}",
            "{epochs: 1}",
            "study.yaml:6: evaluator: should be one of the evaluators by name, or a mapping with a 'name', "
            "got {'epochs': 1}; there are: ",
        ),
        (
            "data: digits, epochs: 1",
            "data: digits, augment: [{horizontal_flip: {p: 0.5}}, flipp]",
            "study.yaml:6: evaluator.augment.0: an augmentation is a name or a mapping with one",
        ),
        (
            "space:",
            "parts: {a: 1}\nspace:",
            "study.yaml:2: parts: unknown key: the named parts of a tree belong under",
        ),
        (
            "budget:",
            "pruner: {name: medain}\nbudget:",
            "study.yaml:8: pruner.name: 'medain' is not one of the pruners; did you mean 'median'?",
        ),
        (
            "name: mlp",
            "name: no_such_package:space",
            "study.yaml:3: space.name: 'no_such_package:space': there is",
        ),
    ],
)
def test_message(write: Write, old: str, new: str, message: str) -> None:
    assert _message(write((old, new))).startswith(message)


def test_all_problems_are_shown_at_once_in_the_order_of_the_file(write: Write) -> None:
    path = write(
        ("layers: 2", "layrs: 2"), ("accuracy: maximize", "accuracy: up"), ("study:", "seeed: 0\nstudy:")
    )
    lines = _message(path).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["study.yaml:1", "study.yaml:5", "study.yaml:8"]


def test_a_union_that_fails_names_all_its_rules(write: Write) -> None:
    assert "evaluator.patience: should be a valid integer, got 'no'" in _message(
        write(), "evaluator.patience=no"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 'study.yaml:3: found duplicate key "a"'),
        ("a: [1,\nb: 2", "study.yaml:2: expected ',' or ']', but got '<stream end>'"),
        (
            "a: !!python/object/apply:os.getcwd []",
            "study.yaml:1: could not determine a constructor for the tag",
        ),
        ("- 1\n- 2\n", "study.yaml: a study file must be a mapping of keys, got [1, 2]"),
        (
            "",
            "study.yaml: the file is empty: a study file needs the keys study, space, evaluator, "
            "objectives, budget (search schema prints",
        ),
        ("# nothing yet\n", "study.yaml: the file is empty"),
        ("a: \x00", "study.yaml: not YAML: "),
        ("? [a]\n: 1", "study.yaml: study: missing"),
    ],
)
def test_what_is_no_yaml_mapping(write: Write, text: str, message: str) -> None:
    assert _message(write(text=text)).startswith(message)


def test_a_file_that_cannot_be_read(write: Write, tmp_path: Path) -> None:
    write()
    assert _message(Path("nowhere.yaml")) == "nowhere.yaml: there is no such study file"
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert _message(Path("binary.yaml")).startswith("binary.yaml: cannot be read as text: ")
    assert _message(tmp_path).startswith(f"{tmp_path}: cannot be read as text: ")


def test_dates_are_text(write: Write) -> None:
    assert "got '2026-01-01'" in _message(write(("layers: 2", "layers: 2026-01-01")))


def test_anchors_and_merges_keep_the_line_of_their_use(write: Write) -> None:
    text = (
        write()
        .read_text()
        .replace(
            "{name: training, data: digits, epochs: 1}", "{<<: &a {epochs: 0}, name: training, data: digits}"
        )
    )
    assert _message(write(text=text)).startswith("study.yaml:6: evaluator")


def test_a_value_that_an_evaluator_refuses_is_told_where_it_stands(write: Write) -> None:
    evaluator = "evaluator:\n  name: training\n  data: digits\n  augment:\n    - flip\n    - flipp"
    path = write(("evaluator: {name: training, data: digits, epochs: 1}", evaluator))
    assert _message(path).startswith("study.yaml:11: evaluator.augment.1: 'flipp' is not one of the augm")
    message = _message(write(), "evaluator.augment=[flipp]")
    assert message.startswith("override 'evaluator.augment=[flipp]': evaluator.augment.0: 'flipp' is not one")


def test_other_terms_are_told_with_the_file_s_own_keys_and_lines(write: Write) -> None:
    small = (
        "{name: training, data: digits, epochs: 1, data_options: {n_train: 64, n_validation: 32, n_test: 32}}"
    )
    path = write(
        ("{name: training, data: digits, epochs: 1}", small),
        ("{accuracy: maximize}", "{accuracy: maximize, params: minimize}"),
        ("regularized_evolution, population_size: 4, sample_size: 2", "random"),
    )
    config.load(path).study().store.close()
    with pytest.raises(ConfigError) as caught:
        config.load(path, ["evaluator.epochs=2"]).study(resume=True)
    assert str(caught.value) == (
        "override 'evaluator.epochs=2': evaluator.epochs: study 'small' was begun under other terms: "
        "evaluator.epochs was 1, now 2 (`--allow-changes` goes on under the new ones and keeps a record, "
        "in Python changes='record'; or give the new search another name)"
    )
    path.write_text(path.read_text().replace("n_train: 64", "n_train: 60"))
    with pytest.raises(ConfigError) as caught:
        config.load(path).study(resume=True)
    assert str(caught.value).startswith(
        "study.yaml:6: evaluator.data_options.n_train: study 'small' was begun"
    )
    assert "costs" not in str(caught.value)


# ---------------------------------------------------------------- overrides


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("budget", "override 'budget': must be KEY=VALUE, such as budget.trials=3"),
        ("=3", "override '=3': must be KEY=VALUE"),
        ("budget.trails=3", "override 'budget.trails=3': budget.trails: unknown key; did you mean 'trials'?"),
        ("bugdet.trials=3", "override 'bugdet.trials=3': bugdet: unknown key; did you mean 'budget'?"),
        ("study.name=x", "override 'study.name=x': study is 'small', which has no keys inside"),
        ("budget.trials=[", "override 'budget.trials=[': not YAML: "),
        (
            "strategy=randon",
            "override 'strategy=randon': strategy: 'randon' is not one of the strategies; did you",
        ),
        ("strategy.population_size=0", "override 'strategy.population_size=0': strategy.population_size: "),
    ],
)
def test_a_wrong_override_is_named(write: Write, override: str, message: str) -> None:
    assert _message(write(), override).startswith(message)


def test_a_list_is_overridden_by_index(write: Write) -> None:
    path = write(("{name: training, data: digits, epochs: 1}", "[training]"))
    message = _message(path, "evaluator.epochs=1")
    assert message == (
        "override 'evaluator.epochs=1': evaluator is a list: say which of 0 to 0, got 'epochs'; "
        "did you mean evaluator.0.epochs=1?"
    )
    file = config.load(path, ["evaluator.0.data=digits", "evaluator.0.epochs=2"])
    assert file.resolved()["evaluator"][0]["epochs"] == 2
    path = write(("{name: training, data: digits, epochs: 1}", "[{name: costs}, {name: 'no:Own'}, training]"))
    assert _message(path, "evaluator.epochs=2").endswith("; did you mean evaluator.2.epochs=2?")
    assert _message(path, "evaluator.epohs=2").endswith("say which of 0 to 2, got 'epohs'")


def test_overrides_are_yaml_and_make_what_is_missing(write: Write) -> None:
    file = config.load(
        write(),
        [
            "strategy=random",
            "space.widths=[4, 8]",
            "pruner.name=median",
            "budget.minutes=1",
            "constraints=[loss <= 2]",
        ],
    )
    resolved = file.resolved()
    assert resolved["strategy"]["name"] == "random"
    assert resolved["space"]["widths"] == [4, 8]
    assert resolved["pruner"]["name"] == "median"
    assert resolved["budget"] == {"trials": 3, "minutes": 1.0, "count": "evaluations"}


def test_a_bare_word_takes_options_by_override(write: Write) -> None:
    path = write(
        ("{name: regularized_evolution, population_size: 4, sample_size: 2}", "regularized_evolution")
    )
    file = config.load(path, ["strategy.population_size=9"])
    assert file.resolved()["strategy"]["population_size"] == 9


def test_an_empty_key_takes_options_by_override(write: Write) -> None:
    path = write(("{trials: 3}", ""))
    assert config.load(path, ["budget.trials=9"]).run_options["trials"] == 9

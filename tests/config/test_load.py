# SPDX-License-Identifier: Apache-2.0
"""What a right study file becomes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archloom import config
from archloom.errors import ConfigError

Write = Callable[..., Path]

MODULE = """\
import pyglove as pg
from archloom.contracts import Evaluator
from archloom.search_spaces import SearchSpace

def space(*, width: int = 3):
    return pg.Dict(x=pg.oneof(list(range(width))))

template = pg.Dict(x=pg.oneof([1, 2]))
finished = SearchSpace(template)
wrong = pg.Dict(x=(pg.oneof([1, 2]),))

class Score(Evaluator):
    gives = ("score",)
    def __init__(self, *, factor: float = 1.0, **rest: int):
        self.factor = factor
    def evaluate(self, architecture, trial):
        return {"score": self.factor * architecture.value.x}

class Broken:
    def __init__(self):
        raise ImportError("no such library")
"""


def _names(file: config.StudyFile) -> list[str]:
    return [type(evaluator).__name__ for evaluator in file.evaluators()]


def test_every_key_has_its_default(write: Write) -> None:
    file = config.load(write())
    assert file.name == "small"
    assert file.store == "sqlite:///small.db"
    assert file.run_options == {"trials": 3, "minutes": None, "count": "evaluations", "batch_size": 1}
    assert file.sections.duplicates == "reuse"
    assert (file.sections.seed, file.sections.device) == (0, "cpu")
    assert file.space.size is not None
    assert _names(file) == ["Training"]
    assert file.data == ("digits", {})


def test_a_bare_word_is_a_named_thing(write: Write) -> None:
    file = config.load(write(("{name: regularized_evolution, population_size: 4, sample_size: 2}", "random")))
    assert file.resolved()["strategy"]["name"] == "random"


def test_resolved_is_json_with_defaults_and_without_the_store(write: Write) -> None:
    resolved = config.load(write(), ["seed=7"]).resolved()
    assert resolved == json.loads(json.dumps(resolved))
    assert resolved["seed"] == 7
    assert resolved["strategy"]["crossover"] == 0.0
    assert resolved["evaluator"][0]["optimizer"] == "adamw"
    assert "store" not in resolved


def test_a_resolved_file_gives_the_same_again(write: Write) -> None:
    resolved = config.load(
        write(("{accuracy: maximize}", "{accuracy: maximize, params: minimize}"))
    ).resolved()
    assert config.restore(resolved, source="study 'small'").resolved() == resolved


@pytest.mark.parametrize(
    ("store", "artifacts"),
    [
        ("sqlite:///results/x.db", "results/x-artifacts/small"),
        ("y.db", "y-artifacts/small"),
        ("sqlite:///z.db?timeout=3", "z-artifacts/small"),
        ("postgresql+psycopg://me@host/db", "archloom-artifacts/small"),
        ("sqlite://", None),
    ],
)
def test_artifacts_lie_beside_the_store(write: Write, store: str, artifacts: str | None) -> None:
    file = config.load(write(), [f"store={store}"])
    assert file.artifacts == (None if artifacts is None else Path(artifacts).absolute())


def test_a_study_name_is_made_fit_for_a_folder(write: Write) -> None:
    file = config.load(write(), ["artifacts=there", "study='../a b'"])
    assert file.artifacts == Path("there/.._a_b").absolute()


def test_the_store_comes_from_the_environment_where_the_file_names_none(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(("store: sqlite:///small.db\n", ""))
    assert config.locate(path) == ("small", "sqlite:///archloom.db")
    monkeypatch.setenv("ARCHLOOM_STORE", "sqlite:///elsewhere.db")
    assert config.load(path).store == "sqlite:///elsewhere.db"
    assert config.locate(path) == ("small", "sqlite:///elsewhere.db")


def test_environment_variables_are_not_expanded(write: Write) -> None:
    assert config.load(write(), ["store=sqlite:///$HOME.db"]).store == "sqlite:///$HOME.db"


# ---------------------------------------------------------------- costs


@pytest.mark.parametrize(
    ("old", "new", "metrics"),
    [
        ("{accuracy: maximize}", "{accuracy: maximize, params: minimize}", ["params"]),
        ("budget:", "constraints: ['macs <= 1e6', 'size_mb <= 3']\nbudget:", ["macs", "size_mb"]),
    ],
)
def test_a_costs_evaluator_is_added_where_it_is_needed(
    write: Write, old: str, new: str, metrics: list[str]
) -> None:
    file = config.load(write((old, new)), ["evaluator.data_options={n_train: 50}"])
    assert _names(file) == ["Costs", "Training"]
    costs = file.resolved()["evaluator"][0]
    assert costs["metrics"] == metrics
    assert (costs["data"], costs["data_options"]) == ("digits", {"n_train": 50})


def test_no_costs_evaluator_is_added_where_one_is_listed(write: Write) -> None:
    listed = "[{name: costs, data: digits, metrics: [params]}, {name: training, data: digits}]"
    path = write(
        ("{name: training, data: digits, epochs: 1}", listed),
        ("{accuracy: maximize}", "{accuracy: maximize, params: minimize}"),
    )
    assert _names(config.load(path)) == ["Costs", "Training"]


def test_no_costs_evaluator_is_added_where_the_evaluator_may_give_them(write: Write) -> None:
    path = write(
        ("{name: training, data: digits, epochs: 1}", "{name: function, function: 'math:sqrt'}"),
        ("{accuracy: maximize}", "{params: minimize}"),
    )
    file = config.load(path)
    assert _names(file) == ["Function"]
    assert file.data is None


# ---------------------------------------------------------------- import paths


def _module(name: str) -> None:
    Path(f"{name}.py").write_text(MODULE)
    sys.modules.pop(name, None)


def _mine(write: Write, name: str, *replacements: tuple[str, str]) -> Path:
    _module(name)
    return write(
        ("name: mlp\n  layers: 2", f"name: {name}:space\n  width: 4"),
        ("{name: training, data: digits, epochs: 1}", f"{{name: '{name}:Score', factor: 2}}"),
        ("{accuracy: maximize}", "{score: maximize}"),
        *replacements,
    )


def test_import_paths_start_from_the_file_s_own_folder(write: Write) -> None:
    before = list(sys.path)
    file = config.load(_mine(write, "mine_a"), ["evaluator.more=1"])
    assert sys.path == before
    assert file.space.size == 4
    assert file.resolved()["evaluator"][0]["factor"] == 2.0
    assert file.resolved()["evaluator"][0]["more"] == 1


@pytest.mark.parametrize("attribute", ["template", "finished"])
def test_an_import_path_may_name_a_space_itself(write: Write, attribute: str) -> None:
    path = _mine(write, f"mine_{attribute}", ("\n  width: 4", ""), (":space", f":{attribute}"))
    assert config.load(path).space.size == 2


@pytest.mark.parametrize(
    ("name", "override", "message"),
    [
        ("b", "space={name: 'mine_b:template', width: 3}", "is a finished object and takes no options"),
        ("c", "space=mine_c:wrong", "space: "),
        ("d", "space=mine_d:spase", "did you mean 'space'?"),
        ("e", "strategy=mine_e:Score", "'mine_e:Score' should give a Strategy, got <mine_e.Score"),
        ("f", "evaluator=mine_f:Broken", "evaluator: no such library"),
    ],
)
def test_what_an_import_path_gives_is_checked(write: Write, name: str, override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(_mine(write, f"mine_{name}"), [override])
    assert message in str(caught.value)


def test_a_module_that_fails_on_import_is_a_problem_of_its_line(write: Write) -> None:
    path = _mine(write, "mine_h")
    Path("mine_h.py").write_text("1 / 0")
    with pytest.raises(
        ConfigError, match=r"study\.yaml:3: space\.name: importing 'mine_h:space' failed: ZeroD"
    ):
        config.load(path)


def test_what_a_database_names_is_not_imported_without_trust(write: Write) -> None:
    resolved = config.load(_mine(write, "mine_i")).resolved()
    assert config.import_paths(resolved) == {"mine_i:space", "mine_i:Score"}
    del sys.modules["mine_i"]
    with pytest.raises(ConfigError, match=r"asks to import mine_i:Score, mine_i:space .*--trust"):
        config.restore(resolved, source="study 'small'")
    assert "mine_i" not in sys.modules
    assert config.restore(resolved, source="study 'small'", trusted=["*"]).space.size == 4
    named = sorted(config.import_paths(resolved))
    assert config.restore(resolved, source="study 'small'", trusted=named).resolved() == resolved

# SPDX-License-Identifier: Apache-2.0
"""What a right study file becomes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from archloom import config
from archloom.errors import ConfigError, DataError, MissingExtraError
from archloom.store import Store
from archloom.strategies import ModelBasedSearch

Write = Callable[..., Path]

MODULE = """\
import pyglove as pg
from archloom.contracts import Evaluator
from archloom.errors import DataError, MissingExtraError
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

options = {}

def boom():
    help = "a line between"
    return options["nope"]

def answer():
    return 42

fixed = pg.Dict(x=1)

def nothing():
    return None

def score(architecture):
    return 1.0

def count(start=0):
    return start

def make(factor) -> Evaluator:
    return Score(factor=factor)

def dataless(*, path="there"):
    raise DataError("path 'there' holds nothing")

def extra():
    raise MissingExtraError("pip install it")

def data(*, n=1):
    raise OSError("disk gone")
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
        (
            "f",
            "evaluator=mine_f:Broken",
            "evaluator: mine_f:Broken() raised ImportError: no such library (mine_f.py:22)",
        ),
        ("j", "space=mine_j:boom", "space: mine_j:boom() raised KeyError: 'nope' (mine_j.py:28)"),
        ("k", "strategy=mine_k:boom", "strategy: mine_k:boom() raised KeyError: 'nope' (mine_k.py:28)"),
        ("l", "space=mine_l:answer", "space: 'mine_l:answer' should give a SearchSpace or a PyGlove value"),
        ("m", "space=mine_m:fixed", "space: 'mine_m:fixed' should give a SearchSpace or a PyGlove value"),
        ("n", "space=mine_n:nothing", "space: 'mine_n:nothing' gave nothing (None)"),
        (
            "o",
            "evaluator=mine_o:score",
            "evaluator: 'mine_o:score' is a function, not an Evaluator: to score architectures with it "
            "write {name: function, function: 'mine_o:score'}",
        ),
        (
            "p",
            "evaluator={name: 'mine_p:count', start: 1}",
            "should give an Evaluator, got 1; to score architectures with it write {name: function, ",
        ),
        ("q", "evaluator=mine_q:make", "evaluator.factor: missing"),
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
        ConfigError,
        match=r"study\.yaml:3: space\.name: importing 'mine_h:space' failed: ZeroD.*\(mine_h\.py:1\)",
    ):
        config.load(path)


def test_what_was_raised_is_the_cause(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(_mine(write, "mine_r"), ["space=mine_r:boom"])
    assert isinstance(caught.value.__cause__, KeyError)


def test_missing_data_and_extras_keep_their_kind(write: Write) -> None:
    path = _mine(write, "mine_s")
    with pytest.raises(DataError, match=r"^study\.yaml:6: evaluator\.path: path 'there' holds nothing"):
        config.load(
            write(
                ("{name: training, data: digits, epochs: 1}", "{name: 'mine_s:dataless', path: there}"),
            )
        )
    with pytest.raises(MissingExtraError, match=r"^pip install it$"):
        config.load(path, ["evaluator=mine_s:extra"])


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (
            ["evaluator.data=digit"],
            ConfigError,
            "override 'evaluator.data=digit': evaluator.data: 'digit' is",
        ),
        (
            ["evaluator.data_options={n_trian: 3}"],
            ConfigError,
            "override 'evaluator.data_options={n_trian: 3}': evaluator.data_options.n_trian: 'n_trian' is no",
        ),
        (["objectives={acuracy: maximize}"], ConfigError, ": objectives.acuracy: no evaluator gives"),
        (
            ["objectives={acuracy: maximize}", "constraints=[acuracy >= 0.5]"],
            ConfigError,
            "override 'constraints=[acuracy >= 0.5]': constraints.0: no evaluator gives",
        ),
        (["constraints=[acuracy >= 0.5]"], ConfigError, ": constraints.0: no evaluator gives a metric 'acur"),
        (["constraints=[acuracy = 5]"], ConfigError, ": constraints.0: a constraint reads"),
        (["evaluator.data=fashion_mnist"], DataError, ": evaluator.data: "),
        (["evaluator={name: tabular, path: no.csv, objective: [accuracy]}"], DataError, ": evaluator.path: "),
        (
            ["evaluator={name: tabular, path: t.csv, key: arhc, objective: {accuracy: acc}}"],
            ConfigError,
            "evaluator.key: t.csv has no column 'arhc'; did you mean 'arch'?",
        ),
        (
            ["evaluator.data=mine_data:data"],
            ConfigError,
            "evaluator.data=mine_data:data': evaluator.data: preparing it raised OSError: disk gone (mine_da",
        ),
    ],
)
def test_what_preparing_finds_wrong_is_located(
    write: Write, monkeypatch: pytest.MonkeyPatch, overrides: list[str], error: type[Exception], message: str
) -> None:
    monkeypatch.delenv("ARCHLOOM_DATA", raising=False)
    Path("t.csv").write_text("arch,acc\na,0.5\n")
    _module("mine_data")
    with pytest.raises(error) as caught:
        config.load(write(), overrides).study()
    assert message in str(caught.value)
    assert str(caught.value).startswith("override '")


def test_what_preparing_finds_wrong_names_the_line(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"^study\.yaml:6: evaluator\.data: 'digit' is not one of"):
        config.load(write(("data: digits", "data: digit"))).study()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("{name: dropout, rate: {floatv: [0.0, 0.5]}}", "space.layers.2.rate: layers[2].rate is a number of"),
        (
            "{oneof: [{name: linear, width: 8}, {name: linear, width: 4}]}",
            "space.layers.2: Sequence: layers[2]: candidates of a supernet have one",
        ),
    ],
)
def test_what_weights_cannot_be_shared_over_is_told_with_its_line(
    tmp_path: Path, layer: str, message: str
) -> None:
    """A space is fine by itself, and no evaluator has a line of its own for what it cannot do with it."""
    text = f"""study: shared
space:
  name: sequence
  layers:
    - {{name: flatten}}
    - {{name: linear, width: {{oneof: [8, 16]}}}}
    - {layer}
    - {{name: linear, width: 8}}
evaluator: {{name: supernet, data: digits, epochs: 1}}
objectives: {{accuracy: maximize}}
budget: {{trials: 2}}
store: sqlite:///{tmp_path}/shared.db
"""
    (tmp_path / "shared.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "shared.yaml").study()
    assert "shared.yaml:7: " in str(caught.value)
    assert message in str(caught.value)


def test_a_space_by_name_that_cannot_be_shared_is_told_at_its_key(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"^override 'space=nasbenchgraph': space: a supernet"):
        config.load(write(), ["evaluator={name: supernet, data: digits}", "space=nasbenchgraph"]).study()


def test_what_a_database_names_is_not_imported_without_trust(write: Write) -> None:
    resolved = config.load(_mine(write, "mine_i")).resolved()
    assert config.import_paths(resolved) == {"mine_i:space", "mine_i:Score"}
    del sys.modules["mine_i"]
    with pytest.raises(ConfigError, match=r"asks to import or run mine_i:Score, mine_i:space .*--trust"):
        config.restore(resolved, source="study 'small'")
    assert "mine_i" not in sys.modules
    assert config.restore(resolved, source="study 'small'", trusted=["*"]).space.size == 4
    named = sorted(config.import_paths(resolved))
    assert config.restore(resolved, source="study 'small'", trusted=named).resolved() == resolved


@pytest.mark.parametrize(
    "part",
    [
        {"strategy": "mine_x:a:b"},
        {"space": {"name": "mine_x:a:b"}},
        {"space": {"oneof": ["mine_x::a", "b"]}},
        {"evaluator": {"name": "function", "function": "mine_x:a\n:b"}},
        {"evaluator": {"name": "training", "device": "mine_x:0"}},
    ],
)
def test_no_text_with_a_colon_gets_past(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: Mapping[str, Any]
) -> None:
    (tmp_path / "mine_x.py").write_text("a = 1")
    resolved = {**config.load(write()).resolved(), **part}
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError):
        config.restore(resolved, source="study 'small'")
    assert "mine_x" not in sys.modules


def test_a_folder_that_a_database_names_is_not_imported_from_without_trust(
    write: Write, tmp_path: Path
) -> None:
    (tmp_path / "evil").mkdir()
    config_kept = config.load(write()).resolved() | {"folder": str(tmp_path / "evil")}
    restored = config.restore(config_kept, source="study 'x'")
    with restored.importing():
        assert str(tmp_path / "evil") not in sys.path
    with config.restore(config_kept, source="study 'x'", trusted=["*"]).importing():
        assert sys.path[0] == str(tmp_path / "evil")
    mine = config.restore(config_kept, source="study 'x'", folder=tmp_path / "mine")
    with mine.importing():
        assert sys.path[0] == str(tmp_path / "mine")


def test_a_file_that_names_no_strategy_means_the_default(write: Write) -> None:
    line = "strategy: {name: regularized_evolution, population_size: 4, sample_size: 2}\n"
    study_file = config.load(write((line, "")))
    assert isinstance(study_file.strategy(), ModelBasedSearch)
    assert study_file.resolved()["strategy"]["name"] == "smbo"


def test_the_default_strategy_is_refused_where_it_does_not_fit_with_one_that_does(write: Write) -> None:
    line = "strategy: {name: regularized_evolution, population_size: 4, sample_size: 2}\n"
    two = ("{accuracy: maximize}", "{accuracy: maximize, params: minimize}")
    study_file = config.load(write((line, ""), two))
    with pytest.raises(ConfigError, match="several objectives: choose another strategy, such as nsga2"):
        study_file.study()


def test_what_a_strategy_refuses_has_its_line_and_leaves_no_study(write: Write) -> None:
    line = "strategy: {name: regularized_evolution, population_size: 4, sample_size: 2}"
    flow = "strategy:\n  name: separate_flow\n  groups: [[depht]]"
    study_file = config.load(write((line, flow)))
    with pytest.raises(
        ConfigError, match=r"study\.yaml:7: strategy\.groups\.0\.0: 'depht' is neither a decision"
    ):
        study_file.study()
    with Store(study_file.store) as store:
        assert store.studies() == []

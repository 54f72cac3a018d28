# SPDX-License-Identifier: Apache-2.0
"""Literal trees: plain data in, a compiled space out, and the way back to the data."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.search_spaces import Blueprint, SearchSpace
from archloom.search_spaces.literal import LiteralError, read_tree, read_values

CONV = {"name": "conv", "width": 8, "kernel_size": {"oneof": [3, 5]}}


class Strict(Blueprint):
    """A blueprint whose constructor has a rule of its own."""

    size: int
    ratio: float = 0.5

    def _on_bound(self) -> None:
        super()._on_bound()
        if self.size == 7:
            raise ValueError("size must not be 7")

    def build(self, c_in: int, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


INSTANCE = Strict(size=1)
THING = object()


def plain(width: int, *, depth: int = 1) -> None:
    """Stand for a function that makes a module."""


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let trees name this module."""
    monkeypatch.setitem(sys.modules, "my_net", sys.modules[__name__])


def _space(data: Any, **parts: Any) -> SearchSpace:
    return SearchSpace(read_tree(data, parts=parts).template)


def _names(data: Any, **parts: Any) -> list[str]:
    return [decision.name for decision in _space(data, **parts).decisions]


def _mistakes(data: Any, **parts: Any) -> dict[str, str]:
    with pytest.raises(LiteralError) as caught:
        read_tree(data, parts=parts)
    return {".".join(map(str, at)): what for at, what in caught.value.mistakes}


# ---------------------------------------------------------------- the words


def test_a_plain_mapping_holds_decisions() -> None:
    space = _space({"x": {"oneof": [1, 2, 3]}, "y": {"floatv": [0.01, 1], "scale": "log"}, "z": [True, None]})
    assert [(d.name, d.candidates, d.scale) for d in space.decisions] == [
        ("x", ("1", "2", "3"), None),
        ("y", (), "log"),
    ]
    value = space.from_choices({"x": "2", "y": 0.5}).value
    assert (value.x, value.y, list(value.z)) == (2, 0.5, [True, None])


def test_candidates_are_sub_trees_with_decisions_of_their_own() -> None:
    names = _names({"oneof": [CONV, {"oneof": [{"name": "linear", "width": {"oneof": [4, 8]}}, "none"]}]})
    assert names == [
        "value",
        "value(conv(width=8)).kernel_size",
        "value(choice)",
        "value(choice)(linear).width",
    ]


@pytest.mark.parametrize(
    ("data", "size"),
    [
        ({"manyof": ["a", "b", "c"], "k": 2}, 6),
        ({"manyof": ["a", "b", "c"], "k": 2, "sorted": True}, 3),
        ({"manyof": ["a", "b", "c"], "k": 2, "distinct": False}, 9),
        ({"manyof": ["a", "b"], "k": 3, "distinct": False, "sorted": True}, 4),
        ({"permutate": ["a", "b", "c"]}, 6),
    ],
)
def test_several_are_chosen(data: dict[str, Any], size: int) -> None:
    assert _space({"ops": data}).size == size


def test_a_fixed_repeat_is_spliced_into_its_list() -> None:
    names = _names({"layers": ["stem", {"repeat": 2, "of": {"oneof": ["a", "b"]}}, {"oneof": ["c", "d"]}]})
    assert names == ["layers[1]", "layers[2]", "layers[3]"]


def test_a_searched_repeat_is_a_choice_of_depth() -> None:
    space = _space({"name": "sequence", "layers": [{"repeat": {"oneof": [1, 3]}, "of": CONV}]})
    assert space.decisions[0].candidates == ("1x", "3x")
    assert space.size == 2 + 2**3
    deep = space.from_choices(
        {"layers[0]": "3x", **{f"layers[0](3x).layers[{i}].kernel_size": "5" for i in range(3)}}
    )
    assert [layer.kernel_size for layer in deep.value.layers[0].layers] == [5, 5, 5]


def test_each_use_of_a_part_is_a_copy_and_may_override_fields() -> None:
    parts = {"block": {"part": "core", "width": 16}, "core": CONV}
    tree = {"layers": [{"part": "block"}, {"part": "block", "kernel_size": 7}, {"part": "core"}]}
    assert _names(tree, **parts) == ["layers[0].kernel_size", "layers[2].kernel_size"]
    value = _space(tree, **parts).from_choices({n: "3" for n in _names(tree, **parts)}).value
    assert [(layer.width, layer.kernel_size) for layer in value.layers] == [(16, 3), (16, 7), (8, 3)]


def test_a_reference_follows_another_field() -> None:
    space = _space({"layers": [{"name": "conv", "width": {"oneof": [8, 16]}},
                               {"name": "linear", "width": {"reference": "layers[0].width"}}]})  # fmt: skip
    assert space.from_choices({"layers[0].width": "16"}).value.layers[1].width == 16


def test_a_call_s_arguments_are_its_own_words() -> None:
    space = _space({"call": "my_net:plain", "args": {"width": {"oneof": [1, 2]}, "depth": 3}, "out": 4})
    value = space.from_choices({"args.width": "2"}).value
    assert (value.target, dict(value.args), value.out) == ("my_net:plain", {"width": 2, "depth": 3}, 4)
    call = read_tree({"call": "builtins:dict", "args": {"repeat": 3, "name": "x", "oneof": [1]}}).template
    assert dict(call.args) == {"repeat": 3, "name": "x", "oneof": [1]}


def test_a_blueprint_of_one_s_own_by_import_path() -> None:
    assert _names({"name": "my_net:Strict", "size": {"oneof": [1, 2]}, "ratio": {"floatv": [0, 1]}}) == [
        "size",
        "ratio",
    ]


def test_values_know_only_the_words_that_decide() -> None:
    tree = read_values({"name": "adam", "repeat": 3, "lr": {"oneof": [1, 2]}})
    assert tree.has_decisions
    assert tree.template.name == "adam"
    assert not read_values({"name": "adam"}).has_decisions


def test_candidates_that_differ_only_in_decisions_are_told_apart_by_labels() -> None:
    wide = {"name": "conv", "width": {"oneof": [32, 64]}, "label": "wide"}
    call = {"call": "my_net:plain", "args": {"width": {"oneof": [1, 2]}}, "label": "own"}
    data = {"layers": [{"oneof": [{"part": "narrow"}, wide, call, {"part": "narrow", "label": "again"}]}]}
    parts = {"narrow": {"name": "conv", "width": {"oneof": [8, 16]}}}
    tree = read_tree(data, parts=parts)
    space = SearchSpace(tree.template, text=tree.spell)
    assert space.decisions[0].candidates == ("conv", "wide", "own", "again")
    assert [decision.name for decision in space.decisions][1:3] == [
        "layers[0](conv).width",
        "layers[0](wide).width",
    ]
    architecture = space.from_choices({"layers[0]": "wide", "layers[0](wide).width": "64"})
    assert architecture.value.layers[0].width == 64
    assert architecture.text == "layers=[wide(width=64)]"
    assert tree.origin(architecture, "layers[0].width") == ("layers", 0, "oneof", 1, "width", "oneof", 1)
    grown = space.with_settings({"training": {"lr": pg.oneof([1, 2])}})
    assert grown.decisions[0].candidates == ("conv", "wide", "own", "again")
    renamed = read_tree(
        {"layers": [{"oneof": [{"part": "narrow"}, {**wide, "label": "large"}]}]}, parts=parts
    )
    kept = read_tree({"layers": [{"oneof": [{"part": "narrow"}, wide]}]}, parts=parts)
    assert SearchSpace(renamed.template).fingerprint != SearchSpace(kept.template).fingerprint


def test_a_class_or_a_function_itself_may_be_an_argument() -> None:
    activation = {"oneof": [{"import": "my_net:Strict"}, {"import": "math:sqrt"}, {"import": "math:pi"}]}
    data = {"call": "my_net:plain", "args": {"width": activation, "depth": {"import": "math:tau"}}}
    space = _space(data)
    assert space.decisions[0].candidates == ("Strict", "sqrt", "3.141592653589793")
    assert space.from_choices({"args.width": "Strict"}).value.args.width is Strict
    args = space.from_choices({"args.width": "sqrt"}).value.args
    assert (args.width, args.depth) == (math.sqrt, math.tau)


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("data", "at", "what"),
    [
        ({"x": {"oneof": []}}, "x.oneof", "oneof needs at least one candidate, got []"),
        ({"x": {"oneof": 3}}, "x.oneof", "oneof takes a list of candidates, got 3"),
        ({"x": {"oneof": [1, 2], "k": 1}}, "x.k", "unknown key beside 'oneof'; oneof stands alone"),
        ({"manyof": [1, 2], "k": 1, "sort": True}, "sort", "did you mean 'sorted'?"),
        ({"oneof": [1], "manyof": [2]}, "", "one special word a mapping, got 'oneof' and 'manyof'"),
        ({"oneof": [1], "name": "conv"}, "name", "unknown key beside 'oneof'"),
        ({"manyof": [1, 2], "k": 3}, "k", "3 distinct ones cannot be chosen from 2"),
        ({"manyof": [1, 2]}, "", "k: missing"),
        ({"manyof": [1, 2], "k": True}, "k", "should be a count from 1 to 1,000, got True"),
        ({"manyof": [1, 2], "k": 10**9, "distinct": False}, "k", "should be a count from 1 to 1,000"),
        ({"permutate": list(range(1001))}, "permutate", "at most 1,000 candidates, got 1,001"),
        ({"manyof": [1, 2], "k": 1, "distinct": 1}, "distinct", "should be true or false, got 1"),
        ({"x": {"floatv": [1, 1]}}, "x.floatv", "floatv needs low < high, got [1, 1]"),
        ({"x": {"floatv": [0, 1], "scale": "log"}}, "x.floatv", "a log scale needs low > 0"),
        ({"x": {"floatv": [1, 2], "scale": "lg"}}, "x.scale", "got 'lg'; did you mean 'log'?"),
        ({"x": {"floatv": [1, float("inf")]}}, "x.floatv", "two finite numbers"),
        ({"x": {"one_of": [1]}, "y": 1}, "x.one_of", "unknown key; did you mean 'oneof'?"),
        ({"x": {"onof": [1]}}, "x.onof", "unknown key; did you mean 'oneof'?"),
        ({"x": [{"name": "cnv"}]}, "x.0.name", "'cnv' is not one of the blueprints; did you mean 'conv'?"),
        ({"name": {"oneof": ["conv"]}}, "name", "list them under 'oneof'"),
        ({"name": "conv", "widht": 3}, "widht", "conv has no field 'widht'; did you mean 'width'?"),
        ({"name": "sequence"}, "", "layers: missing: sequence needs it"),
        ({"name": "conv", "width": "a"}, "width", "should be an integer or null, got 'a'"),
        ({"name": "conv", "width": {"oneof": [8, True]}}, "width.oneof.1", "an integer or null, got True"),
        ({"name": "conv", "norm": "btch"}, "norm", "should be 'batch' or 'none', got 'btch'"),
        ({"name": "conv", "width": {"floatv": [1, 2]}}, "width", "got floatv [1, 2]"),
        ({"name": "conv", "width": [8]}, "width", "should be an integer or null, got a list"),
        ({"name": "sequence", "layers": 3}, "layers", "should be a list, got 3"),
        ({"name": "conv", "width": {"oneof": [8, 0, 16]}}, "width.oneof.1", "got 0"),
        ({"name": "conv", "activation": {"oneof": ["relu", "rleu"]}}, "activation.oneof.1", "mean 'relu'?"),
        ({"name": "sequence", "layers": ["skip_connect", "cnv_3x3"]}, "layers.1", "mean 'conv_3x3'?"),
        ({"name": "sequence", "layers": [{"oneof": ["none", 3]}]}, "layers.0.oneof.1", "got 3"),
        ({"name": "my_net:Strict", "size": 7}, "size", "size must not be 7"),
        ({"name": "my_net:plain"}, "name", "write {call: 'my_net:plain', args: {...}}"),
        ({"name": "my_net:Strct"}, "name", "did you mean 'Strict'?"),
        ({"name": "no_such_package:Net"}, "name", "there is no module 'no_such_package'"),
        ({"call": "Net"}, "call", "should be an import path"),
        ({"x": {"import": "Net"}}, "x.import", "should be an import path"),
        ({"x": {"import": "math:sqr"}}, "x.import", "math has no 'sqr'; did you mean 'sqrt'?"),
        ({"x": {"import": "os:path"}}, "x.import", "'os:path' is a module: import a class"),
        ({"x": {"import": "my_net:INSTANCE"}}, "x.import", "is a symbolic value: import a class"),
        ({"x": {"import": "my_net:THING"}}, "x.import", "has no name that stays the same"),
        ({"x": {"import": "math:pi", "args": {}}}, "x.args", "unknown key beside 'import'; import stands"),
        ({"oneof": [{"name": "conv", "label": 3}, "none"]}, "oneof.0.label", "as a candidate, a text, got 3"),
        ({"oneof": [CONV, "none"], "label": "x"}, "label", "unknown key beside 'oneof'"),
        ({"call": "my_net:plain", "args": 3}, "args", "should be a mapping of argument names"),
        ({"call": "my_net:plain", "args": {"width": 1, "detph": 2}}, "args.detph", "did you mean 'depth'?"),
        ({"call": "my_net:plain", "args": {"dept": 2, "width": 1, "depth": 1}}, "args.dept", "no argument"),
        ({"call": "my_net:plain", "args": {}}, "call", "needs the argument 'width'"),
        ({"call": "my_net:nothing"}, "call", "my_net has no 'nothing'"),
        ({"x": [{"repeat": 0, "of": 1}]}, "x.0.repeat", "a count of at least 1, got 0"),
        ({"x": [{"repeat": 2}]}, "x.0", "of: missing"),
        ({"repeat": {"oneof": [1, "a"]}, "of": "none"}, "repeat.oneof.1", "a count of at least 1, got 'a'"),
        ({"repeat": {"floatv": [1, 2]}, "of": 1}, "repeat", "repeat takes a count, or {oneof: [1, 2, 3]}"),
        ({"oneof": ["a", "b", "a"]}, "oneof.2", "candidate 0 is called 'a' too"),
        ({"oneof": [CONV, dict(CONV)]}, "oneof.1", "candidate 0 is called 'conv(width=8)' too"),
        ({"oneof": [CONV, dict(CONV)]}, "oneof.1", "write 'label: ...' beside its name"),
        ({"x": {"reference": "y"}, "z": {"oneof": [1, 2]}}, "x", "must lead to what every architecture has"),
        ({"x": {"reference": "z.a"}, "z": {"oneof": [{"a": 1}]}}, "x", "it leads below a decision"),
        ({"x": {"reference": "x"}}, "x", "leads to a reference"),
        ({"x": {"reference": "a["}}, "x.reference", "is no path"),
        ({"x": float("nan")}, "x", "numbers are finite, got nan"),
        ({"x": {1, 2}}, "x", "a tree is made of plain data"),
        ({"part": "block"}, "part", "there is no part 'block'; this space has no parts"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(data: Any, at: str, what: str) -> None:
    mistakes = _mistakes(data)
    assert list(mistakes) == [at]
    assert what in mistakes[at]


def test_all_mistakes_are_told_at_once() -> None:
    data = {"layers": [{"name": "cnv"}, {"oneof": []}, {"name": "conv", "width": "a", "stride": "b"}]}
    assert list(_mistakes(data)) == ["layers.0.name", "layers.1.oneof", "layers.2.width", "layers.2.stride"]


def test_parts_may_not_go_round_in_a_circle() -> None:
    parts = {"a": {"x": {"part": "b"}}, "b": [{"part": "a"}]}
    assert _mistakes({"part": "a"}, **parts) == {"parts.b.0.part": "parts go round in a circle: a > b > a"}


def test_a_mistake_in_a_part_is_told_once_and_also_where_nothing_uses_it() -> None:
    tree = {"x": [{"part": "a"}, {"part": "a"}, {"part": "c"}]}
    parts = {"a": {"name": "conv", "width": "?"}, "b": {"oneof": []}}
    assert list(_mistakes(tree, **parts)) == ["x.2.part", "parts.b.oneof", "parts.a.width"]
    assert "did you mean" not in _mistakes(tree, **parts)["x.2.part"]


@pytest.mark.parametrize(
    ("data", "parts", "what"),
    [
        ({"x": [{"repeat": 10**9, "of": 1}]}, {}, "at most 20,000 nodes"),
        (
            {"part": "p9"},
            {"p0": 1, **{f"p{i + 1}": [{"part": f"p{i}"}] * 9 for i in range(9)}},
            "at most 20,000 nodes",
        ),
    ],
)
def test_what_grows_without_end_is_refused_at_once(data: Any, parts: Any, what: str) -> None:
    started = time.process_time()
    assert what in next(iter(_mistakes(data, **parts).values()))
    assert time.process_time() - started < 1.5


def test_a_tree_is_at_most_a_hundred_levels_deep() -> None:
    def nested(n: int) -> Any:
        return {"oneof": [nested(n - 1), "end"]} if n else 1

    with pytest.raises(LiteralError, match="at most 100 levels deep"):
        read_tree(nested(200))
    assert len(_space(nested(90)).decisions) == 90


def test_a_tree_four_times_as_large_takes_no_more_than_eight_times_as_long() -> None:
    def took(n: int) -> float:
        started = time.process_time()
        assert len(_names({"layers": [{"repeat": n, "of": CONV}]})) == n
        return time.process_time() - started

    took(10)  # whatever is imported or compiled on first use
    assert took(800) < 8 * took(200)


# ---------------------------------------------------------------- the way back


TREE = {
    "name": "sequence",
    "layers": [
        {"part": "block", "width": {"oneof": [8, 16]}},
        {"repeat": 2, "of": {"oneof": [CONV, {"name": "linear", "width": 4}, "conv_3x3"]}},
        {"repeat": {"oneof": [1, 2]}, "of": {"part": "block"}},
        {"manyof": [{"name": "linear", "width": {"oneof": [1, 2]}}, CONV, "skip_connect"], "k": 2},
        {
            "manyof": [{"name": "linear", "width": {"oneof": [1, 2]}}, CONV, "skip_connect"],
            "k": 2,
            "distinct": False,
        },
        {"oneof": [{"oneof": [{"name": "linear", "width": {"oneof": [1, 2]}}]}, "none"]},
        {"call": "my_net:plain", "args": {"width": {"permutate": [1, 2, 3]}}},
        {"name": "linear", "width": {"reference": "layers[0].width"}},
    ],
}
PARTS = {"block": {"name": "conv", "kernel_size": {"oneof": [3, 5]}, "stride": 1}}


def test_every_scalar_of_every_architecture_is_found_in_the_data() -> None:
    tree = read_tree(TREE, parts=PARTS)
    space = SearchSpace(tree.template)
    rows = space.sample(20, np.random.default_rng(0))
    n_found = 0
    for index in range(20):
        architecture = space.architecture(rows[index])

        def look(path: Any, value: Any, parent: Any, architecture: Any = architecture) -> Any:
            nonlocal n_found
            del parent
            written: Any = {**TREE, "parts": PARTS}
            for key in tree.origin(architecture, str(path)):
                written = written[key]
            if isinstance(value, str | int) and isinstance(written, str | int):
                assert value == written, path
                n_found += 1
            return pg.TraverseAction.ENTER

        pg.traverse(architecture.value, look)
    assert n_found > 300


def test_the_place_of_a_default_is_its_blueprint_s() -> None:
    tree = read_tree(TREE, parts=PARTS)
    space = SearchSpace(tree.template)
    architecture = space.architecture(space.sample(1, np.random.default_rng(0)))
    assert tree.origin(architecture, "") == ()
    assert tree.origin(architecture, "layers[0].groups") == ("layers", 0)
    assert tree.origin(architecture, "layers[0].kernel_size")[:3] == ("parts", "block", "kernel_size")
    assert tree.origin(architecture, "layers[8].width") == ("layers", 7, "width")
    assert tree.origin(architecture, "layers[4]") == ("layers", 3)
    assert tree.origin(architecture, "layers[7].args.width") == ("layers", 6, "args", "width")


def test_versions_cover_every_candidate() -> None:
    data = {"a": {"oneof": [1, {"b": {"floatv": [0, 1]}}]}, "c": [{"manyof": ["x", "y", "z"], "k": 2}]}
    versions = read_values(data).versions()
    assert [value["a"] for value, _ in versions] == [1, {"b": 0.0}, {"b": 1.0}]
    assert {op for value, _ in versions for op in value["c"][0]} == {"x", "y", "z"}
    value, places = versions[1]
    assert value["c"] == [["z", "x"]]
    assert places["a", "b"] == ("a", "oneof", 1, "b", "floatv", 0)
    assert places["c", 0, 1] == ("c", 0, "manyof", 0)


# ---------------------------------------------------------------- in one line


def test_an_architecture_is_spelled_as_the_tree_with_what_was_chosen() -> None:
    tree = read_tree(
        {
            "name": "sequence",
            "layers": [
                {"name": "conv", "width": {"oneof": [8, 16]}, "stride": 2},
                "skip_connect",
                {"repeat": {"oneof": [1, 2]}, "of": {"oneof": [CONV, "skip_connect"]}},
                {"manyof": [CONV, {"name": "linear", "dropout": {"floatv": [0, 0.5]}}, "none"], "k": 2},
                {"manyof": ["none", "conv_1x1"], "k": 2, "distinct": False},
            ],
        }
    )
    space = SearchSpace(tree.template, text=tree.spell)
    architecture = space.from_choices(
        {
            "layers[0].width": "16",
            "layers[2]": "2x",
            "layers[2](2x).layers[0]": "conv(width=8)",
            "layers[2](2x).layers[0](conv(width=8)).kernel_size": "5",
            "layers[2](2x).layers[1]": "skip_connect",
            "layers[3][0]": "none",
            "layers[3][1]": "linear",
            "layers[3](linear).dropout": 0.123456,
            "layers[4][0]": "none",
            "layers[4][1]": "none",
        }
    )
    assert architecture.text == (
        "conv(width=16) > 2x(conv(width=8, kernel_size=5) > skip_connect) > "
        "none > linear(dropout=0.1235) > none > none"
    )
    every = space.sample(50, np.random.default_rng(0))
    assert len({space.architecture(every[i]).text for i in range(50)}) == 50


SIZE = {"oneof": [2, 3]}
OPS = {"oneof": ["conv_1x1", "skip_connect"]}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"order": {"permutate": [1, 2, 3]}}, "order=[1, 2, 3]"),
        ({"sizes": [{"oneof": [1, 2]}, {"oneof": [3, 4]}]}, "sizes=[1, 3]"),
        ({"call": "my_net:plain", "args": {"width": {"manyof": [1, 2], "k": 2}}}, "width=[1, 2]"),
        ({"name": "repeat", "layers": [OPS, OPS]}, "conv_1x1 > conv_1x1"),
        (
            {"name": "sequence", "layers": {"permutate": ["conv_1x1", CONV]}},
            "conv_1x1 > conv(width=8, kernel_size=3)",
        ),
        (
            {"name": "parallel", "branches": [OPS, [OPS, OPS], {"manyof": OPS["oneof"], "k": 2}]},
            "branches=conv_1x1 + conv_1x1 > conv_1x1 + conv_1x1 > skip_connect",
        ),
        (
            {"name": "cell", "nodes": [{"manyof": OPS["oneof"], "k": 2}]},
            "nodes=conv_1x1 + skip_connect",
        ),
        (
            {"x": {"oneof": [{"name": "residual", "body": [CONV, OPS], "width": 4}]}},
            "x=residual(width=4, body=conv(kernel_size=3) > conv_1x1)",
        ),
        (
            {"oneof": [{"name": "sequence", "layers": ["conv_1x1", {"name": "pool", "size": SIZE}]}]},
            "conv_1x1 > pool(pool(size=2))",
        ),
    ],
)  # fmt: skip
def test_what_runs_in_order_is_told_from_what_stands_side_by_side(data: Any, text: str) -> None:
    tree = read_tree(data)
    space = SearchSpace(tree.template, text=tree.spell)
    assert space.architecture(space.at([0])).text == text


def test_mappings_and_calls_are_spelled_by_their_keys() -> None:
    tree = read_tree({"x": {"oneof": [1, 2]}, "deep": {"y": {"oneof": [{"oneof": ["a", "b"]}, "c"]}}, "z": 3})
    space = SearchSpace(tree.template, text=tree.spell)
    choices: dict[str, str | float] = {"x": "2", "deep.y": "choice", "deep.y(choice)": "b"}
    assert space.from_choices(choices).text == "x=2, deep={y=b}"
    call = read_tree({"call": "my_net:plain", "args": {"width": {"oneof": [1, 2]}, "depth": 3}})
    space = SearchSpace(call.template, text=call.spell)
    assert space.from_choices({"args.width": "2"}).text == "width=2"
    assert SearchSpace(3, settings={"a": {"b": pg.oneof([1, 2])}}, text=read_tree(3).spell).spell({}) == ""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archloom import Study
from archloom.contracts import Architecture, Evaluator, State, Trial
from archloom.errors import ConfigError, DataError, MissingExtraError
from archloom.evaluators import nasbenchgraph as home
from archloom.evaluators.nasbenchgraph import NasBenchGraph, read_bench
from archloom.search_spaces import SPACES, SearchSpace
from archloom.search_spaces.nasbenchgraph import (
    ALL_SKIP,
    PROTEINS_OPERATIONS,
    canonical_keys,
    nasbenchgraph,
)
from archloom.strategies import RandomSearch, RegularizedEvolution
from archloom.testing.evaluators import EvaluatorContract


def is_installed() -> bool:
    try:
        return bool(distribution("nas-bench-graph"))
    except PackageNotFoundError:
        return False


needs_package = pytest.mark.skipif(
    not is_installed(), reason="nas-bench-graph is not installed: pip install 'archloom[graphs]'"
)

ROW = {"valid_perf": 0.5, "perf": 0.25, "latency": 0.125, "para": 1.5}
MEAN = np.float64(0.1)


@cache
def table(dataset: str) -> Any:
    """Read a table of the package once."""
    return read_bench(home._bench_file(dataset, None))


@cache
def all_keys() -> list[int]:
    links = list(itertools.product(range(1), range(2), range(3), range(4)))
    operations = list(itertools.product(range(9), repeat=4))
    keys = canonical_keys(np.repeat(links, len(operations), axis=0), operations * len(links))
    return sorted(set(keys.tolist()) - {ALL_SKIP})


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole table, in which every number tells the key."""
    folder = tmp_path_factory.mktemp("light")
    rows = {key: ROW | {"valid_perf": np.float64(key / 1e5), "perf": key / 1e6} for key in all_keys()}
    (folder / "cora.bench").write_bytes(pickle.dumps(rows, protocol=3))
    return folder


def write(folder: Path, content: Any, protocol: int = 3) -> Path:
    path = folder / "x.bench"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol=protocol))
    return path


def point(links: str, *operations: str) -> Architecture:
    choices = {f"link_{node}": links[node - 1] for node in (2, 3, 4)}
    return nasbenchgraph().from_choices(
        choices | {f"operation_{node}": name for node, name in enumerate(operations, start=1)}
    )


class TestContract(EvaluatorContract):
    @pytest.fixture
    def make(self, bench: Path) -> Callable[[], Evaluator]:
        return lambda: NasBenchGraph(path=bench)

    @pytest.fixture
    def space(self) -> SearchSpace:
        return nasbenchgraph()


# ---------------------------------------------------------------------- looking up


def test_a_network_is_found_by_any_of_its_encodings(bench: Path) -> None:
    evaluator = NasBenchGraph(path=bench)
    found = evaluator.evaluate_many(
        [point("0121", "gcn", "gin", "fc", "cheb"), point("0112", "gcn", "gin", "cheb", "fc")], [Trial()] * 2
    )
    assert found[0] == {
        "validation/accuracy": pytest.approx(0.61237),
        "test/accuracy": pytest.approx(0.061237),
        "latency": 0.125,
        "params": 1.5e6,
    }
    assert found[1] == found[0]
    assert evaluator.evaluate_many([], []) == []


def test_four_skips_fail_and_say_why(bench: Path) -> None:
    study = Study(nasbenchgraph(), RandomSearch(), NasBenchGraph(path=bench), {"accuracy": "maximize"})
    study.enqueue(point("0013", "skip", "skip", "skip", "skip").choices)
    study.run(trials=2)
    first, second = study.trials
    assert first.state is State.FAIL
    assert "0013 skip skip skip skip: four skips are no network" in str(first.reason)
    assert second.state is State.COMPLETE
    study.store.close()


def test_a_batch_with_four_skips_in_it_is_left_to_the_loop(bench: Path) -> None:
    cells = [point("0000", *["gcn"] * 4), point("0123", *["skip"] * 4)]
    with pytest.raises(DataError, match=r"^0123 skip skip skip skip: four skips"):
        NasBenchGraph(path=bench).evaluate_many(cells, [Trial()] * 2)


@pytest.mark.parametrize(("keyed_by", "n_evaluations"), [("canonical", 9), ("genotype", 24)])
def test_encodings_of_one_network_count_once_unless_asked(
    bench: Path, keyed_by: Any, n_evaluations: int
) -> None:
    evaluator = NasBenchGraph(path=bench, keyed_by=keyed_by)
    study = Study(nasbenchgraph(operations=["gcn"]), RandomSearch(), evaluator, {"accuracy": "maximize"})
    study.run(trials=24, count="proposals")
    assert (study.n_proposals, study.n_evaluations) == (24, n_evaluations)
    study.store.close()


def test_the_test_score_cannot_be_searched(bench: Path) -> None:
    with pytest.raises(ConfigError, match="search and choose on validation"):
        Study(nasbenchgraph(), RandomSearch(), NasBenchGraph(path=bench), {"test/accuracy": "maximize"})


def test_on_proteins_the_score_is_another() -> None:
    assert NasBenchGraph(dataset="proteins").gives == (
        "validation/roc_auc",
        "test/roc_auc",
        "latency",
        "params",
    )


# ---------------------------------------------------------------------- what does not fit


def test_another_space_is_refused(bench: Path) -> None:
    space = SPACES.get("mlp")(layers=1, widths=[8, 16])
    with pytest.raises(ConfigError, match="this space has no decision 'link_2'"):
        NasBenchGraph(path=bench).prepare(space)


def test_operations_that_were_not_measured_are_refused(bench: Path, tmp_path: Path) -> None:
    evaluator = NasBenchGraph(dataset="proteins", path=bench / "cora.bench")
    wanted = "has not measured cheb, gat, gin, graph on proteins.*`operations: .gcn, sage, arma, fc, skip.`"
    with pytest.raises(ConfigError, match=wanted):
        evaluator.prepare(nasbenchgraph())
    evaluator.prepare(nasbenchgraph(operations=PROTEINS_OPERATIONS))


def test_a_network_that_is_not_in_the_table_is_named(tmp_path: Path) -> None:
    evaluator = NasBenchGraph(dataset="arxiv", path=write(tmp_path, {1111: ROW}))
    for links, key in (("0000", "00000"), ("0123", "80000")):
        with pytest.raises(DataError, match=f"no row for {links} gat gat gat gat on arxiv .key {key}"):
            evaluator.evaluate(point(links, *["gat"] * 4), Trial())


def test_without_the_package_the_install_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(home, "distribution", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'archloom\[graphs\]'"):
        NasBenchGraph().prepare(nasbenchgraph())


def test_the_package_is_found_but_not_imported(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Installed:
        def locate_file(self, path: str) -> Path:
            assert path == "nas_bench_graph/light/cora.bench"
            return bench / "cora.bench"

    monkeypatch.setattr(home, "distribution", lambda name: Installed())
    monkeypatch.delitem(sys.modules, "nas_bench_graph", raising=False)  # others may have
    evaluator = NasBenchGraph()
    evaluator.prepare(nasbenchgraph())
    assert evaluator.evaluate(point("0000", *["gcn"] * 4), Trial())["validation/accuracy"] == 0.01111
    assert "nas_bench_graph" not in sys.modules


def test_a_missing_file_says_where_it_was_looked_for(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARCHLOOM_DATA", raising=False)
    with pytest.raises(DataError, match=r"looked at .*nowhere.*archloom\[graphs\]"):
        NasBenchGraph(path="nowhere").prepare(nasbenchgraph())
    with pytest.raises(DataError, match=r"table of 'pubmed' is missing: looked at .*pubmed.bench"):
        NasBenchGraph(dataset="pubmed", path=bench).prepare(nasbenchgraph())
    monkeypatch.setenv("ARCHLOOM_DATA", str(bench.parent))
    NasBenchGraph(path=bench.name).prepare(nasbenchgraph())


# ---------------------------------------------------------------------- reading pickles


class Calls:
    """Pickled, it is a call of anything."""

    def __init__(self, function: Callable[..., Any], *args: Any):
        self._call = function, args

    def __reduce__(self) -> Any:
        return self._call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_hostile_pickle_runs_nothing(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "trace"
    code = f"__import__('os').mkdir({str(trace)!r})"
    for call in (Calls(os.system, f"touch {trace}"), Calls(eval, code)):
        path = write(tmp_path, {1111: ROW | {"perf": call}}, protocol)
        with pytest.raises(DataError, match=r"x.bench: .*it asks for '[\w]+\.(system|eval)', and only plain"):
            read_bench(path)
        assert not trace.exists()
    pickle.loads(path.read_bytes())  # the very bytes that would have done it
    assert trace.exists()


@pytest.mark.parametrize(
    "call",
    [
        Calls(subprocess.Popen, ["true"]),
        Calls(getattr, dict, "clear"),
        Calls(np.load, "x.npy"),
        np.arange(3),
        np.dtype,
        Path("x"),
        MEAN.__class__,
        complex(1, 2),
        b"".__class__,
    ],
    ids=lambda value: str(getattr(value, "_call", value)).partition(" at 0x")[0],
)
def test_every_other_name_is_refused(tmp_path: Path, call: Any) -> None:
    with pytest.raises(DataError):
        read_bench(write(tmp_path, {1111: ROW | {"perf": call}}))


GLOBALS = {"dtype": b"cnumpy\ndtype\n", "scalar": b"cnumpy.core.multiarray\nscalar\n"}


@pytest.mark.parametrize("name", GLOBALS)
@pytest.mark.parametrize(
    "state",
    [
        b"}(X\x08\x00\x00\x00__call__K\x01ub",  # a mapping of attributes
        b"N}(X\x08\x00\x00\x00__call__K\x01u\x86b",  # and one of slots
        b"N}(X\x0b\x00\x00\x00find_class_K\x01u\x86b",
    ],
)
def test_a_pickle_cannot_change_what_it_is_given(tmp_path: Path, name: str, state: bytes) -> None:
    with pytest.raises(DataError, match="no table of NAS-Bench-Graph is read"):
        read_bench(write(tmp_path, b"\x80\x03" + GLOBALS[name] + state + b"."))
    keys, _ = read_bench(write(tmp_path, {1111: ROW | {"perf": MEAN}}))
    assert keys.tolist() == [1111]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("code", ["f4", "f8", "i4", "i8"])
def test_numpys_numbers_are_read_as_they_are_written(tmp_path: Path, code: str, order: str) -> None:
    entry = b"}(" + b"".join(
        _text(field) + value
        for field, value in (
            ("valid_perf", _scalar(code, order)),
            ("perf", _float(0.5)),
            ("latency", _float(0.25)),
            ("para", _float(2.0)),
        )
    )
    keys, numbers = read_bench(write(tmp_path, b"\x80\x03}(M\x57\x04" + entry + b"uu."))
    assert keys.tolist() == [1111]
    assert numbers.tolist() == [[7.0, 0.5, 0.25, 2e6]]


def test_names_of_older_and_newer_numpy_are_known(tmp_path: Path) -> None:
    new = pickle.dumps({1111: ROW | {"perf": MEAN}, 0: ROW}, protocol=3)
    assert b"numpy._core.multiarray" in new
    for content in (new, new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")):
        keys, numbers = read_bench(write(tmp_path, content))
        assert keys.tolist() == [0, 1111]
        assert numbers[1].tolist() == [0.5, 0.1, 0.125, 1.5e6]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is read from this file"),
        (b"not a pickle", "is read from this file"),
        (pickle.dumps({1111: ROW})[:-9], "is read from this file"),
        (b"\x80\x03X\x01\x00\x00\x00aQ.", "is read from this file"),  # a persistent id
        (np.array([0.5], dtype=object), "multiarray._reconstruct"),
        (np.datetime64("2020-01-01"), "neither a float nor an integer"),
        ([1111], "is a mapping, got list"),
        ({}, "is a mapping, got dict"),
        ({"1111": ROW}, "got str to dict"),
        ({100000: ROW}, "keys of five digits"),
        ({-1: ROW}, "keys of five digits"),
        ({1111: [0.5]}, "got int to list"),
        ({1111: {"valid_perf": 0.5}}, "row 01111 needs a float 'perf', got NoneType"),
        ({1111: ROW | {"para": "1.5"}}, "row 01111 needs a float 'para', got str"),
        ({1111: ROW | {"latency": 10**400}}, "row 01111 needs a float 'latency', got int"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_bench(write(tmp_path, content))


def _text(word: str) -> bytes:
    return b"X" + len(word).to_bytes(4, "little") + word.encode()


def _float(value: float) -> bytes:
    return b"G" + np.array(value, dtype=">f8").tobytes()


def _scalar(code: str, order: str) -> bytes:
    raw = np.array(7, dtype=order + code).tobytes()
    state = b"(K\x03" + _text(order) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    dtype = GLOBALS["dtype"] + _text(code) + b"\x89\x88\x87R" + state
    return GLOBALS["scalar"] + dtype + b"C" + bytes([len(raw)]) + raw + b"\x86R"


# ---------------------------------------------------------------------- the benchmark itself

CEILINGS = {
    "cora": (81.93, 82.63, 83.13),
    "citeseer": (72.80, 71.03, 71.57),
    "pubmed": (81.13, 75.60, 78.60),
    "cs": (92.13, 90.59, 91.26),
    "physics": (94.00, 91.35, 93.00),
    "photo": (94.07, 92.08, 92.79),
    "computers": (91.90, 82.03, 85.58),
    "arxiv": (73.67, 71.95, 72.39),
    "proteins": (85.33, 76.11, 79.26),
}
"""By dataset: the best validation score, the test score of that network, the best test score."""


@needs_package
@pytest.mark.parametrize("dataset", CEILINGS)
def test_the_tables_have_their_known_best(dataset: str) -> None:
    _, numbers = table(dataset)
    best = numbers[numbers[:, 0].argmax()]
    found = 100 * best[0], 100 * best[1], 100 * numbers[:, 1].max()
    assert found == pytest.approx(CEILINGS[dataset], abs=0.00501)
    assert np.isfinite(numbers).all()


@needs_package
@pytest.mark.parametrize("dataset", CEILINGS)
def test_all_encodings_are_the_keys_of_the_tables(dataset: str) -> None:
    keys, _ = table(dataset)
    wanted = all_keys()
    if dataset == "proteins":
        wanted = [key for key in wanted if not set(f"{key % 10000:04d}") - set("14578")]
    assert keys.tolist() == wanted
    assert len(keys) == (2021 if dataset == "proteins" else 26206)


@needs_package
def test_parameters_are_whole_numbers() -> None:
    """Four parallel layers from 1,433 features to 256, batch norm, 1,024 to 256, and 256 to 7 classes."""
    evaluator = NasBenchGraph(dataset="cora")
    metrics = evaluator.evaluate(point("0000", *["gcn"] * 4), Trial())
    assert metrics["params"] == 4 * (1433 + 1) * 256 + 2 * 1024 + (1024 + 1) * 256 + (256 + 1) * 7


@needs_package
@pytest.mark.slow
def test_evolution_beats_random_search_on_arxiv() -> None:
    means = []
    for make in (RandomSearch, lambda: RegularizedEvolution(population_size=50, sample_size=10)):
        best = []
        for seed in range(3):
            evaluator = NasBenchGraph(dataset="arxiv")
            study = Study(nasbenchgraph(), make(), evaluator, {"accuracy": "maximize"}, seed=seed)
            study.run(trials=524, count="proposals")
            best.append(study.best.metrics["validation/accuracy"])
            study.store.close()
        means.append(float(np.mean(best)))
    assert means[0] < means[1]
    assert means == pytest.approx([0.7324, 0.7354], abs=0.0015)

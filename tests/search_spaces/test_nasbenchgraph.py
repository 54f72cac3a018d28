# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archloom.errors import ConfigError, SpaceError, UnknownNameError
from archloom.search_spaces import SearchSpace, build
from archloom.search_spaces.nasbenchgraph import (
    ALL_SKIP,
    DECISIONS,
    OPERATIONS,
    PROTEINS_OPERATIONS,
    GraphCell,
    canonical_keys,
    encode,
    nasbenchgraph,
)
from archloom.search_spaces.nasbenchgraph.canonical import LINK_LISTS
from archloom.testing.spaces import SpaceContract

Ints = npt.NDArray[np.int64]

SKIP = OPERATIONS.index("skip")
ALL_LINKS = list(itertools.product(range(1), range(2), range(3), range(4)))


def encodings(operations: list[int]) -> tuple[Ints, Ints]:
    """Return every list of links with every choice of four of these operations."""
    chosen = np.array(list(itertools.product(operations, repeat=4)))
    links = np.repeat(np.array(ALL_LINKS), len(chosen), axis=0)
    return links, np.tile(chosen, (len(ALL_LINKS), 1))


def key(links: str, *operations: str) -> int:
    digits = [OPERATIONS.index(name) for name in operations]
    return int(canonical_keys([[int(link) for link in links]], [digits])[0])


def nested(links: Any, operations: Any) -> Any:
    """Say what a cell computes as a nested value, by recursion over its tree; ``()`` is an output."""
    children: dict[int, list[int]] = {node: [] for node in range(5)}
    for node, parent in enumerate(links, start=1):
        children[parent].append(node)

    def forms(node: int) -> list[Any]:
        below = [form for child in children[node] for form in forms(child)]
        if operations[node - 1] == SKIP:
            return below or [()]
        return [(int(operations[node - 1]), *sorted([] if below == [()] else below, key=repr))]

    return tuple(sorted((form for root in children[0] for form in forms(root) if form), key=repr))


class TestContract(SpaceContract):
    @pytest.fixture
    def space(self) -> SearchSpace:
        return nasbenchgraph()

    def test_every_architecture_builds_and_learns(self, space: SearchSpace) -> None:
        """The one law that it does not keep: it names networks that were measured, and builds none."""
        with pytest.raises(SpaceError, match="GraphCell"):
            build(space.architecture(space.at([0])).value, 1, n_outputs=7)


def test_the_space_is_the_benchmark() -> None:
    space = nasbenchgraph()
    assert space.size == 24 * 9**4
    assert tuple(decision.name for decision in space.decisions) == DECISIONS
    assert [len(decision.candidates) for decision in space.decisions] == [2, 3, 4, 9, 9, 9, 9]
    assert space.decisions[-1].candidates == OPERATIONS


def test_a_point_says_its_links_and_operations() -> None:
    space = nasbenchgraph()
    row = space.sample(1, np.random.default_rng(3))
    architecture = space.architecture(row)
    choices = row.choices[0].tolist()
    assert encode(architecture.choices) == ([0, *choices[:3]], choices[3:])
    assert architecture.text == "".join(map(str, [0, *choices[:3]])) + "".join(
        f" {OPERATIONS[choice]}" for choice in choices[3:]
    )
    assert isinstance(architecture.value, GraphCell)
    assert architecture.value.link_4 == choices[2]
    assert architecture.value.operation_1 == OPERATIONS[choices[3]]


@pytest.mark.parametrize(
    ("links", "operations", "wanted"),
    [
        ("0121", ["gcn", "gin", "fc", "cheb"], 61237),  # one cell in two orders
        ("0112", ["gcn", "gin", "cheb", "fc"], 61237),
        ("0000", ["fc", "gat", "gcn", "gat"], 17),  # leaves are sorted: 0 0 0 1 7
        ("0012", ["gcn", "gat", "fc", "cheb"], 30137),  # two chains are exchanged whole
        ("0123", ["gcn", "skip", "gat", "skip"], 88810),  # skips of a chain move up
        ("0000", ["skip", "fc", "gat", "gcn"], 58017),  # an output of the input itself is none
        ("0011", ["gcn", "gat", "skip", "fc"], 21078),  # beside another leaf a skip stays,
        ("0011", ["gcn", "gat", "skip", "skip"], 21088),  # or beside another skip,
        ("0001", ["gcn", "gat", "fc", "skip"], 58017),  # but not alone
        ("0122", ["gcn", "skip", "skip", "fc"], 78178),
    ],
)
def test_keys_by_hand(links: str, operations: list[str], wanted: int) -> None:
    assert key(links, *operations) == wanted


def test_all_encodings_have_26206_keys_and_the_invalid_one() -> None:
    keys = canonical_keys(*encodings(list(range(9))))
    assert len(keys) == 157464
    assert len(np.unique(keys)) == 26207
    assert (keys == ALL_SKIP).sum() == 24


def test_keys_are_those_of_the_benchmarks_own_code() -> None:
    """The digest was taken of what the package's ``Arch.valid_hash`` (1.4.0) says of all encodings."""
    keys = canonical_keys(*encodings(list(range(9))))
    digest = hashlib.sha256(keys.astype("<i4").tobytes()).hexdigest()
    assert digest == "878db61e0ecc2f39d607cf4137595cfa27677fb2337f68708851129c8ede297f"


def test_a_key_is_an_encoding_of_its_network() -> None:
    keys = np.unique(canonical_keys(*encodings(list(range(9)))))
    links = np.array(LINK_LISTS)[keys // 10000]
    digits = keys[:, None] // [1000, 100, 10, 1] % 10
    assert (canonical_keys(links, digits) == keys).all()


def test_the_order_of_the_nodes_changes_no_key() -> None:
    rng = np.random.default_rng(0)
    operations = rng.integers(9, size=(200, 4))
    n_compared = 0
    for links in ALL_LINKS:
        for order in itertools.permutations(range(4)):
            place = [0, *(order.index(node) + 1 for node in range(4))]
            moved = [place[links[node]] for node in order]
            if all(parent <= position for position, parent in enumerate(moved)):
                keys = canonical_keys([links] * 200, operations)
                assert (canonical_keys([moved] * 200, operations[:, list(order)]) == keys).all()
                n_compared += 1
    assert n_compared > 100


def test_two_cells_share_a_key_exactly_when_they_compute_the_same() -> None:
    links, operations = encodings([0, 3, 7, SKIP])
    keys = canonical_keys(links, operations).tolist()
    forms = [nested(row, chosen) for row, chosen in zip(links.tolist(), operations.tolist(), strict=True)]
    assert len(set(keys)) == len(set(forms)) == len(set(zip(keys, forms, strict=True))) > 500


def test_encodings_of_one_network_share_the_key_of_the_space() -> None:
    space = nasbenchgraph()
    rows = space.sample(400, np.random.default_rng(1))
    architectures = [space.architecture(rows[i]) for i in range(len(rows))]
    wanted = canonical_keys(*zip(*(encode(one.choices) for one in architectures), strict=True)).tolist()
    pairs = {(one.key, number) for one, number in zip(architectures, wanted, strict=True)}
    assert len(pairs) == len({one.key for one in architectures}) == len(set(wanted)) < 400


def test_fewer_operations_keep_their_digits() -> None:
    space = nasbenchgraph(operations=PROTEINS_OPERATIONS)
    assert space.size == 24 * 5**4
    rows = space.enumerate()
    links = np.insert(rows.choices[:, :3], 0, 0, axis=1)
    digits = np.array([OPERATIONS.index(name) for name in PROTEINS_OPERATIONS])[rows.choices[:, 3:]]
    assert len(np.unique(canonical_keys(links, digits))) == 2021 + 1
    architecture = space.architecture(rows[0])
    assert architecture.text == "0000 gcn gcn gcn gcn"
    assert encode(architecture.choices) == ([0] * 4, [1] * 4)


@pytest.mark.parametrize("links", [[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, -1]])
def test_a_link_leads_back(links: list[int]) -> None:
    with pytest.raises(ConfigError, match=rf"got the links \[{links[0]}, {links[1]}"):
        canonical_keys([[0, 0, 0, 0], links], [[0] * 4] * 2)


@pytest.mark.parametrize("digit", [-1, 9])
def test_there_are_nine_operations(digit: int) -> None:
    with pytest.raises(ConfigError, match=rf"0 to 8, got \[0, 0, {digit}, 0\]"):
        canonical_keys([[0, 0, 0, 0]], [[0, 0, digit, 0]])


@pytest.mark.parametrize("operations", [[], ["gcn", "gcn"]])
def test_each_operation_once(operations: list[str]) -> None:
    with pytest.raises(ConfigError, match="operations="):
        nasbenchgraph(operations=operations)


def test_unknown_operations_are_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'sage'"):
        nasbenchgraph(operations=["gcn", "sag"])

# SPDX-License-Identifier: Apache-2.0
"""Pictures: SVG whose words are text and which is the same each time, PNG of a size that can be looked at."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from archloom.errors import ConfigError
from archloom.report import draw
from archloom.search_spaces import SPACES
from archloom.search_spaces.darts import DARTS_V2, darts
from archloom.search_spaces.sketch import Edge, Node, Sketch, box, chain
from archloom.search_spaces.sketching import sketches_of


def words(path: Path) -> list[str]:
    texts = ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()) for text in texts]


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


@pytest.mark.slow
def test_the_genotype_of_darts_can_be_read_in_the_svg(tmp_path: Path) -> None:
    sketches = sketches_of(darts().from_choices(DARTS_V2))
    file = draw(sketches, tmp_path / "cell.svg", "darts, trial 3")
    found = words(file)
    for sketch in sketches:
        assert sketch.title in found
    operations = sorted(edge.label for sketch in sketches for edge in sketch.edges if edge.label)
    assert sorted(word for word in found if word in set(operations)) == operations
    assert found.count("c_{k-2}") == 2
    assert "darts, trial 3" in found
    first = file.read_bytes()
    assert draw(sketches, file, "darts, trial 3").read_bytes() == first
    assert b"date" not in first.lower()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet", "nasbench201", "mlp"])
def test_png_has_a_sane_size(name: str, tmp_path: Path) -> None:
    space = SPACES.get(name)()
    architecture = space.architecture(space.sample(1, np.random.default_rng(0)))
    width, height = png_size(draw(sketches_of(architecture), tmp_path / "one.PNG"))
    assert 200 < width < 4000
    assert 100 < height < 4000


def test_odd_words_are_drawn_as_they_are(tmp_path: Path) -> None:
    strange = "a$b$ <x> &\n" + "very_long_name_without_any_space_" * 3
    nodes = (Node(strange), Node("\n".join("many lines" for _ in range(40))))
    file = draw([Sketch(nodes, (Edge(0, 1, "x_{2} $"),), "t" * 300)], tmp_path / "odd.svg", "title " * 90)
    found = words(file)
    assert "a$b$ <x> &" in found
    assert "x_{2} $" in found
    assert found.count("many lines") < 10
    width, _ = png_size(draw([chain(*[box("b" * 28)] * 300)], tmp_path / "long.png"))
    assert width <= 12_000


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("cell.pdf", r"ends in \.svg or \.png, got 'cell.pdf'"),
        ("cell", "ends in"),
        ("nowhere/cell.svg", "no folder 'nowhere'"),
        ("folder.svg", "is a folder"),
    ],
)
def test_where_a_picture_cannot_go(
    path: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.svg").mkdir()
    with pytest.raises(ConfigError, match=message):
        draw([box("a")], path)


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least one"):
        draw([], tmp_path / "a.svg")

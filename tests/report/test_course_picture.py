# SPDX-License-Identifier: Apache-2.0
"""Pictures of searches by gradients: every site and candidate is there, and can be told from the others."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ElementTree
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from archloom.errors import ConfigError
from archloom.report import Course, draw_course
from archloom.report.course_plan import course_plan
from archloom.report.course_styles import COLOURS, THICK, THIN, line_styles
from archloom.report.plan import Rect
from archloom.search_spaces.darts import darts
from archloom.search_spaces.nasbench201 import nasbench201
from tests.report.courses import course

SVG = "{http://www.w3.org/2000/svg}"

# Machado, Oliveira and Fernandes, IEEE TVCG 2009: of linear RGB, at full severity.
BLIND = {
    "nobody": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def words(path: Path) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.parse(path).iter(f"{SVG}text")]


def lines(path: Path) -> dict[str, tuple[str, float, int]]:
    """Return of each line that has a name its colour, its width and how many points it has."""
    found = {}
    for group in ElementTree.parse(path).iter(f"{SVG}g"):
        if "=" not in group.get("id", ""):
            continue
        line = group.find(f"{SVG}path")
        assert line is not None
        style = line.get("style", "")
        colour, width = re.search(r"stroke: (#\w+)", style), re.search(r"stroke-width: ([\d.]+)", style)
        n_points = len(re.findall(r"[ML]", line.get("d", "")))
        found[group.get("id", "")] = (
            colour[1] if colour else "#000000",
            float(width[1]) if width else 1,
            n_points,
        )
    return found


def lab(colour: str, sight: object) -> np.ndarray:
    """Return a colour as it is seen, in CIE Lab."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(sight) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ seen / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Path]:
    """A course of five epochs in nasbench201, and its picture."""
    found = course(nasbench201(), 5, row=7, nor_conv_3x3=[0.2, 0.3, 0.4, 0.6, 0.9])
    return found, draw_course(found, tmp_path_factory.mktemp("one") / "c.svg", "cells, trial 4: accuracy 0.5")


def test_every_candidate_has_a_line_over_all_epochs(drawn: tuple[Course, Path]) -> None:
    found, file = drawn
    assert set(lines(file)) == {
        f"{site}={label}" for site, labels in found.weights.items() for label in labels
    }
    assert len(lines(file)) == 6 * 5
    late = {n for name, (_, _, n) in lines(file).items() if name.endswith("=nor_conv_3x3")}
    assert late == {5}


def test_a_label_has_one_colour_and_what_is_derived_is_thick(drawn: tuple[Course, Path]) -> None:
    found, file = drawn
    colours: dict[str, set[str]] = {}
    for name, (colour, width, _) in lines(file).items():
        site, _, label = name.partition("=")
        colours.setdefault(label, set()).add(colour)
        assert width == (THICK if label in found.derived[site] else THIN)
    assert all(len(some) == 1 for some in colours.values())
    assert len({colour for some in colours.values() for colour in some}) == 5


def test_its_words_name_sites_labels_and_measures(drawn: tuple[Course, Path]) -> None:
    found, file = drawn
    told = words(file)
    assert {*found.weights, "mean entropy", "skip connections derived", "derived at epoch 5"} <= {*told}
    assert "cells, trial 4: accuracy 0.5" in told
    derived = [label for labels in found.derived.values() for label in labels]
    for label in found.weights["edge_1_0"]:
        assert told.count(label) == 1 + derived.count(label)  # in the legend, and below titles
    assert "dominant eigenvalue" not in told
    assert "1" in told
    assert "6" not in told  # there is no sixth epoch


def test_the_same_course_gives_the_same_file(drawn: tuple[Course, Path], tmp_path: Path) -> None:
    found, file = drawn
    again = draw_course(found, tmp_path / "again.svg", "cells, trial 4: accuracy 0.5")
    assert again.read_bytes() == file.read_bytes()
    assert b"dc:date" not in again.read_bytes()


def test_odd_words_and_a_single_epoch(tmp_path: Path) -> None:
    weights = {
        "a$b$ <x>&": {"_hidden": [0.3], "l" * 99: [float("nan")]},
        "part." * 20 + "end": {"$x$": [1.0]},
    }
    odd = Course(weights, {site: () for site in weights}, {"eigenvalue": [float("nan")]})
    told = words(draw_course(odd, tmp_path / "odd.svg", "$t$ " * 99))
    assert "a$b$ <x>&" in told
    assert "_hidden" in [word.strip() for word in told]
    assert told.count("not derived") == 2
    assert max(map(len, told)) < 100
    assert "dominant eigenvalue" in told


@pytest.mark.slow
def test_darts_cells_can_be_read(tmp_path: Path) -> None:
    found = course(darts())
    file = draw_course(found, tmp_path / "darts.svg")
    told = words(file)
    assert len(found.weights) == 36
    assert {"normal.nodes[0]", "reduction.nodes[3](node_2)"} <= {*told}
    assert told.count("not derived") == sum(not derived for derived in found.derived.values())
    assert len({(style.colour, style.dash) for style in line_styles(found).values()}) == 13
    head = draw_course(found, tmp_path / "darts.PNG").read_bytes()[:24]
    width, height = struct.unpack(">II", head[16:24])
    assert 1500 < width < 3000
    assert 1000 < height < width


def test_of_too_many_labels_only_winners_have_a_colour(tmp_path: Path) -> None:
    labels = {f"c{i}": [0.1, 0.9 if i == 40 else 0.1] for i in range(60)}
    crowded = Course({"op": labels, "other": labels}, {"op": ("c50",), "other": ()}, {})
    styles = line_styles(crowded)
    own = {label for label, style in styles.items() if style.colour in COLOURS}
    assert own == {"c0", "c40", "c50"}  # it led first, it leads, it is derived
    assert "57 others" in words(draw_course(crowded, tmp_path / "crowded.svg"))


@pytest.mark.parametrize("sight", BLIND)
def test_colours_can_be_told_apart(sight: str) -> None:
    seen = [lab(colour, BLIND[sight]) for colour in COLOURS]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 15


@pytest.mark.parametrize("n_sites", [1, 2, 6, 28, 36, 200])
@pytest.mark.parametrize("n_measures", [0, 3])
def test_panels_lie_on_the_paper_and_not_upon_each_other(n_sites: int, n_measures: int) -> None:
    plan = course_plan(n_sites, n_measures, ["conv_3x3"] * 8)
    places = [*map(plan.site, range(n_sites)), *map(plan.measure, range(n_measures))]
    rects = [Rect(left + width / 2, top + height / 2, width, height) for left, top, width, height in places]
    assert not any(a.overlaps(b) for a, b in combinations(rects, 2))
    for left, top, width, height in places:
        assert left >= 0
        assert plan.legend < top
        assert left + width <= plan.width + 1e-9
        assert top + height <= plan.height + 1e-9
    assert plan.width / plan.height < 3


def test_where_it_cannot_go(drawn: tuple[Course, Path]) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.svg or \.png, got 'c\.pdf'"):
        draw_course(drawn[0], "c.pdf")

# SPDX-License-Identifier: Apache-2.0
"""``search show`` of an epoch of a search by gradients: how the choice moved, in a table and a picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archloom.contracts import Objective, State
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.darts import darts
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.store import Outcome, Proposal, Store, StudyRecord
from tests.report.courses import reported

Search = Callable[..., Any]

SITES = ["edge_1_0", "edge_2_0", "edge_2_1", "edge_3_0", "edge_3_1", "edge_3_2"]
LABELS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
N_EPOCHS = 8
LATE = [0.1, 0.1, 0.1, 0.1, 0.3, 0.4, 0.5, 0.6]
EARLY = [0.2001, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25]


def store_search(name: str, space: SearchSpace, *, fidelity: str | None = "supernet@{}") -> None:
    """Put a search by gradients into the store that the environment names."""
    choices = space.architecture(space.at([0])).choices
    with Store("a.db") as store:
        record = StudyRecord(name, 0, (Objective("accuracy"),), space=space.to_json(), fingerprint="f")
        study = store.create_study(record)
        proposals = [
            Proposal(f"k{i}", "an epoch", choices, seed=i, fidelity=fidelity and fidelity.format(i + 1))
            for i in range(N_EPOCHS)
        ]
        store.propose(study, 0, proposals)
        store.claim_many(study, N_EPOCHS)
        ends = {i: Outcome(State.COMPLETE, {"accuracy": i / 10}) for i in range(N_EPOCHS)}
        store.finish_many(study, ends)
        store.runs.report(store.runs.open(study, "retrained-1-e1-s0", 0).id, 1, {"accuracy": 0.5})
        run = store.runs.open(study, "supernet", 0)
        told = reported(space, N_EPOCHS, nor_conv_3x3=LATE, skip_connect=EARLY)
        for epoch, metrics in told.items():
            store.runs.report(run.id, epoch, metrics)


@pytest.fixture(autouse=True)
def _store(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with a search in nasbench201."""
    monkeypatch.setenv("ARCHLOOM_STORE", "sqlite:///a.db")
    store_search("cells", nasbench201())


def section(out: str) -> list[list[str]]:
    """Return the words of each line below the title, up to an empty line."""
    below = out.split("how the choice moved\n\n")[1]
    return [line.split() for line in below.split("\n\n")[0].splitlines()]


def test_leaders_are_shown_from_the_first_epoch_to_the_trial_s(search: Search) -> None:
    out = search("show", "cells", "7").out
    header, *rows = section(out)
    assert header == ["site", "epoch", "1", "epoch", "5", "epoch", "8"]
    assert [row[0] for row in rows] == SITES
    assert rows[0][1:] == ["0.200", "skip_connect", "0.300", "nor_conv_3x3", "0.600", "nor_conv_3x3"]
    assert "3 of 8 epochs; --format json has all" in out
    header, *rows = section(search("show", "cells", "1").out)
    assert header == ["site", "epoch", "1", "epoch", "2"]
    assert rows[0][1:] == ["0.200", "skip_connect", "0.250", "skip_connect"]
    assert "of 2 epochs" not in search("show", "cells", "1").out
    assert section(search("show", "cells", "0").out)[0] == ["site", "epoch", "1"]


def test_more_epochs_where_there_is_room(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    header = section(search("show", "cells", "7").out)[0]
    assert header == ["site", *(word for n in (1, 2, 4, 5, 7, 8) for word in ("epoch", str(n)))]


def test_json_has_all(search: Search) -> None:
    weights = json.loads(search("show", "cells", "3", "-f", "json").out)["weights"]
    assert list(weights) == SITES
    assert list(weights["edge_1_0"]) == LABELS
    assert weights["edge_3_2"]["nor_conv_3x3"] == LATE[:4]


def test_draws_up_to_the_trial_s_epoch(search: Search) -> None:
    result = search("show", "cells", "3", "--draw-weights", "w.svg")
    assert result.code == 0
    assert "w.svg" in result.out
    text = Path("w.svg").read_text()
    assert "cells, trial 3: accuracy 0.3" in text
    assert "derived at epoch 4" in text
    assert 'id="edge_3_2=avg_pool_3x3"' in text
    told = json.loads(search("show", "cells", "3", "--draw-weights", "w.png", "-f", "json").out)
    assert told["weights_picture"] == "w.png"
    assert Path("w.png").read_bytes().startswith(b"\x89PNG")


def test_many_sites_are_capped_and_kept_together(search: Search) -> None:
    store_search("darts", darts())
    out = search("show", "darts", "7").out
    rows = section(out)[1:]
    sites = [row for row in rows if len(row) > 1]
    assert len(sites) == 28
    assert rows[0][0] == "normal.nodes[0]"
    assert rows[1][0] == "(input_0).op"
    assert "28 of 36 sites, changed ones first; --format json has all" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_other_studies_have_nothing_of_the_kind(search: Search) -> None:
    assert search("run", "fast.yaml", "-q", "budget.trials=1").code == 0
    store_search("plain", nasbench201(), fidelity=None)
    for words in (["fast.yaml", "0"], ["plain", "3"]):
        assert "how the choice moved" not in search("show", *words).out
        assert json.loads(search("show", *words, "-f", "json").out)["weights"] == {}
        refused = search("show", *words, "--draw-weights", "w.svg")
        assert refused.code == 1
        assert "has no weights of candidates to draw" in refused.err
        assert not Path("w.svg").exists()


def test_says_what_a_picture_is_called(search: Search) -> None:
    refused = search("show", "cells", "0", "--draw-weights", "w.pdf")
    assert refused.code == search("show", "cells", "0", "--draw", "w.pdf").code != 0
    assert ".svg or .png" in refused.err
    refused = search("show", "cells", "0", "--draw", "w.svg", "--draw-weights", "./w.svg")
    assert refused.code != 0
    assert "two pictures cannot go to one file, 'w.svg'" in refused.err

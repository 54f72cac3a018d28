# SPDX-License-Identifier: Apache-2.0
"""Every statement of the page on queries has an answer, on both databases, and the same one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest

from archloom.contracts import Objective, State
from archloom.search_spaces import SearchSpace
from archloom.store import Store
from archloom.store.readonly import select
from archloom.strategies import RegularizedEvolution
from archloom.study import Study
from tests.docs.pages import DOCS, blocks

PAGE = DOCS / "queries.md"
QUERIES = [block.text for block in blocks(PAGE) if block.language == "sql"]
TITLES = re.findall(
    r"^## (.*)\n(?:(?!^## ).*\n)*?```sql", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE
)
SCORES = {"conv": 0.9, "skip": 0.5, "pool": 0.7}


def score(architecture: Any, trial: Any) -> dict[str, float]:
    op, width = architecture.value.op, architecture.value.width
    for step in range(3):
        trial.report(step, {"validation/accuracy": SCORES[op] * step / 2})
    if op == "pool" and width == 32:
        raise ValueError("pool is too wide")
    return {"validation/accuracy": SCORES[op] + width / 1000, "params": width * 10.0}


def search_in(url: str) -> None:
    space = SearchSpace(pg.Dict(op=pg.oneof(list(SCORES)), width=pg.oneof([16, 32, 64])))
    goals = [Objective("validation/accuracy"), Objective("params", "minimize")]
    strategy = RegularizedEvolution(population_size=6, sample_size=3)
    with Store(url) as store:
        study = Study(
            space, strategy, score, goals, name="digits-cells", store=store, seed=2, artifacts=False
        )
        study.run(40, count="proposals")
        retrain_in(store, store.trials(1, states=[State.COMPLETE])[0].number)
        store.refresh_wide(1)


def retrain_in(store: Store, trial: int) -> None:
    for seed in range(2):
        run = store.runs.open(1, f"retrained-{trial}-e2-s{seed}", seed)
        store.runs.begin(1, run)
        for step in (1, 2):
            metrics = {"validation/accuracy": 0.4 * step + seed / 10, "test/accuracy": 0.3 * step}
            store.runs.report(run.id, step, metrics)
        store.runs.end(1, run.id, "COMPLETE", seconds=1.0)
    store.add_event(1, "agreement", '{"kendall_tau": 1.0, "n": 2}')


@pytest.fixture(scope="module")
def sqlite_answers(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('cookbook')}/store.db"
    search_in(url)
    return url


def test_the_page_is_read_whole() -> None:
    assert len(QUERIES) == len(TITLES) >= 10


@pytest.mark.parametrize("text", QUERIES, ids=TITLES)
def test_it_has_an_answer(sqlite_answers: str, text: str) -> None:
    answer = select(sqlite_answers, text)
    assert answer.rows
    assert not any(all(row[i] is None for row in answer.rows) for i in range(len(answer.columns)))


def test_both_databases_answer_alike(sqlite_answers: str, postgres_url: str) -> None:
    search_in(postgres_url)
    for title, text in zip(TITLES, QUERIES, strict=True):
        one, other = select(sqlite_answers, text), select(postgres_url, text)
        assert one.columns == other.columns, title
        kept = [i for i, name in enumerate(one.columns) if not re.search("second|finished|pid|longest", name)]
        for row, same in zip(one.rows, other.rows, strict=True):
            assert [row[i] for i in kept] == pytest.approx([same[i] for i in kept]), title


def test_the_answers_are_right(sqlite_answers: str) -> None:
    by_title = dict(zip(TITLES, QUERIES, strict=True))
    most = select(sqlite_answers, by_title["Which operation appears most among the best tenth?"])
    assert most.rows[0][0] == "conv"
    budgets = select(sqlite_answers, by_title["What is the best accuracy for each budget of parameters?"])
    assert [row[:3] for row in budgets.rows] == [(200, 0.916, 160), (400, 0.932, 320), (800, 0.964, 640)]
    gains = select(sqlite_answers, by_title["How did the best so far improve over time?"])
    values = [row[2] for row in gains.rows]
    assert values == sorted(set(values))
    with Store(sqlite_answers) as store:
        assert values[-1] == max(trial.values[0] or 0 for trial in store.trials(1))
        served = [trial for trial in store.trials(1) if trial.reused_from is not None]
    saved = select(sqlite_answers, by_title["How much did repeats save?"])
    assert sum(row[1] for row in saved.rows) == len(served)
    alone = select(sqlite_answers, by_title["How well does a trial do when it is trained by itself?"])
    assert [row[2:] for row in alone.rows] == [(pytest.approx(0.85), pytest.approx(0.6), 2)]
    curves = select(sqlite_answers, by_title["How did the five best learn?"])
    assert len(curves.rows) == 3 * len({row[0] for row in curves.rows})
    assert (
        select(sqlite_answers, by_title["Why did trials fail?"]).rows[0][0] == "ValueError: pool is too wide"
    )


def test_the_page_names_every_table_and_view() -> None:
    from archloom.store.schema import VERSION_TABLE, metadata

    words = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    assert set(metadata.tables) - {VERSION_TABLE} <= words
    assert Path(PAGE).name == "queries.md"


def test_a_store_answers_with_a_frame(sqlite_answers: str) -> None:
    with Store(sqlite_answers) as store:
        frame = store.sql("SELECT * FROM pareto WHERE study = :study", {"study": "digits-cells"})
    assert list(frame.columns[:2]) == ["study", "trial"]
    assert len(frame) == len(select(sqlite_answers, "SELECT * FROM pareto").rows)

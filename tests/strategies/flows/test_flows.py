"""What each flow does: what is held, what is searched, and who learns of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import numpy as np
import pyglove as pg

from archloom.contracts import Finished, Genotypes, Objective, State, Strategy
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies import RegularizedEvolution
from archloom.strategies.flows.factorized import FactorizedFlow
from archloom.strategies.flows.hybrid import HybridFlow
from archloom.strategies.flows.joint import JointFlow
from archloom.strategies.flows.separate import SeparateFlow
from archloom.testing.strategies import finished

SCORE = [Objective("score", "maximize")]
FLAT = SearchSpace(pg.Dict({name: pg.oneof(list(range(6))) for name in "abcd"}))


@final
class Scribe(Strategy):
    """Proposes at random and writes down what it is told."""

    supports: ClassVar[frozenset[str]] = frozenset({"floats"})

    def __init__(self) -> None:
        self.heard: list[tuple[list[int], float]] = []
        self.seeds: list[int] = []

    def setup(self, space: Any, objectives: Any, seed: int) -> None:
        super().setup(space, objectives, seed)
        self.seeds.append(seed)

    def ask(self, n: int) -> Genotypes:
        rows = Genotypes.concatenate([self.space.sample(1, self.rng(self.n_asked + i)) for i in range(n)])
        self.n_asked += n
        return rows

    def tell(self, finished: Finished) -> None:
        for row, value in zip(finished.genotypes.choices.tolist(), finished.values[:, 0], strict=True):
            self.heard.append((row, float(value)))


def search(strategy: Strategy, space: SearchSpace, n: int, of: Callable[[Genotypes], float]) -> Any:
    """Search one trial at a time; return all choices, ``n x d``, and values."""
    strategy.setup(space, SCORE, 0)
    rows, values = [], []
    for i in range(n):
        rows.append(strategy.ask(1))
        values.append(of(rows[-1]))
        strategy.tell(finished(rows[-1], [values[-1]], first=i))
    return np.concatenate([row.choices for row in rows]), np.array(values)


def total(row: Genotypes) -> float:
    return float(row.choices.sum())


# ---------------------------------------------------------------- separate


def test_a_turn_holds_the_rest_at_the_best_that_is_known() -> None:
    choices, values = search(
        SeparateFlow(groups=[["b", "d"], ["a"]], strategy=Scribe(), n_each=[20, 6, 6]), FLAT, 40, total
    )
    assert (choices[:20, [0, 2]] == choices[0, [0, 2]]).all()
    assert len(np.unique(choices[:20, [1, 3]], axis=0)) > 8
    best = choices[:20][values[:20].argmax()]
    assert (choices[20:26, 1:] == best[1:]).all()
    best = choices[:26][values[:26].argmax()]
    assert (choices[26:32, [0, 1, 3]] == best[[0, 1, 3]]).all()  # c, in no group that was named: six points
    best = choices[:32][values[:32].argmax()]
    assert (choices[32:, [0, 2]] == best[[0, 2]]).all()  # and round again


def test_each_turn_is_searched_afresh_and_hears_of_itself_alone() -> None:
    scribe = Scribe()
    _, values = search(SeparateFlow(groups=[["a"]], strategy=scribe, n_each=[3, 4]), FLAT, 14, total)
    assert len(scribe.seeds) == len(set(scribe.seeds)) == 4
    assert [value for _, value in scribe.heard] == values.tolist()
    assert [len(row) for row, _ in scribe.heard] == [1] * 3 + [3] * 4 + [1] * 3 + [3] * 4


def test_a_trial_without_a_value_is_never_held() -> None:
    flow = SeparateFlow(groups=[["a"]], strategy=Scribe(), n_each=3)
    flow.setup(FLAT, SCORE, 0)
    rows = flow.ask(3)
    states = (State.FAIL, State.PRUNED, State.COMPLETE)
    flow.tell(finished(rows, [np.nan, 9.0, 1.0], states=states))
    assert flow.ask(1).choices[0, 0] == rows.choices[2, 0]


def test_what_breaks_no_constraint_is_held_first() -> None:
    flow = SeparateFlow(groups=[["a"]], strategy=Scribe(), n_each=3)
    flow.setup(FLAT, [Objective("cost", "minimize")], 0)
    rows = flow.ask(3)
    flow.tell(finished(rows, [5.0, 1.0, 4.0], violations=[0.0, 2.0, 0.0]))
    assert flow.ask(1).choices[0, 0] == rows.choices[2, 0]


# ---------------------------------------------------------------- joint


def test_joint_is_the_strategy_itself() -> None:
    options = {"population_size": 5, "sample_size": 2}
    alone = search(RegularizedEvolution(**options), FLAT, 40, total)
    flow = search(JointFlow(strategy={"name": "regularized_evolution", **options}), FLAT, 40, total)
    assert (alone[0] == flow[0]).all()


# ---------------------------------------------------------------- factorized


def test_the_outer_strategy_hears_the_best_of_each_block() -> None:
    outer, inner = Scribe(), Scribe()
    flow = FactorizedFlow(groups=[["a", "c"]], outer=outer, inner=inner, n_inner=5)
    choices, values = search(flow, FLAT, 30, total)
    blocks = choices[:, [0, 2]].reshape(6, 5, 2)
    assert (blocks == blocks[:, :1]).all()
    told = [
        (block[0].tolist(), best)
        for block, best in zip(blocks, values.reshape(6, 5).max(axis=1), strict=True)
    ]
    assert outer.heard == told
    assert [row for row, _ in inner.heard] == choices[:, [1, 3]].tolist()
    assert len(inner.seeds) == len(set(inner.seeds)) == 6


def test_a_block_that_never_comes_back_whole_is_closed_two_blocks_later() -> None:
    """As with ``duplicates: skip``, where repeats are not told."""
    outer = Scribe()
    flow = FactorizedFlow(groups=[["a"]], outer=outer, inner=Scribe(), n_inner=3)
    flow.setup(FLAT, SCORE, 0)
    rows = [flow.ask(3) for _ in range(3)]
    flow.tell(finished(rows[0][:2], [4.0, 5.0]))
    flow.tell(finished(rows[1][:1], [7.0]))
    assert not outer.heard
    flow.tell(finished(rows[2][:1], [1.0]))
    assert outer.heard == [(rows[0].choices[0, :1].tolist(), 5.0)]
    flow.tell(finished(rows[2][1:], [2.0, 3.0]))
    assert outer.heard[1:] == [(rows[2].choices[0, :1].tolist(), 3.0)]


def test_a_block_of_failures_is_a_failure() -> None:
    heard: list[Finished] = []

    class Listener(Strategy):
        def ask(self, n: int) -> Genotypes:
            return self.space.sample(n, self.rng(0))

        def tell(self, finished: Finished) -> None:
            heard.append(finished)

    flow = FactorizedFlow(groups=[["a"]], outer=Listener(), inner=Scribe(), n_inner=2)
    flow.setup(FLAT, SCORE, 0)
    flow.tell(finished(flow.ask(2), [np.nan, np.nan], states=(State.FAIL, State.FAIL)))
    assert heard[0].states == (State.FAIL,)
    assert np.isnan(heard[0].values).all()


def test_an_outer_strategy_that_is_used_up_is_passed_over() -> None:
    space = SearchSpace(pg.Dict(a=pg.oneof([1, 2]), b=pg.oneof(list(range(9)))))
    choices, _ = search(FactorizedFlow(outer="random", inner="random", n_inner=9), space, 72, total)
    assert len(np.unique(choices[:18], axis=0)) == 18
    assert len(np.unique(choices[::9, 0])) == 2


def test_an_ask_ends_with_its_block() -> None:
    flow = FactorizedFlow(groups=[["a"]], n_inner=4)
    flow.setup(FLAT, SCORE, 0)
    assert [len(flow.ask(3)) for _ in range(4)] == [3, 1, 3, 1]
    assert len(flow.ask(0)) == 0


# ---------------------------------------------------------------- hybrid


def hybrid(joint: Strategy) -> HybridFlow:
    return HybridFlow(groups=[["a", "b"]], outer="random", joint=joint, n_outer=8, n_inner=3, n_kept=2)


def test_the_joint_search_keeps_to_the_best_of_the_blocks() -> None:
    joint = Scribe()
    choices, values = search(hybrid(joint), FLAT, 100, total)
    blocks = values[:24].reshape(8, 3).max(axis=1)
    best = choices[:24:3][np.argsort(-blocks, kind="stable")[:2], :2]
    later = np.unique(choices[24:, :2], axis=0)
    assert sorted(later.tolist()) == sorted(best.tolist())
    assert len(np.unique(choices[24:, 2:], axis=0)) > 20


def test_the_joint_search_begins_with_what_is_known_of_the_shortlist() -> None:
    joint = Scribe()
    choices, values = search(hybrid(joint), FLAT, 25, total)
    blocks = values[:24].reshape(8, 3)
    kept = np.argsort(-blocks.max(axis=1), kind="stable")[:2]
    known = [value for i in sorted(kept) for value in blocks[i].tolist()]
    assert [value for _, value in joint.heard] == [*known, values[24]]
    assert [row[1:] for row, _ in joint.heard[-1:]] == [choices[24, 2:].tolist()]


def test_a_late_trial_changes_the_shortlist() -> None:
    flow = hybrid(Scribe())
    flow.setup(FLAT, SCORE, 0)
    blocks = [flow.ask(3) for _ in range(8)]
    for i, rows in enumerate(blocks[:7]):
        flow.tell(finished(rows, [i, i, i]))
    before = {tuple(row) for row in flow.ask(30).choices[:, :2]}
    flow.tell(finished(blocks[7], [99, 0, 0]))
    after = {tuple(row) for row in flow.ask(30).choices[:, :2]}
    first = [tuple(rows.choices[0, :2]) for rows in blocks]
    assert before == {first[5], first[6]}
    assert after == {first[6], first[7]}


# ---------------------------------------------------------------- any space


def test_one_object_runs_unchanged_on_every_space() -> None:
    """The fact sheet's property, of the flows too: the same object, one space after the other, and back."""
    spaces = [
        nasbench201(),
        SearchSpace(
            pg.Dict(
                op=pg.oneof(
                    [pg.Dict(k=pg.oneof([1, 3]), act=pg.oneof(["relu", pg.Dict(s=pg.oneof([1, 2]))])), "skip"]
                ),
                head=pg.manyof(2, [pg.Dict(w=pg.oneof([8, 16])), "b", "c"], distinct=True, sorted=True),
                n=pg.oneof([1, 2, 3]),
            )
        ),
        SearchSpace(
            pg.Dict(x=pg.floatv(0.0, 1.0), y=pg.floatv(1e-3, 1.0, scale="log")),
            settings={"training": {"lr": pg.floatv(0.0, 1.0)}},
        ),
    ]
    small = {"name": "regularized_evolution", "population_size": 4, "sample_size": 2}
    flows: list[Strategy] = [
        SeparateFlow(strategy=small, n_each=10),
        JointFlow(strategy=small),
        FactorizedFlow(outer=small, inner=small, n_inner=4),
        HybridFlow(outer=small, inner=small, joint=small, n_outer=4, n_inner=3),
    ]
    for flow in flows:
        first, again = (
            [
                search(flow, space, 40, lambda row: float(np.nansum(row.floats) + row.choices.sum()))
                for space in order
            ]
            for order in (spaces, spaces[::-1])
        )
        for (_, one), (_, other) in zip(first, again[::-1], strict=True):
            assert (one == other).all()
            assert len(np.unique(one)) > 3

# SPDX-License-Identifier: Apache-2.0
"""What is lost, doubled or left behind in a store, by what its processes wrote down beside it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from archloom.contracts import State
from archloom.store import Store, TrialRecord
from archloom.store.integrity import check

__all__ = ["Found", "audit", "sequence"]


class Found(NamedTuple):
    """What is wrong, each as words; empty lists where all is right.

    Args:
        lost: trials that a process was told are finished, and that the store has not or has otherwise.
        doubled: trials or architectures that were finished or evaluated once too often.
        zombies: trials that are RUNNING when all is over.
        unsound: whatever else breaks a law of the store or the budget.
        n_finished: how many trials have ended.
    """

    lost: list[str]
    doubled: list[str]
    zombies: list[str]
    unsound: list[str]
    n_finished: int

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.zombies or self.unsound)

    @property
    def words(self) -> list[str]:
        """Everything that is wrong."""
        return [*self.lost, *self.doubled, *self.zombies, *self.unsound]


def audit(url: str, side: Path, *, trials: int | None = None, name: str = "study") -> Found:
    """Look for what is wrong.

    Args:
        url: the store.
        side: the folder of what was written down beside it.
        trials: how many evaluations the budget was, where it was to be spent.
        name: of the study.
    """
    with Store(url, must_exist=True) as store:
        study = store.study(name).id
        assert study is not None
        records = store.trials(study)
        events = [(event.kind, event.number) for event in store.events(study)]
    ended = [line.split() for line in _lines(side / "ended")]
    by_number = {record.number: record for record in records}
    lost = []
    for number, state, value, _ in ended:
        record = by_number.get(int(number))
        if record is None:
            lost.append(f"trial {number} is not there")
        elif (record.state, repr(record.values[0])) != (state, value):
            lost.append(f"trial {number} ended as {state} {value}, and is {record.state} {record.values[0]}")
    unsound = [str(finding) for finding in check(url)]
    n_evaluated = sum(r.state.is_finished and r.reused_from is None for r in records)
    if trials is not None and n_evaluated != trials:
        unsound.append(f"{n_evaluated} evaluations, the budget was {trials}")
    return Found(
        lost=lost,
        doubled=[*_doubled(records, ended), *_evaluated_again(records, events, side)],
        zombies=[f"trial {r.number} is RUNNING" for r in records if r.state == State.RUNNING],
        unsound=unsound,
        n_finished=sum(record.state.is_finished for record in records),
    )


def _doubled(records: list[TrialRecord], ended: list[list[str]]) -> list[str]:
    """Look for what has ended twice, by the store and by what the processes were told."""
    found = []
    told = Counter(number for number, *_ in ended)
    found += [f"trial {number} was said to end {n} times" for number, n in told.items() if n > 1]
    if [record.number for record in records] != list(range(len(records))):
        found.append("the numbers are not dense")
    order = sorted(r.finish_order for r in records if r.finish_order is not None)
    if order != list(range(len(order))):
        found.append("the order of ending is not dense")
    keys = Counter(r.key for r in records if r.state == State.COMPLETE and r.reused_from is None)
    found += [f"{n} trials of one architecture are COMPLETE" for n in keys.values() if n > 1]
    return found


def _evaluated_again(
    records: list[TrialRecord], events: list[tuple[str, int | None]], side: Path
) -> list[str]:
    """Look for architectures that were evaluated though no process had been lost with them."""
    key_of = {record.number: record.key for record in records}
    allowed = Counter(key_of[n] for kind, n in events if kind in ("reopen", "late") and n is not None)
    # What has failed once may have been bad luck: it is tried again, once.
    allowed.update(record.key for record in records if record.state == State.FAIL)
    evaluated = Counter(line.split()[1] for line in _lines(side / "evaluated"))
    return [
        f"architecture {key} was evaluated {n} times, and lost {allowed[key]} times"
        for key, n in evaluated.items()
        if n > 1 + allowed[key]
    ]


def sequence(url: str, name: str = "study") -> list[tuple[object, ...]]:
    """Return what must be the same whether a study was killed or not."""
    with Store(url, must_exist=True) as store:
        study = store.study(name).id
        assert study is not None
        return [
            (t.number, t.ask, t.text, t.seed, t.values, t.reused_from, t.finish_order, t.is_pareto)
            for t in store.trials(study)
        ]


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

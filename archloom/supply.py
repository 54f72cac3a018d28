# SPDX-License-Identifier: Apache-2.0
"""Where the next trials come from: those that wait are claimed, and where there are none, proposed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import final

from archloom.books import Books
from archloom.contracts import Genotypes, State, Strategy
from archloom.duplicates import Repeats
from archloom.errors import ArchloomError
from archloom.evaluation import Evaluation
from archloom.search_spaces import Architecture
from archloom.sharing import Sharing
from archloom.store import Proposal, Store, TrialRecord
from archloom.underway import Run

__all__ = ["QUICK", "Supply"]

HEED = 1.0
"""Seconds between two looks at whether trials have been corrected."""

MOST_WAITING = 16
"""Trials that wait for each slot, at most: where all of them repeat what runs, more would hardly be news."""

QUICK = 0.05
"""Seconds below which a trial's evaluation, or an ask, may share a commit with its neighbour."""


@final
class Supply:
    """Claims trials, and has the strategy propose more.

    Args:
        store: holds the study.
        study_id: the study.
        sharing: who else works on it.
        evaluation: what is evaluated together, and what makes two trials the same.
        repeats: the duplicates policy.
        strategy: proposes.
    """

    on_books: Callable[[], Books]
    """Gives the books, up to date."""
    on_reclaimed: Callable[[list[int]], None]
    """Hears of trials that run here, were taken away, and are ours again."""

    def __init__(
        self,
        store: Store,
        study_id: int,
        sharing: Sharing,
        evaluation: Evaluation,
        repeats: Repeats,
        strategy: Strategy,
    ):
        self._store, self._study_id, self._sharing = store, study_id, sharing
        self._evaluation, self._repeats, self._strategy = evaluation, repeats, strategy
        self._space = evaluation.space
        self._by_genotype = any(part.keyed_by == "genotype" for part in evaluation.evaluators)
        self._looked_at = self._heeded_at = float("-inf")
        self.books: Books | None = None
        self.held_back: list[TrialRecord] = []
        self.n_waiting = 0
        self.has_reopened = False
        """Whether trials wait again that had been claimed: they are tried before anything new."""
        self.ask_seconds = QUICK
        self.is_exhausted = False
        """Whether the strategy had nothing to propose when it was last asked."""

    def next(self, run: Run, handed: Collection[int]) -> list[TrialRecord]:
        """Claim what is evaluated next: one trial, or several where the evaluators take them at once.

        Args:
            run: what is under way.
            handed: trials that ``ask`` has given away.
        """
        if self._sharing.leads:
            self._heed_corrections()
        size = run.batch_size if self._evaluation.is_vectorised else 1
        run.is_alone = self._sharing.leads_alone
        if not run.is_alone:
            return self._next_shared(run, size, len(handed))
        n_running = run.n_running
        n_wanted = self._n_wanted(run, n_running, size)
        if not n_wanted:
            return []
        if self._is_held_back(run):
            return []
        claimed = self.held_back or self._claim_waiting(n_wanted)
        if not claimed and n_running:  # one of those that run might be the same as a new one
            if self.n_waiting >= MOST_WAITING * run.executor.n_slots:
                return []
            self._propose(run.batch_size, 0)
            claimed = self._claim_waiting(n_wanted)
        elif not claimed:
            claimed = self._propose(run.batch_size, n_wanted)[:n_wanted]
        return self._together(run, claimed, n_wanted)

    def claim_or_ask(self) -> list[TrialRecord] | None:
        """Claim one trial for ``Study.ask``; ``None`` where another process proposes."""
        # Leading no longer than for this, so that several processes can ask in turn.
        with self._store.transaction() if self.ask_seconds < QUICK else nullcontext():
            self._sharing.check_terms()
            claimed = self._store.claim_many(self._study_id, 1)
            if claimed:
                return claimed
            if not self._sharing.try_to_lead():
                return None
            try:
                books = self.on_books()
                claimed = self._propose(1, 1)
                books.sign()
                return claimed
            finally:  # in a transaction that is undone it never led
                if self._store.is_doomed:
                    self._sharing.leads = False
                else:
                    self._sharing.follow()

    def proposal(self, architecture: Architecture, fidelity: str | None = None) -> Proposal:
        """Return what the store keeps of an architecture to try."""
        key = self._space.key(architecture.choices, is_canonical=not self._by_genotype)
        if fidelity is not None:
            key = f"{key}@{fidelity}"  # another measurement than that of the whole, or of another fidelity
        return Proposal(key=key, text=architecture.text, choices=architecture.choices, fidelity=fidelity)

    def _heed_corrections(self) -> None:
        """Have the books opened anew, and the strategy learn anew, where trials in them were corrected."""
        if self.books is None or time.monotonic() - self._heeded_at < HEED:
            return
        self._heeded_at = time.monotonic()
        if self.books.is_corrected():
            self.n_waiting = self._store.n_open(self._study_id)[State.WAITING]
            self.on_books()

    def _next_shared(self, run: Run, size: int, n_handed: int) -> list[TrialRecord]:
        """As ``next``, where others claim too and the store says what is left of the budget."""
        if self.held_back:
            return [] if self._is_held_back(run) else self._together(run, self.held_back, size)
        if self._sharing.leads:
            self._supply(run)
            news = self._repeats.wants_news
            if self._opened_books().ledger.why_stop(run.budget, 0, wants_news=news):
                return []
        elif self._store.standing(self._study_id).status != "running":
            return []
        if not self._store.n_open(self._study_id)[State.WAITING]:
            return []
        self._sharing.check_terms()  # inside, it would undo what has just finished
        with self._store.transaction():
            self._store.lock(self._study_id)
            self._sharing.check_terms()
            left = self._store.n_left(self._study_id, n_handed)
            n = size if left is None else min(size, left)
            news = self._repeats.wants_news
            claimed = self._store.claim_many(self._study_id, n, is_news=news) if n > 0 else []
        return self._together(run, claimed, size)

    def _together(self, run: Run, claimed: list[TrialRecord], n: int) -> list[TrialRecord]:
        """Return those that may be evaluated at once; the others are held back for the next time.

        One that was lost with its process runs alone: it may be what ended it. One that still runs here,
        though others thought this process gone, has become ours again by the claim.
        """
        ours = [record.number for record in claimed if record.number in run.numbers]
        if ours:
            self.on_reclaimed(ours)
            claimed = [record for record in claimed if record.number not in ours]
        n_now = min(n, self._repeats.n_together(claimed))
        suspects = [i for i, record in enumerate(claimed) if record.n_lost]
        if suspects:
            n_now = min(n_now, max(1, suspects[0]))
        batch, self.held_back = claimed[:n_now], claimed[n_now:]
        return batch

    def _is_held_back(self, run: Run) -> bool:
        """Whether what is held back is the same as what runs here: then its result is waited for."""
        return bool(self.held_back) and self._repeats.wants_news and self.held_back[0].key in run.keys

    def _supply(self, run: Run) -> None:
        """Propose for the other workers too, as far as the budget goes."""
        self._opened_books().catch_up()
        n_short = self._sharing.n_short() + run.executor.n_free
        most = MOST_WAITING * (run.executor.n_slots + self._sharing.n_slots_elsewhere)
        n_short = min(n_short, most - self._store.n_open(self._study_id)[State.WAITING])
        while n_short > 0:
            n_open = sum(self._store.n_open(self._study_id).values())
            n = self._n_wanted(run, n_open, n_short)
            n_made = len(self._propose(max(run.batch_size, n), 0)) if n else 0
            if not n_made:
                return
            n_short -= n_made

    def _opened_books(self) -> Books:
        return self.books or self.on_books()

    def _n_wanted(self, run: Run, n_running: int, n: int) -> int:
        ledger = self._opened_books().ledger
        return ledger.n_wanted(run.budget, n_running, n, wants_news=self._repeats.wants_news)

    def _claim_waiting(self, n: int) -> list[TrialRecord]:
        """Claim trials that wait: of an earlier ask, or put there by others (we look now and then)."""
        if self.has_reopened:
            self.has_reopened = False
            self.n_waiting = self._store.n_open(self._study_id)[State.WAITING]
        is_due = time.monotonic() - self._looked_at > QUICK
        if not self.n_waiting and not is_due:
            return []
        self._sharing.check_terms()
        claimed = self._store.claim_many(self._study_id, n, is_news=self._repeats.wants_news)
        self.n_waiting = max(0, self.n_waiting - len(claimed))
        self._looked_at = time.monotonic()
        return claimed

    def _propose(self, n: int, n_claimed: int) -> list[TrialRecord]:
        """Ask the strategy for ``n`` points and write them down, the first ``n_claimed`` as RUNNING here."""
        started = time.perf_counter()
        genotypes = self._strategy.ask(n)
        self.is_exhausted = not len(genotypes)
        if self.is_exhausted:
            return []
        architectures = self._architectures(genotypes)
        fidelity = self._strategy.fidelity
        proposals = [self.proposal(architecture, fidelity) for architecture in architectures]
        self.ask_seconds = time.perf_counter() - started
        books = self._opened_books()
        with self._store.transaction():
            self._store.lock(self._study_id)
            if not self._sharing.still_leads():
                self._sharing.follow()
                books.distrust()
                return []
            records = self._store.start(self._study_id, books.n_asks, proposals, n_claimed)
        books.live |= zip((record.number for record in records), architectures, strict=True)
        books.n_asks += 1
        books.n_trials += len(records)
        self.n_waiting += max(0, len(records) - n_claimed)
        return records

    def _architectures(self, genotypes: Genotypes) -> list[Architecture]:
        if not self._space.is_legal(genotypes).all():
            name = type(self._strategy).__name__
            raise ArchloomError(f"strategy {name} proposed what is not a point of the space")
        return [self._space.architecture(genotypes[i]) for i in range(len(genotypes))]

# SPDX-License-Identifier: Apache-2.0
"""A tree of moves with visits and mean rewards, and the rule that chooses among them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import final

import numpy as np

from archloom.contracts import FloatArray

__all__ = ["ROOT", "Tree"]

ROOT = 0


@final
class Tree:
    """Visits and mean rewards of the beginnings of rows.

    Each rollout adds one node: the first on its way that was not there. Its visit is counted, from the root
    to that node, when it is proposed, not when its reward is known. A mean is over the rewards known; where
    there are none it is the parent's. So rollouts whose rewards are still to come push the next ones apart
    and promise nothing (Liu, Chen, Yu, Zhou, Lyu, Liu: Watch the Unobserved: A Simple Approach to
    Parallelizing Monte Carlo Tree Search, ICLR 2020, arXiv:1810.11755).

    Node 0 is the root, and a parent's number is below its children's.
    """

    def __init__(self) -> None:
        self._parents = [ROOT]
        self._children: list[dict[int, int]] = [{}]
        self._n_proposed = [0]
        self._visits = [0]
        self._means = [0.0]

    def __len__(self) -> int:
        return len(self._parents)

    def add(self, moves: Iterable[int]) -> int:
        """Count a rollout; return the node where it left the tree, which is new unless the way ends there."""
        node = ROOT
        self._count(node)
        for move in moves:
            child = self._children[node].get(move)
            is_new = child is None
            node = self._grow(node, move) if child is None else child
            self._count(node)
            if is_new:
                break
        return node

    def end(self, moves: Iterable[int]) -> int:
        """Return the last node on a way that is in the tree."""
        node = ROOT
        for move in moves:
            child = self._children[node].get(move)
            if child is None:
                break
            node = child
        return node

    def learn(self, ends: Sequence[int], rewards: FloatArray, guests: Iterable[int] = ()) -> None:
        """Learn all that is known anew: rewards may change with what else is known.

        Args:
            ends: ``n`` nodes, up to which the rewards count.
            rewards: ``n``.
            guests: where the ways of rows end that were not proposed here; each counts as one visit.
        """
        n, nodes = len(self), np.asarray(ends, dtype=np.intp)
        totals = np.bincount(nodes, rewards, n).tolist()
        counts = np.bincount(nodes, minlength=n).tolist()
        visits = np.bincount(np.fromiter(guests, dtype=np.intp), minlength=n).tolist()
        for node in range(n - 1, ROOT, -1):
            parent = self._parents[node]
            totals[parent] += totals[node]
            counts[parent] += counts[node]
            visits[parent] += visits[node]
        self._visits = [own + guest for own, guest in zip(self._n_proposed, visits, strict=True)]
        self._means = [0.0] * n
        for node, parent in enumerate(self._parents):
            known = counts[node]
            self._means[node] = totals[node] / known if known else self._means[parent]

    def choose(self, node: int, moves: Sequence[int], c: float, rng: np.random.Generator) -> int:
        """Return the move to make: one never made, or else the one that is greatest in

            ``mean + c sqrt(2 ln N_parent / N_child)``,

        with ``N`` the visits (UCT); chance decides between equals.
        """
        children = self._children[node]
        best = [move for move in moves if move not in children]
        if not best:
            log_visits = 2.0 * math.log(self._visits[node])
            scores = [self._score(children[move], log_visits, c) for move in moves]
            most = max(scores)
            best = [move for move, score in zip(moves, scores, strict=True) if score == most]
        return best[0] if len(best) == 1 else best[int(rng.integers(len(best)))]

    def child(self, node: int, move: int) -> int | None:
        """Return the node that a move leads to, ``None`` where it is not in the tree."""
        return self._children[node].get(move)

    def _score(self, child: int, log_visits: float, c: float) -> float:
        return self._means[child] + c * math.sqrt(log_visits / self._visits[child])

    def _count(self, node: int) -> None:
        self._n_proposed[node] += 1
        self._visits[node] += 1

    def _grow(self, node: int, move: int) -> int:
        child = len(self)
        self._children[node][move] = child
        self._parents.append(node)
        self._children.append({})
        self._n_proposed.append(0)
        self._visits.append(0)
        self._means.append(self._means[node])
        return child

# SPDX-License-Identifier: Apache-2.0
"""The doors between a strategy that follows gradients and an evaluator that gives them.

A *relaxation* has, for each choice site, one real coefficient a candidate in place of a choice. A strategy
makes it of what it learns, an evaluator trains a supernet under it and returns losses that can be
differentiated back to what the strategy learns. Neither knows the other: a strategy sees sites, an evaluator
modules. Tensors are ``Any`` here, so that this floor needs no torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias, get_type_hints

from archloom.contracts import Architecture, Evaluator, Genotypes, Metrics, SharedRun

__all__ = ["GradientStrategy", "Mixture", "Progress", "Relaxation", "RelaxedEvaluator"]


class Mixture(NamedTuple):
    """What a site holds in place of a choice.

    Args:
        weights: a tensor of one coefficient a candidate; ``None`` for 1 each.
        active: the candidates that are computed, whatever the coefficients; ``None`` for all.
    """

    weights: Any = None
    active: Sequence[int] | None = None


Relaxation: TypeAlias = Mapping[str, Mixture]
"""Site name to what it holds."""


class Progress(NamedTuple):
    """How far a search is.

    Args:
        epoch: from 0.
        n_epochs: of the whole search.
        step: of the epoch, from 0.
        n_steps: of an epoch.
        split: what the next batch is of: weights learn from ``train``, the relaxation from ``validation``.
    """

    epoch: int
    n_epochs: int
    step: int = 0
    n_steps: int = 1
    split: Literal["train", "validation"] = "train"

    @property
    def share(self) -> float:
        """The share of the search that is over, from 0 to below 1.

        >>> Progress(epoch=1, n_epochs=4, step=5, n_steps=10).share
        0.375
        """
        return (self.epoch + self.step / self.n_steps) / self.n_epochs


class GradientStrategy(ABC):
    """Who to try next, by gradients. Write ``relax``, ``step`` and ``derive``.

    It meets its problem in ``setup``. In each step of an epoch it makes a relaxation, is given the losses of
    a batch under it, and moves what the relaxation depends on. After each epoch it derives an architecture,
    which is the trial.

    Class attributes:
        is_single_level: weights and relaxation learn from the same batch of ``train``, in one backward pass;
            else the relaxation learns from ``validation``.
    """

    supports: ClassVar[frozenset[str]] = frozenset()
    is_single_level: bool = False

    space: Any
    seed: int

    @property
    def needs(self) -> Mapping[str, Any]:
        """What the evaluator must do beside: ``unrolled`` (a step of the weights inside the loss),
        ``partial_channels`` (mix one channel in so many), ``costs`` (metrics as losses); none by default.
        """
        return {}

    def setup(self, space: Any, seed: int) -> None:
        """Meet the space and forget any other. Called before anything else.

        Raises:
            ArchloomError: the strategy does not fit it, with the path of the site.
        """
        self.space = space
        self.seed = seed

    def learns(self, progress: Progress) -> bool:
        """Whether it moves at this step; where it does not, no losses are computed for it."""
        del progress
        return True

    @abstractmethod
    def relax(self, progress: Progress) -> Relaxation:
        """Return the relaxation of a step: every site that has more than one candidate."""

    @abstractmethod
    def step(self, losses: Mapping[str, Any], progress: Progress) -> None:
        """Learn from the losses of the last relaxation, each a scalar.

        Where the strategy is of a single level, ``train/loss`` has been differentiated already.

        Raises:
            ArchloomError: a loss, or what is learned, is no longer finite.
        """

    @property
    def inspects(self) -> bool:
        """Whether it looks at how its loss bends when an epoch is over."""
        return False

    def inspect(self, losses: Mapping[str, Any], progress: Progress) -> None:
        """Look at losses that can be differentiated twice, of the last relaxation; by default nothing."""
        del losses, progress

    @abstractmethod
    def derive(self) -> Genotypes:
        """Return the architecture that it would choose now, ``1 x d``."""

    def expected(self) -> Relaxation:
        """Return the relaxation without chance, by which an epoch is measured; by default that of the end."""
        return self.relax(Progress(1, 1, split="validation"))

    def metrics(self) -> Metrics:
        """Say how it stands after an epoch: entropies, skip connections, ...

        Raises:
            ArchloomError: what is learned is no longer finite.
        """
        return {}

    def record(self) -> Metrics:
        """Return what has been learned, for people: what each candidate of each site is worth."""
        return {}

    def why_over(self) -> str:
        """Say why the search should end before its last epoch, or return an empty string."""
        return ""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return what has been learned, tensors by name."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state_dict`` returned, after ``setup``."""


class RelaxedEvaluator(Evaluator):
    """How good a relaxation is.

    A study calls ``start`` once, then for each epoch the steps inside ``epoch``, ``measure`` and ``save``.
    What was measured is noted under the fidelity of the epoch's trial, and ``evaluate`` answers it.

    Class attributes:
        provides: what of a strategy's ``needs`` it can give.
    """

    provides: ClassVar[frozenset[str]] = frozenset()
    needs: Mapping[str, Any] = MappingProxyType({})
    """The strategy's, of what it provides; told before ``prepare``, which refuses what the space cannot."""
    n_epochs: int
    """Of a whole search."""

    @abstractmethod
    def start(self, run: SharedRun) -> None:
        """Make the supernet, as the strategy needs it."""

    @abstractmethod
    def epoch(self, number: int) -> AbstractContextManager[int]:
        """Be in an epoch, from 0; gives how many steps it has."""

    @abstractmethod
    def validation_losses(self, relaxation: Relaxation) -> Mapping[str, Any]:
        """Return losses on the next batch of ``validation``, each a scalar to be differentiated.

        ``validation/loss``, and by its name each cost that is needed, as is expected under the relaxation.
        """

    @abstractmethod
    def plain_losses(self, relaxation: Relaxation) -> Mapping[str, Any]:
        """Return the losses on the next batch of ``validation`` by the weights as they are.

        They can be differentiated twice, whatever the strategy needs beside.
        """

    @abstractmethod
    def train_step(self, relaxation: Relaxation) -> Mapping[str, Any]:
        """Move the weights by the next batch of ``train``; return its losses.

        Gradients flow into the relaxation, too, where it can take them.
        """

    @abstractmethod
    def measure(self, relaxation: Relaxation, architecture: Architecture) -> Metrics:
        """Measure an epoch: the supernet under a relaxation, and an architecture by the weights it inherits.

        Raises:
            ArchloomError: the training diverged.
        """

    @abstractmethod
    def note(self, fidelity: str, metrics: Metrics | Exception) -> None:
        """Take what ``evaluate`` answers for the trial of an epoch."""

    @abstractmethod
    def save(self, epoch: int, state: Mapping[str, Any], metrics: Metrics) -> None:
        """Keep weights, the strategy's state and an epoch's metrics, where the run has a folder."""

    @abstractmethod
    def restore(self) -> tuple[int, Mapping[str, Any], Metrics] | None:
        """Take back what was saved last: epoch, state and metrics; ``None`` where nothing is."""


def follows_gradients(target: Any) -> bool:
    """Whether a registered strategy, a class or a function that makes one, is a ``GradientStrategy``."""
    made = target if isinstance(target, type) else get_type_hints(target).get("return")
    return isinstance(made, type) and issubclass(made, GradientStrategy)

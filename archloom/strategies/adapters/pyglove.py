# SPDX-License-Identifier: Apache-2.0
"""PyGlove's DNA generators as strategies."""

from __future__ import annotations

import inspect
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import pyglove as pg

from archloom.contracts import Finished, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError, UnknownNameError, did_you_mean
from archloom.strategies.adapters.pending import Pending

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["PyGloveStrategy", "generator_strategy"]

GENERATORS: dict[str, Callable[..., Any]] = {
    "hill_climb": pg.evolution.hill_climb,
    "neat": pg.evolution.neat,
    "nsga2": pg.evolution.nsga2,
    "random": pg.geno.Random,
    "regularized_evolution": pg.evolution.regularized_evolution,
    "sweeping": pg.geno.Sweeping,
}

FEEDBACK = 1
"""The attempt number under which a generator draws when it is told; it proposes under 0."""


@final
class PyGloveStrategy(Strategy):
    """A DNA generator of PyGlove's, in charge of one of our spaces.

    Generators draw from Python's global ``random`` where they have no seed of their own. It is seeded for
    each proposal and for each result told, and put back afterwards, so that what is drawn depends on the
    seed of the study and the number of the proposal alone. (Threads that draw from ``random`` in that moment
    share it.)

    A generator also remembers what it was asked and told, in whatever order that was. To resume it is made
    anew and asked and told again, each result as soon as its architecture has been proposed. So resuming is
    exact

    * always, for a generator whose proposals depend on the results told so far and on nothing else, such as
      ``random``, ``sweeping``, ``regularized_evolution`` and ``hill_climb`` with ``batch_size=1``;
    * where each proposal was told before the next was asked for, as one worker does, for one that also goes
      by its own proposals, such as ``nsga2``, ``neat``, a queue of children or a seed inside the generator.

    With several workers one of the second kind goes on after a crash with what it has learned, but not with
    the proposals that it would have made.

    What has failed, is not finite or breaks a constraint is not fed back, as with ``feedback.skip()``; nor is
    the result of an architecture that the generator did not propose.

    Peng, Dong, Real, Tan, Lu, Bender, Liu, Kraft, Liang, Le: PyGlove: Symbolic Programming for Automated
    Machine Learning, NeurIPS 2020, arXiv:2101.08809.

    Args:
        generator: a ``pg.DNAGenerator``, which is copied; or ``hill_climb``, ``neat``, ``nsga2``, ``random``,
            ``regularized_evolution`` or ``sweeping``.
        options: of the generator that is named (``population_size=20``), but its seed.

    Raises:
        UnknownNameError: no such generator, and the nearest name.
        ConfigError: an option that it does not have, or options for a generator that is made already.

    Example:
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.List([pg.oneof(list(range(5))) for _ in range(3)]))
        >>> strategy = PyGloveStrategy("regularized_evolution", population_size=10, tournament_size=5)
        >>> study = Study(space, strategy, lambda a: sum(a.value), {"total": "maximize"})
        >>> study.run(trials=40).best.values[0] > 8
        True
    """

    supports: ClassVar[frozenset[str]] = frozenset({"floats", "several_objectives"})

    space: SearchSpace

    def __init__(self, generator: Any = "regularized_evolution", **options: Any):
        if isinstance(generator, str):
            self._template = _named(generator, options)
        elif isinstance(generator, pg.DNAGenerator):
            self._template = generator
            if options:
                raise ConfigError(f"options go with the name of a generator, not with one: {sorted(options)}")
        else:
            raise ConfigError(f"generator is a pg.DNAGenerator or a name, got {generator!r:.80}")
        lacks = set() if self._template.multi_objective else {"several_objectives"}
        if isinstance(self._template, pg.geno.Sweeping):
            lacks.add("floats")  # said here, a study refuses it before it is made
        self.supports = type(self).supports - lacks  # type: ignore[misc]

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem with a fresh copy of the generator.

        Raises:
            ConfigError: a generator that does not suit the problem.
        """
        super().setup(space, objectives, seed)
        if isinstance(self._template, pg.geno.Sweeping) and self.space.has_floats:
            raise ConfigError("sweeping goes through all architectures: a space with a float has no end")
        if len(self.objectives) > 1 and not self._template.multi_objective:
            raise ConfigError(f"{type(self._template).__name__} is for one objective, got {len(objectives)}")
        self._generator = self._template.clone(deep=True)
        self._generator.setup(self.space.dna_spec)
        self._pending = Pending[Any]()
        self._n_told = 0

    def ask(self, n: int) -> Genotypes:
        """Propose up to ``n`` points; none when the generator stops."""
        made = []
        for _ in range(n):
            dna = self._draw(self.n_asked)
            if dna is None:
                break
            row = self.space.from_dna(dna)
            self._pending.add(row.keys()[0], dna)
            self.n_asked += 1
            made.append(row)
        return Genotypes.concatenate(made) if made else self.space.sample(0, self.rng(self.n_asked))

    def tell(self, finished: Finished) -> None:
        """Feed back what finished trials are worth."""
        for i, key in enumerate(finished.genotypes.keys()):
            self._feed(finished, i, key)

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Ask and tell again, each result as soon as its architecture has been proposed."""
        keys, results = proposed.keys(), finished.genotypes.keys()
        left, n_fed = Counter(keys), 0
        for i, key in enumerate(keys):
            self._pending.add(key, self._redraw(i, proposed[i], key))
            left[key] -= 1
            while n_fed < len(results) and (results[n_fed] in self._pending or not left[results[n_fed]]):
                self._feed(finished, n_fed, results[n_fed])
                n_fed += 1
        self.n_asked = len(proposed)

    # ------------------------------------------------------------------ the generator

    def _draw(self, proposal: int) -> Any:
        """Return the generator's next DNA, ``None`` where it has stopped."""
        with _seeded(self.rng(proposal)):
            try:
                return self._generator.propose()
            except StopIteration:
                return None

    def _redraw(self, proposal: int, row: Genotypes, key: bytes) -> Any:
        """Return the DNA of a recorded proposal, with what the generator notes on its proposals.

        Where results came in another order the generator draws something else: the record is right.
        """
        drawn = self._draw(proposal)
        if drawn is not None and self.space.from_dna(drawn).keys()[0] == key:
            return drawn
        dna = self.space.to_dna(row)
        for name, value in drawn.metadata.items() if drawn is not None else ():
            dna.set_metadata(name, value)
        return dna

    def _feed(self, finished: Finished, i: int, key: bytes) -> None:
        dna = self._pending.take(key)
        rewards = [-value * one.sign for value, one in zip(finished.values[i], self.objectives, strict=True)]
        is_lost = finished.states[i] == State.FAIL or not finished.violations[i] <= 0  # or no number
        if dna is None or is_lost or not np.isfinite(rewards).all():
            return
        reward = tuple(map(float, rewards)) if self._generator.multi_objective else float(rewards[0])
        with _seeded(self.rng(self._n_told, FEEDBACK)):
            self._generator.feedback(dna, reward)
        self._n_told += 1


def generator_strategy(generator: str) -> Callable[..., PyGloveStrategy]:
    """Return what makes strategies of one generator, with its options that a text can give for its signature.

    >>> list(inspect.signature(generator_strategy("regularized_evolution")).parameters)
    ['population_size', 'tournament_size']

    Raises:
        UnknownNameError: no such generator, and the nearest name.
    """
    parameters = [
        one.replace(annotation=type(one.default), kind=one.KEYWORD_ONLY)
        for one in _options(generator).values()
        if isinstance(one.default, int | float | str)
    ]

    def make(**options: Any) -> PyGloveStrategy:
        return PyGloveStrategy(generator, **options)

    make.__name__ = make.__qualname__ = generator
    make.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return make


@contextmanager
def _seeded(rng: np.random.Generator) -> Iterator[None]:
    """Seed Python's global ``random`` for a while."""
    before = random.getstate()
    random.seed(int(rng.integers(2**63)))
    try:
        yield
    finally:
        random.setstate(before)


def _options(name: str) -> dict[str, inspect.Parameter]:
    """Return the options that a generator takes here, by name."""
    if name not in GENERATORS:
        raise UnknownNameError(f"{name!r} is not one of PyGlove's generators{did_you_mean(name, GENERATORS)}")
    if name in ("random", "sweeping"):  # what their classes take is every symbolic object's
        return {}
    known = inspect.signature(GENERATORS[name]).parameters
    return {option: one for option, one in known.items() if option != "seed"}


def _named(name: str, options: dict[str, Any]) -> Any:
    """Make a generator without a seed of its own."""
    known = _options(name)
    for option in options:
        if option == "seed":
            raise ConfigError(f"{name} takes no 'seed' here: the study has a seed")
        if option not in known:
            raise ConfigError(f"{name} has no option {option!r}{did_you_mean(option, known)}")
    try:
        return GENERATORS[name](**options)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name}: {error}") from error

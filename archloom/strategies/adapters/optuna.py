# SPDX-License-Identifier: Apache-2.0
"""Optuna's samplers as strategies."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, final

import numpy as np
from optuna.samplers import BaseGASampler, BaseSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from archloom.contracts import Finished, FloatArray, Genotypes, Objective, State, Strategy
from archloom.strategies.adapters.optuna_memory import Memory, Parameters, frozen
from archloom.strategies.adapters.optuna_parameters import Suggester
from archloom.strategies.adapters.optuna_samplers import SamplerMaker, options_of, sampler_class
from archloom.strategies.adapters.pending import Pending

__all__ = ["OptunaStrategy", "sampler_strategy"]

REDRAW = 1
"""The attempt number under which forbidden suggestions are drawn again; samplers draw under 0."""
PARENTS = 2
"""The attempt number under which a generation's parents are chosen."""
SEQUENCE = 3
"""The attempt number under which a sequence is scrambled, once for all proposals."""

VIOLATION = "violation"
PLACE = "qmc:"
"""How the note begins in which a quasi-random sampler keeps its place in the sequence."""


@final
class OptunaStrategy(Strategy):
    """A sampler of Optuna, by its name: ``TPESampler``, ``GPSampler``, ``NSGAIISampler``, ...

    Each proposal is made by a fresh sampler, seeded for it, that is shown a study of Optuna's: the finished
    trials in the order in which they finished, then those on their way as running (which TPE takes for bad
    ones and the Gaussian process integrates over). So resuming is exact however asking and telling were
    interleaved. Decisions are suggested one by one, parents before children and only where they are active;
    see ``optuna_parameters`` for groups. What a sampler does on conditional spaces is its own affair: TPE
    models every decision (``group=True`` jointly), the others vary only those that all trials have (in
    ``QMCSampler`` that the first has) and draw the rest at random.

    A failed trial, or a value that is not finite, is a failed trial of Optuna's, which samplers pass over; a
    pruned one is pruned. Violations are one constraint, named ``violation``. A genetic sampler's generation
    is made of the trials as they complete: the first ``population_size`` are the first. Its parents are
    chosen once a generation.

    Akiba, Sano, Yanase, Ohta, Koyama: Optuna: A Next-generation Hyperparameter Optimization Framework, KDD
    2019, arXiv:1907.10902. The default: Bergstra, Bardenet, Bengio, Kégl: Algorithms for Hyper-Parameter
    Optimization, NeurIPS 2011.

    Args:
        sampler: the name of a class of ``optuna.samplers``.
        options: the sampler's own (``n_startup_trials=20``), but those that the study decides.

    Raises:
        UnknownNameError: no such sampler, and the nearest name, or one that cannot be had, and why.
        ConfigError: an option that cannot be had, and why.
        MissingExtraError: the sampler needs a library that is not installed.

    Example:
        >>> import pyglove as pg
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.List([pg.oneof(list(range(5))) for _ in range(3)]))
        >>> strategy = OptunaStrategy("TPESampler", n_startup_trials=20)
        >>> study = Study(space, strategy, lambda a: sum(a.value), {"total": "maximize"})
        >>> study.run(trials=50).best.values[0] > 9
        True
    """

    supports: ClassVar[frozenset[str]] = frozenset({"several_objectives", "constraints", "floats"})

    def __init__(self, sampler: str = "TPESampler", **options: Any):
        self._maker = SamplerMaker(sampler, options)

    @property
    def n_startup(self) -> int:
        """The random proposals that the sampler begins with."""
        return self._maker.n_startup

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nothing is known yet."""
        super().setup(space, objectives, seed)
        self._suggester = Suggester(space)
        self._memory = Memory([StudyDirection[one.direction.upper()] for one in self.objectives])
        self._pending = Pending[FrozenTrial]()
        self._unasked: Counter[bytes] = Counter()
        self._n_complete = self._n_generations = 0
        self._is_constrained = False
        self._common: dict[str, IntersectionSearchSpace] = {}
        self._generation_name = self._maker.generation_name() if self._maker.is_genetic else ""

    def ask(self, n: int) -> Genotypes:
        """Propose ``n`` points."""
        made = [self._propose(self.n_asked + i) for i in range(n)]
        self.n_asked += n
        return Genotypes.concatenate(made) if made else self.space.sample(0, self.rng(0))

    def tell(self, finished: Finished) -> None:
        """Put finished trials into Optuna's study."""
        violations = np.nan_to_num(finished.violations, nan=np.inf, posinf=np.inf)  # Optuna takes no NaN
        for i, key in enumerate(finished.genotypes.keys()):
            if self._pending.take(key) is None:
                self._unasked[key] += 1
            parameters = self._suggester.parameters(finished.genotypes[i])
            self._finish(parameters, finished.states[i], finished.values[i], float(violations[i]))

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Rebuild the state, a function of the two orders alone."""
        for i, key in enumerate(proposed.keys()):
            self._await(key, proposed[i])
        super().recover(proposed, finished)

    # ------------------------------------------------------------------ proposing

    def _propose(self, proposal: int) -> Genotypes:
        if self._maker.is_genetic:
            self._choose_parents()
        sampler = self._remembering(self._sampler(self.rng(proposal)))
        if self._maker.is_sequence:
            self._take_place(sampler, proposal)
        study = self._memory.study(sampler, self._pending if self._maker.heeds_running else ())
        row = self._suggester.suggest(study.ask(), self.rng(proposal, REDRAW))
        self._await(row.keys()[0], row)
        return row

    def _await(self, key: bytes, row: Genotypes) -> None:
        """Note a proposal as running, unless its result came before it was proposed."""
        if self._unasked[key]:
            self._unasked[key] -= 1
        else:
            self._pending.add(key, frozen(TrialState.RUNNING, self._suggester.parameters(row)))

    def _sampler(self, rng: np.random.Generator) -> BaseSampler:
        return self._maker(_seed(rng), _seed(self.rng(0, SEQUENCE)))

    def _remembering(self, sampler: BaseSampler) -> BaseSampler:
        """Hand a sampler what the ones before it worked out about the parameters that all trials have.

        Each would go through all trials for it, and compare all their distributions.
        """
        for name, value in vars(sampler).items():
            if isinstance(value, IntersectionSearchSpace):
                setattr(sampler, name, self._common.setdefault(name, value))
        return sampler

    def _choose_parents(self) -> None:
        """Have the parents of all generations up to now chosen, each by a seed of the generation's own.

        A sampler would choose them when first it needs them, by the seed of that very proposal.
        """
        while (self._n_generations + 1) * self.n_startup <= self._n_complete:
            self._n_generations += 1
            sampler = self._sampler(self.rng(self._n_generations, PARENTS))
            assert isinstance(sampler, BaseGASampler)
            sampler.get_parent_population(self._memory.study(sampler), self._n_generations)

    def _take_place(self, sampler: BaseSampler, proposal: int) -> None:
        """Have a quasi-random sampler go on at the place of the proposal: it counts its own calls.

        It makes its note when it is first called for the parameters that the first trial has.
        """
        notes = self._memory.notes
        if not any(name.startswith(PLACE) for name in notes):
            _ = self._memory.study(sampler).ask().relative_params
        notes.update({name: proposal - 1 for name in notes if name.startswith(PLACE)})

    # ------------------------------------------------------------------ learning

    def _finish(self, parameters: Parameters, state: State, values: FloatArray, violation: float) -> None:
        if violation > 0 and not self._is_constrained:
            self._is_constrained = True
            for trial in self._memory.finished:
                trial.set_constraint(VIOLATION, 0.0)
        outcome, known = self._outcome(state, values, violation)
        is_complete = outcome == TrialState.COMPLETE
        trial = self._memory.finish(outcome, parameters, known if is_complete else None)
        if self._is_constrained:
            trial.set_constraint(VIOLATION, violation)
        if outcome == TrialState.PRUNED and known and len(known) == 1:
            trial.intermediate_values[0] = known[0]
        if is_complete and self._maker.is_genetic:
            trial.system_attrs[self._generation_name] = self._n_complete // self.n_startup
        self._n_complete += is_complete

    def _outcome(
        self, state: State, values: FloatArray, violation: float
    ) -> tuple[TrialState, list[float] | None]:
        """Return Optuna's state of a trial, and its values where they are known.

        What broke a constraint before it was measured has none. Only its violation ranks it, so that the
        genetic samplers, which look at complete trials alone, may be given any.
        """
        known = values.tolist() if np.isfinite(values).all() else None
        if state == State.FAIL:
            return TrialState.FAIL, None
        if violation > 0 and self._maker.is_genetic:
            return TrialState.COMPLETE, known or [0.0] * len(values)
        if state == State.PRUNED or (violation > 0 and known is None):
            return TrialState.PRUNED, known
        return (TrialState.FAIL, None) if known is None else (TrialState.COMPLETE, known)


def sampler_strategy(sampler: str) -> Callable[..., OptunaStrategy]:
    """Return what makes strategies of one sampler, with the sampler's own options for its signature.

    >>> "n_startup_trials" in inspect.signature(sampler_strategy("TPESampler")).parameters
    True

    Raises:
        UnknownNameError: no such sampler, and the nearest name, or one that cannot be had, and why.
        MissingExtraError: the sampler needs a library that is not installed.
    """
    parameters = options_of(sampler_class(sampler)).values()

    def make(**options: Any) -> OptunaStrategy:
        return OptunaStrategy(sampler, **options)

    make.__name__ = make.__qualname__ = sampler
    make.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [one.replace(annotation=_annotation(one.default), kind=one.KEYWORD_ONLY) for one in parameters]
    )
    return make


def _annotation(default: Any) -> Any:
    """Return the type of an option by its default: Optuna's own words for it may be a type checker's only."""
    return type(default) if isinstance(default, bool | int | float | str) else Any


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))

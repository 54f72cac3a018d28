# SPDX-License-Identifier: Apache-2.0
"""The narrow doors between the floors: what a strategy, an evaluator, a task, ... must write.

Notation: ``n`` rows, ``d`` discrete decisions, ``f`` float decisions, ``m`` objectives.

Metric names. A metric is named ``params`` or, where it was measured on a split of the data,
``validation/accuracy``. Where the evaluators say what they give, an objective may be written short
(``accuracy``); that never means the ``test`` or the ``train`` split: what is optimised and what is
reported are never the same column.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "Architecture",
    "Done",
    "Evaluate",
    "Evaluator",
    "Executor",
    "Finished",
    "Genotypes",
    "Job",
    "Metrics",
    "Objective",
    "OnReport",
    "Predictor",
    "Pruner",
    "SharedRun",
    "Space",
    "State",
    "Strategy",
    "Task",
    "Trial",
]

Metrics = Mapping[str, float]
"""Metric name (``params``, ``validation/accuracy``) to value."""

FloatArray = npt.NDArray[np.float64]
ChoiceArray = npt.NDArray[np.int16]


class State(StrEnum):
    """The life of a trial: WAITING -> RUNNING -> COMPLETE, PRUNED or FAIL."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAIL = "FAIL"

    @property
    def is_finished(self) -> bool:
        """Whether a trial in this state never changes again."""
        return self in (State.COMPLETE, State.PRUNED, State.FAIL)


@dataclass(frozen=True, eq=False)
class Genotypes:
    """``n`` points of a search space as two arrays; the form in which everything searches.

    Args:
        choices: ``n x d`` int16, the index of the chosen candidate, ``-1`` where inactive.
        floats: ``n x f`` float64, NaN where inactive.
    """

    choices: ChoiceArray
    floats: FloatArray

    def __len__(self) -> int:
        return len(self.choices)

    def __getitem__(self, rows: int | slice | npt.NDArray[Any] | Sequence[int]) -> Genotypes:
        """Select rows; an integer keeps the row dimension, so that the result is again ``1 x d``."""
        if isinstance(rows, int | np.integer):
            rows = range(len(self))[rows]  # -1 is the last, and what lies outside is an error
            rows = slice(rows, rows + 1)
        return Genotypes(self.choices[rows], self.floats[rows])

    def keys(self) -> list[bytes]:
        """One hashable key a row; equal rows, and no others, share a key."""
        if not self.floats.shape[1]:
            return [row.tobytes() for row in np.ascontiguousarray(self.choices)]
        return [c.tobytes() + f.tobytes() for c, f in zip(self.choices, self.floats, strict=True)]

    def firsts(self) -> dict[bytes, int]:
        """Return each different row's key with the index where it stands first, in that order.

        >>> rows = Genotypes(np.array([[1], [0], [1]], dtype=np.int16), np.empty((3, 0)))
        >>> list(rows.firsts().values())
        [0, 1]
        """
        found: dict[bytes, int] = {}
        for i, key in enumerate(self.keys()):
            found.setdefault(key, i)
        return found

    @staticmethod
    def concatenate(parts: Sequence[Genotypes]) -> Genotypes:
        """Stack the rows of several genotypes of one space."""
        if len(parts) == 1:
            return parts[0]
        return Genotypes(
            np.concatenate([part.choices for part in parts]),
            np.concatenate([part.floats for part in parts]),
        )


class Architecture(Protocol):
    """One point of a search space."""

    @property
    def genotype(self) -> Genotypes:
        """The point as a ``1 x d`` row."""

    @property
    def value(self) -> Any:
        """The decoded symbolic value (made on first use)."""

    @property
    def choices(self) -> Mapping[str, str | float]:
        """Active decisions only: decision name to candidate label, or to a number for a float."""

    @property
    def settings(self) -> Mapping[str, Mapping[str, Any]]:
        """What was decided outside the network: owner to option to value; empty without such decisions."""

    @property
    def key(self) -> str:
        """Canonical hash: architectures that mean the same network share it."""

    @property
    def text(self) -> str:
        """The architecture in one line of words."""


class Space(Protocol):
    """What a strategy may ask of a search space: arrays in, arrays out."""

    @property
    def size(self) -> int | None:
        """The exact number of architectures; ``None`` where a float makes it infinite."""

    def sample(
        self, n: int, rng: np.random.Generator, *, uniform_over: Literal["architectures", "decisions"] = ...
    ) -> Genotypes:
        """Draw ``n`` points."""

    def mutate(self, parents: Genotypes, rng: np.random.Generator) -> Genotypes:
        """Change one decision of each row."""

    def crossover(self, a: Genotypes, b: Genotypes, rng: np.random.Generator) -> Genotypes:
        """Mix each row of ``a`` with the same row of ``b``."""

    def enumerate(self) -> Genotypes:
        """Every point of a finite space."""


@dataclass(frozen=True)
class Objective:
    """A metric to optimise and its direction."""

    metric: str
    direction: Literal["maximize", "minimize"] = "maximize"

    @property
    def sign(self) -> float:
        """Factor that turns the metric into a cost (lower is better)."""
        return -1.0 if self.direction == "maximize" else 1.0


@dataclass(frozen=True, eq=False)
class Finished:
    """``n`` finished trials, in the order in which they finished.

    Args:
        numbers: ``n`` trial numbers.
        genotypes: ``n`` points.
        states: ``n`` states, each COMPLETE, PRUNED or FAIL.
        values: ``n x m`` objective values in their own units, NaN where there is none.
        violations: ``n`` totals by which constraints are broken (0 = feasible).
        fidelity: ``n`` fidelities, ``None`` for a full evaluation.
    """

    numbers: npt.NDArray[np.int64]
    genotypes: Genotypes
    states: tuple[State, ...]
    values: FloatArray
    violations: FloatArray
    fidelity: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.numbers)


class Strategy(ABC):
    """Who to try next. Write ``ask``; override ``tell`` to learn.

    A strategy is made with its own options (``RegularizedEvolution(population_size=20)``) and meets
    its problem in ``setup``. The laws, checked by ``archloom.testing.strategies``:

    * proposals are legal points of the space;
    * the same seed and the same history give the same proposals: proposal ``i`` draws only from
      ``self.rng(i, attempt)``, never from a generator carried along;
    * ``ask`` may return fewer rows than were asked for; none at all means there is nothing left.
    """

    supports: ClassVar[frozenset[str]] = frozenset()
    """Abilities beyond one objective over choices: ``several_objectives``; ``floats``; ``constraints`` (it
    learns by how much they are broken, where others only see no value)."""

    space: Space
    objectives: tuple[Objective, ...]
    seed: int
    fidelity: str | None = None
    """At which the rows of the last ask are evaluated; ``None`` in full. Then no earlier result serves."""

    @property
    def n_startup(self) -> int:
        """How many proposals it makes before it uses what it has learned; 0 where it learns nothing."""
        return 0

    @property
    def why_over(self) -> str:
        """Why there is nothing more to propose, once that is so."""
        return "the strategy has nothing more to propose"

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem and forget any other. Called before anything else.

        ``space`` is a compiled ``SearchSpace``; the annotation of the attribute says what of it a
        strategy may rely on.
        """
        self.space = space
        self.objectives = tuple(objectives)
        self.seed = seed
        self.n_asked = 0

    def rng(self, proposal: int, attempt: int = 0) -> np.random.Generator:
        """Return the generator that proposal number ``proposal`` draws from."""
        return np.random.default_rng((self.seed, proposal, attempt))

    @abstractmethod
    def ask(self, n: int) -> Genotypes:
        """Propose up to ``n`` points; proposal numbers start at ``self.n_asked``, which is raised."""

    def tell(self, finished: Finished) -> None:
        """Learn from finished trials. The default learns nothing."""
        del finished

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Rebuild the state after ``setup`` from all that was proposed and all that has finished."""
        self.n_asked = len(proposed)
        if len(finished):
            self.tell(finished)


def _ignore_report(step: int, metrics: Metrics) -> bool:
    del step, metrics
    return False


@dataclass(eq=False)
class Trial:
    """What an evaluator may know of the trial it works for.

    Args:
        number: dense from 0 within the study.
        seed: the trial's own seed; everything random in an evaluation draws from it.
        fidelity: ``None`` for a full evaluation.
        device: where to compute, in torch's words.
        folder: where artifacts may be written; made on the first ``artifact`` call.
    """

    number: int = 0
    seed: int = 0
    fidelity: str | None = None
    device: str = "cpu"
    folder: Path | None = None
    on_report: Callable[[int, Metrics], bool] = _ignore_report
    artifacts: dict[str, Path] = field(default_factory=dict)
    is_stopped: bool = False

    def report(self, step: int, metrics: Metrics) -> Literal["go on", "stop"]:
        """Record metrics of a step (an epoch); ``"stop"`` asks the evaluator to end and return."""
        if self.on_report(step, metrics):
            self.is_stopped = True
        return "stop" if self.is_stopped else "go on"

    def artifact(self, name: str) -> Path | None:
        """Return the path to write the artifact ``name`` to, or ``None`` where none are kept.

        Raises:
            ValueError: a name that is none for a file in the trial's folder.
        """
        if not name.isprintable() or name in ("", ".", "..") or {"/", "\\"} & set(name):
            raise ValueError(f"an artifact's name is that of a file, such as 'weights.pt', got {name!r}")
        if self.folder is None:
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.artifacts[name] = self.folder / name
        return self.artifacts[name]


@dataclass(eq=False)
class SharedRun:
    """The training of what all trials of a study share.

    Args:
        name: of the run within the study.
        seed: its own; everything random draws from it.
        device: where to compute, in torch's words.
        folder: where its checkpoints are kept, ``None`` where nothing is.
        on_report: takes an epoch and its metrics.
        strategy: one as the study's, that has met no problem; ``None`` outside a study.
    """

    name: str
    seed: int = 0
    device: str = "cpu"
    folder: Path | None = None
    on_report: Callable[[int, Metrics], None] = lambda step, metrics: None
    strategy: Strategy | None = None

    def report(self, step: int, metrics: Metrics) -> None:
        """Record metrics of a step (an epoch)."""
        self.on_report(step, metrics)


class Evaluator(ABC):
    """How good an architecture is. Write ``evaluate``.

    Class attributes:
        gives: the metrics it returns, ``None`` where that is known only after a trial.
        is_cheap: needs no training, so it runs first, and a trial that breaks a constraint on its
            metrics is never handed to the dear ones.
        keyed_by: what makes two trials the same: the ``canonical`` architecture, or the ``genotype``
            (tabular truth, where isomorphic cells were measured apart).
        shares: the name of the run in which it trains what all trials share (``supernet``); empty where
            nothing is shared. Then ``train`` and ``load`` are written.
        epochs: how long it trains a network; ``None`` where it trains none. Else ``retrain`` is written.
        n_checked: how many architectures are trained by themselves when a search is over, to see how well the
            evaluator's scores rank them.
    """

    gives: tuple[str, ...] | None = None
    is_cheap: bool = False
    keyed_by: Literal["canonical", "genotype"] = "canonical"
    shares: ClassVar[str] = ""
    epochs: int | None = None
    n_checked: int = 0

    def prepare(self, space: Any) -> None:
        """Check that the space fits and load what is shared by all trials. Called once, before the first.

        Raises:
            ArchloomError: what does not fit, naming what to change.
        """
        del space

    def train(self, run: SharedRun) -> None:
        """Train what all trials share; where the run's folder holds a checkpoint, go on from there.

        A study calls it once, after ``prepare`` and before the first trial; on every other occasion it calls
        ``load`` instead.
        """
        raise NotImplementedError(f"{type(self).__name__} trains nothing that is shared")

    def load(self, run: SharedRun) -> None:
        """Take what an earlier ``train`` has left in the run's folder."""
        raise NotImplementedError(f"{type(self).__name__} trains nothing that is shared")

    def retrain(
        self, architecture: Architecture, run: SharedRun, *, epochs: int | None = None, inherits: bool = False
    ) -> Metrics:
        """Train an architecture by itself once the search is over; the ``test`` split is measured too.

        Args:
            architecture: what to train.
            run: its own; is told of every epoch, and its folder gets ``weights.safetensors``.
            epochs: how long; ``None`` for as long as the evaluator trains.
            inherits: start from the weights that are shared, not from scratch.
        """
        raise NotImplementedError(f"{type(self).__name__} trains no networks")

    def derive(self, architecture: Architecture, run: SharedRun) -> Metrics:
        """Take an architecture's network out of what is shared, measure it, and keep its weights.

        The run's folder gets ``weights.safetensors``, those of the plain network.
        """
        raise NotImplementedError(f"{type(self).__name__} trains nothing that is shared")

    @abstractmethod
    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Measure one architecture. An exception makes the trial a FAIL, and the study goes on."""

    @property
    def is_vectorised(self) -> bool:
        """Whether ``evaluate_many`` takes hardly longer than ``evaluate``: so, where it is overridden.

        Say no where a trial is dear: a batch is lost as a whole when the machine fails in the midst of it.
        """
        return type(self).evaluate_many is not Evaluator.evaluate_many

    def evaluate_many(self, architectures: Sequence[Architecture], trials: Sequence[Trial]) -> list[Metrics]:
        """Measure several; override where one call is cheaper than many.

        An evaluator that overrides it is given whole batches of a study, which then share one commit; see
        ``is_vectorised``.
        """
        return [self.evaluate(a, t) for a, t in zip(architectures, trials, strict=True)]

    def preview(self) -> str:
        """Say in a line what comes before the first trial, and what it takes; empty where nothing does."""
        return ""

    def conditions(self) -> Mapping[str, str]:
        """Say what the numbers depend on beside the architecture: device, versions, files.

        The study notes it among its events when it starts and whenever it has changed.
        """
        return {}


class Pruner(ABC):
    """Which running trials to stop early."""

    @abstractmethod
    def stop(self, curve: Mapping[int, float], curves: Iterable[Mapping[int, float]]) -> bool:
        """Decide from this trial's curve (step to cost, lower is better) and the finished ones."""


class Predictor(ABC):
    """How good an architecture will probably be, learned from those already measured.

    It gets the search space at construction. ``x`` is ``Genotypes`` (``n`` rows); ``y`` and both
    results are ``n`` values.
    """

    @abstractmethod
    def fit(self, x: Genotypes, y: FloatArray) -> None:
        """Learn from measured architectures."""

    @abstractmethod
    def predict(self, x: Genotypes) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation."""


class Task(ABC):
    """What a network is trained for: one object for every evaluator that trains.

    Tensors are ``Any`` here, so that this floor needs no torch.
    """

    gives: ClassVar[tuple[str, ...]] = ("loss",)
    """Names that ``metrics`` returns."""

    @abstractmethod
    def forward_batch(self, network: Any, batch: Any) -> tuple[Any, Any]:
        """Run the network on a batch; return outputs and targets, ``b x ...`` each."""

    @abstractmethod
    def loss(self, outputs: Any, targets: Any) -> Any:
        """Return the scalar that training minimises."""

    @abstractmethod
    def metrics(self, outputs: Any, targets: Any) -> dict[str, float]:
        """Measure a whole split from its outputs and targets, ``n x ...`` each."""

    collate: Callable[[Sequence[Any]], Any] | None = None
    """How a DataLoader joins samples; ``None`` for torch's own way."""


@dataclass(frozen=True)
class Job:
    """A trial as an executor ships it: plain data.

    Args:
        number: the trial's number.
        choices: decision name to candidate label, or to a number for a float.
        seed: the trial's own seed.
        fidelity: ``None`` for a full evaluation.
        folder: where artifacts may be written.
        architecture: ready made, for an evaluation in the same process; dropped when the job is shipped.
    """

    number: int
    choices: Mapping[str, str | float]
    seed: int
    fidelity: str | None = None
    folder: Path | None = None
    architecture: Callable[[], Any] | None = None


class Done(NamedTuple):
    """An evaluation that has ended.

    Args:
        numbers: the trials that were submitted together.
        outcomes: what the evaluation returned for them; empty where it was lost.
        seconds: that it took.
        lost: why the process that ran it is gone, in words; empty where it is not.
    """

    numbers: tuple[int, ...]
    outcomes: Sequence[Any]
    seconds: float
    lost: str = ""


OnReport = Callable[[int, int, Metrics], bool]
"""Number, step and metrics to whether the trial is to stop."""
Evaluate = Callable[[Sequence[Job], str, OnReport], Sequence[Any]]
"""Jobs, device and ``on_report`` to one outcome a job."""


class Executor(ABC):
    """Where trials run.

    One thread uses it, and ``on_report`` is called in that thread, inside ``next_finished``.
    """

    @property
    @abstractmethod
    def n_slots(self) -> int:
        """How many batches run at a time."""

    @property
    @abstractmethod
    def n_free(self) -> int:
        """How many more batches can be submitted now."""

    @abstractmethod
    def start(self, evaluate: Evaluate, on_report: OnReport) -> None:
        """Take the evaluation; called before the first submit, and again after ``close`` if need be."""

    @abstractmethod
    def submit(self, jobs: Sequence[Job]) -> None:
        """Have jobs evaluated together."""

    @abstractmethod
    def next_finished(self, timeout: float | None = None) -> Done | None:
        """Wait for a batch to end; ``None`` where none has in ``timeout`` seconds, or none runs."""

    @abstractmethod
    def close(self) -> None:
        """End what runs and give it up. May be called again."""

# SPDX-License-Identifier: Apache-2.0
"""The YAML study file: read, checked, overridden, resolved, and turned into a ``Study``."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, cast, final

from pydantic_core import to_jsonable_python

from archloom.config._blame import blamed, evaluator_code
from archloom.config._costs import check_costs, missing_costs
from archloom.config._document import Document, KeyPath, Problems, dotted
from archloom.config._extras import Choices, read_callbacks, read_enqueued
from archloom.config._options import check
from archloom.config._parts import Part, as_function, read_part
from archloom.config._raised import place, raised
from archloom.config._sections import Sections
from archloom.config._space import SpaceTree, read_space
from archloom.config._stores import default_store
from archloom.contracts import Evaluator, Executor, Pruner, Strategy
from archloom.errors import ArchloomError, ConfigError, DataError, SpaceError
from archloom.evaluators import EVALUATORS, Tuned
from archloom.executors import ProcessExecutor
from archloom.registry import Registry
from archloom.relaxation import GradientStrategy
from archloom.search_spaces import Architecture, SearchSpace
from archloom.strategies import DEFAULT_STRATEGY, PRUNERS, STRATEGIES
from archloom.study import Callback, Study
from archloom.terms import OtherTermsError, artifacts_beside, check_device

T = TypeVar("T")


class RunOptions(TypedDict):
    """What ``Study.run`` is called with."""

    trials: int | None
    minutes: float | None
    count: Literal["evaluations", "proposals"]
    batch_size: int


@final
class StudyFile:
    """A checked study file. ``load`` makes one.

    Args:
        document: the file's data and the places of its keys, overrides included.
        folder: where the file lies; on the import path while it is read and run.
        imports: whether it is put there: not where a database names the folder, and nobody trusts it.

    Raises:
        ConfigError: all that is wrong with the file, one problem a line, each with file and line.
    """

    def __init__(self, document: Document, folder: Path, *, imports: bool = True):
        self._document = document
        self._imports = imports
        self.folder = folder
        problems = Problems(document)
        if "parts" in document.data:
            problems.add(("parts",), "unknown key: the named parts of a tree belong under 'space'")
        self.sections: Sections = check(Sections, document.data, (), problems, ignored=("parts",))
        with self.importing():
            self._space_part = (
                read_space(document.data["space"], problems) if "space" in document.data else None
            )
            self._parts = self._read_parts(problems)
            evaluators = self._build_evaluators(problems)
            self._build_strategy(problems)
            space = self._build_space(evaluators, problems)
            problems.check()
            self._space = cast(SearchSpace, space)
            self._enqueued = read_enqueued(self.sections.enqueue, self._space, problems)
            self._callbacks = read_callbacks(self.sections.callbacks, problems)
            added = missing_costs(self.sections, evaluators, self.data)
            if added is not None:
                self._parts = {added.path: added, **self._parts}
            check_costs(self.sections, evaluators, self.data, problems)
            problems.check()

    @property
    def source(self) -> str:
        """The file's name as it was given."""
        return self._document.source

    @property
    def name(self) -> str:
        """The study's name."""
        return self.sections.study

    @property
    def store(self) -> str:
        """The database: the file's own, else ``$ARCHLOOM_STORE``, else ``sqlite:///archloom.db``."""
        return self.sections.store or default_store()

    @property
    def artifacts(self) -> Path | None:
        """The folder for weights and the like, a subfolder a study.

        By default it lies beside the store; ``None`` for a store that lives in memory only.
        """
        given = self.sections.artifacts
        folder = artifacts_beside(self.store, self.name, root=None if given is None else Path(given))
        return None if folder is None else folder.absolute()

    @property
    def data(self) -> tuple[Any, dict[str, Any]] | None:
        """The data set that networks are trained on, and its options; ``None`` where nothing names one."""
        for part in self._evaluators:
            options = part.example
            if part.name != "costs" and "data" not in part.searched and options.get("data") is not None:
                return options["data"], options.get("data_options") or {}
        return None

    @property
    def run_options(self) -> RunOptions:
        """What to call ``Study.run`` with."""
        budget = self.sections.budget
        return {
            "trials": budget.trials,
            "minutes": budget.minutes,
            "count": budget.count,
            "batch_size": self.sections.batch_size,
        }

    def executor(self) -> Executor | None:
        """Make the executor that the file asks for; ``None`` for evaluation in the process that proposes."""
        section = self.sections.executor
        if section.processes is None and not section.devices:
            return None
        return ProcessExecutor(section.processes, section.devices or [self.sections.device])

    @contextlib.contextmanager
    def importing(self) -> Iterator[None]:
        """Put the file's folder on the import path, as Python does for a script."""
        if not self._imports:
            yield
            return
        folder = str(self.folder)
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)

    @property
    def space(self) -> SearchSpace:
        """The search space."""
        return self._space

    @property
    def callbacks(self) -> tuple[Callback, ...]:
        """The file's own callbacks for ``Study.run``."""
        return tuple(self._callbacks)

    @property
    def enqueued(self) -> tuple[Choices, ...]:
        """The architectures that are tried first, as choices."""
        return tuple(self._enqueued)

    def where(self, architecture: Architecture, path: str = "") -> str:
        """Return where a part of a decoded architecture was written: ``file.yaml:12: space.layers.1.width``.

        Args:
            architecture: a point of the space.
            path: a symbolic path in its value, such as ``layers[1].width``; empty for the whole. In a
                space that is not written in the file each leads to the ``space`` key.
        """
        part = self._space_part
        keys = part.where(architecture, path) if isinstance(part, SpaceTree) else ("space",)
        return f"{self._document.place(keys).text}: {dotted(keys)}"

    def evaluators(self) -> list[Evaluator]:
        """Make the evaluators, a ``costs`` evaluator in front where one was added."""
        return cast(list[Evaluator], self._made(self._build_evaluators))

    def strategy(self) -> Strategy | GradientStrategy:
        """Make the strategy, new and knowing nothing."""
        return cast(Strategy | GradientStrategy, self._made(self._build_strategy)[0])

    def study(self, *, resume: bool = False, changes: Literal["refuse", "record"] = "refuse") -> Study:
        """Make the study this file describes, in its store.

        Args:
            resume: continue the study of that name instead of refusing to make a second.
            changes: refuse one that was begun under other terms, or record what has changed and go on.

        Raises:
            ConfigError: an objective or a constraint that no evaluator answers.
            StudyExistsError: the store has a study of that name and ``resume`` is false.
        """
        with self.importing():
            strategy, pruner = self._made(self._build_strategy)
            try:
                for device in self.sections.executor.devices:
                    check_device(device)
                study = Study(
                    self.space,
                    cast(Strategy | GradientStrategy, strategy),
                    self.evaluators(),
                    self.sections.objectives,
                    name=self.name,
                    store=self.store,
                    constraints=self.sections.constraints,
                    duplicates=self.sections.duplicates,
                    seed=self.sections.seed,
                    pruner=pruner,
                    device=self.sections.device,
                    artifacts=self.artifacts,
                    config=self.resolved(),
                    resume=resume,
                    changes=changes,
                    lease=self.sections.executor.lease,
                    retries=self.sections.executor.retries,
                )
                self._enqueue(study)
                return study
            except OtherTermsError as error:
                raise ConfigError(self._located_terms(error)) from error
            except SpaceError as error:
                raise ConfigError(self._located_space(str(error))) from error
            except (ConfigError, DataError) as error:
                raise type(error)(self._located(str(error))) from error
            except ArchloomError:
                raise
            except Exception as error:  # the user's own code, such as a function that loads data
                where = place(error)
                if not where:
                    raise
                path = evaluator_code(self._document, where.partition(":")[0])
                text = f"preparing it raised {raised(error)}"
                raise ConfigError(self._document.located(path, text)) from error

    def resolved(self) -> dict[str, Any]:
        """Return the file as plain JSON, overrides, defaults and the added costs evaluator included.

        The store is left out: its URL may hold a password, and who reads this has found it.
        """
        single = {
            str(path[0]): part.resolved() for path, part in self._parts.items() if path[0] != "evaluator"
        }
        if self._space_part is not None:
            single["space"] = self._space_part.resolved()
        parts = {**single, "evaluator": [part.resolved() for part in self._evaluators]}
        plain = self.sections.model_dump(exclude={"space", "strategy", "evaluator", "pruner", "store"})
        folder = {"folder": str(self.folder)}
        return dict(
            to_jsonable_python({**plain, **parts, **folder}, fallback=lambda value: type(value).__name__)
        )

    # ------------------------------------------------------------------ reading

    def _read_parts(self, problems: Problems) -> dict[KeyPath, Part]:
        """Check every named thing; return the sound ones by key path."""
        data = self._document.data
        evaluators = data.get("evaluator")
        rows: list[tuple[KeyPath, Any, Registry]] = [
            (("strategy",), data.get("strategy", DEFAULT_STRATEGY), STRATEGIES),
            (("evaluator",), evaluators, EVALUATORS),
            (("pruner",), data.get("pruner"), PRUNERS),
        ]
        if isinstance(evaluators, list):
            rows[1:2] = [(("evaluator", i), value, EVALUATORS) for i, value in enumerate(evaluators)]
            if not evaluators:
                problems.add(("evaluator",), "should name at least one evaluator, got []")
        parts: dict[KeyPath, Part] = {}
        for path, value, registry in rows:
            is_optional = path == ("pruner",) and value is None
            is_given = (path[0] in data or path == ("strategy",)) and not is_optional
            part = read_part(value, path, registry, problems) if is_given else None
            if part is not None:
                parts[path] = part
        return parts

    # ------------------------------------------------------------------ making

    def _made(self, build: Callable[[Problems], T]) -> T:
        problems = Problems(self._document)
        made = build(problems)
        problems.check()
        return made

    def _build_space(self, evaluators: Sequence[Evaluator | None], problems: Problems) -> SearchSpace | None:
        """Compile the space, with the decisions that stand among the options of evaluators."""
        part, settings = self._space_part, self._settings(evaluators, problems)
        value = None if part is None else part.build(problems)
        if part is None or value is None:
            return None
        try:
            space = value if isinstance(value, SearchSpace) else SearchSpace(value)
            if settings:
                space = space.with_settings(settings)
        except SpaceError as error:
            problems.add(part.path, str(error), cause=error)
            return None
        if not space.decisions:
            problems.add(part.path, _no_decision(part, value))
            return None
        return space

    def _settings(
        self, evaluators: Sequence[Evaluator | None], problems: Problems
    ) -> dict[str, Mapping[str, Any]]:
        """Return the decisions outside the network by owner; an owner may have one evaluator."""
        settings: dict[str, Mapping[str, Any]] = {}
        for part, evaluator in zip(self._evaluators, evaluators, strict=True):
            if not isinstance(evaluator, Tuned):
                continue
            if part.owner in settings:
                rule = f"decisions of another evaluator are called {part.owner!r} too"
                problems.add(part.path, f"{rule}: search the options of one of them")
            settings |= evaluator.settings
        return settings

    def _enqueue(self, study: Study) -> None:
        """Have the architectures tried that are in no trial yet: all in a new study, the added on resume."""
        if not self._enqueued:
            return
        space = study.space
        with study.store.transaction():
            study.store.lock(study.id)  # another process may be about to do the same
            known = {record.key for record in study.trials}
            for choices in self._enqueued:
                spelled = space.from_choices(choices).choices  # labels as text, as the store has them
                # A key is of the genotype or canonical, as the evaluators want it; the forms are never alike.
                if known.isdisjoint((space.key(spelled), space.key(spelled, is_canonical=False))):
                    study.enqueue(choices)

    def _build_strategy(self, problems: Problems) -> tuple[Strategy | GradientStrategy | None, Pruner | None]:
        strategy, pruner = self._parts.get(("strategy",)), self._parts.get(("pruner",))
        found = _typed(strategy, Strategy | GradientStrategy, problems)
        return found, _typed(pruner, Pruner, problems)

    def _build_evaluators(self, problems: Problems) -> list[Evaluator | None]:
        return [_typed(part, Evaluator, problems) for part in self._evaluators]

    @property
    def _evaluators(self) -> list[Part]:
        return [part for path, part in self._parts.items() if path[0] == "evaluator"]

    def _located_terms(self, error: OtherTermsError) -> str:
        """Put the place of the first change in front, each change named by its key in the file."""
        named = [(self._written(change.path), change) for change in error.changes]
        # What was put in front follows the rest; it is told of only where nothing else has changed.
        told = [(path, change) for path, change in named if path[:2] != ("evaluator", "costs")] or named
        changes = [change._replace(path=path) for path, change in told]
        at = changes[0].path if changes else ("space",)
        return self._document.located(at, str(OtherTermsError(error.study, changes)))

    def _written(self, path: KeyPath) -> KeyPath:
        """Return where the file has a key of the resolved configuration, whose evaluators are a list."""
        if path[0] == "evaluator" and len(path) > 1:
            return (*self._evaluators[int(path[1])].path, *path[2:])
        return path

    def _located_space(self, message: str) -> str:
        """Put the place of the part that a message names in front of it, or that of what it quotes."""
        part = self._space_part
        path = part.named(message) if isinstance(part, SpaceTree) else ("space",)
        if path == ("space",):
            path = blamed(self._document, message) or path
        return self._document.located(path, message)

    def _located(self, message: str) -> str:
        """Put the place and the key of what a message speaks of in front of it."""
        path = blamed(self._document, message)
        return self._document.located(path, message) if path else f"{self.source}: {message}"


def _typed(part: Part | None, kind: Any, problems: Problems) -> Any:
    """Make a part and check that it is what its key asks for."""
    value = None if part is None else part.build(problems)
    if part is None or value is None or isinstance(value, kind):
        return value
    is_function = kind is Evaluator and inspect.isroutine(part.target)
    advice = f"; {as_function(part.name)}" if is_function else ""
    article = "an" if kind is Evaluator else "a"
    name = getattr(kind, "__name__", "Strategy")  # or one that follows gradients
    problems.add(
        part.path,
        f"{part.name!r} should give {article} {name}, got {value!r:.80}{advice}",
    )
    return None


def _no_decision(part: Part | SpaceTree, value: Any) -> str:
    if isinstance(part, SpaceTree):
        words = "oneof, manyof, permutate or floatv, here or among the options of an evaluator"
        return f"there is nothing to decide: write {words} (a registered space is named by 'name')"
    rule = "should give a SearchSpace or a PyGlove value with decisions in it (pg.oneof, pg.floatv)"
    return f"{part.name!r} {rule}, got {value!r:.80}"

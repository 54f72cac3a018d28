# SPDX-License-Identifier: Apache-2.0
"""The YAML study file: read, checked, overridden, resolved, and turned into a ``Study``."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, cast, final

from pydantic_core import to_jsonable_python

from archloom.config._blame import blamed, evaluator_code
from archloom.config._document import Document, KeyPath, Problems, from_mapping, read
from archloom.config._options import check
from archloom.config._overrides import override
from archloom.config._parts import Part, as_function, read_part
from archloom.config._raised import place, raised
from archloom.config._sections import Sections
from archloom.contracts import Evaluator, Pruner, Strategy
from archloom.errors import ArchloomError, ConfigError, DataError, SpaceError
from archloom.evaluators import EVALUATORS
from archloom.objectives import parse_constraint
from archloom.registry import Registry
from archloom.search_spaces import SPACES, SearchSpace
from archloom.strategies import PRUNERS, STRATEGIES
from archloom.study import Study
from archloom.terms import artifacts_beside

DEFAULT_STORE = "sqlite:///archloom.db"
COSTS = frozenset({"params", "macs", "size_mb"})
T = TypeVar("T")
IMPORT_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


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

    Raises:
        ConfigError: all that is wrong with the file, one problem a line, each with file and line.
    """

    def __init__(self, document: Document, folder: Path):
        self._document = document
        self.folder = folder
        problems = Problems(document)
        self.sections: Sections = check(Sections, document.data, (), problems)
        with self.importing():
            self._parts = self._read_parts(problems)
            evaluators = self._build_evaluators(problems)
            self._build_strategy(problems)
            self._space = self._build_space(problems)
            problems.check()
            self._add_costs(evaluators)
            self._check_costs(evaluators, problems)
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
            options = part.resolved()
            if part.name != "costs" and options.get("data") is not None:
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

    @contextlib.contextmanager
    def importing(self) -> Iterator[None]:
        """Put the file's folder on the import path, as Python does for a script."""
        folder = str(self.folder)
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)

    @property
    def space(self) -> SearchSpace:
        """The search space."""
        return cast(SearchSpace, self._space)

    def evaluators(self) -> list[Evaluator]:
        """Make the evaluators, a ``costs`` evaluator in front where one was added."""
        return cast(list[Evaluator], self._made(self._build_evaluators))

    def study(self, *, resume: bool = False) -> Study:
        """Make the study this file describes, in its store.

        Args:
            resume: continue the study of that name instead of refusing to make a second.

        Raises:
            ConfigError: an objective or a constraint that no evaluator answers.
            StudyExistsError: the store has a study of that name and ``resume`` is false.
        """
        with self.importing():
            strategy, pruner = self._made(self._build_strategy)
            try:
                return Study(
                    self.space,
                    cast(Strategy, strategy),
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
                )
            except (ConfigError, DataError, SpaceError) as error:
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
            (("space",), data.get("space"), SPACES),
            (("strategy",), data.get("strategy"), STRATEGIES),
            (("evaluator",), evaluators, EVALUATORS),
            (("pruner",), data.get("pruner"), PRUNERS),
        ]
        if isinstance(evaluators, list):
            rows[2:3] = [(("evaluator", i), value, EVALUATORS) for i, value in enumerate(evaluators)]
            if not evaluators:
                problems.add(("evaluator",), "should name at least one evaluator, got []")
        parts: dict[KeyPath, Part] = {}
        for path, value, registry in rows:
            is_given = path[0] in data and (path != ("pruner",) or value is not None)
            part = read_part(value, path, registry, problems) if is_given else None
            if part is not None:
                parts[path] = part
        return parts

    def _add_costs(self, evaluators: Sequence[Evaluator | None]) -> None:
        """Put a ``costs`` evaluator in front where an objective or a constraint needs one.

        It measures the missing ones of ``params``, ``macs`` and ``size_mb`` on the data of the
        evaluator that trains. An evaluator that cannot say what it gives may give them itself.
        """
        gives = [evaluator.gives for evaluator in evaluators if evaluator is not None]
        words = {*self.sections.objectives, *re.findall(r"\w+", " ".join(self.sections.constraints))}
        missing = sorted((words & COSTS) - {name for names in gives for name in names or ()})
        if not missing or None in gives or self.data is None:
            return
        data, data_options = self.data
        options = {"metrics": missing, "data": data, "data_options": data_options or None}
        path = ("evaluator", "costs")
        self._parts = {path: Part(path, "costs", EVALUATORS.get("costs"), options), **self._parts}

    def _check_costs(self, evaluators: Sequence[Evaluator | None], problems: Problems) -> None:
        """Note a metric that nothing gives and that is nearest to a cost, which would have been added."""
        gives = [evaluator.gives for evaluator in evaluators if evaluator is not None]
        if None in gives or self.data is None:
            return
        given = {name for names in gives for name in names or ()}
        short = {name.removeprefix("validation/") for name in given}
        for path, metric in self._metrics():
            near = difflib.get_close_matches(metric, sorted(short | COSTS), n=1)
            if metric not in given | short | COSTS and near and near[0] in COSTS:
                problems.add(path, f"no evaluator gives a metric {metric!r}; did you mean {near[0]!r}?")

    def _metrics(self) -> Iterator[tuple[KeyPath, str]]:
        """Yield every metric that is searched on, with the key it stands at."""
        for index, text in enumerate(self.sections.constraints):
            with contextlib.suppress(ConfigError):  # the study says what is wrong with it
                yield ("constraints", index), parse_constraint(text).metric
        for metric in self.sections.objectives:
            yield ("objectives", metric), metric

    # ------------------------------------------------------------------ making

    def _made(self, build: Callable[[Problems], T]) -> T:
        problems = Problems(self._document)
        made = build(problems)
        problems.check()
        return made

    def _build_space(self, problems: Problems) -> SearchSpace | None:
        part = self._parts.get(("space",))
        value = None if part is None else part.build(problems)
        if part is None or value is None:
            return None
        try:
            space = value if isinstance(value, SearchSpace) else SearchSpace(value)
        except SpaceError as error:
            problems.add(part.path, str(error), cause=error)
            return None
        if not space.decisions:
            rule = "should give a SearchSpace or a PyGlove value with decisions in it (pg.oneof, pg.floatv)"
            problems.add(part.path, f"{part.name!r} {rule}, got {value!r:.80}")
            return None
        return space

    def _build_strategy(self, problems: Problems) -> tuple[Strategy | None, Pruner | None]:
        strategy, pruner = self._parts.get(("strategy",)), self._parts.get(("pruner",))
        return _typed(strategy, Strategy, problems), _typed(pruner, Pruner, problems)

    def _build_evaluators(self, problems: Problems) -> list[Evaluator | None]:
        return [_typed(part, Evaluator, problems) for part in self._evaluators]

    @property
    def _evaluators(self) -> list[Part]:
        return [part for path, part in self._parts.items() if path[0] == "evaluator"]

    def _located(self, message: str) -> str:
        """Put the place and the key of what a message speaks of in front of it."""
        path = blamed(self._document, message)
        return self._document.located(path, message) if path else f"{self.source}: {message}"


def load(path: str | Path, overrides: Sequence[str] = ()) -> StudyFile:
    """Read and check a study file.

    Args:
        path: the YAML file.
        overrides: ``key.path=value`` each, such as ``budget.trials=3`` or ``strategy=random``; the
            values are YAML.

    Raises:
        ConfigError: all that is wrong with it, one problem a line, each with file and line.
    """
    document = read(Path(path))
    override(document, overrides)
    return StudyFile(document, Path(path).absolute().parent)


def locate(path: str | Path) -> tuple[str, str]:
    """Return the study's name and the store of a study file, without importing what it names.

    Raises:
        ConfigError: the file cannot be read, or its keys are wrong.
    """
    document = read(Path(path))
    problems = Problems(document)
    sections = check(Sections, document.data, (), problems)
    problems.check()
    return sections.study, sections.store or default_store()


def restore(config: Mapping[str, Any], *, source: str, trusted: Sequence[str] = ()) -> StudyFile:
    """Make the study file of a study again from the configuration kept in its store.

    Args:
        config: what ``StudyFile.resolved`` gave.
        source: names the study in messages.
        trusted: the import paths that may be imported; ``["*"]`` for all.

    Raises:
        ConfigError: it names an import path that is not trusted. What a database says is shown, never
            imported unasked.
    """
    data = dict(config)
    folder = Path(data.pop("folder", "."))
    strange = sorted(import_paths(data) - set(trusted))
    if strange and "*" not in trusted:
        raise ConfigError(
            f"{source}: the database asks to import {', '.join(strange)} (folder {folder}): "
            "if you trust it, say so with --trust"
        )
    return StudyFile(from_mapping(data, source), folder)


def import_paths(config: Any) -> set[str]:
    """Return every import path (``package.module:attribute``) that a configuration names.

    >>> sorted(import_paths({"space": {"name": "my.net:space", "nodes": 3}, "strategy": "random"}))
    ['my.net:space']
    """
    if isinstance(config, str):
        return {config} if IMPORT_PATH.fullmatch(config) else set()
    if isinstance(config, Mapping):
        config = [value for key, value in config.items() if key != "device"]
    if isinstance(config, list):
        return {path for value in config for path in import_paths(value)}
    return set()


def default_store() -> str:
    """Return the store where none is named: ``$ARCHLOOM_STORE``, else ``sqlite:///archloom.db``."""
    return os.environ.get("ARCHLOOM_STORE") or DEFAULT_STORE


def _typed(part: Part | None, kind: type, problems: Problems) -> Any:
    """Make a part and check that it is what its key asks for."""
    value = None if part is None else part.build(problems)
    if part is None or value is None or isinstance(value, kind):
        return value
    is_function = kind is Evaluator and inspect.isroutine(part.target)
    advice = f"; {as_function(part.name)}" if is_function else ""
    article = "an" if kind is Evaluator else "a"
    problems.add(part.path, f"{part.name!r} should give {article} {kind.__name__}, got {value!r:.80}{advice}")
    return None

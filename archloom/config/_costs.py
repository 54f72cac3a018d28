# SPDX-License-Identifier: Apache-2.0
"""The ``costs`` evaluator that is put in front where an objective or a constraint needs one."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from archloom.config._document import KeyPath, Problems
from archloom.config._parts import Part
from archloom.config._sections import Sections
from archloom.contracts import Evaluator
from archloom.errors import ConfigError
from archloom.evaluators import EVALUATORS
from archloom.objectives import parse_constraint

COSTS = frozenset({"params", "macs", "size_mb"})

Data = tuple[Any, dict[str, Any]] | None
Evaluators = Sequence[Evaluator | None]


def missing_costs(sections: Sections, evaluators: Evaluators, data: Data) -> Part | None:
    """Return an evaluator of the missing ones of ``params``, ``macs`` and ``size_mb``, if any is.

    It measures on the data of the evaluator that trains. An evaluator that cannot say what it gives
    may give them itself.
    """
    gives = [evaluator.gives for evaluator in evaluators if evaluator is not None]
    words = {*sections.objectives, *re.findall(r"\w+", " ".join(sections.constraints))}
    missing = sorted((words & COSTS) - {name for names in gives for name in names or ()})
    if not missing or None in gives or data is None:
        return None
    source, data_options = data
    options = {"metrics": missing, "data": source, "data_options": data_options or None}
    return Part(("evaluator", "costs"), "costs", EVALUATORS.get("costs"), options)


def check_costs(sections: Sections, evaluators: Evaluators, data: Data, problems: Problems) -> None:
    """Note a metric that nothing gives and that is nearest to a cost, which would have been added."""
    gives = [evaluator.gives for evaluator in evaluators if evaluator is not None]
    if None in gives or data is None:
        return
    given = {name for names in gives for name in names or ()}
    short = {name.removeprefix("validation/") for name in given}
    for path, metric in _metrics(sections):
        near = difflib.get_close_matches(metric, sorted(short | COSTS), n=1)
        if metric not in given | short | COSTS and near and near[0] in COSTS:
            problems.add(path, f"no evaluator gives a metric {metric!r}; did you mean {near[0]!r}?")


def _metrics(sections: Sections) -> Iterator[tuple[KeyPath, str]]:
    """Yield every metric that is searched on, with the key it stands at."""
    for index, text in enumerate(sections.constraints):
        with contextlib.suppress(ConfigError):  # the study says what is wrong with it
            yield ("constraints", index), parse_constraint(text).metric
    for metric in sections.objectives:
        yield ("objectives", metric), metric

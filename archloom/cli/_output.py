# SPDX-License-Identifier: Apache-2.0
"""Results as JSON, YAML and CSV on stdout. No NaN and no infinity: they become null."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from archloom.cli._words import inert, ordered

if TYPE_CHECKING:
    from archloom.contracts import Objective
    from archloom.store import TrialRecord

_STEERING = re.compile(r"[\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters that JSON leaves as they are, and marks that turn text around."""

Format = Literal["table", "json", "yaml", "csv"]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How results are written on stdout.")]


def trial_row(trial: TrialRecord, objectives: Sequence[Objective]) -> dict[str, Any]:
    """Describe a trial as plain JSON."""
    return {
        "number": trial.number,
        "state": str(trial.state),
        "architecture": trial.text,
        "choices": ordered(trial.choices),
        "objectives": {o.metric: v for o, v in zip(objectives, trial.values, strict=False)},
        "metrics": dict(trial.metrics),
        "violation": trial.violation,
        "is_pareto": trial.is_pareto,
        "reused_from": trial.reused_from,
        "reason": trial.reason,
        "seed": trial.seed,
        "fidelity": trial.fidelity,
        "seconds": trial.seconds,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
        "artifacts": dict(trial.artifacts),
        "excluded": trial.excluded,
        "n_lost": trial.n_lost,
        "worker": trial.worker,
    }


def objective_rows(objectives: Sequence[Objective]) -> list[dict[str, str]]:
    """Describe objectives as plain JSON."""
    return [{"metric": o.metric, "direction": o.direction} for o in objectives]


def write(data: Any, form: Format, rows: Sequence[Mapping[str, Any]], *, header: Sequence[str] = ()) -> None:
    """Write a result to stdout; CSV writes its ``rows``, a line each, and ``header`` where there is none."""
    if form == "csv":
        _write_csv(rows or [dict.fromkeys(header)], n=len(rows))
    elif form == "yaml":
        from ruamel.yaml import YAML

        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = False
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        text = io.StringIO()
        yaml.dump(finite(data), text)
        _put(text.getvalue())
    else:
        text_of = json.dumps(finite(data), indent=2, ensure_ascii=False, allow_nan=False, default=str)
        # Inside JSON's strings, which is where they can stand, these are the same when escaped.
        typer.echo(_STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text_of))


def _put(text: str) -> None:
    """Write text to stdout; to a terminal without what would steer it."""
    typer.echo(inert(text, keep="\n") if sys.stdout.isatty() else text, nl=False)


def finite(value: Any) -> Any:
    """Return plain data with ``None`` for every NaN and infinity.

    >>> finite({"loss": float("nan"), "curve": [1.0, float("inf")]})
    {'loss': None, 'curve': [1.0, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def _write_csv(rows: Sequence[Mapping[str, Any]], *, n: int) -> None:
    """Write a header and one line for each of ``n`` rows; decisions and metrics become columns of their own.

    Objectives are left out: they are among the metrics.
    """
    columns: dict[tuple[str, str], str] = {}
    for row in rows:
        for key, value in row.items():
            if key == "objectives":
                continue
            inner = value if isinstance(value, Mapping) else {"": None}
            columns.update({(key, name): name or key for name in inner})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if columns:
        writer.writerow([_guarded(name) for name in columns.values()])
    for row in rows[:n]:
        writer.writerow([_cell(row.get(key), name) for key, name in columns])
    _put(text.getvalue())


def _cell(value: Any, name: str) -> Any:
    cell = spelled(finite(value.get(name) if isinstance(value, Mapping) else value))
    return _guarded(cell) if isinstance(cell, str) else cell


def _guarded(text: str) -> str:
    """Return text as a cell that no spreadsheet runs as a formula: such a one begins with an apostrophe."""
    from archloom.store.exchange.cells import guarded

    return guarded(text) if text else text


def spelled(value: Any) -> Any:
    """Write what is no number and no text as a cell: a list with bars, anything else as JSON.

    >>> spelled([8, 16]), spelled(True), spelled({"a": [1]}), spelled(0.5), spelled(["relu", [1, 2]])
    ('8 | 16', 'true', '{"a": [1]}', 0.5, 'relu | [1, 2]')
    """
    if isinstance(value, list):
        return " | ".join(item if isinstance(item, str) else _json(item) for item in value)
    return _json(value) if isinstance(value, bool | Mapping) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)

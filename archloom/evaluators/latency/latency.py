# SPDX-License-Identifier: Apache-2.0
"""How long a network takes to answer, known before it is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from archloom.contracts import Architecture, Evaluator, Metrics, Trial
from archloom.errors import ConfigError
from archloom.evaluators.options import MAX_THREADS

__all__ = ["Latency"]


class Way(Protocol):
    """One way to know a latency."""

    @property
    def gives(self) -> tuple[str, ...]:
        """The metrics it returns."""

    def prepare(self, space: Any) -> None:
        """Check that the space fits and load what is shared by all trials."""

    def measure(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Measure one architecture."""

    def conditions(self) -> Mapping[str, str]:
        """Say what the numbers depend on beside the architecture."""


_SHAPE = {"data", "data_options", "input_shape", "n_outputs", "batch_size"}
_TAKES = {
    "the clock": _SHAPE | {"n_warmup", "n_repeats", "min_seconds", "n_threads"},
    "table": {"table"},
    "command": _SHAPE | {"command", "timeout", "n_runs"},
}
_LEAST = {
    "batch_size": 1,
    "n_outputs": 1,
    "n_warmup": 0,
    "n_repeats": 1,
    "n_threads": 1,
    "n_runs": 1,
    "min_seconds": 0.0,
    "timeout": 0.0,
}


class Latency(Evaluator):
    """Gives ``latency_ms``, so that a constraint on it keeps a slow network from being trained.

    There are three ways to know it, and each is trusted for something else:

    * **By the clock**, without ``table`` and ``command``: the network is built with fresh weights and timed
      on the trial's device; ``latency_ms`` is the median of the passes, ``latency_ms_iqr`` their
      inter-quartile range. It is the truth about this machine while nothing else runs on it, and about
      no other; two measurements of a network differ, so a network near the limit may fall on
      either side. A spread that is not small beside the median says that the machine was busy.
    * **From a table** of operations: a sum, exact to repeat and quick enough for every point of a space. It
      ranks networks well where operations run one after the other and were measured on the device with the
      shapes that they have in the network; it knows nothing of what a compiler fuses, of caches,
      and of branches that run side by side.
    * **By a command** that times the whole network on the device itself: the truth about the device, at the
      price of seconds a network. Put a ``costs`` evaluator before it to keep hopeless ones away.

    **The table** has a column ``choice`` (the label of a candidate) and a column ``latency_ms``. With a
    column ``decision``, a row counts for the decisions of that name only, where ``*`` stands for any text
    (``cell.nodes[*].op``) and an empty cell for every decision. Of several rows for one choice the most
    specific counts: a full name before a pattern, then the pattern with more characters beside its ``*``.
    The choice ``(base)`` is paid by every network. ``latency_ms`` is the sum over the active decisions that
    the table speaks of, once a decision: what a network uses in three cells is measured in three cells. A
    decision is spoken of if it is named in full or has a candidate that a row prices; each of its
    candidates must then have a row, which is checked before the first trial. Rows for choices that the
    space does not have are left aside.

    **The command** gets the path of ``model.pt2`` as its last word: a ``torch.export`` program
    (``torch.export.load(path).module()``), with ``architecture.json`` beside it (``choices``, ``text``,
    ``input_shape``, ``n_outputs``, ``batch_size``). No shell is involved; ``python`` is the interpreter that
    runs the search. The last line that it prints must be the milliseconds (``12.3`` or ``12.3 ms``). A
    failure, words, a negative number, or a run longer than ``timeout`` fails the trial; the study goes on.

    A table, a program and a script are looked for in the current folder, then beside the study file; a
    table also in the folder that ``ARCHLOOM_DATA`` names.

    Args:
        data: the data set whose input shape and number of outputs the networks get, as for ``training``.
        data_options: the data set's options.
        input_shape: instead of ``data``: one sample's shape, ``[channels, height, width]``.
        n_outputs: with ``input_shape``: how wide the output is; 10 by default.
        table: a ``.csv``, ``.csv.gz`` or ``.parquet`` file of operations; takes no other option.
        command: a program with its arguments, as one line or as a list of words.
        batch_size: samples in a forward pass; 1 by default.
        n_warmup: by the clock: passes before it runs; 10 by default.
        n_repeats: by the clock: passes that are timed; 50 by default.
        min_seconds: by the clock: go on until this much time was measured; 0 by default.
        n_threads: by the clock: CPU threads that torch computes with; 1 by default.
        timeout: of the command: seconds until it is killed, with all that it has started; 60 by default.
        n_runs: of the command: runs, 1 by default; of several, the median and ``latency_ms_iqr`` are given.

    Raises:
        ConfigError: options of two ways together, or a number out of its range; (in ``prepare``) a program
            that is missing or may not be executed, a table's column that is missing.
        DataError: (in ``prepare``) a table that is missing, malformed or does not fit the space.

    Example:
        >>> Latency(input_shape=[3, 32, 32], n_repeats=20).gives
        ('latency_ms', 'latency_ms_iqr')
        >>> Latency(table="ops.csv").gives
        ('latency_ms',)
    """

    is_cheap = True

    def __init__(
        self,
        *,
        data: str | Any | None = None,
        data_options: dict[str, Any] | None = None,
        input_shape: list[int] | None = None,
        n_outputs: int | None = None,
        table: str | None = None,
        command: str | list[str] | None = None,
        batch_size: int | None = None,
        n_warmup: int | None = None,
        n_repeats: int | None = None,
        min_seconds: float | None = None,
        n_threads: int | None = None,
        timeout: float | None = None,
        n_runs: int | None = None,
    ):
        options = {
            "data": data,
            "data_options": data_options,
            "input_shape": input_shape,
            "n_outputs": n_outputs,
            "table": table,
            "command": command,
            "batch_size": batch_size,
            "n_warmup": n_warmup,
            "n_repeats": n_repeats,
            "min_seconds": min_seconds,
            "n_threads": n_threads,
            "timeout": timeout,
            "n_runs": n_runs,
        }
        self._way = _way({name: value for name, value in options.items() if value is not None})
        self.gives = self._way.gives

    def prepare(self, space: Any) -> None:
        """Read the table, find the program, or read the shapes off the data."""
        self._way.prepare(space)

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Measure one architecture.

        Raises:
            SpaceError: its network cannot be built, run or written; the message names it.
            ArchloomError: the command fails.
        """
        return self._way.measure(architecture, trial)

    @property
    def is_vectorised(self) -> bool:
        """With a table."""
        from archloom.evaluators.latency.table import OperationTable

        return isinstance(self._way, OperationTable)

    def evaluate_many(self, architectures: Sequence[Architecture], trials: Sequence[Trial]) -> list[Metrics]:
        """Measure several; with a table, by one look-up in an array."""
        from archloom.evaluators.latency.table import OperationTable

        if isinstance(self._way, OperationTable):
            return self._way.measure_many(architectures, trials)
        return super().evaluate_many(architectures, trials)

    def conditions(self) -> Mapping[str, str]:
        """Name the devices and settings, the table and its hash, or the command."""
        return self._way.conditions()


def _way(given: Mapping[str, Any]) -> Way:
    """Make the one way that the options given belong to."""
    name = _name_of_way(given)
    for option, value in given.items():
        least = _LEAST.get(option)
        if least is None:
            continue
        is_above = value > least if option == "timeout" else value >= least
        if not (is_above and math.isfinite(value)):
            bound = "above 0" if option == "timeout" else f"{least:g} or more"
            raise ConfigError(f"{option} must be {bound}, got {value!r}")
        if option == "n_threads" and value > MAX_THREADS:
            raise ConfigError(f"n_threads must be {MAX_THREADS} or fewer, got {value!r}")
    if name == "table":
        from archloom.evaluators.latency.table import OperationTable

        return OperationTable(given["table"])
    from archloom.evaluators.shapes import ShapeSource

    shape = {"n_outputs": 10, **{k: v for k, v in given.items() if k in _SHAPE and k != "batch_size"}}
    source = ShapeSource(owner="latency", **shape)
    batch_size = given.get("batch_size", 1)
    if name == "command":
        from archloom.evaluators.latency.command import DeviceCommand

        return DeviceCommand(
            given["command"],
            timeout=given.get("timeout", 60.0),
            n_runs=given.get("n_runs", 1),
            source=source,
            batch_size=batch_size,
        )
    from archloom.evaluators.latency.stopwatch import Stopwatch

    return Stopwatch(
        source,
        batch_size,
        n_warmup=given.get("n_warmup", 10),
        n_repeats=given.get("n_repeats", 50),
        min_seconds=given.get("min_seconds", 0.0),
        n_threads=given.get("n_threads", 1),
    )


def _name_of_way(given: Mapping[str, Any]) -> str:
    if "table" in given and "command" in given:
        raise ConfigError(
            "latency is looked up in a table, or asked of a command, or (with neither) measured here; "
            "got both table and command"
        )
    name = next((word for word in ("table", "command") if word in given), "the clock")
    for option in given:
        if option not in _TAKES[name]:
            raise ConfigError(
                f"latency by {name} does not take {option}, which belongs to latency by "
                f"{' or '.join(way for way, takes in _TAKES.items() if option in takes)}"
            )
    return name

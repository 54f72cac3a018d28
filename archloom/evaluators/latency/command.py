# SPDX-License-Identifier: Apache-2.0
"""Latency by a program of the user's: a model goes in, milliseconds come out."""

from __future__ import annotations

import math
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from archloom.contracts import Architecture, Metrics, Trial
from archloom.errors import ArchloomError, ConfigError
from archloom.evaluators.latency.model import write_model
from archloom.evaluators.latency.places import beside_study
from archloom.evaluators.latency.process import Ended, run_to_end
from archloom.evaluators.latency.stopwatch import median_and_spread
from archloom.evaluators.shapes import ShapeSource

__all__ = ["DeviceCommand", "milliseconds", "words_of"]


@final
class DeviceCommand:
    """Runs a command with the path of ``model.pt2`` as its last word.

    Args:
        command: one line, cut into words as a shell would, or the words; no shell is involved.
        timeout: seconds that one run may take.
        n_runs: runs of the command; of several the median counts.
        source: tells the shape of the networks.
        batch_size: samples in the model's input.

    Raises:
        ConfigError: the command is empty or has an open quotation.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        timeout: float,
        n_runs: int,
        source: ShapeSource,
        batch_size: int,
    ):
        self.gives = ("latency_ms",) if n_runs == 1 else ("latency_ms", "latency_ms_iqr")
        self._words = words_of(command)
        self._timeout = timeout
        self._n_runs = n_runs
        self._source = source
        self._batch_size = batch_size
        self._argv: list[str] | None = None

    def prepare(self, space: Any) -> None:
        """Find the program and read the shapes off the data; nothing is run.

        Raises:
            ConfigError: there is no such program, or it may not be executed.
        """
        del space
        self._argv = _found(self._words)
        self._source.shape()

    def measure(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Write the model to a folder that is removed afterwards, and run the command on it.

        Raises:
            SpaceError: the network cannot be built or written.
            ArchloomError: the command fails, takes too long, or prints no number.
        """
        argv = self._argv or _found(self._words)
        with tempfile.TemporaryDirectory(prefix="archloom-") as folder:
            model = write_model(
                architecture,
                self._source.shape(),
                Path(folder),
                batch_size=self._batch_size,
                seed=trial.seed,
            )
            times = [
                milliseconds(run_to_end([*argv, str(model)], self._timeout), self._words)
                for _ in range(self._n_runs)
            ]
        return dict(zip(self.gives, median_and_spread(np.array(times)), strict=False))

    def conditions(self) -> dict[str, str]:
        """Name the command, and what wrote the model."""
        return {
            "command": shlex.join(self._argv or self._words),
            "batch_size": str(self._batch_size),
            "n_runs": str(self._n_runs),
            "torch": str(torch.__version__),
        }


def words_of(command: str | Sequence[str]) -> list[str]:
    """Cut a command into words.

    >>> words_of("./bench --cores 'big ones'")
    ['./bench', '--cores', 'big ones']

    Raises:
        ConfigError: there are none, or a quotation is not closed.
    """
    try:
        words = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError as error:
        raise ConfigError(f"command {command!r} cannot be cut into words: {error}") from None
    if not words or not words[0]:
        raise ConfigError(f"command must name a program, as in './bench_on_device'; got {command!r}")
    return words


_NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*(ms)?", re.ASCII)


def milliseconds(ended: Ended, words: Sequence[str]) -> float:
    """Read the number off the last line that a command has printed: ``12.3`` or ``12.3 ms``.

    >>> milliseconds(Ended(0, ["warming up", "12.3 ms"], []), ["./bench"])
    12.3

    Raises:
        ArchloomError: it failed, or printed something else, or a number below zero or not finite.
    """
    name = shlex.join(words)
    told = f"; its standard error ends: {ended.errors[-1]:.200}" if ended.errors else ""
    if ended.code:
        how = f"exit code {ended.code}" if ended.code > 0 else f"signal {-ended.code}"
        raise ArchloomError(f"{name} ended with {how}{told}")
    if not ended.out:
        raise ArchloomError(f"{name} printed nothing; its last line must be milliseconds, like 12.3{told}")
    line = ended.out[-1]
    ms = float(line.removesuffix("ms")) if _NUMBER.fullmatch(line) else -1.0
    if not math.isfinite(ms) or ms < 0:
        raise ArchloomError(
            f"the last line that {name} prints must be milliseconds, finite and 0 or more, like 12.3 or "
            f"12.3 ms; got {line!r:.200}{told}"
        )
    return ms


def _found(words: Sequence[str]) -> list[str]:
    """Return the words with the program, and files beside the study, as paths."""
    program, *arguments = words
    program = sys.executable if program == "python" else _program(program)
    arguments = [beside_study(word) for word in arguments]
    for word in arguments:
        if word.endswith(".py") and not Path(word).is_file():
            raise ConfigError(f"command {shlex.join(words)!r}: there is no script {word!r}, {_looked()}")
    return [program, *arguments]


def _program(word: str) -> str:
    if os.sep not in word:
        found = shutil.which(word)
        if found is None:
            is_here = Path(beside_study(word)).is_file()
            advice = f"; write './{word}' for the file" if is_here else ""
            raise ConfigError(f"command: there is no program {word!r} on the PATH{advice}")
        return found
    path = Path(beside_study(word)).expanduser()
    if not path.is_file():
        raise ConfigError(f"command: there is no program {word!r}, {_looked()}")
    if not os.access(path, os.X_OK):
        raise ConfigError(f"command: {word!r} may not be executed; say `chmod +x {shlex.quote(str(path))}`")
    return str(path.absolute())


def _looked() -> str:
    return f"neither in {Path.cwd()} nor beside the study file"

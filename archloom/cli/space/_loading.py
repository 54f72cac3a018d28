# SPDX-License-Identifier: Apache-2.0
"""The search space that a command means: of a study file, registered, or by import path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._complete import complete_space

if TYPE_CHECKING:
    from archloom.config import StudyFile
    from archloom.evaluators.networks import Shaped

SpaceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPACE",
        help="A study file, a registered space (see 'search spaces'), or an import path.",
        show_default=False,
        autocompletion=complete_space,
    ),
]
OptionsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE",
        help="Overrides of the study file (space.layers=2), or options of the named space (layers=2).",
        show_default=False,
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Of the random choices.")]


def loaded(source: str, options: Sequence[str]) -> StudyFile:
    """Return the study file that describes a space; one is made up around a space that is named.

    Raises:
        ConfigError: all that is wrong with it.
    """
    from archloom import config

    if source.endswith((".yaml", ".yml")):
        return config.load(source, options)
    from archloom.config._document import from_mapping
    from archloom.config._overrides import override

    around = {  # the least that makes a study file whole; nothing of it is ever run
        "study": "space",
        "space": {"name": source},
        "strategy": "random",
        "evaluator": {"name": "function", "function": "builtins:len"},
        "objectives": {"value": "maximize"},
        "budget": {"trials": 1},
    }
    document = from_mapping(around, source)
    override(document, [f"space.{text}" for text in options])
    return config.StudyFile(document, Path().absolute())


def shape_of(study_file: StudyFile, input_shape: str | None, n_outputs: int) -> Shaped:
    """Return what networks must fit: as given, else that of the study's data, or of any evaluator.

    Raises:
        ConfigError: not a shape, or none is given and no evaluator names data or a shape.
    """
    from archloom.errors import ConfigError
    from archloom.evaluators import load_splits
    from archloom.evaluators.networks import NetworkShape

    if input_shape is not None:
        return NetworkShape(_numbers(input_shape), n_outputs)
    if study_file.data is not None:
        return load_splits(*study_file.data)
    for options in study_file.resolved()["evaluator"]:  # those that train nothing
        if isinstance(options.get("data"), str):
            return load_splits(options["data"], options.get("data_options") or {})
        if isinstance(options.get("input_shape"), list):
            return NetworkShape(tuple(options["input_shape"]), options.get("n_outputs") or n_outputs)
    raise ConfigError(
        f"{study_file.source}: no evaluator names data or an input_shape to check against: "
        "give it, as in --input-shape 1,8,8 --n-outputs 10"
    )


def _numbers(text: str) -> tuple[int, ...]:
    from archloom.errors import ConfigError

    words = text.replace("x", ",").split(",")
    if not all(word.strip().isdecimal() and int(word) > 0 for word in words):
        raise ConfigError(f"--input-shape is the shape of one sample, such as 1,8,8 or 64; got {text!r}")
    return tuple(map(int, words))

# SPDX-License-Identifier: Apache-2.0
"""Optuna's samplers by name: which there are, which options they take, and how one is made."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from typing import Any, final

import optuna.samplers
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseGASampler, BaseSampler, RandomSampler
from optuna.study import StudyDirection

from archloom.errors import ConfigError, MissingExtraError, UnknownNameError, did_you_mean
from archloom.strategies.adapters.optuna_memory import Memory

__all__ = ["SAMPLERS", "SamplerMaker", "options_of", "sampler_class"]

SAMPLERS = ("GPSampler", "NSGAIIISampler", "NSGAIISampler", "QMCSampler", "RandomSampler", "TPESampler")

_REFUSED = {
    "BruteForceSampler": "the strategy 'grid' tries every architecture once",
    "CmaEsSampler": (
        "it moves only floats, and keeps its state in the trials that it proposes, where a history of "
        "results does not have it"
    ),
    "GridSampler": "the strategy 'grid' tries every architecture once",
    "PartialFixedSampler": "give the decision that is fixed one candidate in the space",
}
"""Samplers of Optuna that are none of ours, and why."""

_FOREIGN = {
    "seed": "the study has a seed",
    "constraints_func": "the study has constraints",
    "independent_sampler": "a sampler carries a generator along, which a history does not have",
    "after_trial_strategy": "trials end in the study",
}
"""Options of samplers that are not taken, and why."""

_NEEDS = {"GPSampler": "scipy", "QMCSampler": "scipy"}
"""Libraries that Optuna itself does not bring, and would miss only in the midst of a study."""

_CHATTER = "warn_independent_sampling"


@final
class SamplerMaker:
    """Makes samplers of one class, each with a seed of its own.

    Args:
        name: of a class of ``optuna.samplers``.
        options: the class's own.

    Raises:
        UnknownNameError: no such sampler, and the nearest name, or one that cannot be had, and why.
        ConfigError: an option that cannot be had, and why.
        MissingExtraError: the sampler needs a library that is not installed.
    """

    def __init__(self, name: str, options: Mapping[str, Any]):
        self._class = sampler_class(name)
        self._options = _checked(self._class, options)
        self.is_genetic = issubclass(self._class, BaseGASampler)
        self.is_sequence = name == "QMCSampler"
        self.heeds_running = name in ("TPESampler", "GPSampler")
        self.n_startup = self._read_n_startup(self(0, 0))

    def __call__(self, seed: int, sequence_seed: int) -> BaseSampler:
        """Make a sampler.

        Args:
            seed: where its randomness comes from.
            sequence_seed: shared by all samplers that continue one scrambled sequence.
        """
        make: Callable[..., BaseSampler] = self._class
        seeds: dict[str, Any] = {"seed": seed}
        if self.is_sequence:
            seeds = {"seed": sequence_seed, "independent_sampler": RandomSampler(seed=seed)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            try:
                return make(**seeds, **self._options)
            except (TypeError, ValueError) as error:
                raise ConfigError(f"{self._class.__name__}: {error}") from error

    def generation_name(self) -> str:
        """Return the name under which a genetic sampler notes a trial's generation: it is asked for one."""
        sampler = self(0, 0)
        assert isinstance(sampler, BaseGASampler)
        memory = Memory([StudyDirection.MINIMIZE])
        study = memory.study(sampler)
        trial = memory.get_trial(memory.create_new_trial(0))
        sampler.get_trial_generation(study, trial)
        return str(next(iter(trial.system_attrs)))

    def _read_n_startup(self, sampler: BaseSampler) -> int:
        if isinstance(sampler, BaseGASampler):
            return sampler.population_size or 1
        known = options_of(self._class)
        default = known["n_startup_trials"].default if "n_startup_trials" in known else 0
        return int(self._options.get("n_startup_trials", default))


def sampler_class(name: str) -> type[BaseSampler]:
    """Return a class of ``optuna.samplers``.

    Raises:
        UnknownNameError: no such sampler, and the nearest name, or one that cannot be had, and why.
        MissingExtraError: the sampler needs a library that is not installed.
    """
    if name in _REFUSED:
        raise UnknownNameError(f"Optuna's {name} is no strategy here: {_REFUSED[name]}")
    if name not in SAMPLERS:
        raise UnknownNameError(f"{name!r} is not one of Optuna's samplers{did_you_mean(name, SAMPLERS)}")
    if name in _NEEDS and find_spec(_NEEDS[name]) is None:
        missing = _NEEDS[name]
        raise MissingExtraError(f"{name} needs {missing!r}, which is not installed: pip install {missing}")
    found: type[BaseSampler] = getattr(optuna.samplers, name)
    return found


def options_of(sampler: type[BaseSampler]) -> dict[str, inspect.Parameter]:
    """Return the options that a sampler takes here, by name.

    By default it does not tell of every decision that a conditional space makes it draw at random.
    """
    known = {name: one for name, one in inspect.signature(sampler).parameters.items() if name not in _FOREIGN}
    if _CHATTER in known and known[_CHATTER].default is True:
        known[_CHATTER] = known[_CHATTER].replace(default=False)
    return known


def _checked(sampler: type[BaseSampler], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options to make a sampler with."""
    known = options_of(sampler)
    _refuse_unknown(sampler.__name__, options, known)
    is_quiet = _CHATTER in known and known[_CHATTER].default is False
    return {_CHATTER: False, **options} if is_quiet else dict(options)


def _refuse_unknown(name: str, options: Iterable[str], known: Iterable[str]) -> None:
    for option in options:
        if option in _FOREIGN:
            raise ConfigError(f"{name} takes no {option!r} here: {_FOREIGN[option]}")
        if option not in known:
            raise ConfigError(f"{name} has no option {option!r}{did_you_mean(option, known)}")

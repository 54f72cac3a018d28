# SPDX-License-Identifier: Apache-2.0
"""An Optuna storage of one problem, whose running trials can be taken back.

Optuna's own storages only ever grow. A strategy must look at the same trials after a crash as before it:
those that have finished, in the order in which they did, and then those on their way.
"""

from __future__ import annotations

import copy
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn, final

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

__all__ = ["Memory", "Parameters", "frozen"]

Parameters = tuple[Mapping[str, Any], Mapping[str, BaseDistribution]]
"""A point as Optuna has it: name to value, and name to distribution."""

NAME = "archloom"
STUDY = 0
EPOCH = datetime(2000, 1, 1)
"""When all trials take place: no sampler looks at a clock."""


@final
class Memory(BaseStorage):
    """Finished trials, and for the length of one proposal those that run.

    Args:
        directions: of the objectives.
    """

    def __init__(self, directions: Sequence[StudyDirection]):
        self._directions = list(directions)
        self.notes: dict[str, Any] = {}
        self.finished: list[FrozenTrial] = []
        self._trials: list[FrozenTrial] = self.finished

    def study(self, sampler: Any, running: Iterable[FrozenTrial] = ()) -> Study:
        """Return a study of what has finished and of what runs, forgetting whatever ran before."""
        self._trials = [*self.finished, *running]
        for number in range(len(self.finished), len(self._trials)):
            self._trials[number].number = number
        return Study(NAME, self, sampler=sampler)

    def finish(
        self, state: TrialState, parameters: Parameters, values: Sequence[float] | None
    ) -> FrozenTrial:
        """Add a finished trial after the others."""
        trial = frozen(state, parameters, values, number=len(self.finished))
        self.finished.append(trial)
        return trial

    # ------------------------------------------------------------------ what samplers read and write

    def get_study_id_from_name(self, study_name: str) -> int:
        """Return the number of the only study."""
        return STUDY

    def get_study_name_from_id(self, study_id: int) -> str:
        """Return the name of the only study."""
        return NAME

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Return the directions of the objectives."""
        return self._directions

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return what samplers have noted."""
        return self.notes

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Note something for a sampler."""
        self.notes[key] = value

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Return the trials in some states."""
        trials = [trial for trial in self._trials if states is None or trial.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return one trial."""
        return self._trials[trial_id]

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Begin the trial that is being proposed."""
        number = len(self._trials)
        self._trials.append(frozen(TrialState.RUNNING, ({}, {}), number=number))
        return number

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        """Note a parameter of the trial that is being proposed."""
        trial = self._trials[trial_id]
        trial.params[param_name] = distribution.to_external_repr(param_value_internal)
        trial.distributions[param_name] = distribution

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Note something for a sampler."""
        self._trials[trial_id].system_attrs[key] = value

    # ------------------------------------------------------------------ what no sampler asks for

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        """Refuse: there is one study."""
        _refuse()

    def delete_study(self, study_id: int) -> None:
        """Refuse: there is one study."""
        _refuse()

    def get_all_studies(self) -> NoReturn:
        """Refuse: there is one study."""
        _refuse()

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Refuse: there are no users."""
        _refuse()

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Return nothing: there are no users."""
        return {}

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Refuse: there are no users."""
        _refuse()

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Refuse: curves are kept elsewhere."""
        _refuse()

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Refuse: trials are finished by ``finish``."""
        _refuse()


def frozen(
    state: TrialState, parameters: Parameters, values: Sequence[float] | None = None, *, number: int = -1
) -> FrozenTrial:
    """Return a trial as Optuna has it; one that runs is numbered when it is looked at."""
    params, distributions = parameters
    return FrozenTrial(
        number=number,
        trial_id=number,
        state=state,
        value=None,
        values=values,
        datetime_start=EPOCH,
        datetime_complete=EPOCH if state.is_finished() else None,
        params=dict(params),
        distributions=dict(distributions),
        user_attrs={},
        system_attrs={},
        intermediate_values={},
    )


def _refuse() -> NoReturn:
    raise NotImplementedError("a sampler reads trials and notes what it needs; it asks for nothing else")

# SPDX-License-Identifier: Apache-2.0
"""``search trials invalidate``: have results that are wrong count no more."""

from __future__ import annotations

from archloom.cli._output import FormatOption
from archloom.cli._studies import StoreOption, StudyArgument
from archloom.cli.trials._chosen import ReasonOption, TrialsArgument, WhereOption
from archloom.cli.trials._correcting import correct


def invalidate(
    study: StudyArgument,
    trials: TrialsArgument = None,
    *,
    reason: ReasonOption,
    where: WhereOption = None,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Have results that are wrong count no more.

    They leave the best trials and the Pareto front, where what they dominated comes back, and neither the
    strategy nor the budget counts them; nothing is deleted. Trials that were served a result of theirs go
    with them. A study that is running takes note of it by itself. 'search trials restore' undoes it.
    """
    correct("invalidate", study, trials, where, reason, store, form)

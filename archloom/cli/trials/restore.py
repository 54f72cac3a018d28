# SPDX-License-Identifier: Apache-2.0
"""``search trials restore``: results that were invalidated count again."""

from __future__ import annotations

from archloom.cli._output import FormatOption
from archloom.cli._studies import StoreOption, StudyArgument
from archloom.cli.trials._chosen import ReasonOption, TrialsArgument, WhereOption
from archloom.cli.trials._correcting import correct


def restore(
    study: StudyArgument,
    trials: TrialsArgument = None,
    *,
    reason: ReasonOption = "",
    where: WhereOption = None,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Have results that were invalidated count again.

    They come back to the best trials and the Pareto front if they belong there, with the trials that were
    served a result of theirs. A trial that was measured anew meanwhile keeps its own result.
    """
    correct("restore", study, trials, where, reason, store, form)

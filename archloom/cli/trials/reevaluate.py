# SPDX-License-Identifier: Apache-2.0
"""``search trials reevaluate``: have results that are wrong count no more, and measure them anew."""

from __future__ import annotations

from archloom.cli._output import FormatOption
from archloom.cli._studies import StoreOption, StudyArgument
from archloom.cli.trials._chosen import ReasonOption, TrialsArgument, WhereOption
from archloom.cli.trials._correcting import correct


def reevaluate(
    study: StudyArgument,
    trials: TrialsArgument = None,
    *,
    reason: ReasonOption,
    where: WhereOption = None,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Have results that are wrong count no more, and measure them anew.

    As 'search trials invalidate', and each architecture waits under a new number, with a seed of its own, to
    be evaluated when the study goes on or, where it is running, next.
    """
    correct("reevaluate", study, trials, where, reason, store, form)

# SPDX-License-Identifier: Apache-2.0
"""``search derive``: take a trial's network out of the study's supernet."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._restored import TrustOption, restored
from archloom.cli._studies import StoreOption, StudyArgument, measured


def derive(
    study: StudyArgument,
    trial: Annotated[str, typer.Argument(metavar="[TRIAL]", help="A trial's number, or 'best'.")] = "best",
    *,
    trust: TrustOption = False,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Take a trial's network out of the supernet that scored it, with the weights that it inherits.

    Its batch norms get the statistics that it was scored with; it is measured on the test data, and its
    weights are kept. 'search retrain' trains it further, or from scratch.
    """
    from archloom.cli._tables import exact, facts, show
    from archloom.cli._waiting import waiting
    from archloom.cli._words import number

    study_file, _ = restored(study, store, (), trust=trust)
    with study_file.importing():
        made = study_file.study(resume=True)
        with closing(made.store), made.retraining.runs.at_work():
            found = measured(made.store, made.store.study(made.name), trial)
            with waiting("deriving the network"):
                derived = made.retraining.derive(found)
            weights = derived.weights and str(derived.weights)
            if form != "table":
                row = {"trial": derived.trial, "metrics": dict(derived.metrics), "weights": weights}
                write({"study": made.name, **row}, form, [row])
                return
            rows = [("derived", f"trial {derived.trial} of {made.name}")]
            rows += [(name, number(value)) for name, value in derived.metrics.items()]
            show(facts([*rows, *([("written", exact(weights))] if weights else [])]))

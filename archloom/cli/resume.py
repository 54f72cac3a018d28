# SPDX-License-Identifier: Apache-2.0
"""``search resume``: go on with a study, from its file or from what the store knows of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._conduct import ChangesOption, conduct
from archloom.cli._output import FormatOption
from archloom.cli._restored import TrustOption, restored
from archloom.cli._studies import StoreOption, StudyArgument

if TYPE_CHECKING:
    from archloom.study import Changes


def resume(
    study: StudyArgument,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE",
            help="Overrides, such as budget.trials=200.",
            show_default=False,
        ),
    ] = None,
    *,
    allow_changes: ChangesOption = False,
    trust: TrustOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Go on with a study where it stopped.

    Its terms come out of the store, so that its file need not be at hand. The proposals are those that
    it would have made had it never been stopped. The budget may be another; for any other change there
    is --allow-changes.
    """
    from archloom.cli._named import Named, named

    changes: Changes = "record" if allow_changes else "refuse"
    study_file, url = restored(study, store, overrides or (), trust=trust)
    is_file = Path(study).is_file() and store is None
    by = named(Path(study), overrides or (), study_file) if is_file else None
    with study_file.importing():
        made = study_file.study(resume=True, changes=changes)
        with made.store:
            at = () if store is None else ("--store", store)
            trusted = ("--trust",) if trust else ()
            command = ["search", "resume", study, *at, *trusted]
            kept = [text for text in overrides or () if not text.startswith("budget.trials=")]
            conduct(
                study_file,
                made,
                by=by if by else Named(made.name, ("--store", url) if store else (), trusted),
                again=[*command, *(overrides or ())],
                more=[*command, *kept, f"budget.trials={2 * (study_file.run_options['trials'] or 0)}"],
                quiet=quiet,
                form=form,
            )

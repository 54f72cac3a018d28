# SPDX-License-Identifier: Apache-2.0
"""``search trials tag``: a word of one's own on trials."""

from __future__ import annotations

from typing import Annotated

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._studies import StoreOption, StudyArgument, identity, opened
from archloom.cli.trials._chosen import TrialsArgument, WhereOption, chosen_numbers, listed


def tag(
    study: StudyArgument,
    trials: TrialsArgument = None,
    *,
    tag: Annotated[str, typer.Option("--tag", "-t", metavar="TAG", help="The tag.", show_default=False)],
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag from them instead.")] = False,
    where: WhereOption = None,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Put a tag on trials, or take it from them.

    'search trials STUDY --where "tag = good"' shows those that have it; 'search clean' leaves the files of
    those with the tag 'keep' alone.
    """
    with opened(study, store) as (opened_store, record):
        from archloom.store.corrections import Corrections

        numbers = chosen_numbers(opened_store, identity(record), trials, where)
        corrections = Corrections(opened_store, identity(record))
        changed = (corrections.untag if remove else corrections.tag)(numbers, tag)
    if form != "table":
        row = {"study": record.name, "tag": tag, "is_on": not remove, "changed": changed}
        write(row, form, [{"number": number, "tag": tag, "is_on": not remove} for number in changed])
        return
    from archloom.cli._tables import plain, show

    had = "had" if remove else "have"
    if not changed:
        told = f"{listed(numbers)} of {record.name}: nothing to do, {'none' if remove else 'all'} {had} it"
    else:
        told = f"{listed(changed)} of {record.name}: {'no longer' if remove else 'now'} tagged {tag!r}"
    show(plain(told))

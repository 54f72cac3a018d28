# SPDX-License-Identifier: Apache-2.0
"""``search worker``: help with a study that another process runs."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._restored import TrustOption, restored
from archloom.cli._studies import StoreOption, StudyArgument
from archloom.errors import StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from archloom.config import RunOptions, StudyFile
    from archloom.store import TrialRecord
    from archloom.study import Study

_LOOK = 0.5


def worker(
    study: StudyArgument,
    *,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes", "-p", min=1, help="Evaluate in so many processes.", show_default="as the study"
        ),
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(
            "--device",
            "-d",
            help="Compute on it, such as cuda:0; give it again for more.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the study to be there and to run, instead of refusing.")
    ] = False,
    trust: TrustOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Evaluate trials of a study that runs elsewhere, on any machine that reaches its store.

    It ends with the study. Where the process that runs the study is gone without a word, a worker takes
    its place. Ctrl-C stops this worker; its trials are then tried by others.
    """
    from rich.console import Console

    from archloom.cli._conduct import say

    errors = Console(stderr=True, highlight=False)
    overrides = [f"executor.processes={processes}"] if processes else []
    if device:
        overrides.append(f"executor.devices=[{', '.join(device)}]")
    try:
        made_file = _found(study, store, overrides, errors, trust=trust, wait=wait)
        with made_file.importing():
            made = made_file.study(resume=True)
            with made.store:
                _await_run(made, errors, wait=wait)
                done = _work(made, made_file, errors, quiet)
    except KeyboardInterrupt:
        say(errors, "Stopped: what this worker has finished is in the store, the rest others will try.")
        raise typer.Exit(130) from None
    if form == "table":
        say(errors, f"{done['n_trials']} trials here; the study is {done['status']}: {done['reason']}")
    else:
        write(done, form, [done])


def _found(
    study: str, store: str | None, overrides: Sequence[str], errors: Console, *, trust: bool, wait: bool
) -> StudyFile:
    """Find the study, waiting for it where that is asked for, and saying for what."""
    from archloom.cli._conduct import say

    told = ""
    while True:
        try:
            return restored(study, store, overrides, trust=trust)[0]
        except StoreError as error:
            if not wait:
                raise
            if told != (told := str(error)):
                say(errors, f"Waiting: {told}")
            time.sleep(_LOOK)


def _await_run(study: Study, errors: Console, *, wait: bool) -> None:
    """Make sure that the study runs.

    Raises:
        StoreError: it does not, and is not waited for.
    """
    from archloom.cli._conduct import say

    is_told = False
    while (standing := study.store.standing(study.id)).status != "running":
        state = f"study {study.name!r} is {standing.status} ({standing.reason or 'it has not run yet'})"
        if not wait:
            again = shlex.join(["search", "resume", study.name, "--store", study.store.label])
            raise StoreError(f"{state}: go on with `{again}`, or wait for it with --wait")
        if not is_told:
            say(errors, f"Waiting: {state}")
        is_told = True
        time.sleep(_LOOK)


def _work(study: Study, study_file: StudyFile, errors: Console, quiet: bool) -> dict[str, Any]:
    """Work until the study ends; say what was done."""
    from archloom.cli._conduct import progress

    n_mine = 0

    def count(study: Study, record: TrialRecord) -> None:
        nonlocal n_mine
        del study
        n_mine += record.state.is_finished

    standing = study.store.standing(study.id)
    options: RunOptions = {**study_file.run_options, "trials": standing.max_trials, "minutes": None}
    with progress(options, errors, quiet) as callbacks:
        study.work(
            minutes=study_file.run_options["minutes"],
            callbacks=(*study_file.callbacks, *callbacks, count),
            executor=study_file.executor(),
        )
    standing = study.store.standing(study.id)
    return {
        "study": study.name,
        "n_trials": n_mine,
        "status": standing.status,
        "reason": standing.reason,
    }

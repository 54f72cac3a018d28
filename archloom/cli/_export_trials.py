# SPDX-License-Identifier: Apache-2.0
"""``search export --to``: all trials of a study, as a table or as an Optuna study."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from archloom.store import Store, StudyRecord

Target = Literal["csv", "parquet", "optuna"]


def check_words(
    study: str, to: Target, target: str | None, folder: Path | None, *, curves: bool, trust: bool, onnx: bool
) -> None:
    """Refuse words that belong to a network's export, and a target of another kind.

    Args:
        study: as it was typed.
        to: the format.
        target: the word after the study.
        folder: the word after that.
        curves: whether --curves was given.
        trust: whether --trust was.
        onnx: whether --onnx was.

    Raises:
        ConfigError: naming the right command.
    """
    from archloom.errors import ConfigError

    wanted = "sqlite:///optuna.db" if to == "optuna" else f"trials.{to}"
    form = f"search export {study} --to {to} {wanted}"
    if target is None:
        raise ConfigError(f"say where to: {form}")
    if folder is not None:
        raise ConfigError(f"--to {to} writes all trials: one word follows the study, {form}")
    if trust:
        raise ConfigError(f"--trust goes with a trial's network: --to {to} imports no code")
    if onnx:
        raise ConfigError(f"--onnx goes with a trial's network: --to {to} writes all trials")
    if to == "optuna" and curves:
        raise ConfigError("--curves goes with --to csv and --to parquet; an Optuna study has curves anyway")
    if to != "optuna" and "://" in target:
        raise ConfigError(f"--to {to} writes a file, got the URL {target}: {form}")
    other = {".csv": "csv", ".parquet": "parquet", ".db": "optuna"}.get(Path(target).suffix.lower(), to)
    if other != to and "://" not in target:
        raise ConfigError(f"--to {to} {target}: that name is for --to {other}; {form}")


def words_for_network(study: str, trial: str | None, *, curves: bool) -> str:
    """Say what is missing for a network's export, or that the trials were meant."""
    suffix = Path(trial or "").suffix.lower()
    if trial is not None and (suffix in (".csv", ".parquet") or "://" in trial):
        to = suffix[1:] if suffix in (".csv", ".parquet") else "optuna"
        return f"all trials are written with --to: search export {study} --to {to} {trial}"
    if curves:
        return f"--curves goes with --to: search export {study} --to csv curves.csv --curves"
    said = "say which trial's network, and where to" if trial is None else "say where to"
    return (
        f"{said}: search export {study} {trial or 'best'} FOLDER; all trials as a table: "
        f"search export {study} --to csv trials.csv"
    )


def export_trials(
    store: Store, study: StudyRecord, to: Target, target: str, *, curves: bool, overwrite: bool
) -> None:
    """Write the trials of a study, and say what was written.

    Args:
        store: holds the study.
        study: what to write.
        to: the format.
        target: a file, or the URL of an Optuna storage.
        curves: whether to write what was reported step by step, not the trials.
        overwrite: whether to replace what is there.
    """
    from archloom.cli._studies import shown_url
    from archloom.cli._tables import exact, facts, show

    if to == "optuna":
        told = _to_optuna(store, study, target, overwrite)
    else:
        told = _to_file(store, study, to, Path(target), curves=curves, overwrite=overwrite)
    rows: list[tuple[str, Any]] = [
        ("exported", f"{told} of study {study.name}"),
        ("written", exact(shown_url(target))),
    ]
    if to == "optuna":
        url = target if "://" in target else f"sqlite:///{target}"
        rows.append(("look", exact(f"optuna-dashboard {shown_url(url)}")))
    show(facts(rows))


def _to_file(
    store: Store, study: StudyRecord, to: Target, path: Path, *, curves: bool, overwrite: bool
) -> str:
    """Write a file; return what it holds."""
    from archloom.cli._studies import identity
    from archloom.cli._waiting import waiting
    from archloom.cli._words import n_of
    from archloom.store.exchange import all_curves, curve_columns, trial_columns, write_csv, write_parquet
    from archloom.store.exchange.files import check_free

    check_free(path, overwrite=overwrite)
    with waiting("reading the trials"):
        if curves:
            columns = curve_columns(all_curves(store, identity(study)))
        else:
            columns = trial_columns(store.trials(identity(study)))
    with waiting(f"writing {path.name}"):
        if to == "csv":
            write_csv(columns, path, overwrite=overwrite)
        else:
            write_parquet(columns, path, notes=_notes(study), overwrite=overwrite)
    return n_of(len(columns[0].values), "reported value" if curves else "trial")


def _notes(study: StudyRecord) -> dict[str, str]:
    """Say in a file's metadata what it is of."""
    import json

    told = {
        "study": study.name,
        "seed": study.seed,
        "objectives": {goal.metric: goal.direction for goal in study.objectives},
        "constraints": list(study.constraints),
        "archloom": study.version,
    }
    return {"archloom": json.dumps(told, ensure_ascii=False)}


def _to_optuna(store: Store, study: StudyRecord, url: str, overwrite: bool) -> str:
    """Write an Optuna study; return what it holds."""
    from archloom.cli._studies import identity
    from archloom.cli._waiting import counted, waiting
    from archloom.cli._words import n_of
    from archloom.store.exchange import export_optuna

    with waiting("reading the trials"):
        trials = store.trials(identity(study))
        curves = store.curves(identity(study), study.objectives[0].metric)
    with contextlib.ExitStack() as stack:
        stack.enter_context(waiting("writing the trials"))

        def track(found: Sequence[Any]) -> Iterable[Any]:
            stack.close()  # one sign of life at a time
            return counted(found, len(found), "writing the trials")

        export_optuna(study, trials, curves, url, overwrite=overwrite, track=track)
    return n_of(len(trials), "trial")

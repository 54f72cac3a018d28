# SPDX-License-Identifier: Apache-2.0
"""``search export``: take a trial's trained network away as plain PyTorch, or all trials as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._export_card import model_card
from archloom.cli._export_trials import Target, check_words, export_trials, words_for_network
from archloom.cli._export_weights import Source, Weights, derived, find_weights
from archloom.cli._studies import StoreOption, StudyArgument, measured, opened
from archloom.errors import ArchloomError, ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from torch import nn

    from archloom.config import StudyFile
    from archloom.evaluators import Splits
    from archloom.store import StudyRecord, TrialRecord


def export(
    study: StudyArgument,
    trial: Annotated[
        str | None,
        typer.Argument(
            metavar="TRIAL",
            help="'best' or a trial's number. With --to: the file to write, or the URL.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="Where to; made if need be. Not with --to.", show_default=False
        ),
    ] = None,
    *,
    weights: Annotated[
        Weights | None,
        typer.Option(
            "--weights",
            help="Which: the trial's own; those that 'search retrain' made (the best seed on validation); or "
            "those derived from the supernet.",
            show_default="the first of these that there are",
        ),
    ] = None,
    to: Annotated[
        Target | None,
        typer.Option(
            "--to", help="Write all trials instead, as a table or an Optuna study.", show_default=False
        ),
    ] = None,
    curves: Annotated[
        bool,
        typer.Option(
            "--curves", help="With --to csv or parquet: what was reported step by step, a row each."
        ),
    ] = False,
    onnx: Annotated[
        bool,
        typer.Option("--onnx", help="Write model.onnx too, checked by onnxruntime (extra 'onnx')."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what is in FOLDER, the file or the Optuna study.")
    ] = False,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Import and run the code that the database names; what a study file given as STUDY names "
            "is trusted.",
        ),
    ] = False,
    store: StoreOption = None,
) -> None:
    """Write a trial's trained network as one plain PyTorch file, its weights, and a model card.

    The file needs torch and safetensors, nothing of archloom. It is checked in a fresh process before
    it is handed over: its outputs equal the trained network's. So is the ONNX file that --onnx adds, whose
    batch may be of any size.

    With --to, all trials of the study are written: 'search export STUDY --to csv trials.csv', '--to parquet
    trials.parquet', or '--to optuna sqlite:///optuna.db' for Optuna's dashboard. 'search import' reads a
    CSV file and an Optuna study again.
    """
    if to is not None:
        check_words(study, to, trial, folder, curves=curves, trust=trust, onnx=onnx)
        with opened(study, store) as (opened_store, record):
            export_trials(opened_store, record, to, str(trial), curves=curves, overwrite=overwrite)
        return
    if trial is None or folder is None or curves:
        raise ConfigError(words_for_network(study, trial, curves=curves))
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise ConfigError(f"{folder} is not empty: choose another folder, or --overwrite an earlier export")
    if onnx:
        _require_onnx()
    with opened(study, store) as (opened_store, record):
        found = measured(opened_store, record, trial)
        source = find_weights(opened_store, record, found, weights)
        study_file = _study_file(study, record, trust, opened_store.url)
        with study_file.importing():
            if source is None:
                source = derived(study_file, found)
            _export(study_file, record, found, source, folder, overwrite=overwrite, onnx=onnx)


def _require_onnx() -> None:
    """Refuse before anything is derived from a supernet."""
    from archloom.export import require_onnx

    require_onnx()


def _study_file(study: str, record: StudyRecord, trust: bool, url: str) -> StudyFile:
    """Make the study file again from what the store kept; what a file at hand names is trusted."""
    from archloom import config

    if not record.config:
        raise ArchloomError(
            f"study {record.name!r} was not run from a study file, so that its network cannot be rebuilt "
            "here: do it in Python with archloom.export.export_model"
        )
    trusted, folder = {"*"} if trust else set(), None
    if Path(study).is_file():
        at_hand = config.load(study)
        trusted, folder = trusted | config.foreign_code(at_hand.resolved()), at_hand.folder
    source = f"study {record.name!r}"
    return config.restore(record.config, source=source, trusted=sorted(trusted), folder=folder, store=url)


def _export(
    study_file: StudyFile,
    study: StudyRecord,
    trial: TrialRecord,
    source: Source,
    folder: Path,
    *,
    overwrite: bool,
    onnx: bool,
) -> None:
    import torch

    from archloom.cli._tables import exact, facts, show
    from archloom.cli._waiting import waiting
    from archloom.cli._words import number
    from archloom.evaluators import load_splits
    from archloom.export import export_model

    if study_file.data is None:
        raise ConfigError(f"{study_file.source}: no evaluator names the data its networks are trained on")
    splits = load_splits(*study_file.data)
    network = _network(study_file, study, trial, splits, source.file)
    example = torch.rand(2, *splits.input_shape, generator=torch.Generator().manual_seed(0))
    card = model_card(study_file, study, trial, splits, source)
    with waiting("writing and checking"):
        exported = export_model(
            network, folder, card=card, example_input=example, overwrite=overwrite, onnx=onnx
        )
    same = f"in a fresh process without archloom: its outputs differ by at most {number(exported.difference)}"
    rows: list[tuple[str, RenderableType]] = [
        ("exported", f"trial {trial.number} of {study.name}, {number(exported.n_parameters)} parameters"),
        ("weights", source.words()),
        *_hint(source, study, trial),
        ("checked", same),
    ]
    if exported.onnx_difference is not None:
        told = f"model.onnx by onnxruntime: its outputs differ by at most {number(exported.onnx_difference)}"
        rows.append(("", told))
    rows += [("written", exact(str(path))) for path in sorted(folder.iterdir()) if path.is_file()]
    show(facts(rows))


def _network(
    study_file: StudyFile, study: StudyRecord, trial: TrialRecord, splits: Splits, weights: Path
) -> nn.Module:
    """Build a trial's network and give it its trained weights."""
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    from archloom.evaluators import build_network

    space = study_file.space
    if space.fingerprint != study.fingerprint:
        raise ArchloomError(
            f"study {study.name!r} searched a space with fingerprint {study.fingerprint}, but its space "
            f"is now {space.fingerprint}: the code or the archloom that made it has changed"
        )
    network = build_network(space.from_choices(trial.choices), splits, seed=trial.seed)
    try:
        load_model(network, str(weights))
    except (RuntimeError, SafetensorError, OSError) as error:
        raise ArchloomError(f"{weights} does not fit the network of trial {trial.number}: {error}") from None
    return network.eval()


def _hint(source: Source, study: StudyRecord, trial: TrialRecord) -> list[tuple[str, RenderableType]]:
    """Say how a network gets weights of its own that has only been a part of a supernet."""
    if source.kind != "derived":
        return []
    return [("", f"for weights of its own: search retrain {study.name} {trial.number}")]

# SPDX-License-Identifier: Apache-2.0
"""Export a trained network: write, check, and only then put in place."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from archloom.errors import ArchloomError, ConfigError
from archloom.export.card import card_json, card_markdown
from archloom.export.model_file import WEIGHTS, model_source
from archloom.export.onnx_file import ONNX, export_onnx, require_onnx
from archloom.export.verify import as_exported, difference, expected_output

__all__ = ["ExportedModel", "export_model"]

_FILES = ("model.py", WEIGHTS, ONNX, "card.md", "card.json")


@dataclass(frozen=True)
class ExportedModel:
    """A model that was written and checked.

    Args:
        folder: where it is: ``model.py``, ``weights.safetensors``, ``card.md``, ``card.json``; with ``onnx``
            also ``model.onnx``.
        n_parameters: learned numbers.
        difference: largest difference of its output from the original's, relative to the largest output.
        onnx_difference: the same of ``model.onnx``, run by onnxruntime; ``None`` where there is none.
    """

    folder: Path
    n_parameters: int
    difference: float
    onnx_difference: float | None = None

    @property
    def model(self) -> Path:
        """The Python file."""
        return self.folder / "model.py"

    @property
    def weights(self) -> Path:
        """The weights."""
        return self.folder / WEIGHTS

    @property
    def card(self) -> Path:
        """Where the model comes from, for people."""
        return self.folder / "card.md"


def export_model(
    network: nn.Module,
    folder: Path | str,
    *,
    card: Mapping[str, Any],
    example_input: Tensor,
    overwrite: bool = False,
    onnx: bool = False,
) -> ExportedModel:
    """Write a network as plain torch, check it in a fresh process without archloom, and put it in place.

    The folder appears whole or not at all. ``model.py`` holds the source of the classes used, copied from
    archloom and from the user's own files, and one nested constructor call. That call is read off the
    modules' attributes: every parameter of ``__init__`` must be kept as the attribute of the same name.

    Args:
        network: what to export; left in the mode and on the device it came in.
        folder: where to; missing or empty, unless ``overwrite``.
        card: where the model comes from: study, trial, metrics, ...
        example_input: a batch for which the output must be the original's to 1e-6, relative to its largest.
        overwrite: replace an earlier export.
        onnx: write ``model.onnx`` too, see ``export_onnx``.

    Raises:
        MissingExtraError: ``onnx`` is asked for, and its extra is not installed.
        ConfigError: the folder holds something, or something other than an export.
        ArchloomError: a module that cannot be exported, naming its path and the rule it breaks; or a model
            that does not run by itself or gives another output.
    """
    if onnx:
        require_onnx()
    target = Path(folder).resolve()
    _refuse_folder(target, overwrite)
    example = example_input.detach().cpu()
    with as_exported(network):
        source = model_source(network)
        weights = _weights(network)
        expected = expected_output(network, example)
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    facts = {
        "n_parameters": n_parameters,
        "input_shape": list(example.shape[1:]),
        "output_shape": list(expected.shape[1:]),
        "archloom": version("archloom"),
        "torch": torch.__version__,
    }
    with _placed(target) as draft:
        (draft / "model.py").write_text(source, encoding="utf-8")
        save_file(weights, draft / WEIGHTS)
        error = difference(draft, example, expected, n_parameters=n_parameters)
        facts["difference"], onnx_error = error, None
        if onnx:
            facts["onnx_difference"] = onnx_error = export_onnx(network, draft / ONNX, example_input=example)
        full_card = {**card, "export": facts}
        (draft / "card.json").write_text(card_json(full_card), encoding="utf-8")
        title = str(card.get("title", type(network).__name__))
        (draft / "card.md").write_text(card_markdown(title, full_card, onnx=onnx), encoding="utf-8")
    return ExportedModel(target, n_parameters, error, onnx_error)


def _weights(network: nn.Module) -> dict[str, Tensor]:
    weights = {}
    for name, value in network.state_dict().items():
        if not isinstance(value, Tensor):
            raise ArchloomError(f"{name} cannot be exported: weights are tensors, got {type(value).__name__}")
        # clone: a tensor that is a view of another shares its memory, which safetensors refuses.
        weights[name] = value.detach().contiguous().clone()
    return weights


def _refuse_folder(target: Path, overwrite: bool) -> None:
    """Refuse to replace anything but an empty folder or, if asked, an earlier export."""
    if not target.exists():
        return
    if not target.is_dir():
        raise ConfigError(f"an export needs a folder, {target} is a file")
    found = {path.name for path in target.iterdir()}
    foreign = sorted(found - {*_FILES, "__pycache__"})
    if found and not overwrite:
        raise ConfigError(
            f"{target} is not empty: choose another folder, or pass overwrite=True for an old export"
        )
    if foreign:
        raise ConfigError(
            f"only an earlier export is overwritten, but {target} also holds {', '.join(foreign)}"
        )


@contextmanager
def _placed(target: Path) -> Iterator[Path]:
    """Give a folder to write in; it takes the target's place when all went well, else it is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}")
    old = draft.with_name(f"{draft.name}-old")
    draft.mkdir()
    try:
        yield draft
        if target.exists():
            target.rename(old)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(old, ignore_errors=True)

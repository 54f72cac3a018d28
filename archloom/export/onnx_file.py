# SPDX-License-Identifier: Apache-2.0
"""A trained network as an ONNX file, run by onnxruntime and compared before it is handed over.

Torch's exporter that traces with ``torch.export`` is used; the older one, by TorchScript, is deprecated.
"""

from __future__ import annotations

import logging
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from archloom.errors import ArchloomError, ConfigError, require
from archloom.export.verify import as_exported, expected_output, relative_difference

__all__ = ["ONNX", "ONNX_TOLERANCE", "export_onnx", "require_onnx"]

ONNX = "model.onnx"
ONNX_TOLERANCE = 1e-4
"""Largest difference of an output, relative to the largest output: other kernels round otherwise."""

_MODULES = ("onnx", "onnx_ir", "onnxscript", "onnxruntime")


def require_onnx() -> None:
    """Make sure that what writes and checks an ONNX file is installed.

    Raises:
        MissingExtraError: it is not; the message is the exact install line.
    """
    for module in _MODULES:
        require(module, "onnx", "an ONNX file")


def export_onnx(
    network: nn.Module, path: Path | str, *, example_input: Tensor, overwrite: bool = False
) -> float:
    """Write a network in evaluation mode as an ONNX file whose batch may be of any size, and check it.

    The file appears when onnxruntime gives the network's outputs for batches of several sizes, or not at
    all. Its input is called ``input``, its output ``output``; both begin with the dimension ``batch``.

    Args:
        network: what to write; left in the mode and on the device it came in.
        path: the file.
        example_input: a batch for which the output must be the network's to 1e-4, relative to its largest;
            so must it for a single row and for a larger batch of the same rows.
        overwrite: replace a file that is there.

    Returns:
        The largest difference of an output, relative to the largest output.

    Raises:
        MissingExtraError: the extra ``onnx`` is not installed.
        ConfigError: there is something at ``path``.
        ArchloomError: the network cannot be written as ONNX, or onnxruntime gives another output.
    """
    require_onnx()
    target = Path(path).resolve()
    if target.is_dir() or (target.exists() and not overwrite):
        raise ConfigError(
            f"{target} is there already: choose another name, or pass overwrite=True for a file"
        )
    batches = _batches(example_input.detach().cpu())
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}")
    try:
        with as_exported(network):
            expected = [_expected(network, batch) for batch in batches]
            _write(network, batches[0], draft)
        found = _difference(draft, batches, expected)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return found


def _batches(example: Tensor) -> list[Tensor]:
    """Return batches of several sizes: at least two rows, which is what is traced, one row, and more."""
    if not example.ndim or not len(example):
        raise ArchloomError(
            f"an ONNX file is checked on a batch, got a tensor of shape {tuple(example.shape)}"
        )
    rows = example if len(example) > 1 else torch.cat([example, example])
    return [rows, rows[:1], torch.cat([rows, rows, rows[:1]])]


def _expected(network: nn.Module, batch: Tensor) -> Tensor:
    try:
        return expected_output(network, batch)
    except RuntimeError as error:
        raise ArchloomError(
            f"a batch of an ONNX file may be of any size, but {type(network).__name__} fails on a batch of "
            f"{len(batch)}: {_first_line(error)}"
        ) from error


def _write(network: nn.Module, example: Tensor, path: Path) -> None:
    """Trace and write, weights and all in one file.

    The exporter notes with each operation the lines of code that it came from, with the paths of this
    machine's files: they are taken out, as they are nobody's business and larger than the graph.
    """
    passes = require("onnx_ir.passes.common", "onnx", "an ONNX file")
    with _quiet():
        try:
            program = torch.onnx.export(
                network,
                (example,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=["input"],
                output_names=["output"],
                verbose=False,
            )
            if program is not None:  # it is None for the deprecated exporter only
                passes.ClearMetadataAndDocStringPass()(program.model)
                program.save(path, external_data=False)
        except RuntimeError as error:
            reason = _first_line(error.__cause__ or error)
            raise ArchloomError(f"{type(network).__name__} cannot be written as ONNX: {reason}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter tells of itself: that it skips torchvision's operators, for one."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # torch 2.13 warns of its own use of a class that it has deprecated.
            message = r"`isinstance\(treespec, LeafSpec\)` is deprecated, use "
            warnings.filterwarnings("ignore", message, FutureWarning)
            yield
    finally:
        logger.setLevel(level)


def _difference(path: Path, batches: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Return how far onnxruntime is from the expected outputs, relatively.

    Raises:
        ArchloomError: it does not run the file, or gives something else.
    """
    runtime = require("onnxruntime", "onnx", "an ONNX file")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised; it need not be printed as well
    largest = 0.0
    try:
        session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        outputs = [torch.from_numpy(session.run(None, {"input": x.numpy()})[0]) for x in batches]
    except Exception as error:  # onnxruntime's errors have no base of their own
        raise ArchloomError(f"onnxruntime does not run the ONNX file: {_first_line(error)}") from error
    for output, wanted in zip(outputs, expected, strict=True):
        if (output.shape, output.dtype) != (wanted.shape, wanted.dtype):
            raise ArchloomError(
                f"the ONNX file gives {tuple(output.shape)} of {output.dtype} for a batch of {len(wanted)}, "
                f"the network {tuple(wanted.shape)} of {wanted.dtype}"
            )
        found = relative_difference(output, wanted)
        if not found <= ONNX_TOLERANCE:
            raise ArchloomError(
                f"the ONNX file differs from the network by {found:.1e} on a batch of {len(wanted)}, "
                f"at most {ONNX_TOLERANCE:.0e} is allowed: does it look at the batch's size?"
            )
        largest = max(largest, found)
    return largest


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

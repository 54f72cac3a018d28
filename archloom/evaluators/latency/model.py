# SPDX-License-Identifier: Apache-2.0
"""An architecture as files that a device's own tools can read."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from archloom.contracts import Architecture
from archloom.errors import SpaceError
from archloom.evaluators.networks import NetworkShape, build_network

__all__ = ["write_model"]


def write_model(
    architecture: Architecture, shape: NetworkShape, folder: Path, *, batch_size: int = 1, seed: int = 0
) -> Path:
    """Write ``model.pt2`` and, beside it, ``architecture.json``.

    The model is a ``torch.export`` program of the network with fresh weights, in evaluation mode, for
    inputs of ``batch_size x input_shape``. The JSON file holds ``choices``, ``text``, ``input_shape``,
    ``n_outputs`` and ``batch_size``.

    Returns:
        The path of the model.

    Raises:
        SpaceError: the network cannot be built, or not be written as such a program.
    """
    network = build_network(architecture, shape, seed=seed).eval()
    path = folder / "model.pt2"
    try:
        with torch.no_grad():
            inputs = torch.zeros(batch_size, *shape.input_shape)
            program = torch.export.export(network, (inputs,), strict=False)
        torch.export.save(program, path)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise SpaceError(
            f"torch.export cannot write {architecture.text} for inputs {(batch_size, *shape.input_shape)}: "
            f"{type(error).__name__}: {reason}. A command needs it; a table of operations, or the clock of "
            "this machine (latency with neither command nor table), does not"
        ) from error
    described = {
        "choices": dict(architecture.choices),
        "text": architecture.text,
        "input_shape": list(shape.input_shape),
        "n_outputs": shape.n_outputs,
        "batch_size": batch_size,
    }
    (folder / "architecture.json").write_text(json.dumps(described, indent=2) + "\n")
    return path

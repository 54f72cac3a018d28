# SPDX-License-Identifier: Apache-2.0
"""Checking an exported model against the original, in a fresh process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from archloom.errors import ArchloomError

__all__ = ["TOLERANCE", "as_exported", "difference", "expected_output", "relative_difference"]

TOLERANCE = 1e-6
"""Largest difference of an output, relative to the largest output."""

_HINT = "is some state neither in the weights nor in the constructor's parameters?"


@contextmanager
def as_exported(network: nn.Module) -> Iterator[None]:
    """Put a network on the CPU and in evaluation mode, and back as it was afterwards."""
    modes = {module: module.training for module in network.modules()}
    devices = {tensor.device for tensor in (*network.parameters(), *network.buffers())}
    if len(devices) > 1:
        raise ArchloomError(
            f"a network on one device can be exported, this one is on {sorted(map(str, devices))}"
        )
    try:
        network.cpu().eval()
        yield
    finally:
        for device in devices:
            network.to(device)
        for module, is_training in modes.items():
            module.training = is_training


def expected_output(network: nn.Module, example_input: Tensor) -> Tensor:
    """Return what the original gives.

    Raises:
        ArchloomError: it is no tensor, or holds NaN or infinity, which no check could compare.
    """
    with torch.no_grad():
        output = network(example_input)
    if not isinstance(output, Tensor):
        raise ArchloomError(f"the output must be one tensor to be checked, got {type(output).__name__}")
    if not bool(torch.isfinite(output).all()):
        raise ArchloomError(
            "the output on example_input holds NaN or infinity: there is nothing to check against"
        )
    return output


def difference(folder: Path, example_input: Tensor, expected: Tensor, *, n_parameters: int) -> float:
    """Return how far the model in ``folder``, run afresh, is from the expected output, relatively.

    Raises:
        ArchloomError: it does not load or run, has another number of parameters, or differs by more than
            ``TOLERANCE``.
    """
    found = _rerun(folder, example_input)
    output, n_found = found["output"], int(found["n_parameters"])
    if n_found != n_parameters:
        raise ArchloomError(
            f"the exported model has {n_found} parameters, the original {n_parameters}: "
            "weights shared between modules must be shared by the constructor of a class that holds both"
        )
    if (output.shape, output.dtype) != (expected.shape, expected.dtype):
        raise ArchloomError(
            f"the exported model gives {tuple(output.shape)} of {output.dtype}, "
            f"the original {tuple(expected.shape)} of {expected.dtype}: {_HINT}"
        )
    relative = relative_difference(output, expected)
    if not relative <= TOLERANCE:
        raise ArchloomError(
            f"the exported model differs from the original by {relative:.1e}, "
            f"at most {TOLERANCE:.0e} is allowed: {_HINT}"
        )
    return relative


def _rerun(folder: Path, example_input: Tensor) -> dict[str, Tensor]:
    with TemporaryDirectory() as scratch:
        given, wanted = Path(scratch, "input.safetensors"), Path(scratch, "output.safetensors")
        save_file({"input": example_input.contiguous()}, given)
        script = Path(__file__).with_name("rerun.py")
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(script), str(folder), str(given), str(wanted)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ArchloomError(f"the exported model does not run by itself: {_last_error(done.stderr)}")
        return load_file(wanted)


def relative_difference(output: Tensor, expected: Tensor) -> float:
    """Return the largest difference over the largest expected value."""
    if not expected.numel():
        return 0.0
    error, scale = (output - expected).abs().max().item(), expected.abs().max().item()
    return error / scale if scale else error


def _last_error(stderr: str) -> str:
    """Return the exception of a traceback, with the lines of its message."""
    lines = stderr.strip().splitlines()
    starts = [i for i, line in enumerate(lines) if line[:1].strip() and not line.startswith("Traceback")]
    return "\n".join(lines[starts[-1] :] if starts else lines[-1:])

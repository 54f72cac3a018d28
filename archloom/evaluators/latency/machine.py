# SPDX-License-Identifier: Apache-2.0
"""The names of this machine's devices, which a measured number means little without."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

__all__ = ["cpu_name", "machine"]

_CPU_FILE = Path("/proc/cpuinfo")


def machine() -> dict[str, str]:
    """Name the processor, the CUDA devices where CUDA is in use, and torch's version.

    Asking a device for its name starts CUDA, which a study on the CPU has no need of.

    >>> sorted(machine())[-1]
    'torch'
    """
    n_gpus = torch.cuda.device_count() if torch.cuda.is_initialized() else 0  # type: ignore[no-untyped-call]
    gpus = {f"cuda:{i}": torch.cuda.get_device_name(i) for i in range(n_gpus)}
    return {"cpu": cpu_name(), **gpus, "torch": str(torch.__version__)}


def cpu_name() -> str:
    """Return the processor's name as the system tells it; its kind (``x86_64``) where it tells none."""
    lines = _CPU_FILE.read_text(errors="replace").splitlines() if _CPU_FILE.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (named[0] if named else platform.processor()) or platform.machine()

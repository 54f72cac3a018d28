# SPDX-License-Identifier: Apache-2.0
"""Run an exported model in a fresh process that cannot import archloom.

Started as a script, ``python -I -B rerun.py FOLDER INPUT OUTPUT``; never imported by the package, and
free of archloom itself so that the check means what it says.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

import torch
from safetensors.torch import load_file, save_file


class RefuseArchloom(MetaPathFinder):
    """Makes every import of archloom fail."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        """Refuse archloom, leave the rest to others."""
        del path, target
        if fullname.partition(".")[0] == "archloom":
            raise ImportError(f"the exported model imports {fullname}")


def main(folder: str, given: str, wanted: str) -> None:
    """Load the model in ``folder``, run it on the tensor in ``given``, write its output to ``wanted``."""
    sys.meta_path.insert(0, RefuseArchloom())
    spec = importlib.util.spec_from_file_location("model", Path(folder) / "model.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no model.py in {folder}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.load(folder)
    with torch.no_grad():
        output = network(load_file(given)["input"])
    n_parameters = torch.tensor(sum(parameter.numel() for parameter in network.parameters()))
    save_file({"output": output.contiguous(), "n_parameters": n_parameters}, wanted)


if __name__ == "__main__":
    main(*sys.argv[1:])

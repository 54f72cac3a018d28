# SPDX-License-Identifier: Apache-2.0
"""The exported ``model.py``: copied classes, ``build`` and ``load``."""

from __future__ import annotations

import torch
from torch import nn

from archloom.export.constructor import constructor
from archloom.export.layout import laid_out
from archloom.export.source import Sources

__all__ = ["WEIGHTS", "model_source"]

WEIGHTS = "weights.safetensors"

_HEADER = '''\
"""{name}: a network found by architecture search and written by archloom.

Plain PyTorch: it needs {needs}, and nothing of archloom.

    from model import load

    network = load()  # trained, in evaluation mode

`build()` makes the same network with fresh weights. card.md says where it comes from.
{licence}"""

from __future__ import annotations
'''

_LICENCE = "Classes copied from archloom are under the Apache License 2.0.\n"

_LOAD = f'''\
def load(folder: str | Path = Path(__file__).parent) -> nn.Module:
    """Return the network with its trained weights, in evaluation mode."""
    network = build()
    network.load_state_dict(load_file(Path(folder) / "{WEIGHTS}"))
    return network.eval()
'''


def model_source(network: nn.Module) -> str:
    """Return the text of ``model.py`` for a network.

    Raises:
        ArchloomError: a module that cannot be written; the message names its path and the rule.
    """
    sources = Sources()
    for name in ("build", "load"):
        sources.reserve(name)
    sources.import_name("torch", "nn")
    sources.import_name("pathlib", "Path")
    sources.import_name("safetensors.torch", "load_file")
    made = laid_out(constructor(network, sources), indent=4, used=len("    return "))
    made += _cast(network, sources)
    build = f'def build() -> nn.Module:\n    """Build the network with fresh weights."""\n    return {made}\n'
    licence = _LICENCE if sources.copies_archloom else ""
    header = _HEADER.format(name=type(network).__name__, needs=_listed(sources.packages()), licence=licence)
    definitions = [f"{text}\n" for text in dict.fromkeys(sources.definitions.values())]
    parts = [f"{header}\n{sources.import_lines()}\n", *definitions]
    return "\n\n".join([*parts, build, _LOAD])


def _listed(packages: list[str]) -> str:
    return ", ".join(packages[:-1]) + " and " + packages[-1]


def _cast(network: nn.Module, sources: Sources) -> str:
    """Return the call that gives the network its floating-point type, where that is not torch's default."""
    kinds = {parameter.dtype for parameter in network.parameters() if parameter.is_floating_point()}
    if len(kinds) != 1 or kinds == {torch.get_default_dtype()}:
        return ""
    sources.import_module("torch")
    return f".to({kinds.pop()})"

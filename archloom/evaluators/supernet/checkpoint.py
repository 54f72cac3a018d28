# SPDX-License-Identifier: Apache-2.0
"""The state of a supernet's training in one file: weights, the optimiser's moments, and how far it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn, optim

from archloom.errors import ArchloomError, OtherRunError
from archloom.evaluators.whole_file import whole_file

__all__ = ["load_checkpoint", "save_checkpoint"]

_WORDS = "archloom"


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimizer: optim.Optimizer | None,
    words: Mapping[str, str],
    others: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a checkpoint; where this breaks off, the one before it is still there.

    Args:
        path: where.
        network: gives its weights and buffers.
        optimizer: gives its moments; ``None`` for a network that is done.
        words: what the checkpoint belongs to and how far it is, compared by ``load_checkpoint``.
        others: tensors beside these.
    """
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    if optimizer is not None:
        for index, held in optimizer.state_dict()["state"].items():
            named = {key: value for key, value in held.items() if isinstance(value, Tensor)}
            tensors |= {f"optimizer.{index}.{key}": value for key, value in named.items()}
    tensors |= {f"other.{name}": tensor for name, tensor in (others or {}).items()}
    whole = {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}
    with whole_file(path) as partial:
        save_file(whole, partial, metadata={_WORDS: json.dumps(dict(words))})


def load_checkpoint(
    path: Path, network: nn.Module, optimizer: optim.Optimizer | None, same: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Put a checkpoint back; return its words, and the tensors beside.

    Args:
        path: where.
        network: takes the weights.
        optimizer: takes the moments, where it is to go on.
        same: what must be as it was when it was written.

    Raises:
        ArchloomError: it is damaged.
        OtherRunError: it is of something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            words: dict[str, str] = json.loads((file.metadata() or {}).get(_WORDS, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise ArchloomError(f"the checkpoint {path} cannot be read: {error}") from error
    for what, value in same.items():
        if words.get(what) != value:
            raise OtherRunError(
                f"the checkpoint {path} is of another {what}: {words.get(what)!r}, here it is {value!r}"
            )
    weights = {n.removeprefix("network."): t for n, t in tensors.items() if n.startswith("network.")}
    network.load_state_dict(weights)
    if optimizer is not None:
        _restore(optimizer, tensors)
    return words, {name.removeprefix("other."): t for name, t in tensors.items() if name.startswith("other.")}


def _restore(optimizer: optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = tensor
    held = optimizer.state_dict()
    optimizer.load_state_dict({**held, "state": state})

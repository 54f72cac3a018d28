# SPDX-License-Identifier: Apache-2.0
"""How long the modules of a supernet take, each by itself on what it is given in a pass.

Latency is taken for a sum over operations, ``E[latency] = sum_i w_i F(operation_i)``, with ``F`` measured
beforehand (Cai, Zhu, Han: "ProxylessNAS", ICLR 2019, section 3.2.2). What stands between operations, such as
the sum at a node, is not measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from archloom.errors import ArchloomError, OtherRunError
from archloom.evaluators.latency.machine import machine
from archloom.evaluators.latency.stopwatch import median_and_spread, time_calls, wait_for
from archloom.evaluators.seeding import threads
from archloom.evaluators.whole_file import whole_file
from archloom.nn.routed import Choice, Routed, Supernet
from archloom.nn.shortcuts import Zero

__all__ = ["kept", "measured"]

Call: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]

_OF_TORCH = frozenset(vars(nn.Module()))


def measured(net: Supernet, inputs: Tensor) -> dict[str, float]:
    """Return the median milliseconds of each module that has no choice in it, by name.

    They run as under the evaluator ``latency``: in evaluation mode, on one CPU thread. Modules that are alike
    in class, settings, shapes and inputs are timed once. What gives zeros is left out, as it is in a pass.

    Args:
        net: its sites hold mixtures of all candidates; it is left in evaluation mode.
        inputs: one sample.
    """
    names = {module: name for name, module in net.named_modules()}
    wait = wait_for(inputs.device)
    known: dict[Hashable, float] = {}
    found: dict[str, float] = {}
    with threads(1), torch.inference_mode():
        calls = _calls(net.eval(), inputs)
        for module in _timed(net, calls):
            key = _signature((module, *calls[module]))
            if key not in known:
                known[key] = _milliseconds(module, calls[module], wait)
            found[names[module]] = known[key]
    return found


def _milliseconds(module: nn.Module, call: Call, wait: Callable[[], None]) -> float:
    args, kwargs = call
    times = time_calls(lambda: module(*args, **kwargs), n_warmup=10, n_repeats=50, wait=wait)
    return median_and_spread(times)[0]


def kept(
    path: Path | None, words: Mapping[str, str], measure: Callable[[], dict[str, float]]
) -> dict[str, float]:
    """Return the milliseconds that a file holds; where there is none, measure them, and write them to it.

    A search that goes on must not measure anew: it would come to other numbers.

    Args:
        path: the file; ``None`` keeps nothing.
        words: what they are of.
        measure: is called at most once.

    Raises:
        ArchloomError: the file is damaged.
        OtherRunError: it is of something else.
    """
    if path is None:
        return measure()
    if path.exists():
        return _read(path, words)
    found = measure()
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        told = {**words, "machine": machine(), "latency_ms": found}
        partial.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return found


def _read(path: Path, words: Mapping[str, str]) -> dict[str, float]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        found = {name: float(ms) for name, ms in held["latency_ms"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArchloomError(f"the latencies {path} cannot be read: {error!r}") from error
    for what, value in words.items():
        if held.get(what) != value:
            raise OtherRunError(
                f"the latencies {path} are of another {what}: {held.get(what)!r}, here it is {value!r}"
            )
    return found


def _calls(net: Supernet, inputs: Tensor) -> dict[nn.Module, Call]:
    """Return what each module is called with first in a pass of all candidates."""
    found: dict[nn.Module, Call] = {}

    def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if module in found:
            return
        found[module] = (args, kwargs)
        if isinstance(module, Choice):  # which runs candidates layer by layer, and calls none
            for candidate in module.candidates:
                candidate(*args, **kwargs)

    handles = [each.register_forward_pre_hook(note, with_kwargs=True) for each in net.modules()]
    try:
        net(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return found


def _timed(module: nn.Module, calls: Mapping[nn.Module, Call]) -> Iterator[nn.Module]:
    """Yield the largest modules that count, are called and have no choice in them."""
    if isinstance(module, Zero):
        return
    if module in calls and not any(isinstance(each, Routed) for each in module.modules()):
        yield module
        return
    parts = (part for _, part in module.weighed()) if isinstance(module, Routed) else module.children()
    for part in parts:
        yield from _timed(part, calls)


def _signature(value: Any) -> Hashable:
    """Return what is equal for modules, and what they are called with, that take equally long."""
    if isinstance(value, Tensor):
        return tuple(value.shape), value.dtype, value.stride()
    if isinstance(value, list | tuple):
        return tuple(_signature(each) for each in value)
    if isinstance(value, dict):
        return tuple((name, _signature(each)) for name, each in value.items())
    if isinstance(value, nn.Module):
        settings = {name: held for name, held in vars(value).items() if name not in _OF_TORCH}
        parts = (settings, value._parameters, value._buffers, value._modules)
        return type(value), *(_signature(dict(part)) for part in parts)
    return repr(value)

# SPDX-License-Identifier: Apache-2.0
"""What ``search blueprints X`` and its like print to be pasted: whole, and with something to decide."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

LAYERS: Mapping[str, str] = {
    "activation": "- name: activation\n  kind: {oneof: [relu, gelu]}",
    "attention": "- {name: conv, width: 16}\n- name: attention\n  heads: {oneof: [2, 4]}",
    "call": "- call: torch.nn:Conv2d  # or my_module:MyNet: a class or function of your own\n"
    "  args: {in_channels: 1, out_channels: {oneof: [16, 32]}, kernel_size: 3}",
    "cell": "- {name: conv, width: 16}\n- name: cell\n  nodes:\n    - [{oneof: [conv_3x3, max_pool_3x3]}]\n"
    "    - [skip_connect, {oneof: [conv_3x3, sep_conv_3x3]}]",
    "conv": "- name: conv\n  width: {oneof: [16, 32]}\n  kernel_size: {oneof: [3, 5]}",
    "depthwise": "- {name: conv, width: 16}\n- name: depthwise\n  kernel_size: {oneof: [3, 5]}",
    "dropout": "- conv_3x3\n- name: dropout\n  rate: {floatv: [0.0, 0.5]}",
    "edge": "- name: cell\n  nodes:\n    - [{name: edge, source: 0, op: conv_3x3}]\n"
    "    - [{name: edge, source: {oneof: [0, 1]}, op: {oneof: [conv_3x3, skip_connect]}}]",
    "flatten": "- oneof: [{name: flatten}, {name: pool, size: global}]\n- {name: linear, width: 32}",
    "head": "- {name: conv, width: 16}\n- name: head\n  dropout: {oneof: [0.0, 0.2]}",
    "identity": "- {name: conv, width: 16}\n- oneof: [{name: identity}, conv_3x3]",
    "linear": "- name: flatten\n- name: linear\n  width: {oneof: [32, 64]}",
    "norm": "- {name: conv, width: 16, norm: none}\n- name: norm\n  kind: {oneof: [batch, group]}",
    "parallel": "- name: parallel\n  branches: [conv_3x3, {oneof: [max_pool_3x3, avg_pool_3x3]}]\n"
    "  join: {oneof: [sum, concat]}",
    "pool": "- {name: conv, width: 16}\n- name: pool\n  kind: {oneof: [max, avg]}",
    "repeat": "- repeat: {oneof: [1, 2, 3]}  # a number is no decision: as many, each with its own choices\n"
    "  of: {name: conv, width: {oneof: [16, 32]}}",
    "residual": "- {name: conv, width: 16}\n- name: residual\n  body: {oneof: [conv_3x3, sep_conv_3x3]}",
    "separable": "- name: separable\n  width: {oneof: [16, 32]}",
    "sequence": "- name: conv\n  width: {oneof: [16, 32]}\n- oneof: [max_pool_3x3, avg_pool_3x3]",
}
"""Library blueprint to the layers of a small network that has it."""

NEEDED: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("evaluator", "costs"): {"data": "digits"},
    ("evaluator", "latency"): {"data": "digits"},
    ("evaluator", "memory"): {"data": "digits"},
    ("evaluator", "relaxed"): {"data": "digits"},
    ("evaluator", "supernet"): {"data": "digits"},
    ("evaluator", "training"): {"data": "digits"},
    ("strategy", "proxyless"): {"costs": "{params: 1.0e-05}"},
}
"""Key of a study file and name to options with which it is complete."""

NOT_WITH: Mapping[str, frozenset[str]] = {"data": frozenset({"n_outputs", "input_shape"})}
"""Option to those that say the same in another way."""

LISTED: Mapping[str, str] = {
    "activation": "activations",
    "activations": "activations",
    "augment": "augmentations",
    "body": "operations",
    "branches": "operations",
    "data": "datasets",
    "layers": "operations",
    "nodes": "operations",
    "op": "operations",
    "operations": "operations",
    "sampler": "samplers",
    "task": "tasks",
}
"""Option to the registry that its names come from, where its words do not say so."""

TREES = (
    "A space may also be written as a tree: a mapping with a 'name' is a blueprint ('search blueprints'), "
    "'call' with 'args' any class or function, 'import' any value; 'oneof', 'manyof', 'permutate' "
    "and 'floatv' are decisions.",
    "'repeat' with 'of' makes copies, 'part' stands for what is written once under 'parts', 'reference' ties "
    "a field to another. docs/reference/study_file.md explains every word.",
)
"""Where ``search spaces`` reads on."""


def blueprint_yaml(name: str) -> str | None:
    """Return a space with a library blueprint in it; ``None`` for one of somebody else's.

    >>> print(blueprint_yaml("separable"))
    space:
      name: sequence
      layers:
        - name: separable
          width: {oneof: [16, 32]}
    """
    layers = LAYERS.get(name)
    if layers is None:
        return None
    return "space:\n  name: sequence\n  layers:\n" + textwrap.indent(layers, "    ")

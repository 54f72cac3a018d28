# SPDX-License-Identifier: Apache-2.0
"""Networks that hold every candidate of their choices, and take those they are told to.

A *switch* stands for one choice site; all modules that depend on the site hold the same switch. A routed
module acts as its plain counterpart does once the choices are made: ``plain_children`` are that
counterpart's children, in their order, so that weights can be handed on.
"""

from __future__ import annotations

from archloom.nn.routed.choice import Choice, Many, Routed, Wire
from archloom.nn.routed.depth import ElasticDepth
from archloom.nn.routed.elastic import (
    ElasticBatchNorm,
    ElasticConv2d,
    ElasticLinear,
    Knob,
    Width,
    largest,
    slicing,
)
from archloom.nn.routed.loose import LooseWidth, RoutedLooseEndsCell, picking
from archloom.nn.routed.mixed import RoutedMixedConv, ShadowBatchNorm
from archloom.nn.routed.nodes import RoutedParallel, RoutedSumNode
from archloom.nn.routed.partial import PartialChannels, for_search
from archloom.nn.routed.slab import Slab, SlabHead, SlabLayer
from archloom.nn.routed.supernet import Routing, Supernet
from archloom.nn.routed.switch import Switch

__all__ = [
    "Choice",
    "ElasticBatchNorm",
    "ElasticConv2d",
    "ElasticDepth",
    "ElasticLinear",
    "Knob",
    "LooseWidth",
    "Many",
    "PartialChannels",
    "Routed",
    "RoutedLooseEndsCell",
    "RoutedMixedConv",
    "RoutedParallel",
    "RoutedSumNode",
    "Routing",
    "ShadowBatchNorm",
    "Slab",
    "SlabHead",
    "SlabLayer",
    "Supernet",
    "Switch",
    "Width",
    "Wire",
    "for_search",
    "largest",
    "picking",
    "slicing",
]

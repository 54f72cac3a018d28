# SPDX-License-Identifier: Apache-2.0
"""Plain torch modules that architectures are built of.

They know nothing of search and import only torch, the standard library and each other, so that
``archloom.export`` can copy their source into a file of its own. Two conventions hold in every class:

* each parameter of ``__init__`` is kept as the attribute of that name (a list of modules becomes an
  ``nn.ModuleList``), so that a network can be written back as constructor calls;
* ``.out`` is the width of the output.
"""

from __future__ import annotations

from archloom.nn.blocks import ConvBN, ReluConvBN, SeparableConv
from archloom.nn.cells import DagCell, SumNode, TwoInputCell
from archloom.nn.convolutions import ConvLayer
from archloom.nn.dense import MLP, DenseLayer
from archloom.nn.drop_path import ScheduledDropPath, set_progress
from archloom.nn.factorized import FactorizedConv
from archloom.nn.inverted import InvertedBottleneck
from archloom.nn.joins import Parallel, Residual
from archloom.nn.mixed import MixedBottleneck, MixedConv
from archloom.nn.networks import Auxiliary, AuxiliaryHead, ChainNetwork, PooledHead, TwoInputNetwork
from archloom.nn.pairs import LooseEndsCell, PairNode
from archloom.nn.ranks import MeanHead, Norm, PositionPool, Project, SelfAttention
from archloom.nn.sharp import SharpSeparableConv
from archloom.nn.shortcuts import FactorizedReduce, Pool, ResidualReduction, Skip, Zero
from archloom.nn.shuffle import ShuffleUnit

__all__ = [
    "MLP",
    "Auxiliary",
    "AuxiliaryHead",
    "ChainNetwork",
    "ConvBN",
    "ConvLayer",
    "DagCell",
    "DenseLayer",
    "FactorizedConv",
    "FactorizedReduce",
    "InvertedBottleneck",
    "LooseEndsCell",
    "MeanHead",
    "MixedBottleneck",
    "MixedConv",
    "Norm",
    "PairNode",
    "Parallel",
    "Pool",
    "PooledHead",
    "PositionPool",
    "Project",
    "ReluConvBN",
    "Residual",
    "ResidualReduction",
    "ScheduledDropPath",
    "SelfAttention",
    "SeparableConv",
    "SharpSeparableConv",
    "ShuffleUnit",
    "Skip",
    "SumNode",
    "TwoInputCell",
    "TwoInputNetwork",
    "Zero",
    "set_progress",
]

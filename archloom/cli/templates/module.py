# SPDX-License-Identifier: Apache-2.0
"""A module and a data set of your own."""

import torch
from torch import nn
from torch.utils.data import TensorDataset


class Net(nn.Sequential):
    """Fully connected layers; ``c_in`` and ``n_outputs`` are filled in from the data."""

    def __init__(self, c_in: int, n_outputs: int, width: int, depth: int, dropout: float) -> None:
        layers: list[nn.Module] = []
        for i in range(depth):
            layers += [nn.Linear(width if i else c_in, width), nn.ReLU(), nn.Dropout(dropout)]
        super().__init__(*layers, nn.Linear(width, n_outputs))


def data() -> TensorDataset:
    """Return your data: any map-style data set, which is cut 60/20/20 into train, validation and test."""
    inputs = torch.randn(600, 16, generator=torch.Generator().manual_seed(0))
    labels = (inputs[:, :8].square().sum(1) > inputs[:, 8:].square().sum(1)).long()
    return TensorDataset(inputs, labels)

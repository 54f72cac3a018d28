"""A module and a data set of one's own, searched by ``search run examples/own_module.yaml``."""

from sklearn.datasets import load_digits
from torch import nn, tensor, utils


class Net(nn.Sequential):
    """Fully connected layers; archloom fills in ``c_in`` and ``n_outputs`` from the data."""

    def __init__(self, c_in: int, n_outputs: int, width: int, depth: int) -> None:
        hidden = [m for i in range(depth) for m in (nn.Linear(width if i else c_in, width), nn.ReLU())]
        super().__init__(*hidden, nn.Linear(width, n_outputs))


def digits() -> utils.data.TensorDataset:
    """Return any map-style data set: it is cut 60/20/20 into train, validation and test."""
    pixels, labels = load_digits(return_X_y=True)
    return utils.data.TensorDataset(tensor(pixels / 16).float(), tensor(labels))

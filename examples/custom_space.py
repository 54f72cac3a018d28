"""Search a space of your own: blueprints in, the best network out.

Run it with ``python examples/custom_space.py``. It takes about a minute on two cores and leaves its
results in ``custom.db``; ``sqlite3 custom.db 'select * from best'`` shows the winner.
"""

from __future__ import annotations

import sys
from typing import Any

import pyglove as pg
from torch import nn

from archloom import Blueprint, SearchSpace, Study, build, out_of
from archloom.evaluators import Costs, Training
from archloom.strategies import RegularizedEvolution


class Conv(nn.Module):
    """Convolution, normalisation, activation; ``out`` says how many channels come out."""

    def __init__(self, c_in: int, out: int, kernel: int, activation: str):
        super().__init__()
        self.c_in, self.out, self.kernel, self.activation = c_in, out, kernel, activation
        self.conv = nn.Conv2d(c_in, out, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.act = nn.GELU() if activation == "gelu" else nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.act(self.norm(self.conv(x)))


class ConvLayer(Blueprint):
    """What a ``Conv`` is made from; its fields may hold choices."""

    channels: int
    kernel: int
    activation: str = "relu"

    def build(self, c_in: int, **context: Any) -> nn.Module:
        return Conv(c_in, self.channels, self.kernel, self.activation)


class Residual(nn.Module):
    """Adds a layer's output to its input."""

    def __init__(self, inner: nn.Module, out: int):
        super().__init__()
        self.inner, self.out = inner, out

    def forward(self, x: Any) -> Any:
        return x + self.inner(x)


class ResidualLayer(Blueprint):
    """Keeps the width, so that its kernel is all there is to choose."""

    kernel: int

    def build(self, c_in: int, **context: Any) -> nn.Module:
        return Residual(Conv(c_in, c_in, self.kernel, "relu"), c_in)


class Network(Blueprint):
    """Layers, global pooling, a linear head. ``build`` gets the data's shape from the evaluator."""

    layers: list[Any]

    def build(self, c_in: int, n_outputs: int, **context: Any) -> nn.Module:
        built, width = [], c_in
        for layer in self.layers:
            built.append(build(layer, width))
            width = out_of(built[-1])
        return nn.Sequential(*built, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, n_outputs))


def conv() -> Any:
    """A convolution with its own choices of width, kernel and activation."""
    return ConvLayer(
        channels=pg.oneof([8, 16, 32]), kernel=pg.oneof([1, 3, 5]), activation=pg.oneof(["relu", "gelu"])
    )


def space() -> SearchSpace:
    """A first convolution, then two layers that are a convolution or a residual block."""
    later = [pg.oneof([conv(), ResidualLayer(kernel=pg.oneof([3, 5]))]) for _ in range(2)]
    return SearchSpace(Network(layers=[conv(), *later]))


def main(store: str = "sqlite:///custom.db", trials: int = 20, epochs: int = 8) -> Study:
    """Search for accuracy and few parameters at once, and print the trade-off."""
    study = Study(
        space(),
        RegularizedEvolution(population_size=8, sample_size=3),
        [Costs(data="digits"), Training(data="digits", epochs=epochs, lr=0.01)],
        {"accuracy": "maximize", "params": "minimize"},
        name="custom-space",
        store=store,
        constraints=["params <= 20000"],
    )
    study.run(trials=trials)
    for trial in study.pareto:
        print(f"{trial.metrics['validation/accuracy']:.4f}  {trial.metrics['params']:>6.0f}  {trial.text}")
    return study


if __name__ == "__main__":
    main(store=sys.argv[1] if len(sys.argv) > 1 else "sqlite:///custom.db")

"""Search a space of your own: blueprints in, the best network out.

Run it with ``python examples/custom_space.py``. It takes about a minute on two cores, prints the
trade-off and writes the most accurate network to ``custom-model`` as plain PyTorch. Every result is in
``custom.db``: ``sqlite3 custom.db 'select * from pareto'``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pyglove as pg
import torch
from safetensors.torch import load_model
from torch import nn

from archloom import Blueprint, SearchSpace, Study, build, out_of
from archloom.evaluators import Costs, Training, build_network
from archloom.export import export_model
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


def in_words(choices: Mapping[str, str | float]) -> str:
    """A network in one line: ``16x5 gelu, residual 3, 8x1 relu``."""
    words = []
    for layer in range(3):
        name = f"layers[{layer}]"
        kind = choices.get(name, "ConvLayer")
        chosen = f"{name}({kind})" if name in choices else name
        if kind == "ResidualLayer":
            words.append(f"residual {choices[chosen + '.kernel']}")
        else:
            width, kernel = choices[f"{chosen}.channels"], choices[f"{chosen}.kernel"]
            words.append(f"{width}x{kernel} {choices[f'{chosen}.activation']}")
    return ", ".join(words)


def space() -> SearchSpace:
    """A first convolution, then two layers that are a convolution or a residual block."""
    later = [pg.oneof([conv(), ResidualLayer(kernel=pg.oneof([3, 5]))]) for _ in range(2)]
    return SearchSpace(Network(layers=[conv(), *later]), text=in_words)


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
    print("validation  params  architecture")
    for trial in sorted(study.pareto, key=lambda trial: trial.metrics["params"]):
        accuracy, params = trial.values
        print(f"{accuracy:10.4f}  {params:6.0f}  {trial.text}")
    return study


def export(study: Study, folder: str = "custom-model") -> None:
    """Write the best network as plain PyTorch, with the weights that the search trained."""
    training = Training(data="digits")
    network = build_network(study.rebuild(study.best), training.splits)
    load_model(network, study.best.artifacts["weights.safetensors"])
    example = torch.rand(1, *training.splits.input_shape)
    written = export_model(network, folder, card=dict(study.best.metrics), example_input=example)
    print(f"test accuracy {study.best.metrics['test/accuracy']:.4f}, written to {written.folder}")


if __name__ == "__main__":
    export(main(store=sys.argv[1] if len(sys.argv) > 1 else "sqlite:///custom.db"))

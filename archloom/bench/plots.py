# SPDX-License-Identifier: Apache-2.0
"""Score against budget: the mean over seeds, in a band of a standard error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from archloom.bench.runs import Curve, Unit
from archloom.contracts import FloatArray
from archloom.errors import require

__all__ = ["draw"]

Band: TypeAlias = tuple[FloatArray, FloatArray, FloatArray]
"""Budgets, means and standard errors."""

N_POINTS = 200
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#8c564b")
"""Told apart by the colour-blind too (Okabe and Ito), and two more."""


def draw(
    curves: Sequence[Curve],
    unit: Unit,
    objective: str,
    folder: Path,
    *,
    optimum: Mapping[str, float] | None = None,
) -> list[Path]:
    """Draw a picture for each problem, as PNG and as HTML; return the files.

    Args:
        curves: of searches.
        unit: of the budget, the x-axis.
        objective: the name of the y-axis.
        folder: where to.
        optimum: of problems by name, where it is known: the y-axis is then the regret, on a logarithmic
            scale.

    Raises:
        MissingExtraError: without matplotlib and plotly.
    """
    require("matplotlib", "bench", "a picture of a benchmark")
    require("plotly", "bench", "a picture of a benchmark")
    written = []
    for problem in dict.fromkeys(curve.problem for curve in curves):
        own = [curve for curve in curves if curve.problem == problem]
        bands = {
            strategy: _band([curve for curve in own if curve.strategy == strategy], unit)
            for strategy in dict.fromkeys(curve.strategy for curve in own)
        }
        known = (optimum or {}).get(problem)
        label = f"{objective} of the incumbent"
        if known is not None:
            bands, label = _regrets(bands, known), f"regret of the incumbent's {objective}"
        name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in problem)
        png, html = folder / f"{name}.png", folder / f"{name}.html"
        scale = "linear" if known is None else "log"
        _draw_png(bands, problem, unit, (label, scale), png)
        _draw_html(bands, problem, unit, (label, scale), html)
        written += [png, html]
    return written


def _band(curves: Sequence[Curve], unit: Unit) -> Band:
    """Return budgets, means and standard errors, from where every seed has an incumbent on."""
    last = max(float(curve.spent(unit)[-1]) for curve in curves)
    budgets = np.unique(np.geomspace(1.0, max(last, 1.0), N_POINTS).round(3))
    values = np.array([[curve.at(budget, unit)[0] for budget in budgets] for curve in curves])
    is_known = np.isfinite(values).all(axis=0)
    values, budgets = values[:, is_known], budgets[is_known]
    errors = values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.zeros(len(budgets))
    return budgets, values.mean(axis=0), errors


def _regrets(bands: Mapping[str, Band], optimum: float) -> dict[str, Band]:
    """Return how far from the optimum the means are; where all seeds are there, a band ends."""
    found = {}
    for strategy, (budgets, means, errors) in bands.items():
        regrets = np.abs(optimum - means)
        is_apart = regrets > 1e-6 * abs(optimum)
        found[strategy] = budgets[is_apart], regrets[is_apart], errors[is_apart]
    return found


def _edges(means: FloatArray, errors: FloatArray, scale: str) -> tuple[FloatArray, FloatArray]:
    """Return both edges of a band; a logarithmic scale has no place for what is not above zero."""
    low = means - errors
    return (np.maximum(low, means / 10) if scale == "log" else low), means + errors


def _draw_png(bands: Mapping[str, Band], problem: str, unit: Unit, axis: tuple[str, str], path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for i, (strategy, (budgets, means, errors)) in enumerate(bands.items()):
        colour, dash = COLOURS[i % len(COLOURS)], ("-", "--", ":")[i // len(COLOURS) % 3]
        axes.plot(budgets, means, color=colour, linestyle=dash, label=strategy)
        low, high = _edges(means, errors, axis[1])
        axes.fill_between(budgets, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.set_xscale("log")
    axes.set_yscale(axis[1])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    if axis[1] == "log":  # plain numbers between powers of ten too, where there is room
        axes.yaxis.set_minor_formatter(LogFormatter())
    axes.set_xlabel(unit)
    axes.set_ylabel(axis[0])
    axes.set_title(problem)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path)


def _draw_html(
    bands: Mapping[str, Band], problem: str, unit: Unit, axis: tuple[str, str], path: Path
) -> None:
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (strategy, (budgets, means, errors)) in enumerate(bands.items()):
        colour = COLOURS[i % len(COLOURS)]
        low, high = _edges(means, errors, axis[1])
        around = np.concatenate([low, high[::-1]])
        figure.add_scatter(x=budgets, y=means, name=strategy, legendgroup=strategy, line={"color": colour})
        figure.add_scatter(
            x=np.concatenate([budgets, budgets[::-1]]),
            y=around,
            fill="toself",
            fillcolor=colour,
            opacity=0.15,
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=strategy,
        )
    figure.update_layout(
        title=problem,
        xaxis={"title": unit, "type": "log"},
        yaxis={"title": axis[0], "type": axis[1]},
        template="simple_white",
    )
    figure.write_html(path, include_plotlyjs=True)

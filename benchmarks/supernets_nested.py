# SPDX-License-Identifier: Apache-2.0
"""SortedNet: networks that lie in one another, trained together and cut out of the largest."""

from __future__ import annotations

from typing import Any

import numpy as np

from archloom.contracts import SharedRun, Trial
from archloom.evaluators import SupernetEvaluator, Training
from archloom.search_spaces.sorted_mlp import sorted_mlp
from benchmarks.store_words import spread, table, verdict

__all__ = ["nested"]

WIDTH, N_WIDTHS, EPOCHS = 128, 16, 40
KEPT, POINT = 0.96, 0.01
WAYS = {"nested": 2, "sliced": 1}
"""Networks a step: the largest and a drawn one; the largest alone."""


def nested(n_seeds: int = 5) -> list[str]:
    """Return the section."""
    space = sorted_mlp(width=WIDTH, n_widths=N_WIDTHS)
    widths = [WIDTH * (i + 1) // N_WIDTHS for i in range(N_WIDTHS)]
    found: dict[str, Any] = {
        way: np.array([_shared(space, n_paths, seed) for seed in range(n_seeds)])
        for way, n_paths in WAYS.items()
    }
    found["alone"] = np.array([_alone(space, seed) for seed in range(n_seeds)])
    rows = [
        [width, *(spread(found[way][:, i]) for way in ("nested", "sliced", "alone"))]
        for i, width in enumerate(widths)
    ]
    mean = found["nested"].mean(axis=0)
    drop = max(float(mean[:i].max() - mean[i]) for i in range(1, N_WIDTHS))
    kept = float(mean[N_WIDTHS // 2 :].min() / mean[-1])
    sliced = found["sliced"].mean(axis=0)
    left = [float(sliced[n - 1] / sliced[-1]) for n in (N_WIDTHS // 2, N_WIDTHS // 4)]
    return [
        "## Nested widths (SortedNet)",
        "",
        f"Two hidden layers of one width on digits, {EPOCHS} epochs, {n_seeds} seeds, test accuracy, mean ± "
        "standard deviation. *Nested*: each step trains the largest network and a drawn one (sampler "
        "`ordered`). *Sliced*: the largest alone is trained. *Alone*: each width is trained by itself.",
        "",
        *table(["width", "nested", "sliced", "alone"], rows),
        "",
        f"Nested accuracy falls by at most {100 * drop:.2f} points where the width grows "
        f"({verdict(drop <= POINT, '1')}); the upper half keeps {100 * kept:.1f} % of the full network's "
        f"({verdict(kept >= KEPT, '96')}). Of the network that was trained at full width only, half the "
        f"width keeps {100 * left[0]:.1f} %, a quarter {100 * left[1]:.1f} % "
        f"({verdict(left[0] < KEPT and left[1] < 0.5, 'it collapses:')}).",
        "",
    ]


def _shared(space: Any, n_paths: int, seed: int) -> list[float]:
    evaluator = SupernetEvaluator(
        data="digits", epochs=EPOCHS, sampler="ordered", sampler_options={"n_paths": n_paths}, test=True
    )
    evaluator.prepare(space)
    evaluator.train(SharedRun("supernet", seed))
    rows = space.enumerate()
    scores = [evaluator.evaluate(space.architecture(rows[i]), Trial()) for i in range(len(rows))]
    return [score["test/accuracy"] for score in scores]


def _alone(space: Any, seed: int) -> list[float]:
    training = Training(data="digits", epochs=EPOCHS, save_weights=False)
    training.prepare(space)
    rows = space.enumerate()
    scores = [training.evaluate(space.architecture(rows[i]), Trial(seed=seed)) for i in range(len(rows))]
    return [score["test/accuracy"] for score in scores]

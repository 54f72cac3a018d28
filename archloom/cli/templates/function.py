# SPDX-License-Identifier: Apache-2.0
"""What a study scores with."""

from typing import Any


def score(architecture: Any) -> dict[str, float]:
    """Return one number for each metric.

    ``architecture.value`` is the decoded value, here a mapping with ``kind``, ``degree`` and ``scale``;
    ``architecture.choices`` has every decision by name. An exception fails the trial, and the study goes on.
    """
    value = architecture.value
    power = value["degree"] * (2 if value["kind"] == "quadratic" else 1)
    return {"score": 10 - abs(power - 4) - abs(value["scale"] - 2), "cost": power * value["scale"]}

# SPDX-License-Identifier: Apache-2.0
"""Images changed at random while a network trains, so that it sees each in many forms."""

from __future__ import annotations

from archloom.evaluators.augmentation.changes import Crop, Cutout, Flip, Noise
from archloom.evaluators.augmentation.mixing import CutMix, Mixed, Mixup
from archloom.evaluators.augmentation.pipeline import Augmentation

__all__ = ["Augmentation", "Crop", "CutMix", "Cutout", "Flip", "Mixed", "Mixup", "Noise"]

# SPDX-License-Identifier: Apache-2.0
"""The names that a study file may use for evaluators, datasets, augmentations and tasks.

A dataset is registered as a callable with keyword-only options that returns ``Splits`` (or anything
else that ``load_splits`` understands); a task as a class whose arguments are its options; an augmentation
as such a class, or as a function of images and generator that takes its options after them.
"""

from __future__ import annotations

from archloom.registry import Registry

__all__ = ["AUGMENTATIONS", "DATASETS", "EVALUATORS", "TASKS"]

EVALUATORS = Registry(
    "evaluators",
    {
        "costs": "archloom.evaluators.costs:Costs",
        "function": "archloom.evaluators.function:Function",
        "latency": "archloom.evaluators.latency:Latency",
        "memory": "archloom.evaluators.memory:Memory",
        "nasbenchgraph": "archloom.evaluators.nasbenchgraph:NasBenchGraph",
        "relaxed": "archloom.evaluators.relaxed:RelaxedSupernet",
        "supernet": "archloom.evaluators.supernet:SupernetEvaluator",
        "tabular": "archloom.evaluators.tabular:Tabular",
        "training": "archloom.evaluators.training:Training",
    },
)

DATASETS = Registry(
    "datasets",
    {
        "digits": "archloom.evaluators.data.digits:digits",
        "fashion_mnist": "archloom.evaluators.data.fashion_mnist:fashion_mnist",
        "mnist5k": "archloom.evaluators.data.mnist5k:mnist5k",
    },
)

AUGMENTATIONS = Registry(
    "augmentations",
    {
        "crop": "archloom.evaluators.augmentation:Crop",
        "cutmix": "archloom.evaluators.augmentation:CutMix",
        "cutout": "archloom.evaluators.augmentation:Cutout",
        "flip": "archloom.evaluators.augmentation:Flip",
        "mixup": "archloom.evaluators.augmentation:Mixup",
        "noise": "archloom.evaluators.augmentation:Noise",
    },
)

TASKS = Registry(
    "tasks",
    {
        "classification": "archloom.evaluators.tasks:Classification",
        "regression": "archloom.evaluators.tasks:Regression",
    },
)

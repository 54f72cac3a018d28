# SPDX-License-Identifier: Apache-2.0
"""The augmentations of a study, one after the other."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, final

import numpy as np
import torch

from archloom.errors import ConfigError
from archloom.evaluators.augmentation.mixing import Mixed
from archloom.evaluators.options import call_with_options, known
from archloom.evaluators.registries import AUGMENTATIONS

__all__ = ["Augmentation"]

Part = Callable[[torch.Tensor, torch.Generator], "torch.Tensor | Mixed"]


@final
class Augmentation:
    """Changes the images of a training batch, by parts that are told in a study file or given live.

    A part is called as ``part(images, generator)``, with ``images`` as ``b x c x h x w`` and a generator on
    their device, and returns images of the same shape, or ``Mixed`` where it blends them.

    Args:
        parts: of each the registered name (``flip``), a mapping of name and options
            (``{"name": "crop", "padding": 2}``) or a live callable. What the name (or import path) stands for
            is a class made with the options, or a function that takes them after images and generator.

    Raises:
        UnknownNameError: nothing is registered under a name.
        ConfigError: an option is unknown or out of its range, or a part is none.

    Example:
        >>> augmentation = Augmentation([{"name": "crop", "padding": 2}, "flip"])
        >>> change = augmentation.seeded(0, torch.device("cpu"))
        >>> (images, labels), mixed = change((torch.rand(5, 1, 8, 8), torch.arange(5)))
        >>> images.shape, labels, mixed
        (torch.Size([5, 1, 8, 8]), tensor([0, 1, 2, 3, 4]), None)
    """

    def __init__(self, parts: Sequence[str | Mapping[str, Any] | Part]):
        if isinstance(parts, str | Mapping) or not isinstance(parts, Sequence):
            raise ConfigError(f"augment must be a list, such as [flip]; got {parts!r}")
        self._parts = [_part(part) for part in parts]

    def __len__(self) -> int:
        return len(self._parts)

    def check(self, batch: Any, input_shape: Sequence[int]) -> None:
        """Change a few samples, so that what cannot hold for the data is met before the first trial.

        Args:
            batch: the samples, as the task gets them.
            input_shape: of one.

        Raises:
            ConfigError: they are no images with a class or some numbers each, or a part does not fit them.
        """
        if not self._parts:
            return
        images, targets = _pair(batch, input_shape)
        generator = torch.Generator(images.device).manual_seed(0)
        n_mixed = 0
        for part in self._parts:
            found = part(images.clone(), generator)
            n_mixed += isinstance(found, Mixed)
            found = found.images if isinstance(found, Mixed) else found
            _check_kept(part, images, found)
        if n_mixed > 1:
            raise ConfigError("augment may blend images once: keep one of mixup, cutmix and their like")
        if n_mixed and len(targets) != len(images):
            raise ConfigError(f"augment blends {len(images)} images, but there are {len(targets)} targets")

    def seeded(
        self, seed: int, device: torch.device
    ) -> Callable[[Any], tuple[tuple[torch.Tensor, Any], Mixed | None]] | None:
        """Return what changes one batch after the other; the seed decides how. ``None`` without parts.

        It takes a batch, ``(images, targets)``, and returns the changed one and how images were blended.
        """
        if not self._parts:
            return None
        # Not the seed itself, which orders the samples: the draws would go together.
        own = np.random.SeedSequence((seed % 2**63, 1)).generate_state(1, np.uint64)
        generator = torch.Generator(device).manual_seed(int(own[0]) % 2**63)
        return partial(self._change, generator)

    def _change(
        self, generator: torch.Generator, batch: Any
    ) -> tuple[tuple[torch.Tensor, Any], Mixed | None]:
        images, targets = batch
        mixed = None
        for part in self._parts:
            found = part(images, generator)
            if isinstance(found, Mixed):
                mixed = found
                images = found.images
            else:
                images = found
        return (images, targets), mixed


def _part(given: Any) -> Part:
    name, options = given, {}
    if isinstance(given, Mapping):
        options = {str(option): value for option, value in given.items() if option != "name"}
        name = given.get("name")
    elif callable(given):
        return given  # type: ignore[no-any-return]
    if not isinstance(name, str):
        raise ConfigError(
            "an augmentation is a name or a mapping with one, such as {name: crop, padding: 2}; "
            f"got {given!r}"
        )
    found = AUGMENTATIONS.get(name)
    if not callable(found):
        raise ConfigError(f"the augmentation {name!r} cannot be called: {found!r}")
    if not inspect.isclass(found):
        return _with_options(found, options, name)
    return call_with_options(found, options, f"the augmentation {name!r}")  # type: ignore[no-any-return]


def _with_options(function: Callable[..., Any], options: Mapping[str, Any], name: str) -> Part:
    _, _, *named = inspect.signature(function).parameters
    for option in options:
        known(option, named, f"option of the augmentation {name!r}")
    return partial(function, **options)


def _pair(batch: Any, input_shape: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    is_pair = isinstance(batch, tuple | list) and len(batch) == 2
    if not is_pair or not all(isinstance(part, torch.Tensor) for part in batch):
        raise ConfigError(
            f"augment takes batches of images and targets, but the task's are {type(batch).__name__}; "
            "remove 'augment'"
        )
    images, targets = batch
    if images.ndim != 4 or not images.is_floating_point():
        shape = " x ".join(map(str, input_shape))
        raise ConfigError(
            "augment is for images, channels x height x width of real numbers; the inputs are "
            f"{shape} of {images.dtype}: remove 'augment'"
        )
    if targets.ndim > 2:
        raise ConfigError(
            "augment changes images only, so that a target for each place would no longer fit; the targets "
            f"have the shape {tuple(targets.shape[1:])}: remove 'augment'"
        )
    return images, targets


def _check_kept(part: Part, images: torch.Tensor, found: Any) -> None:
    if not isinstance(found, torch.Tensor) or (found.shape, found.dtype) != (images.shape, images.dtype):
        got = (
            f"{tuple(found.shape)} of {found.dtype}"
            if isinstance(found, torch.Tensor)
            else type(found).__name__
        )
        raise ConfigError(
            f"the augmentation {part!r} must return images as it got them, {tuple(images.shape)} of "
            f"{images.dtype}; got {got}"
        )

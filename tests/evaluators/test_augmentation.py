# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from archloom.contracts import Architecture, Task, Trial
from archloom.errors import ConfigError
from archloom.evaluators.augmentation import Augmentation, Crop, CutMix, Cutout, Flip, Mixed, Mixup, Noise
from archloom.evaluators.augmentation.mixing import _beta
from archloom.evaluators.registries import AUGMENTATIONS
from archloom.evaluators.training import Training

Point = Callable[..., Architecture]
CPU = torch.device("cpu")
FEW = {"n_train": 200, "n_validation": 60, "n_test": 60}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(b: int, h: int = 6, w: int = 8) -> torch.Tensor:
    """Images whose pixels all differ and are above 0."""
    return torch.arange(1.0, b * 2 * h * w + 1).reshape(b, 2, h, w)


def darken(images: torch.Tensor, generator: torch.Generator, *, factor: float = 0.5) -> torch.Tensor:
    """Stand in for what a plug-in brings."""
    del generator
    return images * factor


def test_a_crop_is_a_window_of_the_padded_image_and_all_windows_come() -> None:
    images = numbered(300)
    crops = Crop(padding=2, fill=-1.0)(images, seeded())
    padded = nn.functional.pad(images, (2, 2, 2, 2), value=-1.0)
    places = set()
    for crop, whole in zip(crops, padded, strict=True):
        found = [
            (y, x) for y in range(5) for x in range(5) if torch.equal(crop, whole[:, y : y + 6, x : x + 8])
        ]
        assert len(found) == 1
        places.add(found[0])
    assert len(places) == 25


def test_a_crop_left_to_itself_pads_an_eighth() -> None:
    images = torch.ones(200, 1, 32, 40)
    empty_rows = (Crop()(images, seeded()) == 0).all(dim=3).sum(dim=(1, 2))
    assert int(empty_rows.max()) == 4
    assert torch.equal(Crop()(numbered(50), seeded()), Crop(padding=1)(numbered(50), seeded()))


def test_a_flip_mirrors_about_the_share_it_is_told() -> None:
    images = numbered(1000)
    flipped = Flip(probability=0.2)(images, seeded())
    is_mirrored = torch.tensor([torch.equal(a, b.flip(-1)) for a, b in zip(flipped, images, strict=True)])
    assert torch.equal(flipped[~is_mirrored], images[~is_mirrored])
    assert 150 < int(is_mirrored.sum()) < 250


def test_a_cutout_is_a_square_that_may_reach_over_the_edge() -> None:
    images = numbered(400)
    blank = Cutout(size=4, fill=-7.0)(images, seeded()) == -7.0
    assert torch.equal(blank[:, 0], blank[:, 1])
    heights, widths = blank[:, 0].any(dim=2).sum(dim=1), blank[:, 0].any(dim=1).sum(dim=1)
    assert torch.equal(heights * widths, blank[:, 0].sum(dim=(1, 2)))
    assert set(heights.tolist()) == set(widths.tolist()) == {2, 3, 4}
    assert blank[:, 0].any(dim=0).all()
    assert int((Cutout()(images, seeded()) == 0).sum(dim=(2, 3)).max()) == 9


def test_noise_is_normal_around_the_image() -> None:
    images = numbered(100, 16, 16)
    noise = (Noise(deviation=0.3)(images, seeded()) - images) / 0.3
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(noise.std()) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_shares_are_drawn_from_beta(alpha: float) -> None:
    generator = seeded()
    draws = np.sort([float(_beta(alpha, generator, CPU)) for _ in range(2000)])
    others = np.sort(np.random.default_rng(0).beta(alpha, alpha, 100_000))
    distance = np.abs(np.searchsorted(others, draws) / 100_000 - np.arange(2000) / 2000).max()
    assert distance < 1.63 / math.sqrt(2000)  # Kolmogorov and Smirnov at one per cent


def test_shares_of_an_extreme_alpha_stay_shares() -> None:
    generator = seeded()
    draws = [float(_beta(alpha, generator, CPU)) for alpha in (1e-6, 0.01, 1e6) for _ in range(300)]
    assert all(0.0 <= draw <= 1.0 for draw in draws)
    assert not any(0.1 < draw < 0.9 for draw in draws[:300])
    assert all(abs(draw - 0.5) < 0.01 for draw in draws[600:])


def test_mixup_blends_each_image_with_its_partner() -> None:
    images = numbered(7)
    for seed in range(5):
        mixed = Mixup(alpha=1.0)(images, seeded(seed))
        assert sorted(mixed.partners.tolist()) == list(range(7))
        blend = mixed.share * images + (1 - mixed.share) * images[mixed.partners]
        torch.testing.assert_close(mixed.images, blend)


def test_cutmix_keeps_the_share_that_it_tells() -> None:
    shares = []
    for seed in range(200):
        images = torch.arange(1.0, 5.0)[:, None, None, None].expand(4, 1, 6, 8).contiguous()
        mixed = CutMix()(images, seeded(seed))
        others = images[mixed.partners]
        is_own = mixed.images == images
        assert torch.equal(mixed.images, torch.where(is_own, images, others))
        moved = mixed.partners != torch.arange(4)
        kept = is_own[moved].float().mean(dim=(1, 2, 3))
        torch.testing.assert_close(kept, mixed.share.expand(len(kept)))
        shares.append(float(mixed.share))
    assert min(shares) < 0.2
    assert max(shares) > 0.95


def test_the_loss_of_a_blend_is_blended(point: Point) -> None:
    seen: list[torch.Tensor] = []

    def half(images: torch.Tensor, generator: torch.Generator) -> Mixed:
        partners = torch.arange(len(images)).flip(0)
        return Mixed((images + images[partners]) / 2, partners, torch.tensor(0.25))

    class Watching(Task):
        gives: ClassVar[tuple[str, ...]] = ("loss",)

        def forward_batch(self, network: Any, batch: Any) -> tuple[Any, Any]:
            return network(batch[0].flatten(1)), batch[1]

        def loss(self, outputs: Any, targets: Any) -> Any:
            seen.append(targets)
            return targets.float().mean() * 100 + outputs.mean() * 0 + targets[0]

        def metrics(self, outputs: Any, targets: Any) -> dict[str, float]:
            return {"loss": 0.0}

    data = TensorDataset(torch.rand(3, 1, 2, 2), torch.tensor([0, 1, 2]))
    training = Training(data=(data, data), task=Watching(), epochs=1, augment=[half], batch_size=3)
    loss = training.evaluate(point(nn.Linear(4, 3)), Trial())["train/loss"]
    own, partner = seen
    assert torch.equal(partner, own.flip(0))
    assert loss == pytest.approx(100 + 0.25 * float(own[0]) + 0.75 * float(partner[0]))


@pytest.mark.parametrize("name", AUGMENTATIONS.names())
def test_every_registered_one_keeps_the_laws(name: str) -> None:
    augmentation = Augmentation([name])
    augmentation.check((numbered(2), torch.tensor([0, 1])), (2, 6, 8))

    def passes(seed: int) -> list[torch.Tensor]:
        change = augmentation.seeded(seed, CPU)
        assert change is not None
        return [change((images, torch.arange(16)))[0][0] for _ in range(3)]

    images = numbered(16)
    before = torch.random.get_rng_state()
    first = passes(3)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(images, numbered(16))
    assert all(torch.equal(a, b) for a, b in zip(first, passes(3), strict=True))
    assert not torch.equal(first[0], first[1])
    assert not all(torch.equal(a, b) for a, b in zip(first, passes(4), strict=True))
    assert not torch.equal(first[0], images)


def test_parts_work_one_after_the_other() -> None:
    change = Augmentation([darken, {"name": "flip", "probability": 1.0}, Mixup(alpha=1.0), darken]).seeded(
        0, CPU
    )
    assert change is not None
    images = numbered(4)
    (found, targets), mixed = change((images, torch.arange(4)))
    assert mixed is not None
    flipped = images.flip(-1) / 2
    torch.testing.assert_close(found, torch.lerp(flipped[mixed.partners], flipped, mixed.share) / 2)
    assert targets.tolist() == [0, 1, 2, 3]


def test_a_function_takes_its_options_from_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AUGMENTATIONS, "_builtins", {"darken": "mine_here:darken"})
    monkeypatch.setitem(sys.modules, "mine_here", SimpleNamespace(darken=darken))
    change = Augmentation([{"name": "darken", "factor": 0.25}]).seeded(0, CPU)
    assert change is not None
    assert torch.equal(change((numbered(2), None))[0][0], numbered(2) / 4)
    with pytest.raises(ConfigError, match="'facter' is no option of the augmentation 'darken'; did you mean"):
        Augmentation([{"name": "darken", "facter": 0.25}])
    with pytest.raises(ConfigError, match="'images' is no option"):
        Augmentation([{"name": "darken", "images": 1}])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ("flip", r"augment must be a list, such as \[flip\]; got 'flip'"),
        ({"name": "flip"}, "augment must be a list"),
        (None, "augment must be a list"),
        (["flop"], "'flop' is not one of the augmentations; did you mean 'flip'"),
        ([3], "got 3"),
        ([{"padding": 2}], r"name: crop, padding: 2\}; got \{'padding': 2\}"),
        ([{"name": Flip()}], "an augmentation is a name"),
        ([{"name": "crop", "pading": 2}], "'pading' is no option of .*'crop'; did you mean 'padding'"),
        ([{"name": "crop", "padding": 0}], "padding of .*'crop' must be a whole number from 1; got 0"),
        ([{"name": "crop", "padding": 1.5}], "got 1.5"),
        ([{"name": "crop", "padding": True}], "got True"),
        ([{"name": "crop", "padding": "much"}], "got 'much'"),
        ([{"name": "crop", "fill": math.nan}], "fill of .* finite number; got nan"),
        ([{"name": "flip", "probability": 0}], "finite number above 0 and at most 1; got 0"),
        ([{"name": "flip", "probability": 1.1}], "got 1.1"),
        ([{"name": "cutout", "size": -1}], "size of"),
        ([{"name": "noise", "deviation": 0.0}], "deviation of .* above 0; got 0"),
        ([{"name": "noise", "deviation": math.inf}], "got inf"),
        ([{"name": "mixup", "alpha": 0}], "alpha of the augmentation 'mixup'"),
        ([{"name": "cutmix", "alpha": None}], "got None"),
        (["math:pi"], "'math:pi' cannot be called"),
        (["math:pie"], "has no 'pie'"),
    ],
)
def test_wrong_parts_are_refused_at_once(parts: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Training(data="digits", augment=parts)


def rows(*shape: int, dtype: torch.dtype = torch.float32, targets: tuple[int, ...] = ()) -> Any:
    data = TensorDataset(torch.zeros(8, *shape, dtype=dtype), torch.zeros(8, *targets))
    return data, data


@pytest.mark.parametrize(
    ("data", "augment", "message"),
    [
        (rows(5), ["flip"], "augment is for images.*the inputs are 5 of torch.float32: remove 'augment'"),
        (rows(3, 5), ["noise"], "the inputs are 3 x 5"),
        (rows(1, 4, 4, dtype=torch.uint8), ["flip"], "1 x 4 x 4 of torch.uint8"),
        (rows(1, 4, 4, targets=(4, 4)), ["flip"], r"a target for each place.*\(4, 4\)"),
        (rows(1, 4, 6), [{"name": "cutout", "size": 5}], "at most 4, the shorter side of the images; got 5"),
        (rows(1, 4, 4), ["mixup", "flip", "cutmix"], "blend images once"),
        (rows(1, 4, 4), [lambda images, generator: images[:, :, 1:]], r"got \(2, 1, 3, 4\) of torch.float32"),
        (rows(1, 4, 4), [lambda images, generator: images.double()], "torch.float64"),
        (rows(1, 4, 4), [lambda images, generator: None], "got NoneType"),
    ],
)
def test_what_does_not_fit_the_data_is_met_in_prepare(data: Any, augment: Any, message: str) -> None:
    training = Training(data=data, task="regression", augment=augment)
    with pytest.raises(ConfigError, match=message):
        training.prepare(None)


def test_batches_of_another_form_are_met_in_prepare() -> None:
    class Named(Task):
        collate = staticmethod(lambda samples: {"x": torch.stack([s[0] for s in samples])})

        def forward_batch(self, network: Any, batch: Any) -> tuple[Any, Any]:
            raise NotImplementedError

        def loss(self, outputs: Any, targets: Any) -> Any:
            raise NotImplementedError

        def metrics(self, outputs: Any, targets: Any) -> dict[str, float]:
            raise NotImplementedError

    with pytest.raises(ConfigError, match="images and targets, but the task's are dict"):
        Training(data=rows(1, 4, 4), task=Named(), augment=["flip"]).prepare(None)


def test_only_training_is_augmented_and_the_seed_decides(point: Point) -> None:
    means: dict[bool, list[float]] = {True: [], False: []}

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(64, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            means[self.training].append(float(x.min()))
            y: torch.Tensor = self.linear(x.flatten(1))
            return y

    augment = ["crop", "cutout", {"name": "noise", "deviation": 0.1}]
    training = Training(data="digits", data_options=FEW, epochs=2, augment=augment)
    first = training.evaluate(point(Watching()), Trial(seed=1))
    assert max(means[True]) < 0 == min(means[False]) == max(means[False])
    network = Watching()
    first = training.evaluate(point(network), Trial(seed=1))
    assert training.evaluate(point(network), Trial(seed=1)) == first
    assert training.evaluate(point(network), Trial(seed=2)) != first
    plain = Training(data="digits", data_options=FEW, epochs=2)
    assert plain.evaluate(point(network), Trial(seed=1)) != first
    empty = Training(data="digits", data_options=FEW, epochs=2, augment=[])
    assert empty.evaluate(point(network), Trial(seed=1)) == plain.evaluate(point(network), Trial(seed=1))


@pytest.mark.parametrize("augment", [["crop", "cutout"], ["mixup"], ["noise", "cutmix"]])
def test_augmented_digits_are_learned(augment: list[str], point: Point, small_net: Any) -> None:
    metrics = Training(data="digits", epochs=8, lr=1e-2, augment=augment).evaluate(point(small_net), Trial())
    assert metrics["validation/accuracy"] > 0.8
    assert metrics["train/loss"] > metrics["validation/loss"]

# SPDX-License-Identifier: Apache-2.0
"""The evaluator that trains under a relaxation: its losses, their gradients, its refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch

from archloom.contracts import SharedRun, Trial
from archloom.errors import ArchloomError, ConfigError, SpaceError
from archloom.evaluators.relaxed import RelaxedSupernet
from archloom.nn.routed import Choice, PartialChannels
from archloom.relaxation import Mixture, Relaxation
from archloom.search_spaces import SearchSpace
from archloom.search_spaces import blueprints as b
from archloom.search_spaces.cell import cell
from archloom.search_spaces.mobilenet import mobilenet
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.search_spaces.nasnet import nasnet


def space() -> SearchSpace:
    return nasbench201(channels=4, n_cells=1)


def made(
    on: SearchSpace | None = None, needs: dict[str, Any] | None = None, **options: Any
) -> RelaxedSupernet:
    evaluator = RelaxedSupernet(data="digits", epochs=2, **options)
    evaluator.needs = needs or {}
    evaluator.prepare(on or space())
    return evaluator


def started(evaluator: RelaxedSupernet, folder: Path | None = None) -> RelaxedSupernet:
    evaluator.start(SharedRun("supernet", 1, folder=folder))
    return evaluator


def learned(on: SearchSpace, seed: int = 0) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return {
        point.path: torch.randn(point.m, generator=rng).requires_grad_()  # type: ignore[union-attr]
        for point in on.network_points
    }


def softmax(alphas: dict[str, torch.Tensor]) -> Relaxation:
    return {path: Mixture(alpha.softmax(0)) for path, alpha in alphas.items()}


@pytest.mark.slow
def test_the_gradient_is_that_of_the_whole_mixture() -> None:
    """Weights need no gradient where only the relaxation learns: the same loss, the same gradient."""
    evaluator, alphas = started(made()), learned(space())
    with evaluator.epoch(0):
        loss = evaluator.validation_losses(softmax(alphas))["validation/loss"]
        found = torch.autograd.grad(loss, list(alphas.values()))
    evaluator = started(made())
    with evaluator.epoch(0):
        evaluator._net.route(softmax(alphas))
        plain = evaluator._trainer.loss(next(evaluator._validation))
        assert float(plain.detach()) == float(loss.detach())
        exact = torch.autograd.grad(plain, list(alphas.values()))
        assert all(torch.allclose(a, c, atol=1e-7) for a, c in zip(found, exact, strict=True))
        assert all(weight.requires_grad for weight in evaluator._weights)


@pytest.mark.slow
def test_an_unrolled_loss_reaches_what_is_learned_and_leaves_no_trace() -> None:
    evaluator, alphas = started(made(needs={"unrolled": True})), learned(space())
    before = {name: value.clone() for name, value in evaluator._net.state_dict().items()}
    with evaluator.epoch(0):
        loss = evaluator.validation_losses(softmax(alphas))["validation/loss"]
        second = torch.autograd.grad(loss, list(alphas.values()))
        assert all(torch.equal(before[name], value) for name, value in evaluator._net.state_dict().items())
        peeked = evaluator._next
        evaluator.train_step({path: Mixture(alpha.detach().softmax(0)) for path, alpha in alphas.items()})
        assert peeked is not None
        assert evaluator._next is None
    first = started(made())
    with first.epoch(0):
        plain = torch.autograd.grad(
            first.validation_losses(softmax(alphas))["validation/loss"], list(alphas.values())
        )
    assert any(not torch.allclose(a, c) for a, c in zip(second, plain, strict=True))


def test_what_is_not_computed_is_not_trained() -> None:
    evaluator = started(made())
    one = {path: Mixture(torch.eye(5)[3], (3,)) for path in learned(space())}
    before = {name: p.detach().clone() for name, p in evaluator._net.named_parameters()}
    with evaluator.epoch(0):
        evaluator.train_step(one)
    moved = {name for name, p in evaluator._net.named_parameters() if not torch.equal(p, before[name])}
    assert any("candidates.3" in name for name in moved)
    assert not any(f"candidates.{i}." in name for name in moved for i in (0, 1, 2, 4))


def test_candidates_compete_without_scales_of_their_own() -> None:
    evaluator = started(made())
    scales = [
        module
        for name, module in evaluator._net.named_modules()
        if "candidates" in name and isinstance(module, torch.nn.BatchNorm2d)
    ]
    assert scales
    assert not any(p.requires_grad for module in scales for p in module.parameters())
    pools = [name for name, _ in evaluator._net.named_modules() if name.endswith("candidates.4.norm")]
    assert len(pools) == 6 * 3
    bare = started(made(norms_pools=False))
    assert not [name for name, _ in bare._net.named_modules() if name.endswith("candidates.4.norm")]


def test_weights_are_handed_on_but_for_partial_channels() -> None:
    on = space()
    architecture = on.architecture(on.at([1234]))
    evaluator = started(made(on))
    assert 0 <= evaluator.derive(architecture, SharedRun("derived"))["test/accuracy"] <= 1
    partial = started(made(on, {"partial_channels": 2}))
    assert 0 <= partial.evaluate(architecture, Trial())["validation/accuracy"] <= 1
    with pytest.raises(ArchloomError, match="one channel in 2 does not hand its weights on"):
        partial.derive(architecture, SharedRun("derived"))


def test_partial_channels_let_the_others_pass() -> None:
    partial = started(made(needs={"partial_channels": 4}))
    [first, *_] = [m for m in partial._net.modules() if isinstance(m, PartialChannels)]
    assert isinstance(first.choice, Choice)
    x = torch.randn(2, 4, 6, 6)
    with torch.no_grad():
        first.choice.switch.set((0,))  # none: what is seen becomes nothing
        y = first(x)
    passed = {tuple(channel.flatten().tolist()) for channel in x[:, 1:].transpose(0, 1)}
    found = {tuple(channel.flatten().tolist()) for channel in y.transpose(0, 1)}
    assert passed <= found
    assert bool((y[:, 0] == 0).all())


@pytest.mark.parametrize(
    ("on", "needs", "reason"),
    [
        (
            mobilenet(channels=[8, 16], strides=[1, 2], stem_stride=1, head=16),
            {},
            r"stages\[0\].blocks\[0\].* cannot be relaxed: it is elastic",
        ),
        (
            nasnet(channels=4, n_cells=3, combines=["add"]),
            {},
            "which states no other node reads depends on it",
        ),
        (
            SearchSpace(b.Sequence([b.Parallel(pg.manyof(2, ["conv_1x1", "conv_3x3"]), join="concat")])),
            {},
            "its candidates stand side by side",
        ),
        (nasbench201(channels=6), {"partial_channels": 4}, "6 to 6 channels cannot see one channel in 4"),
        (
            SearchSpace(
                b.Sequence([b.Flatten(), b.Linear(width=4), b.Activation(pg.oneof(["relu", "gelu"]))])
            ),
            {"partial_channels": 2},
            "which no operation of this space can",
        ),
        (SearchSpace(b.Sequence([b.Dropout(pg.floatv(0.0, 0.5))])), {}, "is a number of any size"),
        (
            SearchSpace(
                b.Sequence([pg.oneof(["conv_1x1", "conv_3x3"]), pg.oneof(["conv_1x1", "conv_3x3"])]),
                slabs={"both": ["layers[0]", "layers[1]"]},
            ),
            {},
            "both cannot be relaxed: no part of the network weighs its sites together",
        ),
    ],
)
def test_spaces_that_cannot_be_relaxed_are_refused(on: SearchSpace, needs: Any, reason: str) -> None:
    with pytest.raises(SpaceError, match=reason):
        made(on, needs)


def test_what_cannot_be_is_said() -> None:
    on = space()
    architecture = on.architecture(on.at([0]))
    with pytest.raises(ArchloomError, match="has not been trained"):
        made().evaluate(architecture, Trial())
    evaluator = started(made())
    with pytest.raises(ArchloomError, match="nothing was measured at supernet@7"):
        evaluator.evaluate(architecture, Trial(fidelity="supernet@7"))
    evaluator.note("supernet@1", ArchloomError("diverged"))
    with pytest.raises(ArchloomError, match="diverged"):
        evaluator.evaluate(architecture, Trial(fidelity="supernet@1"))
    with pytest.raises(ArchloomError, match="has left no weights in memory"):
        made().load(SharedRun("supernet"))
    with pytest.raises(ConfigError, match="epochs must be at least 1"):
        RelaxedSupernet(data="digits", epochs=0)
    with pytest.raises(ConfigError, match="float16 needs losses that are scaled"):
        made(precision="float16")
    with pytest.raises(ConfigError, match="'latency' is no cost"):
        made(needs={"costs": ["latency"]})


def test_a_state_is_kept_whole(tmp_path: Path) -> None:
    evaluator = started(made(), tmp_path)
    relaxation = {path: Mixture(torch.full((5,), 0.2)) for path in learned(space())}
    with evaluator.epoch(0):
        for _ in range(3):
            evaluator.train_step(relaxation)
    evaluator.save(1, {"alpha.x": torch.ones(2)}, {"train/loss": 0.5})
    again = started(made(), tmp_path)
    saved = again.restore()
    assert saved is not None
    assert (saved[0], saved[2]) == (1, {"train/loss": 0.5})
    assert torch.equal(saved[1]["alpha.x"], torch.ones(2))
    ours, theirs = evaluator._net.state_dict(), again._net.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    with pytest.raises(ArchloomError, match="is of another needs"):
        started(made(needs={"unrolled": True}), tmp_path).restore()


def test_it_relaxes_cells_of_the_library() -> None:
    on = cell(nodes=2, channels=4, n_cells=1)
    evaluator = started(made(on))
    names = [name for name, switch in evaluator._net.switches.items() if switch.n > 1]
    with evaluator.epoch(0):
        sizes = {name: evaluator._net.switches[name].n for name in names}
        relaxation = {name: Mixture(torch.full((n,), 1 / n)) for name, n in sizes.items()}
        loss = evaluator.train_step(relaxation)["train/loss"]
    assert np.isfinite(float(loss))

# SPDX-License-Identifier: Apache-2.0
"""The search networks that our relaxed ones are timed against are those of the papers."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from archloom.evaluators.seeding import threads
from archloom.nn import Pool
from archloom.search_spaces import build
from benchmarks.differentiable_published import (
    OPERATIONS,
    Batch,
    MixedEdge,
    PartialEdge,
    PublishedDarts,
    PublishedPcDarts,
    SearchNetwork,
    published_operation,
    published_optimizers,
    published_step,
    published_unrolled_step,
    unrolled_gradient,
)

NETWORKS: dict[str, Callable[[], SearchNetwork]] = {
    "DARTS": lambda: PublishedDarts(3, channels=4, n_cells=3, n_nodes=2),
    "PC-DARTS": lambda: PublishedPcDarts(3, channels=4, n_cells=3, n_nodes=2, k=2),
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threads(1):
        yield


@pytest.fixture(params=NETWORKS)
def net(request: pytest.FixtureRequest) -> SearchNetwork:
    torch.manual_seed(0)
    made = NETWORKS[request.param]().double()
    for alpha in made.alphas():
        nn.init.normal_(alpha)
    return made


def some_batch(seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(4, 3, 8, 8, generator=generator, dtype=torch.float64)
    return images, torch.randint(3, (4,), generator=generator)


def loss_of(net: nn.Module, batch: Batch) -> Tensor:
    return functional.cross_entropy(net(batch[0]), batch[1])


def detached(tensors: list[nn.Parameter]) -> list[Tensor]:
    return [tensor.detach().clone() for tensor in tensors]


def test_the_networks_have_their_published_sizes() -> None:
    darts, pc_darts = PublishedDarts(), PublishedPcDarts()
    assert sum(p.numel() for p in darts.weights()) == 1_930_618
    assert sum(p.numel() for p in pc_darts.weights()) == 299_578
    assert [tuple(alpha.shape) for alpha in darts.alphas()] == [(14, 8)] * 2
    assert [tuple(alpha.shape) for alpha in pc_darts.alphas()] == [(14, 8), (14, 8), (14,), (14,)]
    for net in (darts, pc_darts):
        assert len(net.weights()) + len(net.alphas()) == len(list(net.parameters()))
        assert [cell.is_reduction for cell in net.trunk.cells] == [i in (2, 5) for i in range(8)]


@pytest.mark.parametrize("size", [8, 12])
def test_images_give_logits(net: SearchNetwork, size: int) -> None:
    assert net(torch.randn(2, 3, size, size, dtype=torch.float64)).shape == (2, 3)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("stride", [1, 2])
def test_an_operation_is_ours_when_it_has_our_weights(name: str, stride: int) -> None:
    theirs = published_operation(name, 6, stride)
    ours = (
        Pool(6, 6, name[:3], stride=stride, norm=True, affine=False)
        if "pool" in name
        else build(name, 6, stride=stride, affine=False)
    )
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        mine.data = other.data
    x = torch.randn(2, 6, 8, 8)
    assert torch.equal(ours(x), theirs(x))


def test_weights_lie_in_the_order_that_is_told() -> None:
    net = PublishedDarts(3, channels=4, n_cells=3, n_nodes=2)
    trunk = net.trunk
    parts: list[nn.Module] = [trunk.stem]
    for cell in trunk.cells:
        parts += [cell.preprocess_0, cell.preprocess_1]  # type: ignore[list-item]
        for edges in cell.nodes:  # type: ignore[union-attr]
            parts += [operation for edge in edges for operation in edge.operations]
    parts.append(trunk.classifier)
    in_order = itertools.chain.from_iterable(part.parameters() for part in parts)
    assert all(a is b for a, b in zip(in_order, net.weights(), strict=True))


@pytest.mark.parametrize("stride", [1, 2])
def test_an_edge_sums_its_operations_by_weight(stride: int) -> None:
    edge, x, weights = MixedEdge(4, stride), torch.randn(2, 4, 8, 8), torch.rand(len(OPERATIONS))
    parts = torch.stack([operation(x) for operation in edge.operations])
    assert torch.allclose(edge(x, weights), (weights.view(-1, 1, 1, 1, 1) * parts).sum(dim=0), atol=1e-6)


@pytest.mark.parametrize(("stride", "k"), [(1, 4), (2, 4), (1, 2)])
def test_most_channels_pass_by_a_partial_edge(stride: int, k: int) -> None:
    edge, x = PartialEdge(8, stride, k=k), torch.randn(2, 8, 6, 6)
    weights = torch.rand(len(OPERATIONS))
    y, n_mixed = edge(x, weights), 8 // k
    passed = x if stride == 1 else functional.max_pool2d(x, 2)
    # Channel i of group g comes to place k * i + g; group 0 is what was mixed.
    assert torch.equal(y[:, ::k], edge.mixed(x[:, :n_mixed], weights))
    for group in range(1, k):
        assert torch.equal(y[:, group::k], passed[:, group * n_mixed : (group + 1) * n_mixed])
    with pytest.raises(ValueError, match="needs a multiple of 3 of them, got 8"):
        PartialEdge(8, stride, k=3)


def test_the_edges_into_a_node_share_one() -> None:
    net = PublishedPcDarts(channels=8)
    for betas in net.alphas()[2:]:
        nn.init.normal_(betas)
    for is_reduction in (False, True):
        groups = torch.split(net.edge_weights(is_reduction), [2, 3, 4, 5])
        assert torch.allclose(torch.stack([group.sum() for group in groups]), torch.ones(4))
    assert not torch.allclose(net.edge_weights(False), net.edge_weights(True))


def truth(net: SearchNetwork, train: Batch, validation: Batch, optimizer: torch.optim.SGD) -> list[Tensor]:
    """The unrolled gradient by autograd through the inner step."""
    [group] = optimizer.param_groups
    slopes = torch.autograd.grad(loss_of(net, train), net.weights(), create_graph=True)
    after = {}
    for weight, slope in zip(net.weights(), slopes, strict=True):
        buffer = optimizer.state[weight].get("momentum_buffer", torch.zeros_like(weight))
        step = group["momentum"] * buffer + slope + group["weight_decay"] * weight
        [name] = [name for name, each in net.named_parameters() if each is weight]
        after[name] = weight - group["lr"] * step
    logits = functional_call(net, after, (validation[0],))
    return list(torch.autograd.grad(functional.cross_entropy(logits, validation[1]), net.alphas()))


def relative(found: list[Tensor], wanted: list[Tensor]) -> float:
    a, b = (torch.cat([each.flatten() for each in tensors]) for tensors in (found, wanted))
    return float((a - b).norm() / b.norm())


def smoothed(net: SearchNetwork) -> SearchNetwork:
    """Put something without kinks in the place of ReLU and of max pooling."""
    for module in list(net.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.Softplus())
            elif isinstance(child, nn.MaxPool2d):
                setattr(module, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
    return net


# The published radius is for smooth losses; at kinks a difference agrees where it steps over none.
@pytest.mark.parametrize(("is_smooth", "radius"), [(True, 0.01), (False, 1e-7)])
@pytest.mark.parametrize("has_momentum", [False, True])
def test_the_unrolled_gradient_is_that_through_the_inner_step(
    net: SearchNetwork, has_momentum: bool, is_smooth: bool, radius: float
) -> None:
    net = smoothed(net) if is_smooth else net
    train, validation = some_batch(1), some_batch(2)
    optimizer, _ = published_optimizers(net)
    if has_momentum:
        loss_of(net, some_batch(3)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    before = detached(net.weights())
    wanted = truth(net, train, validation, optimizer)
    assert relative(unrolled_gradient(net, train, validation, optimizer, radius), wanted) < 1e-3
    first_order = torch.autograd.grad(loss_of(net, validation), net.alphas())
    assert relative(list(first_order), wanted) > 1e-2
    for weight, was in zip(net.weights(), before, strict=True):
        assert torch.allclose(weight, was, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("is_unrolled", [False, True])
def test_a_step_moves_alphas_by_one_batch_and_then_weights_by_the_other(
    net: SearchNetwork, is_unrolled: bool
) -> None:
    train, validation = some_batch(1), some_batch(2)
    by_hand = copy.deepcopy(net)
    weight_optimizer, alpha_optimizer = published_optimizers(by_hand)
    gradients = (
        unrolled_gradient(by_hand, train, validation, weight_optimizer)
        if is_unrolled
        else torch.autograd.grad(loss_of(by_hand, validation), by_hand.alphas())
    )
    for alpha, gradient in zip(by_hand.alphas(), gradients, strict=True):
        alpha.grad = gradient
    alpha_optimizer.step()
    loss = loss_of(by_hand, train)
    slopes = torch.autograd.grad(loss, by_hand.weights())
    length = torch.stack([slope.square().sum() for slope in slopes]).sum().sqrt()
    assert length > 0.1
    step = published_unrolled_step if is_unrolled else published_step
    assert step(net, train, validation, *published_optimizers(net), clip=0.1) == loss
    for alpha, wanted in zip(net.alphas(), by_hand.alphas(), strict=True):
        assert torch.equal(alpha, wanted)
    for weight, was, slope in zip(net.weights(), by_hand.weights(), slopes, strict=True):
        wanted_weight = was - 0.025 * (slope * 0.1 / length + 3e-4 * was)
        assert torch.allclose(weight, wanted_weight, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("step", [published_step, published_unrolled_step])
def test_steps_learn(net: SearchNetwork, step: Callable[..., Tensor]) -> None:
    optimizers = published_optimizers(net)
    batch = some_batch(1)
    losses = [float(step(net, batch, some_batch(2), *optimizers)) for _ in range(5)]
    assert losses[-1] < 0.8 * losses[0]

"""Statistics of batch norms, measured anew."""

from __future__ import annotations

import torch
from torch import nn

from archloom.evaluators.supernet.recalibration import recalibrate


def network() -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.5), nn.BatchNorm2d(3))
    for norm in (net[1], net[4]):
        nn.init.constant_(norm.running_mean, 9.0)  # type: ignore[arg-type]
    return net


def test_statistics_are_the_mean_over_the_batches() -> None:
    net = network()
    batches = [torch.randn(8, 1, 6, 6) for _ in range(3)]
    recalibrate(net, net, batches)
    images = [net[0](batch) for batch in batches]
    means = torch.stack([image.mean(dim=(0, 2, 3)) for image in images]).mean(dim=0)
    variances = torch.stack([image.var(dim=(0, 2, 3)) for image in images]).mean(dim=0)
    norm = net[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert torch.allclose(norm.get_buffer("running_mean"), means, atol=1e-5)
    assert torch.allclose(norm.get_buffer("running_var"), variances, atol=1e-4)


def test_all_else_stays_as_it_was() -> None:
    net = network().train()
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    batches = [torch.randn(8, 1, 6, 6)]
    recalibrate(net, net, batches)
    first = net[4].get_buffer("running_mean").clone()
    recalibrate(net, net, batches)
    assert torch.equal(first, net[4].get_buffer("running_mean"))  # no dropout in it
    assert not any(module.training for module in net)
    assert [norm.momentum for norm in (net[1], net[4])] == [0.1, 0.1]
    assert all(torch.equal(p, before[name]) and p.grad is None for name, p in net.named_parameters())


def test_no_more_batches_are_taken_than_asked_for() -> None:
    seen = []

    def run(batch: torch.Tensor) -> None:
        seen.append(batch)

    recalibrate(network(), run, (torch.randn(2, 1, 6, 6) for _ in range(9)), 4)
    assert len(seen) == 4
    recalibrate(nn.Linear(2, 2), run, [torch.ones(1, 2)])  # nothing to measure
    assert len(seen) == 4

# SPDX-License-Identifier: Apache-2.0
"""How long the modules of a supernet take, and what a mixture of them is expected to take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import nn

from archloom import Study
from archloom.contracts import SharedRun
from archloom.errors import ArchloomError, OtherRunError
from archloom.evaluators.networks import NetworkShape, build_supernet
from archloom.evaluators.relaxed import RelaxedSupernet, latencies
from archloom.evaluators.relaxed.expected import ExpectedCosts
from archloom.evaluators.relaxed.latencies import kept, measured
from archloom.nn.routed import Choice, Supernet, for_search
from archloom.nn.shortcuts import Zero
from archloom.relaxation import Mixture, Progress
from archloom.search_spaces import SearchSpace
from archloom.search_spaces import blueprints as b
from archloom.search_spaces.darts import darts
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies.gradient import proxyless

SHAPE = NetworkShape((3, 8, 8), 10)
SPACES = {"nasbench201": nasbench201(channels=4, n_cells=1), "darts": darts(nodes=2, channels=4, n_cells=3)}
SMALL: dict[str, Any] = {"data": "digits", "data_options": {"n_train": 128, "n_validation": 64}, "epochs": 2}
PRICED = {"costs": ("latency_ms",)}


class Clock:
    """Stands for the clock: what is timed first takes one millisecond, then two, ..."""

    def __init__(self, first: int = 1) -> None:
        self.next = first

    def __call__(self, call: Any, **options: Any) -> np.ndarray[Any, Any]:
        call()
        self.next += 1
        return np.array([float(self.next - 1)])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(latencies, "time_calls", made)
    return made


def mixing(space: SearchSpace) -> Supernet:
    net = build_supernet(space, SHAPE)
    for_search(net)
    net.route(dict.fromkeys(net.relaxed_sites, Mixture()))
    return net


def timed(net: Supernet) -> tuple[dict[str, float], ExpectedCosts]:
    sample = torch.zeros(1, *SHAPE.input_shape)
    found = measured(net, sample)
    return found, ExpectedCosts(net, ["latency_ms"], sample, found)


def small() -> SearchSpace:
    return SearchSpace(
        b.Sequence(
            [pg.oneof(["conv_1x1", "sep_conv_5x5"]), b.Pool(), pg.oneof(["avg_pool_3x3", "sep_conv_5x5"])]
        )
    )


@pytest.mark.parametrize("name", sorted(SPACES))
def test_one_path_takes_what_its_modules_do(name: str, clock: Clock) -> None:
    space, net = SPACES[name], mixing(SPACES[name])
    found, costs = timed(net)
    choices = {path: module for path, module in net.named_modules() if isinstance(module, Choice)}
    rows = space.sample(3, np.random.default_rng(0), uniform_over="decisions")
    for i in range(len(rows)):
        chosen = space.routing(rows[i])
        net.route(
            {
                site: torch.eye(switch.n)[list(chosen[site])].sum(0)
                if site in chosen
                else torch.zeros(switch.n)
                for site, switch in net.relaxed_sites.items()
            }
        )
        out = [
            f"{path}.candidates.{j}"
            for path, choice in choices.items()
            for j in range(choice.switch.n)
            if j not in chosen.get(choice.switch.name, ())
        ]
        taken = [ms for each, ms in found.items() if not any(f"{each}.".startswith(f"{o}.") for o in out)]
        assert 0 < len(taken) < len(found)
        assert float(costs()["latency_ms"]) == pytest.approx(sum(taken))


def test_its_gradient_is_what_a_candidate_takes() -> None:
    net = mixing(small())
    found, costs = timed(net)
    weights = {site: torch.full((s.n,), 1 / s.n, requires_grad=True) for site, s in net.relaxed_sites.items()}
    net.route(weights)
    gradients = torch.autograd.grad(costs()["latency_ms"], list(weights.values()))
    prefixes = {m.switch.name: name for name, m in net.named_modules() if isinstance(m, Choice)}
    for site, gradient in zip(weights, gradients, strict=True):
        names = [f"{prefixes[site]}.candidates.{i}" for i in range(len(gradient))]
        prices = [sum(ms for each, ms in found.items() if each.startswith(name)) for name in names]
        assert gradient.tolist() == pytest.approx(prices)
        assert 0 < prices[0] < prices[1]


def test_what_gives_zeros_takes_nothing(clock: Clock) -> None:
    net = mixing(SPACES["nasbench201"])
    found, _ = timed(net)
    assert not any(isinstance(net.get_submodule(name), Zero) for name in found)


def test_modules_that_are_alike_are_timed_once(clock: Clock) -> None:
    found = measured(mixing(nasbench201(channels=4, n_cells=2)), torch.zeros(1, *SHAPE.input_shape))
    first_stage = {name: ms for name, ms in found.items() if ".candidates.3" in name}
    assert len(first_stage) == 6 * 6  # a 3x3 convolution an edge, in each of six cells ...
    assert len(set(first_stage.values())) == 3  # ... of three widths
    assert clock.next - 1 == len(set(found.values())) < len(found) / 5


class Again(nn.Module):
    """A module that does not say what it does."""

    def __init__(self, n: int):
        super().__init__()
        self._n = n


def test_modules_are_alike_by_class_settings_and_shapes() -> None:
    def of(value: Any) -> Any:
        return latencies._signature(value)

    assert of(nn.Sequential(Again(2), nn.Conv2d(4, 4, 3))) == of(
        nn.Sequential(Again(2), nn.Conv2d(4, 4, 3)).eval()
    )
    assert of(Again(2)) != of(Again(3))
    assert of(nn.Conv2d(4, 4, 3, padding=1)) != of(nn.Conv2d(4, 4, 3))
    assert of(nn.ReLU()) != of(nn.GELU())
    assert of([torch.zeros(2, 3)]) == of([torch.ones(2, 3)]) != of([torch.ones(3, 2)])


def started(folder: Path | None, needs: Mapping[str, Any] = PRICED) -> RelaxedSupernet:
    evaluator = RelaxedSupernet(**SMALL)
    evaluator.needs = needs
    evaluator.prepare(small())
    evaluator.start(SharedRun("supernet", 1, folder=folder))
    return evaluator


def test_nothing_is_measured_anew(tmp_path: Path, clock: Clock) -> None:
    first = float(started(tmp_path)._costs()["latency_ms"].detach())
    n = clock.next
    assert float(started(tmp_path)._costs()["latency_ms"].detach()) == first
    assert clock.next == n
    in_memory = started(None)
    n, first = clock.next, float(in_memory._costs()["latency_ms"].detach())
    in_memory.start(SharedRun("supernet", 1))
    assert (clock.next, float(in_memory._costs()["latency_ms"].detach())) == (n, first)
    started(tmp_path / "unpriced", {"costs": ("params",)})
    assert clock.next == n
    assert not (tmp_path / "unpriced").exists()


def test_what_is_kept_is_of_one_run(tmp_path: Path) -> None:
    path = tmp_path / "run" / "latencies.json"
    assert kept(path, {"seed": "1"}, lambda: {"a.b": 0.1 + 0.2}) == {"a.b": 0.1 + 0.2}
    assert kept(path, {"seed": "1"}, lambda: {}) == {"a.b": 0.1 + 0.2}
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    with pytest.raises(OtherRunError, match="are of another seed: '1', here it is '2'"):
        kept(path, {"seed": "2"}, lambda: {})
    path.write_text("{")
    with pytest.raises(ArchloomError, match="cannot be read"):
        kept(path, {"seed": "1"}, lambda: {})


def study(folder: Path, strategy: Any) -> Study:
    folder.mkdir(exist_ok=True)
    return Study(
        small(),
        strategy,
        RelaxedSupernet(**SMALL),
        {"accuracy": "maximize"},
        name="g",
        store=folder / "g.db",
        resume=True,
    )


def told(study: Study) -> list[Any]:
    return [(t.text, t.fidelity, t.state, dict(t.metrics)) for t in study.trials]


def test_a_search_that_is_broken_off_goes_on_by_the_same_latencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its first epoch, before there is a checkpoint."""
    costs = {"latency_ms": 1.0}
    monkeypatch.setattr(latencies, "time_calls", Clock())
    whole = study(tmp_path / "whole", proxyless(costs=costs, lr=0.1))
    whole.run(trials=10)
    strategy = proxyless(costs=costs, lr=0.1)
    step = strategy.step

    def interrupted(losses: Mapping[str, Any], progress: Progress) -> None:
        if progress.step == 1:
            raise KeyboardInterrupt
        step(losses, progress)

    strategy.step = interrupted  # type: ignore[method-assign]
    monkeypatch.setattr(latencies, "time_calls", Clock())
    with pytest.raises(KeyboardInterrupt):
        study(tmp_path / "parts", strategy).run(trials=10)
    monkeypatch.setattr(latencies, "time_calls", Clock(100))
    again = study(tmp_path / "parts", proxyless(costs=costs, lr=0.1))
    again.run(trials=10)
    assert told(again) == told(whole)
    files = [tmp_path / each / "g-artifacts/g/supernet/relaxed.safetensors" for each in ("whole", "parts")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_where_latency_is_dear_the_quick_is_derived(tmp_path: Path) -> None:
    done = study(tmp_path, proxyless(costs={"latency_ms": 1e4}, lr=0.3))
    done.run(trials=10)
    assert len(done.trials) == 2
    assert done.trials[-1].text == "layers[0]=conv_1x1, layers[2]=avg_pool_3x3"

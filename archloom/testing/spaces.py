# SPDX-License-Identifier: Apache-2.0
"""The laws of a search space, as a test suite to inherit.

Example::

    class TestMySpace(SpaceContract):
        @pytest.fixture
        def space(self):
            return my_space()
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from archloom.contracts import Genotypes
from archloom.errors import SpaceError
from archloom.search_spaces import SearchSpace, build, out_of, supernet

__all__ = ["SpaceContract"]

N_OUTPUTS = 7
INPUT_SHAPE = (1, 8, 8)


class SpaceContract:
    """Inherit and give a fixture ``space``; networks take images of 8x8 pixels and one channel."""

    @pytest.fixture
    def space(self) -> SearchSpace:
        """Return the space under test."""
        raise AssertionError("a space's test overrides the fixture `space`")

    def sample(self, space: SearchSpace, n: int) -> Genotypes:
        """Draw a few points, the same each time."""
        return space.sample(n, np.random.default_rng(0))

    def test_decisions_have_names_of_their_own(self, space: SearchSpace) -> None:
        """Law: names are unique, and labels unique within a decision."""
        names = [decision.name for decision in space.decisions]
        assert len(names) == len(set(names)) > 0
        for decision in space.decisions:
            assert len(decision.candidates) == len(set(decision.candidates))

    def test_describes_itself(self, space: SearchSpace) -> None:
        """Law: the description is plain JSON, and its fingerprint does not change."""
        assert json.loads(json.dumps(space.to_json())) == space.to_json()
        assert space.fingerprint == space.fingerprint

    def test_variation_stays_inside(self, space: SearchSpace) -> None:
        """Law: what is drawn, mutated and crossed is a point of the space."""
        rng = np.random.default_rng(1)
        rows = self.sample(space, 50)
        assert space.is_legal(rows).all()
        assert space.is_legal(space.mutate(rows, rng)).all()
        assert space.is_legal(space.crossover(rows, rows[::-1], rng)).all()

    def test_choices_lead_back(self, space: SearchSpace) -> None:
        """Law: the choices in words say everything, and equal points have equal keys."""
        rows = self.sample(space, 20)
        for i in range(len(rows)):
            architecture = space.architecture(rows[i])
            again = space.from_choices(architecture.choices)
            assert again.genotype.keys() == rows[i].keys()
            assert again.key == architecture.key

    def test_dna_leads_back(self, space: SearchSpace) -> None:
        """Law: DNA goes both ways without loss."""
        rows = self.sample(space, 3)
        for i in range(len(rows)):
            assert space.from_dna(space.to_dna(rows[i])).keys() == rows[i].keys()

    def test_every_architecture_builds_and_learns(self, space: SearchSpace) -> None:
        """Law: a decoded point builds a network whose output fits, and gradients reach its weights."""
        torch = pytest.importorskip("torch")
        rows = self.sample(space, 4)
        for i in range(len(rows)):
            network = build(
                space.architecture(rows[i]).value, 1, n_outputs=N_OUTPUTS, input_shape=INPUT_SHAPE
            )
            outputs = network(torch.randn(4, *INPUT_SHAPE))
            assert outputs.shape == (4, N_OUTPUTS)
            assert out_of(network) == N_OUTPUTS
            outputs.sum().backward()
            assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())

    def test_its_supernet_is_its_networks(self, space: SearchSpace) -> None:
        """Law: where weights can be shared, a routed supernet computes what the decoded network does."""
        torch = pytest.importorskip("torch")
        kwargs: dict[str, Any] = {"n_outputs": N_OUTPUTS, "input_shape": INPUT_SHAPE}
        try:
            net = supernet(space, INPUT_SHAPE[0], **kwargs).eval()
        except SpaceError as error:
            pytest.skip(f"its weights cannot be shared: {error}")
        rows = space.sample(5, np.random.default_rng(3), uniform_over="decisions")
        x = torch.randn(2, *INPUT_SHAPE, generator=torch.Generator().manual_seed(0))
        for i in range(5):
            network = build(space.architecture(rows[i]).value, INPUT_SHAPE[0], **kwargs).eval()
            net.route(space.routing(rows[i]))
            net.hand_on(network)
            with torch.no_grad():
                assert torch.allclose(net(x), network(x), atol=1e-6)

# SPDX-License-Identifier: Apache-2.0
"""The search by gradients: coefficients, what is learned of them, and what is derived, put together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from archloom.contracts import Genotypes, Metrics
from archloom.errors import ArchloomError, ConfigError
from archloom.relaxation import GradientStrategy, Mixture, Progress, Relaxation
from archloom.strategies.gradient.coefficients import Coefficients
from archloom.strategies.gradient.curvature import dominant_eigenvalue, has_grown
from archloom.strategies.gradient.derivation import derived
from archloom.strategies.gradient.learned_sites import LearnedSite, learned_sites

__all__ = ["DifferentiableSearch"]

SKIPS = frozenset({"skip_connect", "skip", "identity"})
"""Labels of candidates that pass on what comes."""


@final
class DifferentiableSearch(GradientStrategy):
    """Learns one number a candidate of each site by Adam, from gradients of a relaxed network's loss.

    Of sites that a space has weighed together (a slab of ``hypercuboid``) it learns one a combination.

    The named methods (``darts``, ``pc_darts``, ``gdas``, ...) are this with their own parts.

    Args:
        coefficients: what a site's coefficients are.
        edges: the same for sites that take several candidates (``manyof``), such as the edges of a node;
            ``None`` weighs all of them 1, as DARTS does.
        is_single_level: learn from the weights' own batches and backward pass.
        needs: of the evaluator, as ``GradientStrategy.needs``.
        lr: Adam's learning rate.
        betas: Adam's.
        weight_decay: pull of what is learned towards 0.
        deviation: standard deviation of what is learned at the start.
        warmup_epochs: epochs in which only weights learn.
        entropy: added to the loss: this times the mean entropy of the sites; above 0 it sharpens.
        costs: metric to what is added to the loss for each unit that is expected of it.
        excluding: labels that are never derived.
        most_skips: end the search once more skip connections are derived than this (Liang et al., "DARTS+",
            2019, arXiv:1909.06035); ``None`` never does.
        most_growth: measure the dominant eigenvalue of the loss's Hessian after each epoch, and end the
            search once its mean over five epochs is this many times that of the five before; ``inf`` only
            measures, ``None`` does neither.

    Raises:
        ConfigError: an option out of its range.
    """

    def __init__(
        self,
        *,
        coefficients: Coefficients,
        edges: Coefficients | None = None,
        is_single_level: bool = False,
        needs: Mapping[str, Any] | None = None,
        lr: float = 3e-4,
        betas: Sequence[float] = (0.5, 0.999),
        weight_decay: float = 1e-3,
        deviation: float = 1e-3,
        warmup_epochs: int = 0,
        entropy: float = 0.0,
        costs: Mapping[str, float] | None = None,
        excluding: Sequence[str] = ("none",),
        most_skips: int | None = None,
        most_growth: float | None = None,
    ):
        rules = {
            "lr": (lr, lr > 0, "above 0"),
            "betas": (
                betas,
                len(betas) == 2 and all(0 <= beta < 1 for beta in betas),
                "two numbers in [0, 1)",
            ),
            "weight_decay": (weight_decay, weight_decay >= 0, "at least 0"),
            "deviation": (deviation, deviation >= 0, "at least 0"),
            "warmup_epochs": (warmup_epochs, warmup_epochs >= 0, "at least 0"),
            "most_skips": (most_skips, most_skips is None or most_skips >= 0, "at least 0"),
            "most_growth": (most_growth, most_growth is None or most_growth > 0, "above 0"),
        }
        for name, (value, is_right, rule) in rules.items():
            if not is_right:
                raise ConfigError(f"{name} must be {rule}; got {value}")
        self.is_single_level = is_single_level
        self._coefficients, self._edges = coefficients, edges
        self._needs = dict(needs or {})
        self._costs = dict(costs or {})
        self._lr, self._betas, self._weight_decay = lr, (betas[0], betas[1]), weight_decay
        self._deviation, self._warmup_epochs, self._entropy = deviation, warmup_epochs, entropy
        self._excluding, self._most_skips, self._most_growth = tuple(excluding), most_skips, most_growth
        self.alphas: dict[str, nn.Parameter] = {}

    @property
    def needs(self) -> Mapping[str, Any]:
        """What was given, and the costs."""
        return {**self._needs, **({"costs": tuple(self._costs)} if self._costs else {})}

    def setup(self, space: Any, seed: int) -> None:
        """Meet the space."""
        super().setup(space, seed)
        self._sites = learned_sites(space)
        for name, site in self._sites.items():
            if site.is_slab and self._coefficients.draws_one:
                raise ConfigError(
                    f"{name} is weighed together with other sites, and no candidate of it can be drawn by "
                    "itself: take darts, sharpdarts or snas"
                )
        rng = torch.Generator().manual_seed(seed % 2**63)
        self.alphas = {
            path: nn.Parameter(self._deviation * torch.randn(len(site.labels), generator=rng))
            for path, site in self._sites.items()
            if self._part(site) is not None
        }
        self._adam = torch.optim.Adam(
            self.alphas.values(), self._lr, betas=self._betas, weight_decay=self._weight_decay
        )
        self._stopped = ""
        self._eigenvalues: list[float] = []

    def _part(self, site: LearnedSite) -> Coefficients | None:
        return self._edges if site.k > 1 else self._coefficients

    def learns(self, progress: Progress) -> bool:
        """Not in the first epochs."""
        return progress.epoch >= self._warmup_epochs

    def relax(self, progress: Progress) -> Relaxation:
        """Return the coefficients of all sites; draws are of the seed, the step and the split."""
        words = (self.seed, progress.epoch, progress.step, progress.split == "validation")
        seed = int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)
        rng = torch.Generator().manual_seed(seed)
        return {path: self._mixture(path, progress, rng) for path in self._sites}

    def _mixture(self, path: str, progress: Progress, rng: torch.Generator) -> Mixture:
        part = self._part(self._sites[path])
        return Mixture() if part is None else part(self.alphas[path], progress, rng)

    def expected(self) -> Relaxation:
        """Return the coefficients without chance."""
        with torch.no_grad():
            return {path: self._expected(path) for path in self._sites}

    def _expected(self, path: str) -> Mixture:
        part = self._part(self._sites[path])
        return Mixture() if part is None else Mixture(part.expected(self.alphas[path]))

    def step(self, losses: Mapping[str, Any], progress: Progress) -> None:
        """Take a step of Adam down the loss, the entropy and the costs."""
        total = self._total(losses)
        if not math.isfinite(float(total.detach())):
            self._check()
            where = f"epoch {progress.epoch + 1}, step {progress.step + 1}"
            raise ArchloomError(
                f"diverged at {where}: the loss that is learned from is {float(total.detach())}"
            )
        alphas = list(self.alphas.values())
        if total.requires_grad:
            found = torch.autograd.grad(total, alphas, allow_unused=True)
            for alpha, gradient in zip(alphas, found, strict=True):
                known = alpha.grad if self.is_single_level else None  # of the weights' backward pass
                parts = [each for each in (known, gradient) if each is not None]
                alpha.grad = sum(parts[1:], parts[0]) if parts else None
        self._adam.step()
        self._adam.zero_grad()

    def _total(self, losses: Mapping[str, Any]) -> Tensor:
        total: Tensor = torch.zeros(()) if self.is_single_level else losses["validation/loss"]
        for name, weight in self._costs.items():
            total = total + weight * losses[name]
        return total + self._entropy * self._mean_entropy() if self._entropy else total

    def _mean_entropy(self) -> Tensor:
        """Return the mean over sites of ``-sum p log p / log m``, from 0 to 1."""
        return torch.stack([_entropy(alpha) for alpha in self.alphas.values()]).mean()

    def _worths(self) -> dict[str, Tensor]:
        parts = {path: self._part(self._sites[path]) for path in self.alphas}
        with torch.no_grad():
            return {path: part.worth(self.alphas[path]) for path, part in parts.items() if part is not None}

    def derive(self) -> Genotypes:
        """Return the best architecture by the weights of the sites; see ``derivation``."""
        worths = {path: worth.double().numpy() for path, worth in self._worths().items()}
        return derived(self.space, worths, excluding=self._excluding)

    def metrics(self) -> Metrics:
        """Return the mean ``entropy`` of the sites, from 0 to 1, and how many ``skips`` are derived."""
        self._check()
        choices = self.space.architecture(self.derive()).choices
        n_skips = sum(str(choice) in SKIPS for choice in choices.values())
        if self._most_skips is not None and n_skips > self._most_skips:
            self._stopped = f"{n_skips} skip connections are derived, more than {self._most_skips}"
        with torch.no_grad():
            found = {"entropy": float(self._mean_entropy()), "skips": float(n_skips)}
        return {**found, "eigenvalue": self._eigenvalues[-1]} if self._eigenvalues else found

    @property
    def inspects(self) -> bool:
        """Whether eigenvalues are measured."""
        return self._most_growth is not None

    def inspect(self, losses: Mapping[str, Any], progress: Progress) -> None:
        """Measure the dominant eigenvalue, and see whether it has grown too much."""
        rng = torch.Generator().manual_seed(progress.epoch)
        value = dominant_eigenvalue(losses["validation/loss"], list(self.alphas.values()), rng)
        self._eigenvalues.append(value)
        if self._most_growth is not None and has_grown(self._eigenvalues, self._most_growth):
            self._stopped = f"the dominant eigenvalue has grown more than {self._most_growth:g} times"

    def _check(self) -> None:
        for path, alpha in self.alphas.items():
            if not bool(torch.isfinite(alpha).all()):
                raise ArchloomError(f"what is learned of {path} is no longer finite: lower the learning rate")

    def record(self) -> Metrics:
        """Return what each candidate is worth, by ``site=label``."""
        return {
            f"{path}={label}": float(worth)
            for path, worths in self._worths().items()
            for label, worth in zip(self._sites[path].labels, worths, strict=True)
        }

    def why_over(self) -> str:
        """Say that skip connections have won."""
        return self._stopped

    def state_dict(self) -> dict[str, Tensor]:
        """Return what is learned, and Adam's moments."""
        state = {f"alpha.{path}": alpha.detach() for path, alpha in self.alphas.items()}
        state["eigenvalues"] = torch.tensor(self._eigenvalues, dtype=torch.float64)
        for index, held in self._adam.state_dict()["state"].items():
            state |= {f"adam.{index}.{name}": value for name, value in held.items()}
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take it back."""
        with torch.no_grad():
            for path, alpha in self.alphas.items():
                alpha.copy_(state[f"alpha.{path}"])
        self._eigenvalues = state["eigenvalues"].tolist()
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            if key.startswith("adam."):
                _, index, name = key.split(".", 2)
                moments.setdefault(int(index), {})[name] = value
        self._adam.load_state_dict({**self._adam.state_dict(), "state": moments})


def _entropy(alpha: Tensor) -> Tensor:
    log = alpha.log_softmax(dim=0)
    return -(log.exp() * log).sum() / math.log(len(alpha))

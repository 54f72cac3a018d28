# SPDX-License-Identifier: Apache-2.0
"""The evaluator that trains one supernet and scores every architecture by its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Unpack

import numpy as np
import torch

from archloom.contracts import Architecture, Evaluator, Genotypes, Metrics, SharedRun, Trial
from archloom.errors import ArchloomError, ConfigError
from archloom.evaluators.alone import Alone
from archloom.evaluators.networks import build_supernet
from archloom.evaluators.options import call_with_options
from archloom.evaluators.seeding import generator, seed_of, seeded, threads
from archloom.evaluators.setup import at_least
from archloom.evaluators.setup_options import SetupOptions, setup_of, spelled, takes_setup
from archloom.evaluators.supernet.checkpoint import load_checkpoint, save_checkpoint
from archloom.evaluators.supernet.footprint import Footprint, footprint
from archloom.evaluators.supernet.samplers import SAMPLERS, PathSampler
from archloom.evaluators.supernet.shared_weights import SharedWeights
from archloom.nn.routed import Supernet
from archloom.search_spaces import SearchSpace

__all__ = ["SupernetEvaluator"]

CHECKPOINT = "supernet.safetensors"
N_TRIED = 3
"""Paths over which the memory of a step is looked at."""


@takes_setup()
class SupernetEvaluator(Evaluator):
    """Trains a supernet once, on ``train``, and scores architectures by the weights that they inherit.

    The supernet is the space, built before it is decoded (``search_spaces.supernet``). Each step of its
    training passes a batch through the networks that the sampler draws, and moves their weights alone. Its
    training is a run of the study, with ``train/loss`` for each epoch; it is checkpointed after each, and one
    that was broken off goes on to the very weights that it would have had (on the CPU).

    An architecture is then scored without training: the statistics of its batch norms are measured anew on
    training data, and it is measured on ``validation``. Scores by inherited weights rank architectures, and
    say little of what one reaches by itself: train the best from scratch.

    Args:
        sampler: which networks a step trains: ``uniform``, ``cost_bins``, ``path_count``, ``sandwich``,
            ``ordered``, ``strategy``, an import path, or a live ``PathSampler``.
        sampler_options: the sampler's own options, ``{n_paths: 4}``.
        epochs: passes over the training split in the supernet's training.
        recalibration_batches: batches of training data from which an architecture's batch-norm statistics are
            measured before it is scored; 0 scores it with those of all networks together.
        test: measure the test split too, by inherited weights. It is used for nothing.
        n_checked: how many architectures, from the best to the worst, are trained from scratch when the
            search is over, for as many epochs, to see how well inherited weights ranked them. 0 trains none.

    Raises:
        ConfigError: an option is unknown or out of its range.
        SpaceError: (in ``prepare``) the space cannot be built as a supernet.
    """

    shares: ClassVar[str] = "supernet"

    def __init__(
        self,
        *,
        sampler: str | PathSampler = "uniform",
        sampler_options: dict[str, Any] | None = None,
        epochs: int = 50,
        recalibration_batches: int = 10,
        test: bool = False,
        n_checked: int = 5,
        **setup: Unpack[SetupOptions],
    ):
        at_least(
            epochs=(epochs, 1), recalibration_batches=(recalibration_batches, 0), n_checked=(n_checked, 0)
        )
        self.setup = setup_of(setup)
        self._sampler = _as_sampler(sampler, sampler_options or {})
        own = {"sampler": sampler, "sampler_options": sampler_options, "epochs": epochs}
        self._options = spelled({**setup, **own})
        self.epochs = self._epochs = epochs
        self._n_recalibration = recalibration_batches
        self._test = test
        self.n_checked = n_checked
        self._shared: SharedWeights | None = None
        self._empty: Supernet  # on the device meta, without weights
        self._footprint: Footprint | None = None
        self._space: SearchSpace | None = None
        self.gives = self.setup.names(has_test=test)

    def prepare(self, space: Any) -> None:
        """Load the data, and see that the space can be built as a supernet.

        Raises:
            SpaceError: it cannot; the message says what cannot be shared.
        """
        setup = self.setup
        setup.precision.check()
        self.gives = setup.names(has_test=self._test and setup.splits.test is not None)
        self._space = space
        net = build_supernet(space, setup.splits, device="meta")
        if not any(True for _ in net.parameters()):
            raise ConfigError("this space has no weights to share")
        self._sampler.setup(space, setup.splits)
        self._empty, self._footprint = net, None

    def preview(self) -> str:
        """Say how many weights are shared, and what memory their training takes."""
        return f"supernet: {self._measured_footprint().words()}"

    def _measured_footprint(self) -> Footprint:
        """Count it when it is asked for: who only loads weights does not."""
        space, setup = self._prepared(), self.setup
        if self._footprint is not None:
            return self._footprint
        rows = space.sample(N_TRIED, np.random.default_rng(0), uniform_over="decisions")
        inputs = torch.empty(setup.batch_size, *setup.splits.input_shape, device="meta")
        routes = [space.routing(rows[i]) for i in range(len(rows))]
        self._footprint = footprint(self._empty, inputs, routes, setup.optimisation.optimizer)
        return self._footprint

    def train(self, run: SharedRun) -> None:
        """Train the supernet, going on from its last checkpoint where there is one.

        Raises:
            ArchloomError: it diverged, or the checkpoint is of something else.
        """
        setup, device = self.setup, torch.device(run.device)
        setup.precision.check(device)
        self._measured_footprint().check(device)
        net = build_supernet(self._prepared(), setup.splits, seed=run.seed).to(device)
        optimizer = setup.optimisation.make(net, is_routed=True)
        self._take(net, run)
        self._sampler.start(run)
        done = 0
        if run.folder is not None and (run.folder / CHECKPOINT).exists():
            words, learned = load_checkpoint(run.folder / CHECKPOINT, net, optimizer, self._words(run))
            self._sampler.restore(learned)
            done = int(words["epoch"])
        computing = setup.precision.wrap(net, device)
        for epoch in range(done + 1, self._epochs + 1):
            seed = seed_of(run.seed, epoch)
            with threads(setup.n_threads), seeded(seed, device):
                trainer = setup.trainer(
                    computing,
                    setup.batches(setup.splits.train, device, shuffle=generator(seed)),
                    device,
                    n_epochs=self._epochs,
                    seed=seed,
                    optimizer=optimizer,
                    passes=self._passes(net, seed),
                )
                loss = trainer.epoch(epoch)
                self._sampler.learn(partial(self._scores, seed=seed, device=run.device))
            if run.folder is not None:
                run.folder.mkdir(parents=True, exist_ok=True)
                words = {**self._words(run), "epoch": str(epoch)}
                save_checkpoint(run.folder / CHECKPOINT, net, optimizer, words, self._sampler.state())
            run.report(epoch, {"train/loss": loss})
        net.eval()

    def _scores(self, rows: Genotypes, *, seed: int, device: str) -> list[Metrics]:
        """Score networks by the weights as they are, on ``validation``."""
        space, trial = self._prepared(), Trial(seed=seed, device=device)
        return [
            {
                name: value
                for name, value in self.evaluate(space.architecture(rows[i]), trial).items()
                if not name.startswith("test/")
            }
            for i in range(len(rows))
        ]

    def load(self, run: SharedRun) -> None:
        """Take the weights of a run that is complete.

        Raises:
            ArchloomError: they are not there, or of something else.
        """
        if run.folder is None or not (run.folder / CHECKPOINT).exists():
            raise ArchloomError(f"the supernet was trained, but its weights are not in {run.folder}")
        net = build_supernet(self._prepared(), self.setup.splits, seed=run.seed)
        load_checkpoint(run.folder / CHECKPOINT, net, None, {**self._words(run), "epoch": str(self._epochs)})
        self._take(net, run)

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Route the supernet, measure its batch norms anew, and score it.

        Raises:
            ArchloomError: the supernet has not been trained.
        """
        return self._trained().score(architecture, trial, test=self._test)

    def derive(self, architecture: Architecture, run: SharedRun) -> Metrics:
        """Take an architecture's plain network out of the supernet, measure it, and keep its weights.

        Its batch norms have the statistics that it is scored with. The test split is measured too.

        Raises:
            ArchloomError: the supernet has not been trained.
        """
        return self._trained().derive(architecture, run)

    def retrain(
        self, architecture: Architecture, run: SharedRun, *, epochs: int | None = None, inherits: bool = False
    ) -> Metrics:
        """Train an architecture by itself, from scratch or from the weights that it inherits.

        It is trained as the supernet was but for what concerns routes, by default for as many epochs.

        Raises:
            ArchloomError: the supernet has not been trained, and its weights are asked for; or the loss
                diverged.
        """
        if inherits:
            return self._trained().finetune(architecture, run, epochs or self._epochs)
        return Alone(self.setup, epochs or self._epochs)(architecture, run)

    def supernet(self) -> Supernet:
        """Return the trained supernet.

        Raises:
            ArchloomError: it has not been trained.
        """
        return self._trained().net

    def _trained(self) -> SharedWeights:
        if self._shared is None:
            raise ArchloomError("the supernet has not been trained: call train() first, as a study does")
        return self._shared

    def _take(self, net: Supernet, run: SharedRun) -> None:
        setup, order = self.setup, generator(seed_of(run.seed, 0))
        batches = setup.batches(setup.splits.train, torch.device("cpu"), shuffle=order)
        self._shared = SharedWeights(net.eval(), self._prepared(), setup, batches, self._n_recalibration)

    def _passes(self, net: Supernet, seed: int) -> Callable[[], list[Callable[[], None]]]:
        """Return what draws the routes of one step after the other; the epoch's seed decides."""
        space, steps = self._prepared(), iter(range(2**31))

        def passes() -> list[Callable[[], None]]:
            rows = self._sampler.draw(np.random.default_rng((seed, next(steps))))
            return [partial(net.route, space.routing(rows[i])) for i in range(len(rows))]

        return passes

    def _prepared(self) -> SearchSpace:
        if self._space is None:
            raise ArchloomError("call prepare(space) first, as a study does")
        return self._space

    def _words(self, run: SharedRun) -> dict[str, str]:
        return {"space": self._prepared().fingerprint, "options": self._options, "seed": str(run.seed)}


def _as_sampler(sampler: str | PathSampler, options: Mapping[str, Any]) -> PathSampler:
    found = SAMPLERS.get(sampler) if isinstance(sampler, str) else sampler
    if isinstance(found, PathSampler):
        if options:
            raise ConfigError(f"sampler_options go with a sampler's name: {options}")
        return found
    made = call_with_options(found, options, f"the sampler {sampler!r}") if callable(found) else found
    if not isinstance(made, PathSampler):
        raise ConfigError(f"sampler must be a name, an import path or a PathSampler; got {sampler!r}")
    return made

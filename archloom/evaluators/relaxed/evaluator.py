# SPDX-License-Identifier: Apache-2.0
"""The evaluator that trains a supernet under a relaxation, and says how the loss depends on it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sized
from contextlib import contextmanager
from typing import Any, ClassVar, Unpack, cast

import numpy as np
import torch
from torch import Tensor, nn

from archloom.contracts import Architecture, Metrics, SharedRun, Trial
from archloom.errors import ArchloomError, ConfigError, SpaceError
from archloom.evaluators.alone import Alone
from archloom.evaluators.networks import build_supernet
from archloom.evaluators.relaxed.expected import ExpectedCosts
from archloom.evaluators.relaxed.latencies import kept, measured
from archloom.evaluators.relaxed.unrolled import unrolled
from archloom.evaluators.seeding import generator, seed_of, seeded, threads
from archloom.evaluators.setup import at_least, prefixed
from archloom.evaluators.setup_options import SetupOptions, setup_of, spelled, takes_setup
from archloom.evaluators.supernet.checkpoint import load_checkpoint, save_checkpoint
from archloom.evaluators.supernet.shared_weights import SharedWeights
from archloom.evaluators.trainer import Trainer, measure
from archloom.nn.routed import PartialChannels, Supernet, for_search
from archloom.relaxation import Mixture, Relaxation, RelaxedEvaluator
from archloom.search_spaces import SearchSpace

__all__ = ["RelaxedSupernet"]

CHECKPOINT = "relaxed.safetensors"
LATENCIES = "latencies.json"


@takes_setup(optimizer="sgd", lr=0.025, lr_min=0.001, weight_decay=3e-4, gradient_clip=5.0)
class RelaxedSupernet(RelaxedEvaluator):
    """Trains a supernet under the relaxation of a gradient strategy (``darts``, ``pc_darts``, ``gdas``, ...).

    In each step the strategy learns from a batch of ``validation``, the weights from a batch of ``train``. A
    trial is an epoch: its architecture is what the strategy would derive then, ``validation/<metric>`` that
    architecture by inherited weights (batch norms measured anew on training data), and
    ``validation/relaxed_<metric>`` the whole mixture. Neither says what it reaches by itself: train the last
    ones from scratch with ``search retrain``.

    Args:
        epochs: of the whole search; temperatures and the learning rate fall over so many.
        recalibration_batches: batches of training data from which a derived architecture's batch norms are
            measured.
        norms_pools: whether poolings among the candidates are normalised while they compete, as in DARTS;
            NAS-Bench-201's authors leave them as they are.

    Raises:
        ConfigError: an option is unknown or out of its range.
        SpaceError: (in ``prepare``) the space cannot be built as a supernet.
    """

    shares: ClassVar[str] = "supernet"
    provides: ClassVar[frozenset[str]] = frozenset({"unrolled", "partial_channels", "costs"})

    def __init__(
        self,
        *,
        epochs: int = 50,
        recalibration_batches: int = 10,
        norms_pools: bool = True,
        **setup: Unpack[SetupOptions],
    ):
        at_least(epochs=(epochs, 1), recalibration_batches=(recalibration_batches, 0))
        self.setup = setup_of(setup)
        self._options = spelled({**setup, "epochs": epochs, "norms_pools": norms_pools})
        self.n_epochs = self.epochs = epochs
        self._n_recalibration, self._norms_pools = recalibration_batches, norms_pools
        self._space: SearchSpace | None = None
        self._noted: dict[str, Metrics | Exception] = {}
        self._shared: SharedWeights | None = None
        self._kept: Any = None
        self._latencies: dict[str, float] = {}
        self.gives = self._names()

    def _names(self) -> tuple[str, ...]:
        validation = [name for name in self.setup.names(has_test=False) if name.startswith("validation/")]
        relaxed = [name.replace("/", "/relaxed_") for name in validation]
        return ("train/loss", *validation, *relaxed)

    def prepare(self, space: Any) -> None:
        """Load the data, and see that the space can be built as a supernet.

        Raises:
            SpaceError: it cannot; the message says what cannot be shared.
        """
        if self.setup.precision.name == "float16":
            raise ConfigError("precision float16 needs losses that are scaled, which a strategy's are not")
        self.setup.precision.check()
        if not len(cast(Sized, self.setup.splits.validation)):
            raise ConfigError("the data have no validation split, from which the relaxation would learn")
        self._space, self._kept, self._latencies = space, None, {}  # of another study
        ExpectedCosts.check(self.needs.get("costs", ()))
        self._built(device="meta")

    def _built(self, *, seed: int = 0, device: str | torch.device = "cpu") -> Supernet:
        """Build the supernet as the strategy needs it.

        Raises:
            SpaceError: a site that cannot be relaxed, with its path; or channels that cannot be partial.
        """
        n = int(self.needs.get("partial_channels", 1))
        net = build_supernet(
            self._prepared(), self.setup.splits, seed=seed, device=device, partial_channels=n
        )
        if n > 1 and not any(isinstance(module, PartialChannels) for module in net.modules()):
            raise SpaceError(
                f"the strategy mixes one channel in {n}, which no operation of this space can: take another"
            )
        for switch in net.relaxed_sites.values():
            if switch.has_no_mixture:
                raise SpaceError(f"{switch.name} cannot be relaxed: {switch.has_no_mixture}")
        for_search(net, norms_pools=self._norms_pools)
        return net

    def start(self, run: SharedRun) -> None:
        """Make the supernet, as the strategy needs it."""
        setup, space = self.setup, self._prepared()
        self._run, self._device = run, torch.device(run.device)
        setup.precision.check(self._device)
        # Depthwise convolutions and poolings are several times as fast with the channels last.
        self._net = net = self._built(seed=run.seed).to(self._device)
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimizer = setup.optimisation.make(net, is_routed=True)
        self._weights = [p for p in net.parameters() if p.requires_grad]
        self._computing = setup.precision.wrap(net, self._device)
        order = generator(seed_of(run.seed, 0))
        calibration = setup.batches(setup.splits.train, torch.device("cpu"), shuffle=order)
        self._shared = SharedWeights(net, space, setup, calibration, self._n_recalibration)
        net.route(dict.fromkeys(net.relaxed_sites, Mixture()))
        sample = torch.zeros(1, *setup.splits.input_shape, device=self._device)
        costs = self.needs.get("costs", ())
        latencies = self._measured_once() if "latency_ms" in costs else {}
        self._costs = ExpectedCosts(net, costs, sample, latencies)

    def _measured_once(self) -> dict[str, float]:
        """Return how long modules took when the run began, whichever process that was in."""
        folder = self._run.folder
        path = None if folder is None else folder / LATENCIES
        self._latencies = kept(path, self._words(), lambda: self._latencies or self._measured())
        return self._latencies

    def _measured(self) -> dict[str, float]:
        """Measure a supernet of its own, which is laid out in memory as a network that is taken out is."""
        seed = self._run.seed
        net = self._built(seed=seed).to(self._device)
        net.route(dict.fromkeys(net.relaxed_sites, Mixture()))
        sample = torch.randn(1, *self.setup.splits.input_shape, generator=generator(seed))
        return measured(net, sample.to(self._device))

    @contextmanager
    def epoch(self, number: int) -> Iterator[int]:
        """Be in an epoch; all that is random in it is of its seed."""
        setup, seed = self.setup, seed_of(self._run.seed, number + 1)
        self._number, self._losses, self._sizes = number + 1, list[Tensor](), list[int]()
        train = setup.batches(setup.splits.train, self._device, shuffle=generator(seed))
        validation = setup.batches(setup.splits.validation, self._device, shuffle=generator(seed + 1))
        self._trainer: Trainer = setup.trainer(
            self._computing,
            train,
            self._device,
            n_epochs=self.n_epochs,
            seed=seed,
            optimizer=self._optimizer,
        )
        self._train, self._next = iter(train), None
        self._validation = _forever(validation)
        with threads(setup.n_threads), seeded(seed, self._device):
            self._net.train()
            yield len(train)

    def validation_losses(self, relaxation: Relaxation) -> dict[str, Tensor]:
        """Return the loss on the next batch of ``validation``, after a step of the weights if need be."""
        self._net.route(relaxation)
        batch = next(self._validation)
        if self.needs.get("unrolled"):
            loss = self._unrolled_loss(relaxation, batch)
            self._net.route(relaxation)
        else:
            loss = self._without_weights(batch)
        return {"validation/loss": loss, **self._costs()}

    def plain_losses(self, relaxation: Relaxation) -> dict[str, Tensor]:
        """Return the loss on the next batch of ``validation``; statistics stay as they are."""
        self._net.route(relaxation)
        norms = [m for m in self._net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        kept = [(norm, norm.momentum, int(norm.num_batches_tracked or 0)) for norm in norms]
        for norm in norms:  # put back afterwards they would be missed when the loss is differentiated
            norm.momentum = 0.0
        loss = self._without_weights(next(self._validation))
        for norm, momentum, n_batches in kept:
            norm.momentum = momentum
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.fill_(n_batches)
        return {"validation/loss": loss, **self._costs()}

    def _put_back(self, buffers: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, buffer in self._net.named_buffers():
                buffer.copy_(buffers[name])

    def _without_weights(self, batch: Any) -> Tensor:
        """Return a loss whose gradient reaches the relaxation only: those of weights would be thrown away."""
        for weight in self._weights:
            weight.requires_grad_(False)
        try:
            return self._trainer.loss(batch)
        finally:
            for weight in self._weights:
                weight.requires_grad_(True)

    def _unrolled_loss(self, relaxation: Relaxation, batch: Any) -> Tensor:
        learned = {name: m for name, m in relaxation.items() if m.weights is not None}
        leaves = {name: m.weights.detach().requires_grad_() for name, m in learned.items()}
        self._net.route({name: learned[name]._replace(weights=leaf) for name, leaf in leaves.items()})
        plan, train = self.setup.optimisation, self._peek()
        buffers = {name: buffer.clone() for name, buffer in self._net.named_buffers()}
        loss, gradients = unrolled(
            lambda: self._trainer.loss(train),
            lambda: self._trainer.loss(batch),
            self._weights,
            list(leaves.values()),
            lr=self._trainer.lr(self._number, len(self._losses)),
            momentum=plan.momentum,
            weight_decay=self._optimizer.param_groups[0]["weight_decay"],
            velocities=[self._optimizer.state[w].get("momentum_buffer") for w in self._weights],
        )
        self._put_back(buffers)  # four passes more would leave their traces in the statistics
        for mixture, gradient in zip(learned.values(), gradients, strict=True):
            loss = loss + (gradient * (mixture.weights - mixture.weights.detach())).sum()
        return loss

    def _peek(self) -> Any:
        """Return the next batch of ``train``, which is yet to be learned."""
        if self._next is None:
            self._next = next(self._train)
        return self._next

    def train_step(self, relaxation: Relaxation) -> dict[str, Tensor]:
        """Move the weights by the next batch of ``train``."""
        self._net.route(relaxation)
        batch, self._next = self._peek(), None
        loss, n = self._trainer.step(batch, self._number, len(self._losses))
        self._losses.append(loss)
        self._sizes.append(n)
        return {"train/loss": loss, **self._costs()}

    def measure(self, relaxation: Relaxation, architecture: Architecture) -> Metrics:
        """Measure the mixture, and an architecture by the weights that it inherits."""
        setup = self.setup
        losses = torch.stack(self._losses).tolist()
        for step, loss in enumerate(losses, 1):
            if not abs(loss) < float("inf"):  # NaN compares as false
                raise ArchloomError(f"diverged at epoch {self._number}, step {step}: loss is {loss}")
        mean = float(np.average(losses, weights=self._sizes))
        self._net.route(relaxation)
        batches = setup.batches(setup.splits.validation, self._device)
        found = measure(self._computing, batches, setup.task)
        relaxed = prefixed("validation", {f"relaxed_{name}": value for name, value in found.items()})
        buffers = {name: buffer.clone() for name, buffer in self._net.named_buffers()}
        trial = Trial(seed=self._run.seed, device=self._run.device)
        inherited = self._weights_shared().score(architecture, trial)
        self._put_back(buffers)  # the mixture's own statistics
        return {"train/loss": mean, **inherited, **relaxed}

    def save(self, epoch: int, state: Mapping[str, Any], metrics: Metrics) -> None:
        """Keep all that the next epoch depends on, in this process where the run has no folder."""
        if self._run.folder is None:
            weights, moments = self._net.state_dict(), self._optimizer.state_dict()
            self._kept = copy.deepcopy((weights, moments, epoch, dict(state), dict(metrics)))
            return
        self._run.folder.mkdir(parents=True, exist_ok=True)
        words = {**self._words(), "epoch": str(epoch), "metrics": json.dumps(dict(metrics))}
        save_checkpoint(self._run.folder / CHECKPOINT, self._net, self._optimizer, words, state)

    def restore(self) -> tuple[int, Mapping[str, Any], Metrics] | None:
        """Take back what was saved last."""
        if self._run.folder is None:
            if self._kept is None:
                return None
            weights, moments, epoch, learned, metrics = copy.deepcopy(self._kept)
            self._net.load_state_dict(weights)
            self._optimizer.load_state_dict(moments)
            return epoch, learned, metrics
        if not (self._run.folder / CHECKPOINT).exists():
            return None
        words, state = load_checkpoint(
            self._run.folder / CHECKPOINT, self._net, self._optimizer, self._words()
        )
        return int(words["epoch"]), state, json.loads(words["metrics"])

    def _words(self) -> dict[str, str]:
        return {
            "space": self._prepared().fingerprint,
            "seed": str(self._run.seed),
            "needs": json.dumps(dict(self.needs), sort_keys=True),
            "options": self._options,
        }

    def note(self, fidelity: str, metrics: Metrics | Exception) -> None:
        """Take what ``evaluate`` answers for the trial of an epoch."""
        self._noted = {fidelity: metrics}

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Answer what was measured in a trial's epoch; score an enqueued one by the weights as they are.

        Raises:
            ArchloomError: there are no weights yet, or the epoch failed.
        """
        if trial.fidelity is None:
            return self._weights_shared().score(architecture, trial)
        found = self._noted.get(trial.fidelity)
        if found is None:
            raise ArchloomError(f"nothing was measured at {trial.fidelity}")
        if isinstance(found, Exception):
            raise found
        return found

    def load(self, run: SharedRun) -> None:
        """Take the weights of a search, for what is derived or finetuned.

        Raises:
            ArchloomError: they are not there.
        """
        self.start(run)
        if self.restore() is None:
            raise ArchloomError(f"the search has left no weights in {run.folder or 'memory'}")

    def retrain(
        self, architecture: Architecture, run: SharedRun, *, epochs: int | None = None, inherits: bool = False
    ) -> Metrics:
        """Train an architecture by itself, from scratch or from the weights that it inherits."""
        if inherits:
            return self._inherited().finetune(architecture, run, epochs or self.n_epochs)
        return Alone(self.setup, epochs or self.n_epochs)(architecture, run)

    def derive(self, architecture: Architecture, run: SharedRun) -> Metrics:
        """Take an architecture's plain network out of the supernet."""
        return self._inherited().derive(architecture, run)

    def supernet(self) -> Supernet:
        """Return the supernet.

        Raises:
            ArchloomError: there is none yet.
        """
        return self._weights_shared().net

    def _inherited(self) -> SharedWeights:
        n = self.needs.get("partial_channels", 1)
        if n > 1:
            raise ArchloomError(
                f"a supernet that mixes one channel in {n} does not hand its weights on: retrain from scratch"
            )
        return self._weights_shared()

    def _weights_shared(self) -> SharedWeights:
        if self._shared is None:
            raise ArchloomError("the supernet has not been trained: no epoch has been")
        return self._shared

    def _prepared(self) -> SearchSpace:
        if self._space is None:
            raise ArchloomError("call prepare(space) first, as a study does")
        return self._space


def _forever(batches: Any) -> Iterator[Any]:
    while True:
        yield from batches

# SPDX-License-Identifier: Apache-2.0
"""OC-GFN: a flow that can be asked for any outcome, and turned to any reward without being trained again.

Pan, Jain, Madan, Bengio: Pre-Training and Fine-Tuning Generative Flow Networks, ICLR 2024, arXiv:2310.03419.
No code of its authors was found; where the paper multiplies every step's flow by the success at the end
(teleportation), only steps that leave the outcome are held against it here, so that what is proportional
stays so.
"""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from archloom.contracts import ChoiceArray, FloatArray
from archloom.errors import ConfigError
from archloom.search_spaces.filling import Filling
from archloom.strategies.gflownet.exact import Policy
from archloom.strategies.gflownet.flows import follow
from archloom.strategies.gflownet.learner import Learner
from archloom.strategies.gflownet.losses import balance_steps
from archloom.strategies.gflownet.sampling import walk_forward
from archloom.strategies.gflownet.trajectories import Trajectories, backward_at_random
from archloom.strategies.numerics import masked_log_softmax

__all__ = ["Amortized", "OutcomeFlow"]

NEVER = -1e9


@final
class OutcomeFlow:
    """A flow conditioned on the finished row that it is to reach.

    ``R(x | y)`` is 1 where ``x = y`` and 0 elsewhere, so that ``F(s | y)`` is the share of the ways to ``y``
    that pass through ``s``, with every column equally likely to have been the last.

    Args:
        filling: of the space.
        outcomes: ``k x d``, the finished rows that may be asked for.
        seed: of the weights.
        width: of both hidden layers.
        lr: learning rate.

    Raises:
        ConfigError: no outcome.
    """

    def __init__(
        self, filling: Filling, outcomes: ChoiceArray, *, seed: int = 0, width: int = 256, lr: float = 1e-3
    ):
        if not len(outcomes):
            raise ConfigError("there must be an outcome to ask for")
        self.filling, self.outcomes = filling, outcomes
        n = filling.n_actions
        self._learner = Learner(filling, seed, width=width, lr=lr, lr_log_z=lr, n_conditions=n)

    def learn(self, n_steps: int, rng: np.random.Generator, batch_size: int = 64) -> None:
        """Take steps: on ways to what was asked for, and on ways to something else.

        Args:
            n_steps: how many.
            rng: where the randomness comes from.
            batch_size: ways of each kind a step.
        """
        n = len(self.outcomes)
        for _ in range(n_steps):
            asked = self.outcomes[rng.integers(n, size=batch_size)]
            flows = follow(
                self._learner.network,
                self.filling,
                backward_at_random(self.filling, asked, rng),
                self.one_hot(asked),
            )
            loss = balance_steps(flows, flows.log_flow_ending(torch.zeros(batch_size)))
            other = self.outcomes[rng.integers(n, size=batch_size)]
            self._learner.step(loss + self._strays(backward_at_random(self.filling, other, rng), asked))

    def _strays(self, ways: Trajectories, asked: ChoiceArray) -> Tensor:
        """Return the mean probability of steps that leave the outcome that was asked for."""
        flows = follow(self._learner.network, self.filling, ways, self.one_hot(asked))
        columns = np.maximum(ways.order, 0)
        strays = np.take_along_axis(ways.rows, columns, 1) != np.take_along_axis(asked, columns, 1)
        first = strays & ways.is_step & (np.cumsum(strays, axis=1) == 1)
        weight = torch.from_numpy(first.astype(np.float32))
        return (flows.log_forward.exp() * weight).sum() / weight.sum().clamp(min=1)

    def reached(self, asked: ChoiceArray, rng: np.random.Generator) -> FloatArray:
        """Ask for outcomes, ``n x d``; return which were reached, ``n``."""
        conditions = self.one_hot(asked)
        ways = walk_forward(self._learner.network, self.filling, rng.spawn(len(asked)), conditions=conditions)
        return np.asarray((ways.rows == asked).all(axis=1), dtype=float)

    def converted(self, log_reward: FloatArray) -> Policy:
        """Return the policy of another reward, exactly, by summing over all outcomes.

        ``P(s' | s) = sum_y r(y) F(s | y) P_F(s' | s, y) / sum_y r(y) F(s | y)``

        Args:
            log_reward: ``k``, of each outcome.

        Raises:
            ConfigError: a log-reward that is not finite: the reward is not above zero, or no number.
        """
        log_reward = _checked(log_reward, len(self.outcomes))

        @torch.no_grad()
        def policy(states: ChoiceArray) -> FloatArray:
            made = [self._numerators(state[None], log_reward) for state in states]
            return np.concatenate(made)

        return policy

    def _numerators(self, state: ChoiceArray, log_reward: FloatArray) -> FloatArray:
        """Return the probabilities of the actions in one state, ``1 x a``."""
        within = self.outcomes[self.holds(state)[0]]
        log_flow, log_forward = self.parts(np.repeat(state, len(within), axis=0), within)
        weight = torch.from_numpy(log_reward[self.holds(state)[0]]) + log_flow.double()
        total = (weight[:, None] + log_forward.double()).logsumexp(dim=0, keepdim=True)
        legal = torch.from_numpy(self.filling.forward(state))
        return np.asarray(masked_log_softmax(total, legal).exp().numpy())

    def holds(self, states: ChoiceArray) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Return which outcomes each state may still become, ``s x k``."""
        is_free = (states < 0)[:, None, :]
        return np.asarray((is_free | (states[:, None, :] == self.outcomes[None])).all(axis=2))

    def parts(self, states: ChoiceArray, asked: ChoiceArray) -> tuple[Tensor, Tensor]:
        """Return ``log F(s | y)``, ``n``, and ``log P_F``, ``n x a``, by which steps never leave ``y``."""
        inputs = torch.cat([self.one_hot(states), self.one_hot(asked)], dim=1)
        said = self._learner.network(inputs)
        legal = torch.from_numpy(self.filling.forward(states))
        stays = torch.from_numpy(self.filling.one_hot(asked)) & legal
        log_forward = masked_log_softmax(said.forward, legal).masked_fill(~stays, NEVER)
        return said.log_flow, log_forward

    def one_hot(self, rows: ChoiceArray) -> Tensor:
        """Return rows as indicators of what is set, ``n x a``."""
        return torch.from_numpy(self.filling.one_hot(rows).astype(np.float32))


@final
class Amortized:
    """The policy of another reward by learning, where outcomes are too many to sum over.

    A network ``N(s' | s)`` of the sum, and one ``Q(y | s')`` of what it is made of, are trained until
    ``log N + log Q = log r(y) + log F(s | y) + log P_F(s' | s, y)``; ``N`` is then normalised over actions.

    Args:
        flow: was trained before, and stays as it is.
        log_reward: ``k``, of each outcome.
        seed: of the weights.
        width: of the hidden layers.
        lr: learning rate.

    Raises:
        ConfigError: a log-reward that is not finite: the reward is not above zero, or no number.
    """

    def __init__(
        self, flow: OutcomeFlow, log_reward: FloatArray, *, seed: int = 0, width: int = 128, lr: float = 2e-3
    ):
        n, k = flow.filling.n_actions, len(flow.outcomes)
        self._flow, self._log_reward = flow, _checked(log_reward, k)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._sums = _mlp(n, n, width)
            self._outcomes = _mlp(n, k, width)
        parameters = [*self._sums.parameters(), *self._outcomes.parameters()]
        self._optimizer = torch.optim.Adam(parameters, lr=lr)

    def learn(self, n_steps: int, rng: np.random.Generator, batch_size: int = 128) -> None:
        """Take steps on ways to outcomes drawn at random.

        Args:
            n_steps: how many.
            rng: where the randomness comes from.
            batch_size: ways a step.
        """
        flow, filling = self._flow, self._flow.filling
        for _ in range(n_steps):
            index = rng.integers(len(flow.outcomes), size=batch_size)
            ways = backward_at_random(filling, flow.outcomes[index], rng)
            states, t = ways.states(), rng.integers(0, np.maximum(ways.lengths, 1))
            here, there = (states[np.arange(batch_size), t + step] for step in (0, 1))
            action = torch.from_numpy(ways.actions(filling)[np.arange(batch_size), t])[:, None]
            with torch.no_grad():
                log_flow, log_forward = flow.parts(here, flow.outcomes[index])
                target = torch.from_numpy(self._log_reward[index]).float() + log_flow
                target = target + log_forward.gather(1, action).squeeze(1)
            log_sum = self._sums(flow.one_hot(here)).gather(1, action).squeeze(1)
            holds = torch.from_numpy(flow.holds(there))
            log_outcome = masked_log_softmax(self._outcomes(flow.one_hot(there)), holds)
            chosen = log_outcome.gather(1, torch.from_numpy(index)[:, None]).squeeze(1)
            loss = (log_sum + chosen - target).square().mean()
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._optimizer.step()

    @torch.no_grad()
    def policy(self, states: ChoiceArray) -> FloatArray:
        """Return the probabilities of the actions, ``s x a``."""
        legal = torch.from_numpy(self._flow.filling.forward(states))
        return np.asarray(masked_log_softmax(self._sums(self._flow.one_hot(states)), legal).exp().numpy())


def _checked(log_reward: FloatArray, k: int) -> FloatArray:
    """Return log-rewards, a finite number for each of ``k`` outcomes: a flow samples by positive rewards."""
    found = np.asarray(log_reward, dtype=float)
    if found.shape != (k,):
        raise ConfigError(f"there is one log-reward for each of the {k} outcomes, got {found.shape}")
    if not np.isfinite(found).all():
        first = int(np.flatnonzero(~np.isfinite(found))[0])
        raise ConfigError(
            "a flow needs rewards above zero, so that each has a finite logarithm: "
            f"log_reward[{first}] is {found[first]} (scale the rewards to be positive, or take their ranks)"
        )
    return found


def _mlp(n_in: int, n_out: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(n_in, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, n_out)
    )

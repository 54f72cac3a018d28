# SPDX-License-Identifier: Apache-2.0
"""A policy that sees the choices before: a recurrent network.

Notation: ``n`` rows, ``d`` columns, ``m`` candidates (of the column that has most), ``h`` units.
"""

from __future__ import annotations

from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from archloom.contracts import ChoiceArray, FloatArray
from archloom.search_spaces.filling import Filling
from archloom.strategies.numerics import masked_log_softmax, one_thread
from archloom.strategies.policy.choices import draw, is_chosen, legal_choices
from archloom.strategies.policy.policy import Policy, Weigh

__all__ = ["LSTMPolicy"]

FIRST_WEIGHT = 0.1
"""Weights begin uniform between this and its negative."""
MAX_NORM = 10.0
"""Of a gradient."""

State: TypeAlias = tuple[Tensor, Tensor]


@final
class LSTMPolicy(Policy):
    """One LSTM layer that reads the choices made so far, with a linear head for each column.

    It is fed the embedding of the last choice; a column that is inactive in a row is passed over, as if it
    were not there. Computed in float64, so that a row does not depend on which others are drawn with it.

    Zoph, Vasudevan, Shlens, Le: Learning Transferable Architectures for Scalable Image Recognition, CVPR
    2018, arXiv:1707.07012 (there 100 units, weights uniform within 0.1). The squashing of logits is that of
    Pham, Guan, Zoph, Le, Dean: Efficient Neural Architecture Search via Parameter Sharing, ICML 2018,
    arXiv:1802.03268.

    Args:
        filling: of the space.
        logits: ``d x m``, what is added to all that the network says: where it starts.
        rng: draws the first weights; torch's own generator is left as it is.
        lr: learning rate (Adam).
        n_units: ``h``, of the LSTM and of the embedding.
        tanh_constant: ``c``, where logits are to be ``c tanh(l)`` so that no choice is ever quite ruled out;
            ``None`` for ``l``.
    """

    def __init__(
        self,
        filling: Filling,
        logits: FloatArray,
        rng: np.random.Generator,
        *,
        lr: float,
        n_units: int = 100,
        tanh_constant: float | None = None,
    ):
        self._filling = filling
        self._network = _Network(filling, logits, rng, n_units, tanh_constant)
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=lr, foreach=True)

    @torch.no_grad()
    def sample(self, noise: FloatArray) -> ChoiceArray:
        """Draw rows."""
        state = self._filling.empty(len(noise))
        before = np.zeros(len(noise), dtype=np.intp)  # the action taken last, counted from 1
        with one_thread():
            memory = self._network.blank(len(noise))
            for column, m in enumerate(self._filling.sizes):
                legal = self._filling.next(state, column)
                active = np.flatnonzero(legal.any(axis=1))
                if not len(active):
                    continue
                logits = self._network.step(before, memory, active, column)[:, :m].numpy()
                choice = draw(logits, legal[active], noise[active, column])
                state[active, column] = choice
                before[active] = self._filling.offsets[column] + choice + 1
        return state

    @torch.no_grad()
    def log_probabilities(self, rows: ChoiceArray) -> FloatArray:
        """Return ``log p`` of rows."""
        with one_thread():
            return np.asarray(self._read(rows)[0].numpy())

    def improve(self, rows: ChoiceArray, weigh: Weigh, entropy: float) -> None:
        """Take one step up."""
        with one_thread():
            log_probabilities, left = self._read(rows)
            weights = torch.from_numpy(weigh(log_probabilities.detach().numpy()))
            loss = -(weights * log_probabilities + entropy * left).mean()
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self._network.parameters(), MAX_NORM)
            self._optimizer.step()

    def _read(self, rows: ChoiceArray) -> tuple[Tensor, Tensor]:
        """Return the log-probabilities of rows and the entropies along them, ``n`` each."""
        legal = torch.from_numpy(legal_choices(self._filling, rows))
        log_p = masked_log_softmax(self._network(rows, self._filling), legal)
        chosen = torch.from_numpy(is_chosen(self._filling, rows))
        left = -(log_p.exp() * log_p * legal).sum(dim=(1, 2))
        return (log_p * chosen).sum(dim=(1, 2)), left


@final
class _Network(nn.Module):
    """Embedding, LSTM and heads."""

    def __init__(
        self,
        filling: Filling,
        logits: FloatArray,
        rng: np.random.Generator,
        n_units: int,
        tanh_constant: float | None,
    ):
        super().__init__()
        d, m = logits.shape
        with torch.random.fork_rng(devices=[]):  # torch's own first weights are drawn and thrown away
            self.embedding = nn.Embedding(filling.n_actions + 1, n_units, dtype=torch.float64)
            self.lstm = nn.LSTM(n_units, n_units, batch_first=True, dtype=torch.float64)
        self.head = nn.Parameter(torch.empty(d, n_units, m, dtype=torch.float64))
        self.start: Tensor
        self.register_buffer("start", torch.from_numpy(logits))
        self._n_units, self._tanh_constant = n_units, tanh_constant
        with torch.no_grad():
            for weight in self.parameters():
                first = rng.uniform(-FIRST_WEIGHT, FIRST_WEIGHT, tuple(weight.shape))
                weight.copy_(torch.from_numpy(first))

    def forward(self, rows: ChoiceArray, filling: Filling) -> Tensor:
        """Return the logits of every column of finished rows, ``n x d x m``."""
        is_active = rows >= 0
        order = np.argsort(~is_active, axis=1, kind="stable")  # the active columns side by side
        actions = np.where(is_active, filling.offsets[:-1] + rows + 1, 0)
        before = np.take_along_axis(actions, order, axis=1)[:, :-1]
        before = np.concatenate([np.zeros((len(rows), 1), dtype=np.intp), before], axis=1)
        hidden, _ = self.lstm(self.embedding(torch.from_numpy(before)))
        place = np.maximum(is_active.cumsum(axis=1) - 1, 0)
        here = torch.from_numpy(place)[:, :, None].expand(-1, -1, self._n_units)
        return self._squashed(torch.einsum("ndh,dhm->ndm", hidden.gather(1, here), self.head)) + self.start

    def blank(self, n: int) -> State:
        """Return the memory of ``n`` rows in which nothing was chosen, ``1 x n x h`` twice."""
        return torch.zeros(1, n, self._n_units).double(), torch.zeros(1, n, self._n_units).double()

    def step(
        self, before: npt.NDArray[np.intp], memory: State, active: npt.NDArray[np.intp], column: int
    ) -> Tensor:
        """Read the last choice of some rows, keep what is remembered of it, and return a column's logits."""
        index = torch.from_numpy(active)
        inputs = self.embedding(torch.from_numpy(before[active]))[:, None]
        hidden, kept = self.lstm(inputs, (memory[0][:, index], memory[1][:, index]))
        for whole, part in zip(memory, kept, strict=True):
            whole[:, index] = part
        logits: Tensor = self._squashed(hidden[:, 0] @ self.head[column])
        return logits + self.start[column]

    def _squashed(self, logits: Tensor) -> Tensor:
        if self._tanh_constant is None:
            return logits
        return self._tanh_constant * torch.tanh(logits)

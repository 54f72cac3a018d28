# SPDX-License-Identifier: Apache-2.0
"""How long a network takes to answer: by the clock, from a table of operations, or by a device's command."""

from __future__ import annotations

from archloom.evaluators.latency.latency import Latency

__all__ = ["Latency"]

# SPDX-License-Identifier: Apache-2.0
"""``search trials``: the trials of a study, and what may be corrected about them, a file each."""

from __future__ import annotations

from archloom.cli.trials._listing import trials

__all__ = ["trials"]

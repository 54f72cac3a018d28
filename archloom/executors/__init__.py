# SPDX-License-Identifier: Apache-2.0
"""Where trials run."""

from archloom.executors.inline import InlineExecutor
from archloom.executors.processes import ProcessExecutor

__all__ = ["InlineExecutor", "ProcessExecutor"]

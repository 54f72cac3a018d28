# SPDX-License-Identifier: Apache-2.0
"""Where trials run."""

from archloom.executors.inline import InlineExecutor

__all__ = ["InlineExecutor"]

# SPDX-License-Identifier: Apache-2.0
"""Models to take away: one plain torch file, its weights, and where it came from."""

from __future__ import annotations

from archloom.export.export import ExportedModel, export_model
from archloom.export.onnx_file import export_onnx, require_onnx

__all__ = ["ExportedModel", "export_model", "export_onnx", "require_onnx"]

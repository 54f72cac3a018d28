# SPDX-License-Identifier: Apache-2.0
"""The card of an exported model: where it comes from, for people and for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["card_json", "card_markdown"]

_USE = """\
```python
from model import load

network = load()  # trained, in evaluation mode
```"""
_USE_ONNX = """\
The same network as ONNX, for batches of any size:

```python
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
(output,) = session.run(None, {"input": batch})  # a NumPy array
```"""


def card_json(card: Mapping[str, Any]) -> str:
    """Return the card as JSON; what JSON cannot hold is written as text."""
    return json.dumps(_plain(card), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def card_markdown(title: str, card: Mapping[str, Any], *, onnx: bool = False) -> str:
    """Return the card as Markdown: how to use the model, then a table for each part of the card.

    >>> text = card_markdown("Net", {"study": "digits", "metrics": {"accuracy": 0.9}})
    >>> [line for line in text.splitlines() if line.startswith(("#", "| study", "| accuracy"))]
    ['# Net', '| study | digits |', '## metrics', '| accuracy | 0.9 |']
    """
    use = [_USE, _USE_ONNX] if onnx else [_USE]
    return "\n\n".join([f"# {title}", *use, *_tables(_plain(card), "")]) + "\n"


def _tables(card: Mapping[str, Any], heading: str) -> Iterator[str]:
    if heading:
        yield f"## {heading}"
    rows = [
        f"| {_cell(key)} | {_cell(value)} |" for key, value in card.items() if not isinstance(value, dict)
    ]
    if rows:
        yield "\n".join(["| | |", "| --- | --- |", *rows])
    for key, value in card.items():
        if isinstance(value, dict):
            yield from _tables(value, f"{heading}: {key}" if heading else str(key))


def _cell(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text.replace("|", "\\|").replace("\n", "<br>")


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return value if math.isfinite(value) else str(value)
    return _plain(value.item()) if hasattr(value, "item") and callable(value.item) else str(value)

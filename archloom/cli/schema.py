# SPDX-License-Identifier: Apache-2.0
"""``search schema``: the JSON Schema of a study file."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON Schema of a study file, for editors that complete and check YAML."""
    from archloom import config

    typer.echo(json.dumps(config.schema(), indent=2))

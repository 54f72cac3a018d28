# SPDX-License-Identifier: Apache-2.0
"""Calls with options that came from a file: a wrong name is met with the right one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archloom.errors import ConfigError, did_you_mean

__all__ = ["MAX_THREADS", "call_with_options", "check_options", "known"]

MAX_THREADS = 1024
"""Far more than pay off; asked for many more, the libraries under torch end the program."""


def call_with_options(call: Callable[..., Any], options: Mapping[str, Any], name: str) -> Any:
    """Return ``call(**options)``, having checked that it takes them.

    >>> call_with_options(lambda *, width: 2 * width, {"width": 3}, "double")
    6

    Raises:
        ConfigError: an option is unknown, or one that is needed is missing.
    """
    check_options(inspect.signature(call), options, name)
    return call(**options)


def check_options(signature: inspect.Signature, options: Mapping[str, Any], name: str) -> None:
    """Check that a call of this signature takes these options.

    Raises:
        ConfigError: an option is unknown, or one that is needed is missing.
    """
    parameters = signature.parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        for option in options:
            known(option, [p.name for p in named], f"option of {name}")
    for parameter in named:
        if parameter.default is parameter.empty and parameter.name not in options:
            raise ConfigError(f"{name} needs the option {parameter.name!r}, which is missing")


def known(word: str, words: Sequence[str], kind: str) -> str:
    """Return ``word`` if it is one of ``words``.

    Raises:
        ConfigError: it is not; the message names the nearest.
    """
    if word not in words:
        raise ConfigError(f"{word!r} is no {kind}{did_you_mean(word, words)}")
    return word

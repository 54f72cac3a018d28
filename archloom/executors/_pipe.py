# SPDX-License-Identifier: Apache-2.0
"""What passes between a study and its processes: plain tuples over a pipe that no one else holds.

====================================  =======================================================
from the process                      from the study
====================================  =======================================================
``("ready",)``                        a tuple of jobs; an empty one is farewell
``("broken", reason)``                (nothing: the process ends)
``("report", number, step, metrics)``  whether to stop, ``True`` or ``False``
``("done", outcomes, seconds)``       the next tuple of jobs
``("error", traceback)``              the next tuple of jobs
====================================  =======================================================

The messages are pickles. They pass only between a process and the one that it has itself started, over an
inherited pair of sockets without a name, and carry what the user's own program made; nothing that was
stored or came from elsewhere is ever read here.
"""

from __future__ import annotations

import pickle
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["FAREWELL", "KEPT_PATH", "hear", "read", "say"]

FAREWELL: tuple[()] = ()
"""What a process is told that is to end; one whose pipe closes without it knows that its study is gone."""
KEPT_PATH = "ARCHLOOM_PYTHONPATH"
"""Environment variable with the user's PYTHONPATH, which ours replaces while a process starts."""


def say(connection: Connection[Any, Any], message: Any) -> None:
    """Send a message, with cloudpickle where its classes cannot be imported on the other side."""
    try:
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    except Exception:  # a class of the user's script or of a function: pickle has several names for that
        import cloudpickle

        data = cloudpickle.dumps(message)
    connection.send_bytes(data)


def hear(connection: Connection[Any, Any]) -> Any:
    """Wait for a message.

    Raises:
        EOFError: the other side is gone.
        OSError: the other side is gone in the midst of it.
    """
    return read(connection.recv_bytes())


def read(data: Any) -> Any:
    """Unpack a message, or the evaluation itself."""
    return pickle.loads(data)  # noqa: S301 - written by our own other process; see the module's docstring

# SPDX-License-Identifier: Apache-2.0
"""Light at import: the face and the help pages load nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

import archloom

HEAVY = ("torch", "pyglove", "sqlalchemy", "pandas", "alembic", "numpy", "ruamel.yaml")

CALL = """
import contextlib, io, sys
from archloom.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main({words!r})
"""


def _loaded(code: str) -> set[str]:
    code += f"\nimport sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import archloom",
        CALL.format(words=["--help"]),
        CALL.format(words=["run", "--help"]),
        CALL.format(words=["--version"]),
    ],
    ids=["import", "help", "run-help", "version"],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    assert _loaded(code) == set()


def test_the_guard_sees_what_is_loaded() -> None:
    assert _loaded("import archloom; archloom.Store") >= {"sqlalchemy"}


def test_the_face_is_what_all_says() -> None:
    assert archloom.__all__ == sorted(archloom.__all__)
    assert set(archloom.__all__) == {*archloom._HOME, "__version__"}
    assert set(archloom.__all__) <= set(dir(archloom))
    for name in archloom.__all__:
        assert getattr(archloom, name) is not None


def test_the_version_is_the_package_s() -> None:
    assert archloom.__version__.count(".") == 2


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'archloom' has no attribute 'Stduy'"):
        _ = archloom.Stduy

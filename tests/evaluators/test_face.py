# SPDX-License-Identifier: Apache-2.0
"""The public face: light to import, complete, and every registered name leads somewhere."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing

import pytest

import archloom.evaluators as face
from archloom.contracts import Evaluator, Task
from archloom.errors import UnknownNameError


def test_importing_the_face_loads_nothing_heavy() -> None:
    code = (
        "import sys, archloom.evaluators as e; e.EVALUATORS.names();"
        "print([m for m in ('torch', 'pyglove', 'pandas', 'sqlalchemy') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("name", face.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert inspect.getdoc(getattr(face, name))


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match="did you mean 'Training'"):
        _ = face.Trainin
    with pytest.raises(UnknownNameError, match="did you mean 'tabular'"):
        face.EVALUATORS.get("tabula")


@pytest.mark.parametrize("name", face.EVALUATORS.names())
def test_every_evaluator_takes_annotated_keywords_that_its_docstring_explains(name: str) -> None:
    evaluator = face.EVALUATORS.get(name)
    assert issubclass(evaluator, Evaluator)
    parameters = list(inspect.signature(evaluator).parameters.values())
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters)
    assert set(typing.get_type_hints(evaluator.__init__)) >= {p.name for p in parameters}
    text = inspect.getdoc(evaluator) or ""
    assert [p.name for p in parameters if f"\n    {p.name}: " not in text] == []


def test_every_task_and_dataset_is_what_it_should_be() -> None:
    assert all(issubclass(face.TASKS.get(name), Task) for name in face.TASKS.names())
    assert all(callable(face.DATASETS.get(name)) for name in face.DATASETS.names())

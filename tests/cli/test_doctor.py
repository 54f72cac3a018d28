# SPDX-License-Identifier: Apache-2.0
"""``search doctor``: what is here, what is missing, what is broken."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from archloom.cli import _diagnosis
from archloom.contracts import Objective
from archloom.registry import Plugin, Registry
from archloom.store import Store, StudyRecord

Search = Callable[..., Any]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ARCHLOOM_"):
            monkeypatch.delenv(name)


def _doctor(search: Search, *words: str, code: int = 0) -> Any:
    result = search("doctor", *words, "-f", "json")
    assert result.code == code, result.err
    return json.loads(result.out)


def test_a_sound_installation(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHLOOM_STORE", "postgresql+psycopg://me:secret@host/db")
    monkeypatch.setenv("ARCHLOOM_DATA", "no/such/folder")
    monkeypatch.setenv("ARCHLOOM_NONSENSE", "::://")
    monkeypatch.setenv("ARCHLOOM_API_KEY", "secret")
    with Store("fast.db") as store:
        store.create_study(StudyRecord("s", 0, (Objective("score"),)))
    data = _doctor(search, "--store", "fast.db")
    assert set(data["versions"]) >= {
        "python",
        "archloom",
        "torch",
        "pyglove",
        "optuna",
        "numpy",
        "sqlalchemy",
    }
    assert "threads" in data["devices"]["cpu"]
    assert data["extras"]["digits"]["install"] == "pip install 'archloom[digits]'"
    assert data["store"] | {"size_mb": 0, "schema": ""} == {
        "url": "fast.db",
        "schema": "",
        "studies": 1,
        "trials": 0,
        "writable": True,
        "size_mb": 0,
    }
    assert data["environment"] == {
        "ARCHLOOM_API_KEY": "***",
        "ARCHLOOM_DATA": "no/such/folder  (there is no such folder)",
        "ARCHLOOM_NONSENSE": "not a database URL",
        "ARCHLOOM_STORE": "postgresql+psycopg://me:***@host/db",
    }
    assert data["broken"] == []
    shown = search("doctor", "--store", "fast.db").out
    assert "Nothing is broken." in shown
    assert "secret" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_every_finding_is_a_line_of_csv(search: Search) -> None:
    rows = list(csv.DictReader(io.StringIO(search("doctor", "-f", "csv").out)))
    assert {"section": "store", "name": "state", "found": "not there yet"} in rows


def test_a_missing_extra_is_no_fault(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    here = find_spec
    monkeypatch.setattr(_diagnosis, "find_spec", lambda name: None if name == "sklearn" else here(name))
    shown = search("doctor")
    assert shown.code == 0
    assert "missing, for the data sets digits and mnist5k" in " ".join(shown.out.split())
    assert "pip install 'archloom[digits]'" in " ".join(shown.out.split())


def test_what_is_installed_and_broken_fails(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def broken(name: str) -> Any:
        if name == "pandas":
            raise OSError("libfoo.so:\nnot found")
        return real(name)

    monkeypatch.setattr(_diagnosis, "importlib", SimpleNamespace(import_module=broken))
    data = _doctor(search, code=1)
    assert data["versions"]["pandas"] == "broken"
    assert data["broken"] == ["pandas: OSError: libfoo.so: not found"]
    assert "Broken" in search("doctor").out


def test_a_broken_plug_in_is_named_and_the_rest_goes_on(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("sound_plugin.py").write_text("class Mine: pass\n")
    Path("broken_plugin.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(".")
    plugins = [Plugin("mine", "sound_plugin:Mine", "dist"), Plugin("bad", "broken_plugin:Bad", "dist")]
    monkeypatch.setattr(Registry, "plugins", lambda self: plugins if self.kind == "strategies" else [])
    data = _doctor(search, code=1)
    assert data["plugins"] == {
        "strategies/mine": "sound_plugin:Mine of dist",
        "strategies/bad": "broken_plugin:Bad of dist",
    }
    assert len(data["broken"]) == 1
    assert "broken_plugin" in data["broken"][0]
    assert "no_such_library" in data["broken"][0]
    listed = search("strategies")
    assert listed.code == 0
    assert "no_such_library" in " ".join(listed.out.split())
    assert "random" in listed.out
    sys.modules.pop("sound_plugin", None)


@pytest.mark.parametrize(
    ("store", "code", "state"), [("new.db", 0, "not there yet"), ("fast.yaml", 1, "cannot be used")]
)
def test_a_store_is_looked_at_and_never_made(search: Search, store: str, code: int, state: str) -> None:
    assert _doctor(search, "--store", store, code=code)["store"]["state"] == state
    assert not Path("new.db").exists()


def test_a_folder_that_is_not_there_is_told(search: Search) -> None:
    data = _doctor(search, "--store", "sqlite:///no/such/x.db")
    assert data["store"]["state"] == "not there, and no/such is not writable"

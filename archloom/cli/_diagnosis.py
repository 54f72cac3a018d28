# SPDX-License-Identifier: Apache-2.0
"""What is installed here: versions, devices, extras, the store, plug-ins, and what of it is broken."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LIBRARIES = ("torch", "numpy", "pyglove", "optuna", "sqlalchemy", "pydantic", "pandas")
EXTRAS = {
    "digits": (("sklearn",), "the data sets digits and mnist5k"),
    "parquet": (("pyarrow",), "tables in parquet files, such as NAS-Bench-201's"),
    "postgres": (("psycopg",), "a store on PostgreSQL"),
    "graphs": (("torch_geometric", "nas_bench_graph"), "graph networks and their benchmark"),
    "onnx": (("onnx", "onnx_ir", "onnxscript", "onnxruntime"), "'search export --onnx'"),
}
SECRETS = ("KEY", "PASSWORD", "SECRET", "TOKEN")


def diagnose(store: str | None) -> dict[str, Any]:
    """Look at everything, as plain JSON; ``broken`` says what is installed and does not work, a line each."""
    broken: list[str] = []
    versions = {"python": platform.python_version(), "archloom": version("archloom")}
    versions |= {name: _version(name, broken) for name in LIBRARIES}
    return {
        "versions": versions,
        "devices": _devices(broken),
        "extras": _extras(broken),
        "store": _store(store, broken),
        "environment": dict(sorted(_environment())),
        "plugins": _plugins(broken),
        "broken": broken,
    }


def _version(name: str, broken: list[str]) -> str:
    """Return the version of a library that archloom needs, after importing it."""
    problem = _problem(name)
    if problem:
        broken.append(f"{name}: {problem}")
        return "broken"
    try:
        return version(name)
    except PackageNotFoundError:
        return str(getattr(importlib.import_module(name), "__version__", "of no known version"))


def _problem(module: str) -> str:
    """Import a module; return why that fails in one line, or an empty string."""
    try:
        importlib.import_module(module)
    except Exception as error:  # a broken library may raise anything
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ""


def _devices(broken: list[str]) -> dict[str, str]:
    """Return what torch computes on, by the words that ``device:`` of a study file takes."""
    if _problem("torch"):
        return {}
    import torch

    devices = {"cpu": f"{torch.get_num_threads()} threads, {platform.machine()}"}
    try:
        for i in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(i)
            devices[f"cuda:{i}"] = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
        if torch.backends.mps.is_available():
            devices["mps"] = "Apple GPU"
    except RuntimeError as error:  # a driver that does not fit
        broken.append(f"torch: {' '.join(str(error).split())}")
    return devices


def _extras(broken: list[str]) -> dict[str, Any]:
    """Return the optional libraries: what each is for, and how to get those that are missing."""
    found: dict[str, Any] = {}
    for extra, (modules, purpose) in _known_extras().items():
        missing = [name for name in modules if find_spec(name) is None]
        for name in modules:
            if name not in missing and (problem := _problem(name)):
                broken.append(f"{name}: {problem}")
        install = f"pip install 'archloom[{extra}]'"
        found[extra] = {"missing": missing, "for": purpose, "install": install}
    return found


def _known_extras() -> dict[str, tuple[tuple[str, ...], str]]:
    """Return the extras that the installed distribution has."""
    there = metadata("archloom").get_all("Provides-Extra") or []
    return {name: row for name, row in EXTRAS.items() if name in there}


def _store(given: str | None, broken: list[str]) -> dict[str, Any]:
    """Look at a store without making one."""
    from archloom import config
    from archloom.cli._studies import shown_url
    from archloom.errors import ArchloomError

    url = given or config.default_store()
    found: dict[str, Any] = {"url": shown_url(url)}
    file = _file(url)
    if file is not None and not file.exists():
        can_make = file.parent.is_dir() and os.access(file.parent, os.W_OK)
        return found | {
            "state": "not there yet" if can_make else f"not there, and {file.parent} is not writable"
        }
    try:
        found |= _contents(url)
    except ArchloomError as error:
        broken.append(f"store: {error}")
        return found | {"state": "cannot be used"}
    if file is not None:
        found |= {"writable": os.access(file, os.W_OK), "size_mb": round(file.stat().st_size / 1e6, 3)}
    return found


def _contents(url: str) -> dict[str, Any]:
    from archloom.store import Store
    from archloom.store.schema import REVISIONS

    with Store(url, must_exist=True) as store:
        studies = store.studies()
        n_trials = sum(sum(store.counts(study.id or 0).values()) for study in studies)
    return {"schema": REVISIONS[-1], "studies": len(studies), "trials": n_trials}


def _file(url: str) -> Path | None:
    """Return the file of a SQLite store, ``None`` for any other."""
    if "://" not in url:
        return Path(url)
    if not url.startswith("sqlite"):
        return None
    from sqlalchemy.engine import make_url

    name = make_url(url).database
    return Path(name) if name and name != ":memory:" else None


def _environment() -> Iterator[tuple[str, str]]:
    from archloom.cli._studies import shown_url

    for name, value in os.environ.items():
        if not name.startswith("ARCHLOOM_"):
            continue
        try:
            shown = "***" if any(word in name for word in SECRETS) else shown_url(value)
        except Exception:  # SQLAlchemy's, for what is no URL; it might hold a password all the same
            shown = "not a database URL"
        is_there = name != "ARCHLOOM_DATA" or Path(value).is_dir()
        yield name, shown if is_there else f"{shown}  (there is no such folder)"


def _plugins(broken: list[str]) -> dict[str, str]:
    """Return the plug-ins by kind and name, each imported to see whether it can be."""
    from archloom.cli._registries import MODULES
    from archloom.registry import Registry, import_path

    found: dict[str, str] = {}
    for kind, path in MODULES.items():
        registry: Registry = import_path(path)
        problems = registry.problems()
        for plugin in registry.plugins():
            problem = problems.get(plugin.name, "")
            found[f"{kind}/{plugin.name}"] = f"{plugin.path} of {plugin.distribution}"
            if problem:
                broken.append(problem)
    return found

"""Names to classes: built-ins, plug-ins by entry point, and what is wrong with a plug-in."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archloom import registry
from archloom.errors import MissingExtraError, UnknownNameError
from archloom.registry import Plugin, Registry

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Write what an installer would: a module, and a folder that describes the distribution."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    modules = set(sys.modules)

    def _install(
        name: str, entry_points: str | bytes, *, folder: str = "", metadata: bool = True, **code: str
    ) -> None:
        info = site / folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        if metadata:
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        text = entry_points.encode() if isinstance(entry_points, str) else entry_points
        (info / "entry_points.txt").write_bytes(text)
        for module, source in code.items():
            (site / f"{module}.py").write_text(source)
        importlib.invalidate_caches()
        registry._installed.cache_clear()

    registry._installed.cache_clear()
    yield _install
    registry._installed.cache_clear()
    for module in set(sys.modules) - modules:
        if module.startswith("plug_"):
            del sys.modules[module]


def things() -> Registry:
    return Registry("things", {"root": "math:sqrt"})


def test_a_plugin_is_named_and_got(install: Install) -> None:
    install("good", "[archloom.things]\ncube = plug_good:cube\n", plug_good="def cube(x): return x ** 3\n")
    assert things().names() == ["cube", "root"]
    assert things().plugins() == [Plugin("cube", "plug_good:cube", "good")]
    assert "plug_good" not in sys.modules
    assert things().get("cube")(2) == 8
    assert things().problems() == {}
    assert Registry("others", {}).names() == []


def test_a_broken_plugin_is_named_and_the_rest_goes_on(install: Install) -> None:
    install(
        "broken",
        "[archloom.things]\nbad = plug_bad:thing\nends = plug_ends:thing\nlost = plug_bad2:nothing\n",
        plug_bad="import no_such_library_at_all\n",
        plug_ends="import sys\nsys.exit(3)\n",
        plug_bad2="something = 1\n",
    )
    install("good", "[archloom.things]\ncube = plug_good:cube\n", plug_good="def cube(x): return x ** 3\n")
    assert things().names() == ["bad", "cube", "ends", "lost", "root"]
    assert things().get("cube")(2) == 8
    assert things().get("root")(4.0) == 2.0
    with pytest.raises(UnknownNameError) as error:
        things().get("bad")
    assert str(error.value) == (
        "the plug-in 'bad' of broken (entry point archloom.things: bad = plug_bad:thing) cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_library_at_all'"
    )
    assert isinstance(error.value.__cause__, ModuleNotFoundError)
    problems = things().problems()
    assert sorted(problems) == ["bad", "ends", "lost"]
    assert problems["bad"] == str(error.value)
    assert problems["ends"].endswith("plug_ends ends the program when it is imported (SystemExit(3))")
    assert "plug_bad2 has no 'nothing'" in problems["lost"]


def test_a_missing_extra_stays_one(install: Install) -> None:
    code = "from archloom.errors import require\nrequire('nothing_here', 'more', 'the thing')\n"
    install("extra", "[archloom.things]\nthing = plug_extra:thing\n", plug_extra=code)
    with pytest.raises(MissingExtraError, match=r"plug-in 'thing' of extra .*pip install 'archloom\[more\]'"):
        things().get("thing")
    assert "pip install" in things().problems()["thing"]


def test_a_builtin_name_keeps_its_meaning(install: Install) -> None:
    install("bold", "[archloom.things]\nroot = plug_bold:root\n", plug_bold="def root(x): return 'mine'\n")
    assert things().get("root")(9.0) == 3.0
    assert things().names() == ["root"]
    problem = "'root' is built in, so the plug-in of bold (plug_bold:root) is ignored"
    assert problem in things().problems()["root"]
    assert "plug_bold" not in sys.modules


def test_two_plugins_of_one_name_are_refused(install: Install) -> None:
    install("one", "[archloom.things]\ncube = plug_one:cube\n", plug_one="cube = 1\n")
    install("two", "[archloom.things]\ncube = plug_two:cube\n", plug_two="cube = 2\n")
    assert things().names() == ["cube", "root"]
    with pytest.raises(
        UnknownNameError, match=r"2 plug-ins .* one \(plug_one:cube\) and two \(plug_two:cube\)"
    ):
        things().get("cube")
    assert things().get("plug_two:cube") == 2
    assert sorted(things().problems()) == ["cube"]


@pytest.mark.parametrize(
    ("line", "name", "reason"),
    [
        ("cube", "cube", "an import path reads 'package.module:attribute', got ''"),
        ("cube = plug_good", "cube", "got 'plug_good'"),
        ("cube = plug good : x y", "cube", "an import path reads 'package.module:attribute'"),
        ("a:b = plug_good:cube", "a:b", "needs a name without ':', got 'a:b'"),
        ("= plug_good:cube", "", "needs a name without ':', got ''"),
        ("cube = ..:cube", "cube", "cannot be imported"),
    ],
)
def test_a_malformed_line_spoils_itself_alone(install: Install, line: str, name: str, reason: str) -> None:
    install(
        "odd",
        f"[console_scripts]\nx\n\n[archloom.things]\n# a comment\n{line}\nfine = plug_good:cube [extra]\n",
        plug_good="def cube(x): return x ** 3\n",
    )
    assert things().get("fine")(2) == 8
    problems = things().problems()
    assert sorted(problems) == [name]
    assert reason in problems[name]


def test_unreadable_and_nameless_distributions_are_in_nobodys_way(install: Install) -> None:
    install("binary", b"\xff\xfe[archloom.things]\n\x00")
    install("nameless", "[archloom.things]\ncube = plug_good:cube\n", metadata=False, plug_good="cube = 5\n")
    assert things().names() == ["cube", "root"]
    assert things().get("cube") == 5
    assert things().plugins()[0].distribution == "a distribution without a name"


def test_the_first_of_two_copies_counts(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("copied", "[archloom.things]\ncube = plug_new:cube\n", plug_new="cube = 'new'\n")
    install("copied", "[archloom.things]\ncube = plug_old:cube\n", folder="older", plug_old="cube = 'old'\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site" / "older")])
    assert things().get("cube") == "new"


def test_an_unknown_name_is_answered_with_the_nearest_plugin(install: Install) -> None:
    install("good", "[archloom.things]\ncube = plug_good:cube\n", plug_good="cube = 1\n")
    with pytest.raises(UnknownNameError, match="'cuba' is not one of the things; did you mean 'cube'"):
        things().get("cuba")


def test_metadata_is_read_once(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("good", "[archloom.things]\ncube = plug_good:cube\n", plug_good="cube = 1\n")
    assert things().names() == ["cube", "root"]
    monkeypatch.setattr(registry, "distributions", lambda: pytest.fail("read again"))
    assert things().names() == ["cube", "root"]
    assert Registry("others", {}).plugins() == []


def test_naming_imports_nothing() -> None:
    code = (
        "import sys; from archloom.registry import Registry; Registry('things', {'a': 'torch:nn'}).names()\n"
        "print(*[n for n in ('torch', 'pyglove', 'numpy', 'pandas', 'sqlalchemy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

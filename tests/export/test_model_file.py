# SPDX-License-Identifier: Apache-2.0
"""Writing a network as text: what is copied, what is imported, what is refused."""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest
import torch
from torch import nn

from archloom.errors import ArchloomError
from archloom.export.layout import call, flat, items, laid_out
from archloom.export.model_file import model_source
from archloom.nn import ReluConvBN

Write = Callable[..., Any]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the user's files and import the first."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(**files: str) -> Any:
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            monkeypatch.delitem(sys.modules, name.replace("__", "."), raising=False)
        importlib.invalidate_caches()
        return importlib.import_module(next(iter(files)).replace("__", "."))

    return make


def rebuilt(network: nn.Module, tmp_path: Path) -> tuple[str, nn.Module]:
    text = model_source(network)
    path = tmp_path / "rebuilt_model.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("rebuilt_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network_again: nn.Module = module.build()
    network_again.load_state_dict(network.state_dict())
    return text, network_again


def expression(network: nn.Module) -> str:
    text = model_source(network)
    return text.partition('fresh weights."""\n    return ')[2].partition("\n\n\ndef load")[0]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.Conv2d(3, 4, (3, 3), padding=1, bias=False), "nn.Conv2d(3, 4, 3, padding=1, bias=False)"),
        (nn.Conv2d(3, 4, (3, 5), padding="same"), 'nn.Conv2d(3, 4, (3, 5), padding="same")'),
        (nn.Linear(3, 4), "nn.Linear(3, 4)"),
        (nn.Linear(3, 4, dtype=torch.float64), "nn.Linear(3, 4).to(torch.float64)"),
        (nn.BatchNorm2d(4, affine=False), "nn.BatchNorm2d(4, affine=False)"),
        (nn.LayerNorm(4, elementwise_affine=False), "nn.LayerNorm((4,), elementwise_affine=False)"),
        (nn.LayerNorm(4, bias=False), "nn.LayerNorm((4,), bias=False)"),
        (nn.AvgPool2d(2, ceil_mode=True), "nn.AvgPool2d(2, stride=2, ceil_mode=True)"),
        (nn.Identity(), "nn.Identity()"),
        (nn.Hardtanh(-math.inf, 1.0), 'nn.Hardtanh(min_val=float("-inf"))'),
        (nn.Sequential(), "nn.Sequential()"),
        (nn.Sequential(nn.ReLU(), nn.Tanh()), "nn.Sequential(nn.ReLU(), nn.Tanh())"),
        (
            nn.Sequential(OrderedDict(act=nn.ReLU())),
            'nn.Sequential(OrderedDict([("act", nn.ReLU())]))',
        ),
        (nn.ModuleList([nn.ReLU()]), "nn.ModuleList([nn.ReLU()])"),
        (nn.ModuleDict({"a": nn.ReLU()}), 'nn.ModuleDict({"a": nn.ReLU()})'),
        (pg.symbolize(nn.Linear)(3, 4), "nn.Linear(3, 4)"),
    ],
)
def test_torch_modules_are_written_as_people_do(module: nn.Module, text: str, tmp_path: Path) -> None:
    assert expression(module) == text
    rebuilt(module, tmp_path)


def test_long_calls_break_one_argument_a_line() -> None:
    long, short = call("c" * 60, ["1"], []), items(["b", "b", "b"])
    assert flat(short) == "[b, b, b]"
    assert laid_out(call("f", ["a" * 60, "2"], [("keyword", items([short, long, long, long]))])) == (
        f"f(\n    {'a' * 60},\n    2,\n    keyword=[\n        [b, b, b],\n"
        f"        *({'c' * 60}(1) for _ in range(3)),\n    ],\n)"
    )


def test_runs_are_folded() -> None:
    network = nn.Sequential(nn.Tanh(), *(ReluConvBN(4, 4, 3) for _ in range(5)))
    assert expression(network) == "nn.Sequential(nn.Tanh(), *(ReluConvBN(4, 4, 3) for _ in range(5)))"


def test_copied_code_brings_what_it_uses(write: Write, tmp_path: Path) -> None:
    user = write(
        user_net='''
from __future__ import annotations
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from typing import TYPE_CHECKING
from user_parts import scale as rescale, UNUSED
from archloom.nn import ReluConvBN as Block
if TYPE_CHECKING:
    from torch import Tensor

WIDTHS = {"wide": 2 * math.floor(4.5)}
LOW, HIGH = 0, 9


class Parent(nn.Module):
    pass


class Net(Parent):
    """Uses much."""

    def __init__(self, c: int, *layers: nn.Module, act=F.relu, other=torch.relu, kind=nn.ReLU, sizes={}):
        super().__init__()
        self.c, self.layers, self.act, self.kind, self.sizes = c, nn.ModuleList(layers), act, kind, sizes
        self.other = other
        self.block = Block(c, WIDTHS["wide"], 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(rescale(self.block(x))).clamp(LOW, HIGH)
        return torch.tanh(x)
''',
        user_parts='''
"""Not copied as a whole."""
import numpy as np
from user_more import FACTOR
UNUSED = np.zeros(3)

def scale(x):
    return FACTOR * x * float(np.ones(1)[0])
''',
        user_more="FACTOR = 3\nOTHER = 4\n",
    )
    network = user.Net(
        3,
        nn.Tanh(),
        nn.ReLU(),
        act=torch.nn.functional.gelu,
        other=torch.sigmoid,
        kind=nn.GELU,
        sizes={"a": [2]},
    )
    text, again = rebuilt(network, tmp_path)
    x = torch.randn(2, 3, 5, 5)
    assert torch.equal(again.eval()(x), network.eval()(x))
    made = " ".join(text.partition("    return Net(")[2].partition("\n    )")[0].split())
    assert made == (
        '3, nn.Tanh(), nn.ReLU(), act=functional.gelu, other=torch.sigmoid, kind=nn.GELU, sizes={"a": [2]},'
    )
    for line in (
        "FACTOR = 3",
        "rescale = scale",
        "Block = ReluConvBN",
        "LOW, HIGH = 0, 9",
        "import numpy as np",
    ):
        assert text.count(f"\n{line}\n") == 1
    assert "UNUSED =" not in text
    assert "OTHER" not in text
    assert "archloom" not in text.split('"""')[2]
    assert "it needs numpy, safetensors and torch" in text


def test_code_of_archloom_brings_its_licence() -> None:
    assert "Apache" in model_source(ReluConvBN(1, 1, 1))
    assert "Apache" not in model_source(nn.Linear(1, 1))


def test_symbolic_decorators_stay_behind(write: Write, tmp_path: Path) -> None:
    user = write(
        user_symbolic="""
import pyglove as pg
from pyglove import symbolize
from torch import nn

@pg.symbolize
class A(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, width)

@symbolize
class B(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.inner = a
"""
    )
    text, _ = rebuilt(nn.Sequential(user.A(3), user.B(user.A(2))), tmp_path)
    assert "B(a=A(2))" in text
    assert "symbolize" not in text
    assert "pyglove" not in text


def test_a_module_kept_twice_inside_its_class_is_one(write: Write, tmp_path: Path) -> None:
    user = write(
        user_alias="""
from torch import nn
class Net(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.act = act
        self.body = nn.Sequential(nn.Linear(2, 2), act)
    def forward(self, x):
        return self.body(x)
"""
    )
    _, again = rebuilt(user.Net(nn.PReLU()), tmp_path)
    assert again.act is again.body[1]  # type: ignore[index]


def test_keywords_dictionaries_and_types_are_written(write: Write, tmp_path: Path) -> None:
    user = write(
        user_kinds="""
from collections import OrderedDict, defaultdict, namedtuple, Counter, deque, ChainMap, UserDict, UserList
from torch import nn
class Net(nn.Module):
    def __init__(self, parts, dtype, **rest):
        super().__init__()
        self.parts = nn.ModuleDict(parts)
        self.dtype = dtype
        self.rest = rest
        self.used = OrderedDict, defaultdict, namedtuple, Counter, deque, ChainMap, UserDict, UserList
"""
    )
    text, again = rebuilt(user.Net({"a": nn.ReLU()}, torch.float16, size=3, kind=OrderedDict), tmp_path)
    assert 'Net(parts={"a": nn.ReLU()}, dtype=torch.float16, size=3, kind=OrderedDict)' in text
    assert again.rest == {"size": 3, "kind": OrderedDict}
    assert "from collections import (\n    ChainMap,\n    Counter,\n" in text


HEAD = "from torch import nn\n"
MODULE = (
    "class Net(nn.Module):\n    def __init__(self, a=None):\n        super().__init__()\n        self.a = a\n"
)


@pytest.mark.parametrize(
    ("text", "argument", "message"),
    [
        (HEAD + MODULE.replace("self.a = a", "self.b = a"), None, "keeps no 'a'"),
        (HEAD + MODULE, lambda x: x, "a lambda has no name"),
        (HEAD + MODULE, torch.zeros(2), "a holds tensor.* of type Tensor; a constructor argument is"),
        (HEAD + MODULE, {1, 2}, "type set"),
        (HEAD + MODULE + "    class Inner(nn.Module):\n        pass\n", "Inner", "not defined at the top"),
        (
            HEAD + "def make():\n    class Net(nn.Module):\n        pass\n    return Net\n",
            "make",
            "not defined at the",
        ),
        (HEAD + MODULE + "del_me = 1\n" + MODULE.replace("Net", "Other"), "rename", "no Other by that name"),
        (
            "import torch\nfrom torch.nn import *\nnn = torch.nn\n" + MODULE.replace("None", "Linear"),
            None,
            "import \\*",
        ),
        (
            "import user_help\n" + HEAD + MODULE + "        user_help.f()\n",
            None,
            "module user_help as a whole",
        ),
        ("import user_help as h\n" + HEAD + MODULE + "        h.f()\n", None, "module user_help as a whole"),
        (HEAD + MODULE + "        from user_help import f\n", None, "imports user_help inside its body"),
        (HEAD + MODULE + "        from . import f\n", None, "imports relatively inside"),
        (HEAD + "from user_help import nn as other\n" + MODULE + "        other\n", None, None),
        (
            HEAD + "def build():\n    pass\n" + MODULE + "        build()\n",
            None,
            "one file can hold only one 'build'",
        ),
    ],
)
def test_what_cannot_be_written_is_named(write: Write, text: str, argument: Any, message: str | None) -> None:
    user = write(user_wrong=text, user_help=HEAD + "def f():\n    pass\n")
    if argument == "Inner":
        network = user.Net.Inner()
    elif argument == "make":
        network = user.make()()
    elif argument == "rename":
        network = user.Other()
        del user.Other
    else:
        network = user.Net.__new__(user.Net)
        nn.Module.__init__(network)
        if "self.a" in text:
            network.a = argument
    if message is None:
        assert "def build" in model_source(network)
        return
    with pytest.raises(ArchloomError, match=rf"1 \(\w+\) cannot be exported: .*{message}"):
        model_source(nn.Sequential(nn.ReLU(), network))


def test_a_module_of_the_package_is_not_copied_as_a_whole(write: Write) -> None:
    user = write(
        user_pack__net="from torch import nn\nfrom . import parts\nclass Net(nn.Module):\n    p = parts.P\n",
        user_pack__parts="P = 1\n",
        user_pack____init__="",
    )
    with pytest.raises(ArchloomError, match=r"imports the module user_pack\.parts as a whole"):
        model_source(user.Net())


def test_hooks_and_replaced_methods_are_refused() -> None:
    hooked = nn.Sequential(nn.ReLU())
    hooked[0].register_forward_hook(lambda *_: None)
    with pytest.raises(ArchloomError, match=r"^0 \(ReLU\) cannot be exported: it has forward hooks"):
        model_source(hooked)
    replaced = nn.ReLU()
    replaced.forward = lambda x: x  # type: ignore[method-assign,assignment]
    with pytest.raises(
        ArchloomError, match=r"^the network \(ReLU\) cannot be exported: its forward was replaced"
    ):
        model_source(replaced)


def test_a_module_in_two_places_is_refused() -> None:
    shared = nn.ReLU()
    with pytest.raises(ArchloomError, match=r"^2 \(ReLU\) cannot be exported: it is the same module as 0"):
        model_source(nn.Sequential(shared, nn.Tanh(), shared))


def test_parametrized_modules_are_refused() -> None:
    module = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    with pytest.raises(ArchloomError, match="a class made at run time has no source"):
        model_source(module)


def test_two_classes_of_one_name_are_refused(write: Write) -> None:
    other = write(user_same=HEAD + MODULE.replace("Net", "ReluConvBN"))
    with pytest.raises(ArchloomError, match="one file can hold only one 'ReluConvBN'"):
        model_source(nn.Sequential(ReluConvBN(1, 1, 1), other.ReluConvBN()))


def test_a_class_without_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    module = types.ModuleType("__main__")
    made = type(
        "Net", (nn.Module,), {"__module__": "__main__", "__init__": lambda self: nn.Module.__init__(self)}
    )
    module.Net = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "__main__", module)
    with pytest.raises(ArchloomError, match="the source of __main__ cannot be read"):
        model_source(made())

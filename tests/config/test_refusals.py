"""What a study file may not hold is refused at its line, whatever it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from archloom import config
from archloom.errors import ConfigError

STUDY = """study: s
space:
  name: sequence
  layers:
    - {name: conv, width: {oneof: [4, 8]}}
strategy: random
evaluator:
  name: training
  data: digits
  lr: 0.01
objectives: {accuracy: maximize}
budget: {trials: 2}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lr: 0.01", "lr: .inf", r"s\.yaml:10: evaluator\.lr: numbers are finite, got inf"),
        (
            "lr: 0.01",
            "weight_decay: .nan",
            r"s\.yaml:10: evaluator\.weight_decay: numbers are finite, got nan",
        ),
        ("lr: 0.01", "n_threads: 1000000", r"evaluator\.n_threads: n_threads must be at most 1024"),
        ("strategy: random", "strategy: random\nseed: 10000000000000000000000", r"s\.yaml:7: seed: "),
        ("strategy: random", 'strategy: "torch:zeros"', r"s\.yaml:6: strategy: "),
        ("width: {oneof: [4, 8]}", 'activation: {oneof: ["a\\0", relu]}', r"s\.yaml:5: .*holds no NUL"),
        ("strategy: random", "strategy: random\n1: a\n'1': b", r"the keys 1 and '1' are one"),
        (
            "  name: sequence",
            "  name: sequence\n  parts: []",
            r"s\.yaml:4: space\.parts: should be a mapping",
        ),
        (
            "- {name: conv, width: {oneof: [4, 8]}}",
            "- {oneof: ['nowhere.net:Blcok', conv_3x3]}",
            r"s\.yaml:5: .*'nowhere\.net:Blcok': there is no module",
        ),
    ],
)
def test_refused_at_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in STUDY
    file = tmp_path / "s.yaml"
    file.write_text(STUDY.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        config.load(file)


def test_slots_that_may_repeat_count_as_copies(tmp_path: Path) -> None:
    candidates = "\n".join(f"      - {{q{i}: {{oneof: [1, 2]}}}}" for i in range(200))
    tree = f"space:\n  x:\n    k: 200\n    distinct: false\n    manyof:\n{candidates}\n"
    file = tmp_path / "s.yaml"
    start, end = STUDY.index("space:"), STUDY.index("strategy:")
    file.write_text(STUDY[:start] + tree + STUDY[end:])
    with pytest.raises(ConfigError, match=r"s\.yaml:\d+: .*at most 20,000 nodes"):
        config.load(file)


@pytest.mark.parametrize("code", ["import sys\nsys.exit(0)\n", "import sys\ndef Net(): sys.exit(0)\n"])
def test_code_that_ends_the_program_is_an_error_of_the_file(
    tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaving_now.py").write_text(code)
    file = tmp_path / "s.yaml"
    file.write_text(STUDY.replace("strategy: random", "strategy: 'leaving_now:Net'"))
    monkeypatch.delitem(__import__("sys").modules, "leaving_now", raising=False)
    with pytest.raises(ConfigError, match=r"s\.yaml:6: strategy: .*SystemExit"):
        config.load(file)

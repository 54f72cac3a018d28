# SPDX-License-Identifier: Apache-2.0
"""Numbers, spans of time and architectures in words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence


def number(value: float | None) -> str:
    """Write a number by its significance: four digits, counts in full.

    >>> number(0.97222), number(72.1), number(12034.0), number(1.5e-7), number(None)
    ('0.9722', '72.10', '12,034', '1.5e-07', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isfinite(value) and float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if 1000 <= abs(value) < 1e15:
        return f"{value:,.1f}"
    return f"{value:#.4g}" if 1e-3 <= abs(value) < 1000 else f"{value:.4g}"


def span(seconds: float | None) -> str:
    """Write a span of time.

    >>> span(0.012), span(4.2), span(75), span(3700)
    ('12 ms', '4.2 s', '1 min 15 s', '1 h 01 min')
    """
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left:02d} min" if hours else f"{minutes} min {rest:02d} s"


def percent(share: float) -> str:
    """Write a share in percent, whole ones where it is ten or more.

    >>> percent(1.342), percent(0.125), percent(0.0004)
    ('134 %', '12 %', '0.04 %')
    """
    value = 100 * share
    return f"{value:,.0f} %" if value >= 10 else f"{value:.2g} %"


def n_of(n: int, word: str) -> str:
    """Say how many.

    >>> n_of(1, "trial"), n_of(1200, "trial")
    ('1 trial', '1,200 trials')
    """
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def bounds(constraints: Sequence[str]) -> dict[str, list[str]]:
    """Return what each metric under a constraint must keep; what is no constraint is left aside.

    >>> bounds(["latency_ms <= 1.5", "params <= 1000", "params >= 10"])
    {'latency_ms': ['<= 1.5'], 'params': ['<= 1000', '>= 10']}
    """
    found: dict[str, list[str]] = {}
    for text in constraints:
        if match := re.fullmatch(r"(.+?) ([<>]= .+)", text):
            found.setdefault(match[1], []).append(match[2])
    return found


def inert(text: str, *, keep: str = "") -> str:
    r"""Write what would steer a terminal or hide itself (escapes, line breaks, direction marks) as escapes.

    >>> inert("a\x1b[31mred\n[b]x"), inert("two\nlines", keep="\n").count("\n")
    ('a\\x1b[31mred\\n[b]x', 1)

    Args:
        text: anything, from anybody.
        keep: characters that stay.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape", "surrogatepass").decode()
        for c in text
    )


def shortened(text: str, width: int) -> str:
    """Cut a text to a width, with an ellipsis.

    >>> shortened("conv_3x3", 6)
    'conv_…'
    """
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def grouped(choices: Mapping[str, str | float]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Group decisions by the part of the network they belong to: their name up to the first index or dot.

    Returns:
        Part, the decision about the part itself (if any), and ``(rest of the name, choice)`` for those
        inside it.

    >>> grouped({"depth": "2", "layers[1]": "dense", "layers[1](dense).width": 16.0})
    [('depth', '2', []), ('layers[1]', 'dense', [('(dense).width', '16')])]
    """
    parts: dict[str, tuple[list[str], list[tuple[str, str]]]] = {}
    for name, choice in ordered(choices).items():
        words = choice if isinstance(choice, str) else number(choice)
        part = part_of(name)
        own, inside = parts.setdefault(part, ([], []))
        rest = name[len(part) :].removeprefix(".")
        if rest:
            inside.append((rest, words))
        else:
            own.append(words)
    return [(part, "".join(own), inside) for part, (own, inside) in parts.items()]


def part_of(name: str) -> str:
    """Return the part of the network that a decision belongs to: its name up to the first index or dot.

    >>> part_of("nodes[0](input_1).op"), part_of("stem.width"), part_of("edge_1_0")
    ('nodes[0]', 'stem', 'edge_1_0')
    """
    head = re.match(r"[^\[(]*\[\d+\]|[^.\[(]*", name)
    return head.group() if head else name


def ordered(choices: Mapping[str, str | float]) -> dict[str, str | float]:
    """Put decisions into a reader's order: numbers as numbers, a slot before what lies inside it.

    >>> list(ordered({"n[10]": "a", "n[2](x).op": "b", "n[2][0]": "x"}))
    ['n[2][0]', 'n[2](x).op', 'n[10]']
    """
    return {name: choices[name] for name in sorted(choices, key=_natural)}


def _natural(name: str) -> list[tuple[int, str]]:
    words = re.split(r"(\d+)", name.replace("[", " "))
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in words]


def moment(timestamp: str | None) -> str:
    """Write a time of the store to the second.

    >>> moment("2026-11-21T09:55:46.148523+00:00")
    '2026-11-21 09:55:46 UTC'
    """
    return timestamp[:19].replace("T", " ") + " UTC" if timestamp else "–"

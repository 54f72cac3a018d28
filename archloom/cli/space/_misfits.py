# SPDX-License-Identifier: Apache-2.0
"""What does not fit, put together by where it is written and why."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from archloom.cli._words import ordered

if TYPE_CHECKING:
    from archloom.config import StudyFile
    from archloom.evaluators.checking import Misfit
    from archloom.search_spaces import Architecture

FEW = 3
Members = Sequence[tuple["Architecture", "Misfit"]]
Found = Sequence[tuple["Architecture", "Misfit | None"]]


@final
@dataclass(frozen=True)
class Group:
    """Architectures that do not fit for one reason at one place.

    Args:
        place: where the part is written.
        misfit: the first one's.
        architecture: the first one.
        n: how many there are.
        always: the one or two choices that all of them have and no sound architecture has.
    """

    place: str
    misfit: Misfit
    architecture: Architecture
    n: int
    always: Mapping[str, str | float]

    @property
    def decisions(self) -> dict[str, str | float]:
        """The choices of the first one that lie on the way to the part, or in it."""
        return {
            name: choice
            for name, choice in ordered(self.architecture.choices).items()
            if name not in self.always and concerns(name, self.misfit.path)
        }

    @property
    def condition(self) -> str:
        """Say under which choices it happens, where that can be told."""
        if not self.always:
            return ""
        choices = " and ".join(f"{name} = {choice}" for name, choice in self.always.items())
        return f", whenever {choices}"

    def row(self) -> dict[str, Any]:
        """Describe it as plain JSON."""
        return {
            "place": self.place,
            "path": self.misfit.path,
            "stage": self.misfit.stage,
            "reason": self.misfit.reason,
            "n": self.n,
            "always": dict(self.always),
            "architecture": self.architecture.text,
            "choices": ordered(self.architecture.choices),
        }


def gathered(found: Found, study_file: StudyFile) -> list[Group]:
    """Put misfits together by place and reason, the most frequent first.

    Args:
        found: architectures, each with its misfit or ``None``.
        study_file: where they are written.
    """
    groups: dict[tuple[str, str], list[tuple[Architecture, Misfit]]] = {}
    for architecture, misfit in found:
        if misfit is not None:
            place = study_file.where(architecture, misfit.path)
            groups.setdefault((place, _kind(misfit)), []).append((architecture, misfit))
    sound = [architecture for architecture, misfit in found if misfit is None]
    made = [
        Group(place, members[0][1], members[0][0], len(members), _always(members, sound))
        for (place, _), members in groups.items()
    ]
    return sorted(made, key=lambda group: -group.n)


def concerns(name: str, path: str) -> bool:
    """Whether a decision lies on the way to a part of a decoded value, or inside it.

    >>> concerns("layers[1](conv).kernel_size", "layers[1]"), concerns("layers[1]", "layers[1].body")
    (True, True)
    >>> concerns("layers[1]", "layers[10]"), concerns("depth", "")
    (False, False)
    """
    own, other = _steps(re.sub(r"\([^()]*\)", "", name)), _steps(path)
    n = min(len(own), len(other))
    return n > 0 and own[:n] == other[:n]


def _steps(path: str) -> list[str]:
    return re.findall(r"[^.\[\]]+", path)


def _kind(misfit: Misfit) -> str:
    """Return a reason without its numbers: 3 x 8 and 3 x 16 are one kind."""
    return f"{misfit.stage}: {re.sub(r'[0-9]+', '0', misfit.reason)}"


def _always(members: Members, sound: Sequence[Architecture]) -> dict[str, str | float]:
    """Return one choice, or two together, that every member has and no sound architecture has.

    Of few members nothing is concluded but what concerns the part itself.
    """
    common = set(members[0][0].choices.items())
    for architecture, _ in members[1:]:
        common &= set(architecture.choices.items())
    path = members[0][1].path
    near = sorted((pair for pair in common if concerns(pair[0], path)), key=str)
    others = sorted((common - set(near) if len(members) >= FEW else set()), key=str)
    held = [set(architecture.choices.items()) for architecture in sound]
    if not held:
        return {}
    for n in (1, 2):
        for pairs in itertools.combinations([*near, *others], n):
            if not any(choices.issuperset(pairs) for choices in held):
                return ordered(dict(pairs))
    return {}

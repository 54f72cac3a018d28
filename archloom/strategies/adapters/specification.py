# SPDX-License-Identifier: Apache-2.0
"""From a PyGlove ``DNASpec`` alone to a search space whose points are its DNAs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyglove as pg

from archloom.errors import SpaceError
from archloom.search_spaces.space import SearchSpace

__all__ = ["space_of"]


def space_of(dna_spec: Any) -> SearchSpace:
    """Return a search space of the same decisions, in the same order.

    What the candidates stand for a ``DNASpec`` does not say; they are called by its literal values.

    >>> hyper_value = pg.Dict(op=pg.oneof(["conv", "pool"]), lr=pg.floatv(0.1, 1.0))
    >>> space = space_of(pg.template(hyper_value).dna_spec())
    >>> [decision.name for decision in space.decisions], space.decisions[0].candidates
    (['op', 'lr'], ("'conv'", "'pool'"))

    Raises:
        SpaceError: a decision that is none of oneof, manyof, permutate and floatv.
    """
    return SearchSpace(_template(dna_spec))


def _template(spec: Any) -> Any:
    """Return a hyper value that has this specification."""
    if not isinstance(spec, pg.geno.Space):
        return _decision(spec)
    words = [_word(element) for element in spec.elements]
    counts = Counter(words)
    names = [word if word and counts[word] == 1 else f"{word}_{i}" for i, word in enumerate(words)]
    if len(names) == 1 and not words[0]:
        return _decision(spec.elements[0])
    if len(set(names)) < len(names):
        names = [str(i) for i in range(len(names))]
    return pg.Dict({name: _decision(element) for name, element in zip(names, spec.elements, strict=True)})


def _word(element: Any) -> str:
    return "_".join(str(key) for key in element.location.keys)


def _decision(spec: Any) -> Any:
    if isinstance(spec, pg.geno.Float):
        return pg.floatv(spec.min_value, spec.max_value, scale=spec.scale)
    if not isinstance(spec, pg.geno.Choices):
        raise SpaceError(
            f"{spec.id or 'value'}: only oneof, manyof, permutate and floatv can be compiled, "
            f"got {type(spec).__name__}"
        )
    candidates = _candidates(spec)
    if spec.num_choices == 1:
        return pg.oneof(candidates)
    return pg.manyof(spec.num_choices, candidates, distinct=spec.distinct, sorted=spec.sorted)


def _candidates(spec: Any) -> list[Any]:
    literals = [str(value) for value in spec.literal_values or range(len(spec.candidates))]
    counts = Counter(literals)
    made = []
    for i, (literal, below) in enumerate(zip(literals, spec.candidates, strict=True)):
        label = literal if counts[literal] == 1 else f"{literal} ({i})"
        made.append(pg.Dict(candidate=label, below=_template(below)) if below.elements else label)
    return made

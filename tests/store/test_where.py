# SPDX-License-Identifier: Apache-2.0
"""``where``, ``sort`` and ``limit``: what the database finds is what Python finds, and bad input is told."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, select, update

from archloom.contracts import State
from archloom.errors import ConfigError, UnknownNameError
from archloom.store import Outcome, Proposal, Store, TrialRecord
from archloom.store.schema import tags, trials
from archloom.testing.stores import study_record

Predicate = Callable[[TrialRecord], bool]
Pair = tuple[str, Predicate]

RELATIONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
}
LABELS = ("conv_3x3", "conv 1x1", "skip", "3", "5.0", "", "it's", "ünï🧬", "%", "nan")
TAGS = {0: ("good",), 2: ("good", "it's", "3"), 5: ("bad",)}
N = 24


def choices_of(i: int) -> dict[str, str | float]:
    found: dict[str, str | float] = {"op": LABELS[i % len(LABELS)], "node[1](x).k": str(3 + 2 * (i % 3))}
    if i % 3:
        found["lr"] = [0.1, -0.0, 1e-3, 5.0][i % 4]
    if i % 4 == 1:
        found["a b`c"] = "x"
    return found


def metrics_of(i: int) -> dict[str, float]:
    found = {"validation/accuracy": (i * 7 % 10) / 10, "params": float(1000 * (i % 5)), "test/accuracy": 0.5}
    if i % 6 == 0:
        found["loss"] = [math.nan, math.inf, -math.inf, 0.25][i // 6 % 4]
    if i % 5 == 3:
        found["both"] = 1.0
        found["validation/both"] = 2.0
    return found


@pytest.fixture
def filled(store: Store, url: str, study: int) -> Store:
    """A store of one study with trials of every kind, and of another that must not be seen."""
    _fill(store, study, url)
    return store


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Store]:
    """The same in SQLite, the study being the first: for what does not depend on the database."""
    url = f"sqlite:///{tmp_path}/local.db"
    with Store(url) as store:
        _fill(store, store.create_study(study_record()), url)
        yield store


def _fill(store: Store, study: int, url: str) -> None:
    with store.transaction():
        other = store.create_study(study_record("other"))
        store.propose(other, 0, [Proposal("k", "conv", {"op": "conv_3x3", "foreign": "x"}, 1)])
        store.finish(other, 0, Outcome(State.COMPLETE, {"accuracy": 0.5, "alien": 1.0}))
        plan = [
            Proposal(f"k{i}", f"net {i}", choices_of(i), 2**40 + i, "epochs=3" if i % 2 else None)
            for i in range(N)
        ]
        store.propose(study, 0, plan)
        outcomes = {}
        for i in range(N - 2):
            state = State.FAIL if i % 7 == 3 else State.PRUNED if i % 7 == 5 else State.COMPLETE
            reason = "CUDA out of memory" if state == State.FAIL else ""
            metrics = metrics_of(i) | {"accuracy": 0.5}
            outcomes[i] = Outcome(state, metrics, violation=float(i % 3 == 2), reason=reason)
        store.finish_many(study, outcomes)
        store.claim(study)
    _touch(url, study)


def _touch(url: str, study: int) -> None:
    """Write what no method of the store writes here: tags and exclusions."""
    engine = create_engine(url)
    with engine.begin() as connection:
        ids = dict(
            connection.execute(select(trials.c.number, trials.c.id).where(trials.c.study_id == study)).all()
        )
        for number, words in TAGS.items():
            connection.execute(insert(tags), [{"trial_id": ids[number], "tag": word} for word in words])
        for number in (1, 4):
            where = trials.c.id == ids[number]
            connection.execute(update(trials).where(where).values(excluded="outside", is_pareto=False))
    engine.dispose()


# What a trial says of a name; None is missing.
NUMBERS: dict[str, Callable[[TrialRecord], float | None]] = {
    "validation/accuracy": lambda t: t.metrics.get("validation/accuracy"),
    "params": lambda t: t.metrics.get("params"),
    "loss": lambda t: _not_nan(t.metrics.get("loss")),
    "metric:test/accuracy": lambda t: t.metrics.get("test/accuracy"),
    "both": lambda t: t.metrics.get("both"),
    "`validation/both`": lambda t: t.metrics.get("validation/both"),
    "number": lambda t: t.number,
    "seed": lambda t: t.seed,
    "violation": lambda t: t.violation,
    "seconds": lambda t: t.seconds,
    "n_lost": lambda t: t.n_lost,
}
DECISIONS = {"op": "op", "node[1](x).k": "node[1](x).k", "decision:lr": "lr", "`a b``c`": "a b`c"}
TEXTS: dict[str, Callable[[TrialRecord], str | None]] = {
    "architecture": lambda t: t.text,
    "reason": lambda t: t.reason or None,
    "fidelity": lambda t: t.fidelity,
    "excluded": lambda t: t.excluded or None,
}
FLAGS: dict[str, Predicate] = {
    "feasible": lambda t: t.violation == 0,
    "pareto": lambda t: t.is_pareto,
    "excluded": lambda t: bool(t.excluded),
}


def _not_nan(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _label(trial: TrialRecord, name: str) -> tuple[str | None, float | None]:
    """The label of a decision, and the number that it spells."""
    choice = trial.choices.get(name)
    if choice is None or isinstance(choice, float):
        return (None, None) if choice is None else (repr(choice), choice)
    return choice, float(choice) if re.fullmatch(r"\d+(\.\d+)?", choice) else None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


numbers = st.sampled_from(["0", "0.5", "-1", "1e3", "1_000", "3", "5.", "1099511627780", ".25"])
texts = st.sampled_from([*LABELS, "net 3", "CUDA out of memory", "epochs=3", "outside", "x", "o", "'; --"])


@st.composite
def number_tests(draw: st.DrawFn) -> Pair:
    name, relation, value = (
        draw(st.sampled_from(sorted(NUMBERS))),
        draw(st.sampled_from(sorted(RELATIONS))),
        0.0,
    )
    read, compare = NUMBERS[name], RELATIONS[relation]
    kind = draw(st.sampled_from(["value", "mirrored", "name", "in", "missing", "inf"]))
    word = draw(numbers)
    value = float(word)
    if kind == "missing":
        return f"{name} is missing", lambda t: read(t) is None
    if kind == "name":
        other = draw(st.sampled_from(sorted(NUMBERS)))
        second = NUMBERS[other]
        return f"{name} {relation} {other}", lambda t: _holds(compare, read(t), second(t))
    if kind == "in":
        more = draw(st.lists(numbers, max_size=3))
        wanted = {value, *map(float, more)}
        return f"{name} in ({', '.join([word, *more])})", lambda t: read(t) in wanted
    if kind == "inf":
        return f"{name} {relation} -inf", lambda t: _holds(compare, read(t), -math.inf)
    if kind == "mirrored":
        return f"{word}{relation}{name}", lambda t: _holds(compare, value, read(t))
    return f"{name}{relation} {word}", lambda t: _holds(compare, read(t), value)


def _holds(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    return left is not None and right is not None and compare(left, right)


@st.composite
def label_tests(draw: st.DrawFn) -> Pair:
    name = draw(st.sampled_from(sorted(DECISIONS)))
    key, text, word = DECISIONS[name], draw(texts), draw(numbers)
    kind = draw(st.sampled_from(["text", "number", "order", "in", "contains", "missing", "names"]))
    if kind == "missing":
        return f"{name} is not missing", lambda t: key in t.choices
    if kind == "contains":
        return (
            f"{name} contains {_quoted(text)}",
            lambda t: text in (_label(t, key)[0] or "") and key in t.choices,
        )
    if kind == "in":
        return (
            f"{name} not in ({_quoted(text)}, {word})",
            lambda t: not (_label(t, key)[0] == text or _label(t, key)[1] == float(word)),
        )
    if kind == "order":
        return f"{name} >= {word}", lambda t: _holds(operator.ge, _label(t, key)[1], float(word))
    is_equal = draw(st.booleans())
    sign = "=" if is_equal else "!="
    if kind == "number":
        return (
            f"{name} {sign} {word}",
            lambda t: key in t.choices and (_label(t, key)[1] == float(word)) == is_equal,
        )
    if kind == "names":
        other = draw(st.sampled_from(sorted(DECISIONS)))
        second = DECISIONS[other]
        marked = other if ":" in other or "`" in other else f"decision:{other}"
        if "(" in marked:
            marked = f"`{other}`"
        return (
            f"{name} {sign} {marked}",
            lambda t: (
                {key, second} <= set(t.choices) and _are_equal(_label(t, key), _label(t, second)) == is_equal
            ),
        )
    return (
        f"{name} {sign} {_quoted(text)}",
        lambda t: key in t.choices and (_label(t, key)[0] == text) == is_equal,
    )


def _are_equal(left: tuple[Any, Any], right: tuple[Any, Any]) -> bool:
    return left[0] == right[0] or (left[1] is not None and left[1] == right[1])


@st.composite
def text_tests(draw: st.DrawFn) -> Pair:
    name, text = draw(st.sampled_from(sorted(TEXTS))), draw(texts)
    read = TEXTS[name]
    forms: list[Pair] = [
        (f"{name} = {_quoted(text)}", lambda t: read(t) == text),
        (f"{name} != {_quoted(text)}", lambda t: read(t) not in (None, text)),
        (f'{name} contains "{text}"', lambda t: text in (read(t) or "") and read(t) is not None),
        (f"{name} is missing", lambda t: read(t) is None),
        (f"{name} in (x, {_quoted(text)})", lambda t: read(t) in ("x", text)),
        (f"tag = {_quoted(text)}", lambda t: text in TAGS.get(t.number, ())),
        ("tag != good", lambda t: "good" not in TAGS.get(t.number, ())),
        ("tag in (bad, 3)", lambda t: bool({"bad", "3"} & set(TAGS.get(t.number, ())))),
        ("tag contains oo", lambda t: any("oo" in tag for tag in TAGS.get(t.number, ()))),
        ("tag is missing", lambda t: t.number not in TAGS),
        ("state = complete", lambda t: t.state == "COMPLETE"),
        ("state in (FAIL, PRUNED)", lambda t: t.state in ("FAIL", "PRUNED")),
        ("state != FAIL", lambda t: t.state != "FAIL"),
        ("started_at > 2020-01-01", lambda t: t.started_at is not None),
        ("finished_at <= '2020-01-01 10:00'", lambda t: False),
        ("finished_at is missing", lambda t: t.finished_at is None),
    ]
    return draw(st.sampled_from(forms))


flag_tests = st.sampled_from(sorted(FLAGS)).map(lambda name: (name, FLAGS[name]))


def _joined(word: str, parts: list[Pair]) -> Pair:
    every = all if word == "and" else any
    return f" {word} ".join(f"({text})" for text, _ in parts), lambda t: every(each(t) for _, each in parts)


def _larger(smaller: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    several = st.lists(smaller, min_size=2, max_size=3)
    return st.one_of(
        several.map(lambda parts: _joined("and", parts)),
        several.map(lambda parts: _joined("or", parts)),
        smaller.map(lambda pair: (f"not ({pair[0]})", lambda t: not pair[1](t))),
    )


expressions = st.recursive(
    st.one_of(number_tests(), label_tests(), text_tests(), flag_tests), _larger, max_leaves=6
)


EXAMPLES: tuple[Pair, ...] = (
    ("3 < number", lambda t: t.number > 3),
    ("3 >= number", lambda t: t.number <= 3),
    ("0.5 > number", lambda t: t.number == 0),
    ("number >= 2.5", lambda t: t.number > 2),
    ("number in (1, 2.5, 3)", lambda t: t.number in (1, 3)),
    ("seed = 1099511627777", lambda t: t.number == 1),
    ("seed > 1099511627795.5", lambda t: t.number > 19),
    ("seed < 99999999999999999999999", lambda t: True),
    ("loss < inf", lambda t: t.metrics.get("loss", math.nan) < math.inf),
    ("loss = Inf", lambda t: t.metrics.get("loss") == math.inf),
    ("loss is not missing", lambda t: not math.isnan(t.metrics.get("loss", math.nan))),
    ("params <= number", lambda t: t.metrics.get("params", math.inf) <= t.number),
    ('params > "test/accuracy"', lambda t: t.metrics.get("params", 0) > 0.5),
    ("reason is missing", lambda t: not t.reason),
    ("reason != x", lambda t: bool(t.reason)),
    ("not reason = x", lambda t: True),
    ("excluded != inside", lambda t: t.number in (1, 4)),
    ("excluded is missing", lambda t: t.number not in (1, 4)),
    ("excluded", lambda t: t.number in (1, 4)),
    ("feasible = no", lambda t: t.violation > 0),
    ("feasible != true", lambda t: t.violation > 0),
    ("tag != good", lambda t: t.number not in (0, 2)),
    ("tag = good or tag = 3", lambda t: t.number in (0, 2)),
    ("tag is missing and number < 4", lambda t: t.number in (1, 3)),
    ("op = 3", lambda t: t.choices["op"] == "3"),
    ("op != 3", lambda t: t.choices["op"] != "3"),
    ("op in (3, 5, skip)", lambda t: t.choices["op"] in ("3", "5.0", "skip")),
    ("op < 4", lambda t: t.choices["op"] == "3"),
    ("'it''s' = op", lambda t: t.choices["op"] == "it's"),
    ("op contains ''", lambda t: True),
    ("`a b``c` != y", lambda t: "a b`c" in t.choices),
    ("not `a b``c` = y", lambda t: True),
    ("`a b``c` is missing", lambda t: "a b`c" not in t.choices),
    ("lr = 0", lambda t: t.choices.get("lr") == 0),
    ("lr < number", lambda t: t.choices.get("lr", math.inf) < t.number),  # type: ignore[operator]
    ("started_at = 2020-01-01", lambda t: False),
    ("started_at >= 2020", lambda t: t.started_at is not None),
    ("worker is missing", lambda t: t.worker is None),
)


def test_each_form_finds_what_it_should(filled: Store, study: int) -> None:
    there = filled.trials(study)
    for text, predicate in EXAMPLES:
        wanted = [trial.number for trial in there if predicate(trial)]
        assert [trial.number for trial in filled.trials(study, where=text)] == wanted, text
        assert filled.n_trials(study, where=text) == len(wanted), text


def test_the_database_finds_what_python_finds(filled: Store, study: int) -> None:
    trials_there = filled.trials(study)

    @settings(max_examples=60, deadline=None)
    @given(pair=expressions)
    def check(pair: Pair) -> None:
        text, predicate = pair
        wanted = [trial.number for trial in trials_there if predicate(trial)]
        assert [trial.number for trial in filled.trials(study, where=text)] == wanted

    check()


def test_and_binds_tighter_than_or(filled: Store, study: int) -> None:
    found = filled.trials(study, where="number = 1 or number = 2 and number = 3")
    assert [trial.number for trial in found] == [1]
    assert [t.number for t in filled.trials(study, where="NOT number < 22 AND state = waiting")] == [23]


def test_a_short_name_is_of_validation_unless_both_are_there(store: Store, study: int) -> None:
    store.propose(study, 0, [Proposal("k", "t", {"op": "a"}, 1)])
    store.finish(study, 0, Outcome(State.COMPLETE, {"accuracy": 0.2, "validation/loss": 0.3}))
    assert store.n_trials(study, where="loss = 0.3") == 1
    assert store.n_trials(study, where="accuracy = 0.2 and `validation/loss` < 1") == 1
    with pytest.raises(UnknownNameError, match="did you mean 'validation/loss'"):
        store.n_trials(study, where="validation/los < 1")


# Order and number


def _sorted(found: Sequence[TrialRecord], read: Callable[[TrialRecord], Any], *, falls: bool) -> list[int]:
    there = sorted((t for t in found if read(t) is not None), key=read)
    if falls:
        there.sort(key=read, reverse=True)
    return [t.number for t in [*there, *(t for t in found if read(t) is None)]]


def _of_decision(trial: TrialRecord, name: str) -> tuple[bool, float, str] | None:
    """What a decision sorts by: numbers first, then texts."""
    label, value = _label(trial, name)
    return None if label is None else (value is None, value or 0.0, label)


def test_trials_are_sorted_and_what_is_missing_is_last(filled: Store, study: int) -> None:
    found = filled.trials(study)
    readers: dict[str, Callable[[TrialRecord], Any]] = {
        **NUMBERS,
        **TEXTS,
        "decision:lr": lambda t: t.choices.get("lr"),
        "`a b``c`": lambda t: t.choices.get("a b`c"),
    }
    for name, read in readers.items():
        for sign in ("", "-"):
            wanted = _sorted(found, read, falls=bool(sign))
            assert [t.number for t in filled.trials(study, sort=sign + name)] == wanted, name
            assert [t.number for t in filled.trials(study, sort=sign + name, limit=5)] == wanted[:5], name
    wanted = _sorted(found, lambda t: _of_decision(t, "op"), falls=False)
    assert [t.number for t in filled.trials(study, sort="op")] == wanted


def test_several_things_to_sort_by(filled: Store, study: int) -> None:
    found = filled.trials(
        study, states=[State.COMPLETE], sort="feasible, -params, `node[1](x).k`", where="both=1"
    )
    rows = [(t.violation == 0, -t.metrics["params"], float(t.choices["node[1](x).k"])) for t in found]
    assert len(rows) > 2
    assert rows == sorted(rows)


def test_sorting_costs_no_trial_where_there_are_many(store: Store, study: int) -> None:
    store.propose(study, 0, [Proposal(f"k{i}", "t", {"x": str(i * 7 % 4500)}, i) for i in range(4500)])
    found = store.trials(study, sort="-x")
    assert [int(t.choices["x"]) for t in found] == list(range(4499, -1, -1))


# Bad input


@pytest.mark.parametrize(
    ("where", "message", "place"),
    [
        ("", "expected a name, got the end", 0),
        ("parms < 5", "no trial has a metric, decision or column 'parms'; did you mean 'params'?", 0),
        ("number > 1 and feasable", "did you mean 'feasible'?", 15),
        ("foreign = x", "no trial has a metric, decision or column 'foreign'", 0),
        ("alien > 0", "no trial has a metric, decision or column 'alien'", 0),
        ("metric:op > 0", "no trial has a metric 'op'", 0),
        ("decision:params = 1", "no trial has a decision 'params'", 0),
        ("params < abc", "no trial has a metric, decision or column 'abc'", 9),
        ("params < 'abc'", "'params' is a number, 'abc' is none", 9),
        ("params = nan", "'params' is a number, 'nan' is none ('is missing' finds what is none)", 9),
        ("params", "'params' is a number: compare it, as in params > 0.5", 0),
        ("op", "'op' is a text: compare it, as in op = 'x'", 0),
        ("state = FALI", "'FALI' is no state of a trial; did you mean 'FAIL'?", 8),
        ("op < conv", "no trial has a metric, decision or column 'conv'", 5),
        ("op < 'conv'", "this compares numbers, 'conv' is none", 5),
        ("reason < x", "'reason' is a text: '=', '!=', 'in' and 'contains' compare it", 9),
        ("started_at > yesterday", "a time is written 2026-11-21 or 2026-11-21T14:30 (UTC)", 13),
        ("params contains 3", "'contains' looks into a text; 'params' is none", 0),
        ("feasible = 7", "'feasible' is true or false", 11),
        ("3 < 5", "one side of a comparison is a name", 0),
        ("op in (skip, `lr`)", "a list holds values, and this is a name", 13),
        ("op in ()", "expected a value, got ')'", 7),
        ("op = (skip)", "expected a value, got '('", 5),
        ("op is null", "expected 'missing', got 'null' (here it is called 'missing')", 6),
        ("op like 'c%'", "(here it is called 'contains')", 3),
        ("params > 1 adn op = x", "got 'adn'; did you mean 'and'?", 11),
        ("params > 1 && op = x", "no such sign as '&'; write 'and'", 11),
        ("0.1 < params < 5", "one comparison at a time; write two", 13),
        ("op = 'skip", "write a second ' to end the text", 5),
        ("(op = skip", "expected ')', got the end", 10),
        ("op = skip)", "got ')'", 9),
        ("params < 1e999", "too large a number", 9),
        ("op = a\0b", "no database can hold this character", 6),
        ("op = \ud800", "no database can hold this character", 5),
        ("decision: = 3", "expected a name right after 'decision:'", 10),
        ("tag = `op`", "cannot be compared", 6),
        ("and = 3", "(a name that is 'and' stands in backticks)", 0),
    ],
)
def test_bad_conditions_are_told_with_their_place(local: Store, where: str, message: str, place: int) -> None:
    with pytest.raises(ConfigError) as caught:
        local.trials(1, where=where)
    told, shown, caret = str(caught.value).split("\n")
    assert told.startswith("where: ")
    assert message in told
    assert shown[2:] == re.sub(r"\s", " ", where)
    assert caret == " " * (place + 2) + "^"


def test_a_name_of_both_kinds_must_say_which(store: Store, study: int) -> None:
    store.propose(study, 0, [Proposal("k", "t", {"width": "8", "the seed": "1", "state": "x"}, 1)])
    outcome = Outcome(State.COMPLETE, {"accuracy": 0.2, "width": 9.0, "validation/the seed": 1.0})
    store.finish(study, 0, outcome)
    with pytest.raises(UnknownNameError, match="write decision:width or metric:width"):
        store.trials(study, where="width > 1")
    with pytest.raises(UnknownNameError, match="write decision:`the seed` or metric:`the seed`"):
        store.trials(study, sort='"the seed"')
    words = 'metric:width = 9 and decision:width = 8 and decision:`the seed` = 1 and metric:"the seed" < 2'
    assert store.n_trials(study, where=words) == 1
    assert store.n_trials(study, where="decision:state = x and state = COMPLETE") == 1


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("(" * 60 + "op = x" + ")" * 60, "at most 50 brackets"),
        ("not " * 3000 + "feasible", "at most 10,000 characters"),
        ("not " * 2000 + "feasible", "at most 50 brackets"),
        (" or ".join(["op = x"] * 201), "at most 200 conditions"),
        (f"number in ({','.join(['1'] * 1001)})", "at most 1,000 values"),
        ("x" * 10_001, "at most 10,000 characters"),
        (b"op = x", "is a text such as"),
        ("op = " + "'" * 9001, "write a second ' to end the text"),
        ("a(" * 4000, "expected 'and', 'or' or the end"),
        ("a(b)." * 1900 + " = ", "expected a value, got the end"),
    ],
)
def test_endless_conditions_are_refused(local: Store, where: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        local.trials(1, where=where)


def test_the_largest_condition_that_is_allowed_works(filled: Store, study: int) -> None:
    deep = "(" * 45 + "op = skip" + ")" * 45
    wide = " or ".join([f"op = x{i}" for i in range(198)])
    assert filled.n_trials(study, where=f"{deep} or {wide}") == filled.n_trials(study, where="op = skip")
    many = ",".join(str(i) for i in range(1000))
    assert filled.n_trials(study, where=f"number in ({many})") == N


INJECTIONS = (
    "'; DROP TABLE trials; --",
    "x' OR '1'='1",
    'x" OR "1"="1',
    "\\'; DELETE FROM trials; --",
    "%(x)s :x {0} ? $1",
    "x') OR (1=1",
    "/* x */",
)


def test_what_looks_like_sql_is_a_value(filled: Store, study: int) -> None:
    for text in INJECTIONS:
        assert filled.n_trials(study, where=f"op = {_quoted(text)}") == 0
        assert filled.n_trials(study, where=f"architecture contains {_quoted(text)}") == 0
        with pytest.raises(UnknownNameError):
            filled.n_trials(study, where=f"`{text}` = 1")
        with pytest.raises(UnknownNameError):
            filled.trials(study, sort=f"-`{text}`")
    assert len(filled.trials(study)) == N


@pytest.mark.parametrize(
    ("sort", "message"),
    [
        ("", "sort: expected a name, got the end"),
        ("acuracy", "did you mean 'accuracy'?"),
        ("params,,op", "expected a name, got ','"),
        ("params op", "expected ',' or the end, got 'op'"),
        ("tag", "nothing to sort by"),
        ("'op'", "a name goes here, 'op' is a value"),
    ],
)
def test_bad_orders_are_told(local: Store, sort: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        local.trials(1, sort=sort)


@pytest.mark.parametrize("limit", [0, -1, 1.5, True])
def test_a_limit_is_a_number_of_trials(local: Store, limit: Any) -> None:
    with pytest.raises(ConfigError, match="limit is a whole number of at least 1"):
        local.trials(1, limit=limit)


def test_a_bad_condition_dooms_no_transaction(local: Store) -> None:
    with local.transaction():
        local.add_event(1, "note")
        with pytest.raises(ConfigError):
            local.trials(1, where="nonsense >")
    assert len(local.events(1, "note")) == 1

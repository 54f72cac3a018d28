# SPDX-License-Identifier: Apache-2.0
"""Every strategy on tabular truth, beside published figures: ``make bench-strategies``.

NAS-Bench-201 (objective: accuracy after 12 epochs; report: test accuracy after 200 of the incumbent) and
NAS-Bench-Graph (objective: validation; report: test). Budgets are proposals; a repeat is served from the
store, and counts. Optimisers are judged by objective regret, the optimum minus the incumbent, since the best
12-epoch cell is not the best 200-epoch one. Searches run in parallel processes; every seed's curve is kept
as CSV beside the table.

Needs ARCHLOOM_DATA (NAS-Bench-201) and ``archloom[bench,graphs]``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import archloom
from archloom.bench import Curve, Problem, Row, compare, draw, run_all, write_csv
from benchmarks.store_words import table
from benchmarks.strategies_few import DEFAULT_ON, Found, after_few

RESULTS = Path(__file__).parent / "results"
CELLS = """
study: {study}
space: nasbench201
strategy: random
evaluator:
  name: tabular
  path: nasbench201/nb201.parquet
  key: arch
  objective: [{objective}]
  report: [{report}]
objectives: {{{objective}: maximize}}
budget: {{trials: 1}}
"""
GRAPHS = """
study: {study}
space: nasbenchgraph
strategy: random
evaluator: {{name: nasbenchgraph, dataset: {dataset}}}
objectives: {{accuracy: maximize}}
budget: {{trials: 1}}
"""
EVOLUTION = {"name": "regularized_evolution", "population_size": 10, "sample_size": 3}
LARGE_EVOLUTION = {"name": "regularized_evolution", "population_size": 50, "sample_size": 10}
QUICK: tuple[Any, ...] = ("random", "local_search", "smbo", "mcts", "optuna:TPESampler")
LEARNED: tuple[Any, ...] = ("ppo", "op_gfn")
BOLD = {"name": "reinforce", "lr": 0.05}
"""For the graphs, of which there are ten times as many: with 0.01 it makes up its mind too late."""


@dataclass(frozen=True)
class Setting:
    """A problem with what is known of it.

    Args:
        study: its name.
        text: its study file.
        optimum: of the objective.
        budgets: at which strategies are compared.
        evolution: regularized evolution with the reference's settings.
        gradient: REINFORCE.
        reference: strategy to report (NAS-Bench-201) or objective (NAS-Bench-Graph) at each budget.
        is_report: whether the reference is of the report.
        share: of the seeds; the published figures of some problems have fewer.
    """

    study: str
    text: str
    optimum: float
    budgets: tuple[int, ...]
    evolution: dict[str, Any]
    gradient: dict[str, Any] | str
    reference: dict[str, tuple[float, ...]]
    is_report: bool
    share: float = 1.0


def _cells(
    dataset: str, split: str, optimum: float, reference: dict[str, tuple[float, ...]], share: float = 1.0
) -> Setting:
    objective, report = f"{dataset}_{split}_12", f"{dataset}_test_200"
    study = f"nasbench201-{dataset}-{split}"
    text = CELLS.format(study=study, objective=objective, report=report)
    return Setting(study, text, optimum, (64, 164, 264, 564), EVOLUTION, "reinforce", reference, True, share)


def _graphs(dataset: str, optimum: float, reference: dict[str, tuple[float, ...]]) -> Setting:
    study = f"nasbenchgraph-{dataset}"
    text = GRAPHS.format(study=study, dataset=dataset)
    return Setting(study, text, optimum, (64, 164, 524), LARGE_EVOLUTION, BOLD, reference, False, share=0.5)


SETTINGS = (
    _cells(
        "cifar100",
        "valid",
        61.32,
        {
            "random": (70.84, 71.40, 71.66, 72.10),
            "regularized_evolution": (71.42, 72.27, 72.49, 72.53),
            "reinforce": (70.97, 71.87, 72.42, 72.65),
        },
    ),
    _cells(
        "cifar100",
        "test",
        61.18,
        {
            "random": (70.88, 71.46, 71.73, 72.11),
            "regularized_evolution": (71.61, 72.51, 72.81, 73.11),
            "reinforce": (70.93, 71.87, 72.53, 73.04),
        },
    ),
    _cells(
        "cifar10",
        "valid",
        84.892,
        {
            "random": (93.59, 93.80, 93.89, 93.99),
            "regularized_evolution": (93.72, 94.08, 94.20, 94.32),
            "reinforce": (93.64, 93.91, 94.04, 94.17),
        },
        share=0.5,
    ),
    _graphs(
        "arxiv",
        0.7367,
        {"random": (0.7324,), "regularized_evolution": (0.7354,), "reinforce": (0.7355,)},
    ),
    _graphs("computers", 0.9190, {"random": (0.9107,), "regularized_evolution": (0.9138,)}),
    _graphs(
        "cora",
        0.8193,
        {"random": (0.8103,), "regularized_evolution": (0.8136,), "reinforce": (0.8107,)},
    ),
    _graphs(
        "citeseer",
        0.7280,
        {"random": (0.7177,), "regularized_evolution": (0.7229,), "reinforce": (0.7251,)},
    ),
)


def main() -> None:
    """Search, compare, and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strategies", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="problems whose name holds one of these words")
    parser.add_argument("--seeds", type=int, default=50, help="of strategies that take seconds")
    parser.add_argument("--learned", type=int, default=20, help="seeds of those that train networks")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=RESULTS / "strategies.md")
    args = parser.parse_args()
    wanted = [each for each in SETTINGS if not args.only or any(word in each.study for word in args.only)]
    raw = args.out.with_suffix("")
    raw.mkdir(parents=True, exist_ok=True)
    lines = _head(args.seeds, args.learned)
    found: list[Found] = []
    for setting in wanted:
        n_seeds, n_learned = (max(2, round(setting.share * n)) for n in (args.seeds, args.learned))
        curves = _searched(setting, n_seeds, n_learned, args.processes)
        found.append(Found(setting.study, setting.optimum, 3 if setting.is_report else 4, curves))
        write_csv(curves, raw / f"{setting.study}.csv")
        for path in draw(curves, "proposals", "objective", raw, optimum={setting.study: setting.optimum}):
            if path.suffix == ".html":  # five megabytes each, made anew by this program
                path.unlink()
        lines += ["", f"## {setting.study}", "", *_tables(setting, curves)]
        text = [*lines, *after_few(each for each in found if each.study in DEFAULT_ON)]
        args.out.write_text("\n".join(text) + "\n", encoding="utf-8")
    print(f"written to {args.out}")


def _searched(setting: Setting, n_seeds: int, n_learned: int, processes: int) -> list[Curve]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{setting.study}.yaml"
        file.write_text(setting.text, encoding="utf-8")
        problem = Problem(file, setting.budgets[-1])

        def tell(n: int, of: int) -> None:
            print(f"\r{setting.study}: {n} of {of} searches", end="", file=sys.stderr, flush=True)

        quick = [*QUICK, setting.evolution]
        curves = run_all([problem], quick, range(n_seeds), processes=processes, on_end=tell)
        learned = [setting.gradient, *LEARNED]
        curves += run_all([problem], learned, range(n_learned), processes=processes, on_end=tell)
        print(file=sys.stderr)
    return curves


def _head(n_seeds: int, n_learned: int) -> list[str]:
    return [
        "# Strategies on tabular truth",
        "",
        f"{date.today()}, archloom {archloom.__version__}, Python {platform.python_version()}; "
        f"{os.cpu_count()} cores. `make bench-strategies`.",
        "",
        f"{n_seeds} seeds, {n_learned} of reinforce, {', '.join(map(str, LEARNED))}, half as many on "
        "CIFAR-10 and the graphs; mean ± standard error. Budgets are proposals, repeats counted; *evaluated* "
        "are different architectures. Regret is the objective's optimum minus the incumbent's; the report is "
        "another column of the table, never searched on. *p*: paired test against the best of the budget. A "
        "reference is marked with its distance in our standard errors. Every seed's curve lies beside this "
        "table.",
    ]


def _tables(setting: Setting, curves: Sequence[Curve]) -> Iterable[str]:
    rows = compare(curves, setting.budgets, "proposals")
    for i, budget in enumerate(setting.budgets):
        some = [row for row in rows if row.budget == budget]
        yield f"After {budget} proposals:"
        yield ""
        yield from table(
            ["strategy", "seeds", "regret", "report", "evaluated", "mean rank", "p", "reference"],
            [[*_cells_of(setting, row), _reference(setting, row, i)] for row in some],
        )
        yield ""


def _cells_of(setting: Setting, row: Row) -> list[str]:
    digits = 3 if setting.is_report else 4
    return [
        row.strategy,
        str(row.n_seeds),
        f"{setting.optimum - row.objective:.{digits}f} ± {row.objective_error:.{digits}f}",
        f"{row.report:.{digits}f} ± {row.report_error:.{digits}f}",
        f"{row.evaluations:.0f}",
        f"{row.rank:.2f}",
        "" if row.p != row.p else f"{row.p:.3f}",
    ]


def _reference(setting: Setting, row: Row, place: int) -> str:
    """Return the published figure, and how many of our standard errors ours lies above it."""
    known = setting.reference.get(row.strategy.partition("(")[0])
    if known is None:
        return ""
    if setting.is_report:
        return f"{known[place]:.2f} ({_apart(row.report - known[place], row.report_error)})"
    if place != len(setting.budgets) - 1:
        return ""
    return f"{known[0]:.4f} ({_apart(row.objective - known[0], row.objective_error)})"


def _apart(difference: float, error: float) -> str:
    """Say how many standard errors a difference is; seeds that all agree have none."""
    return f"{difference / error:+.1f}" if error else f"{difference:+.4f} exactly"


if __name__ == "__main__":
    main()

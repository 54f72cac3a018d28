# SPDX-License-Identifier: Apache-2.0
"""Search flows on NAS-Bench-201: the cell's six edges as two groups of three.

One group are the edges into the last node, the other the three before it. The objective is the validation
accuracy after 12 epochs, and every strategy in every flow is regularized evolution with a population of 10
and tournaments of 3. The flows' own counts were chosen on CIFAR-10; CIFAR-100 is what they are compared on.
Each search goes on until 200 different cells have been evaluated; the tables show where it stood after 200
proposals, repeats included, and after 200 evaluations. Seeds are paired.

Needs ARCHLOOM_DATA (NAS-Bench-201) and ``archloom[bench]``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, get_args

import archloom
from archloom.bench import Curve, Problem, Row, Unit, compare, run_all, write_csv
from archloom.bench.runs import shown
from benchmarks.store_words import table

RESULTS = Path(__file__).parent / "results"
BUDGET = 200
STUDY = """
study: nasbench201-{dataset}-valid
space: nasbench201
strategy: random
evaluator:
  name: tabular
  path: nasbench201/nb201.parquet
  key: arch
  objective: [{dataset}_valid_12]
  report: [{dataset}_test_200]
objectives: {{{dataset}_valid_12: maximize}}
budget: {{trials: 1}}
"""
OPTIMA = {"cifar10": 84.892, "cifar100": 61.32}
EVOLUTION = {"name": "regularized_evolution", "population_size": 10, "sample_size": 3}
LAST = {"groups": [["edge_3_0", "edge_3_1", "edge_3_2"]]}
HOME = "archloom.strategies.flows"
FLOWS: dict[str, dict[str, Any]] = {
    "joint": {"name": f"{HOME}.joint:JointFlow", "strategy": EVOLUTION},
    "separate, one round": {
        "name": f"{HOME}.separate:SeparateFlow",
        **LAST,
        "strategy": EVOLUTION,
        "n_each": 100,
    },
    "separate, in turns of 25": {
        "name": f"{HOME}.separate:SeparateFlow",
        **LAST,
        "strategy": EVOLUTION,
        "n_each": 25,
    },
    "factorized": {
        "name": f"{HOME}.factorized:FactorizedFlow",
        **LAST,
        "outer": EVOLUTION,
        "inner": EVOLUTION,
        "n_inner": 10,
    },
    "hybrid": {
        "name": f"{HOME}.hybrid:HybridFlow",
        **LAST,
        "outer": EVOLUTION,
        "inner": EVOLUTION,
        "joint": EVOLUTION,
        "n_outer": 60,
        "n_inner": 2,
        "n_kept": 5,
    },
}


def main() -> None:
    """Search, compare, and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flows", description=__doc__)
    parser.add_argument("--datasets", nargs="*", choices=sorted(OPTIMA), default=["cifar100"])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=RESULTS / "flows.md")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    lines = _head(args.seeds)
    for dataset in args.datasets:
        curves = _searched(dataset, args.seeds, args.processes)
        write_csv(curves, args.out.with_name(f"{args.out.stem}-{dataset}.csv"))
        lines += ["", f"## {dataset}", "", *_tables(curves, OPTIMA[dataset])]
        args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"written to {args.out}")


def _searched(dataset: str, n_seeds: int, processes: int) -> list[Curve]:
    def tell(n: int, of: int) -> None:
        print(f"\r{dataset}: {n} of {of} searches", end="", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{dataset}.yaml"
        file.write_text(STUDY.format(dataset=dataset), encoding="utf-8")
        problem = Problem(file, BUDGET, "evaluations")
        curves = run_all([problem], list(FLOWS.values()), range(n_seeds), processes=processes, on_end=tell)
    print(file=sys.stderr)
    return curves


def _head(n_seeds: int) -> list[str]:
    return [
        "# Search flows on NAS-Bench-201",
        "",
        f"{date.today()}, archloom {archloom.__version__}, Python {platform.python_version()}; "
        f"{os.cpu_count()} cores. `python -m benchmarks.flows`.",
        "",
        f"{n_seeds} seeds; mean ± standard error. Two groups: the edges into the last node (first or outer), "
        "and the three others. Regularized evolution (population 10, tournament 3) in every place. *Regret* "
        "is the optimum of the 12-epoch validation accuracy minus the incumbent's; the *report* is the "
        "incumbent's test accuracy after 200 epochs, never searched on; *p*: paired test against the best of "
        "the table.",
    ]


def _tables(curves: Sequence[Curve], optimum: float) -> Iterable[str]:
    names = {shown(options): name for name, options in FLOWS.items()}
    for unit in get_args(Unit)[:2]:
        yield f"After {BUDGET} {unit}:"
        yield ""
        rows = [row for row in compare(curves, (BUDGET,), unit) if row.budget == BUDGET]
        cells = [[names[row.strategy], *_cells(row, optimum)] for row in rows]
        yield from table(["flow", "regret", "report", "evaluated", "mean rank", "p"], cells)
        yield ""


def _cells(row: Row, optimum: float) -> list[str]:
    return [
        f"{optimum - row.objective:.3f} ± {row.objective_error:.3f}",
        f"{row.report:.3f} ± {row.report_error:.3f}",
        f"{row.evaluations:.0f}",
        f"{row.rank:.2f}",
        "" if row.p != row.p else f"{row.p:.3f}",
    ]


if __name__ == "__main__":
    main()

"""Fits the cost model of `cxrview plan` to measured runs, and prints its errors.

Usage: python benchmarks/cost_model.py [THROUGHPUT.json [RUNS.csv]]

THROUGHPUT.json is what benchmarks/throughput.py writes (`make bench`: .bench/throughput.json); the
model is fitted to its runs of one format each, and predicts the mixed one. RUNS.csv gets the table
of the runs, in the form of src/cxrview/capacity/measured_runs.csv. Without arguments the runs in
the package are used. Each error of a fitted run is that of a model fitted to all others.
"""

import json
import sys
import tempfile
from pathlib import Path

from cxrview.capacity.cost_model import (
    COLUMNS,
    FittedCostModel,
    fit_cost_model,
    packaged_cost_model,
    read_runs,
)
from cxrview.csv_files import write_csv

MIXED = "mixed"


def main(throughput: Path | None, table: Path | None) -> None:
    """Fit and print."""
    if throughput is None:
        print_fit(packaged_cost_model())
        return
    with tempfile.TemporaryDirectory() as folder:
        path = table or Path(folder) / "runs.csv"
        write_runs(throughput, path)
        print_fit(fit_cost_model(read_runs(path)))


def write_runs(throughput: Path, table: Path) -> None:
    """Write the table of runs from the report of benchmarks/throughput.py."""
    report = json.loads(throughput.read_text())
    rows = []
    for name, run in report["ours"].items():
        stages = run["stages_ms"]
        figures = [stages["read"], stages["decode + shrink"], stages["infer"]]
        figures += [1000 * run["core_seconds"], run["rate"]]
        words = [f"{figure:.2f}" for figure in figures]
        is_fitted = "no" if name == MIXED else "yes"
        rows.append([name, is_fitted, *words, report["machine"]["cores"]])
    write_csv(table, COLUMNS, rows)


def print_fit(found: FittedCostModel) -> None:
    """Print the factors, and the measured and the predicted cost of each run."""
    model = found.model
    print(f"{model.read:.2f} x read + {model.decode:.2f} x decode + {model.infer:.2f} x infer")
    print(f"\n{'ms of a core':20}{'measured':>10}{'predicted':>11}{'error':>9}")
    fitted = [run for run in found.runs if run.is_fitted]
    others = [run for run in found.runs if not run.is_fitted]
    for run, error in zip([*fitted, *others], found.errors, strict=True):
        mark = "" if run.is_fitted else "  not fitted"
        measured = 1000 * run.core_seconds
        predicted = measured * (1 + error)
        print(f"{run.name:20}{measured:10.1f}{predicted:11.1f}{error:9.1%}{mark}")
    print(
        f"\nroot mean square of the errors {found.typical_error:.1%}, "
        f"cores busy for {found.utilisation:.0%} of the time"
    )


if __name__ == "__main__":
    if len(sys.argv) > 3:
        sys.exit(__doc__)
    main(*[Path(word) for word in sys.argv[1:]], *[None] * (3 - len(sys.argv)))

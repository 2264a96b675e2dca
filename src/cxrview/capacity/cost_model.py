"""The cost model: how many seconds of a core one image takes in a run.

    core seconds = a x read + b x decode + c x infer

`read`, `decode` and `infer` are measured on one core, one stage at a time. In a run a file costs
more: processes exchange pixels, cores share memory, and a row is written. The three factors are
fitted by least squares to measured runs of `cxrview classify`, each of one format; the table of
these runs is `measured_runs.csv`.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from cxrview.csv_files import read_csv_rows
from cxrview.errors import UsageError

COLUMNS = (
    "run",
    "fitted",
    "read_ms",
    "decode_ms",
    "infer_ms",
    "core_ms",
    "images_per_second",
    "cores",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCost:
    """Seconds of one core for one image, one stage at a time."""

    read: float
    decode: float
    """With squashing to the model's input."""
    infer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRun:
    """A run of `cxrview classify`, and its stages, measured right before and after it."""

    name: str
    """Format of its files."""
    is_fitted: bool
    """Whether the cost model is fitted to it; otherwise its error is counted on it."""
    stages: ImageCost
    core_seconds: float
    """Processor time of all processes for one image."""
    images_per_second: float
    cores: int

    @property
    def utilisation(self) -> float:
        """Share of the time in which the cores were busy, start-up included, 0 to 1."""
        return self.images_per_second * self.core_seconds / self.cores


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """Factors of the seconds that a stage takes alone."""

    read: float
    decode: float
    infer: float

    def core_seconds(self, cost: ImageCost) -> float:
        """Seconds of a core for one image in a run."""
        return self.read * cost.read + self.decode * cost.decode + self.infer * cost.infer


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedCostModel:
    """A cost model, and how far it is from measured runs."""

    model: CostModel
    runs: tuple[MeasuredRun, ...]
    left_out_errors: tuple[float, ...]
    """Relative error for each fitted run of a model that was fitted to all others."""
    other_errors: tuple[float, ...]
    """Relative error for each run that the model is not fitted to."""
    utilisation: float
    """Median of the runs' shares of busy cores."""

    @property
    def errors(self) -> tuple[float, ...]:
        """Relative errors for all runs, each of a model that was not fitted to it."""
        return (*self.left_out_errors, *self.other_errors)

    @property
    def typical_error(self) -> float:
        """Root mean square of `errors`."""
        return float(np.sqrt(np.mean(np.square(self.errors))))


def fit_cost_model(runs: Sequence[MeasuredRun]) -> FittedCostModel:
    """Fit by least squares of relative errors, and count errors on runs that are left out.

    Args:
        runs: at least four fitted ones, which differ in their shares of the stages.

    Raises:
        ValueError: there are fewer.
    """
    fitted = [run for run in runs if run.is_fitted]
    if len(fitted) < 4:
        raise ValueError("three factors and their error need four runs")
    model = _fit(fitted)
    return FittedCostModel(
        model=model,
        runs=tuple(runs),
        left_out_errors=tuple(
            _error(_fit([other for other in fitted if other is not run]), run) for run in fitted
        ),
        other_errors=tuple(_error(model, run) for run in runs if not run.is_fitted),
        utilisation=median(run.utilisation for run in runs),
    )


def _fit(runs: Sequence[MeasuredRun]) -> CostModel:
    stages: NDArray[np.float64] = np.array(
        [[run.stages.read, run.stages.decode, run.stages.infer] for run in runs]
    )
    total = np.array([run.core_seconds for run in runs])
    # Divided by the total, so that an error of a fast run counts as much as one of a slow run.
    factors, *_ = np.linalg.lstsq(stages / total[:, None], np.ones(len(runs)), rcond=None)
    read, decode, infer = factors.tolist()
    return CostModel(read=read, decode=decode, infer=infer)


def _error(model: CostModel, run: MeasuredRun) -> float:
    return model.core_seconds(run.stages) / run.core_seconds - 1


def read_runs(path: Path) -> list[MeasuredRun]:
    """Read a table of measured runs, as `benchmarks/cost_model.py` writes it.

    Args:
        path: CSV with COLUMNS; milliseconds of a core per image.

    Raises:
        UsageError: the file is missing, or is not such a table.
    """
    try:
        return [
            MeasuredRun(
                name=row["run"],
                is_fitted=row["fitted"] == "yes",
                stages=ImageCost(
                    read=float(row["read_ms"]) / 1000,
                    decode=float(row["decode_ms"]) / 1000,
                    infer=float(row["infer_ms"]) / 1000,
                ),
                core_seconds=float(row["core_ms"]) / 1000,
                images_per_second=float(row["images_per_second"]),
                cores=int(row["cores"]),
            )
            for row in read_csv_rows(path)
        ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise UsageError(
            f"{path} is not a table of measured runs", f"It needs the columns {', '.join(COLUMNS)}"
        ) from error


@cache
def packaged_cost_model() -> FittedCostModel:
    """Fit the cost model to the runs in the package (docs/benchmarks.md)."""
    return fit_cost_model(read_runs(Path(str(files("cxrview.capacity") / "measured_runs.csv"))))

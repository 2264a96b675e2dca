"""Accuracy of older classifiers and of the header, on the same test patients as the model.

Usage: python benchmarks/baselines.py DATA

DATA has labels.csv, its images and open-i-headers.csv.gz, the real headers of the Open-i
collection. Everything is trained on patients of the training partition; the table counts those of
the test partition, which decide nothing. `header` uses the header's view, and a missing view is an
error; `learnt` uses the share of frontal training images with the same header. Boone's perceptron
has the first of six seeds; all six are below the table.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.accuracy import calibration_error, reliability_curve
from cxrview.assess.baselines import fit_boone, fit_header, fit_lehmann
from cxrview.classify.model import load_model
from cxrview.dataset.decode_pool import squash_files
from cxrview.dataset.labels import read_headers, read_labels
from cxrview.records.classification import Failure
from cxrview.records.dataset import Label
from cxrview.stats import exact_interval
from cxrview.terms import Partition, View

SEEDS = range(6)
"""Boone's result is the average of six runs."""
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One partition: labels, pixels and truth, in the same order."""

    labels: list[Label]
    pixels: NDArray[np.uint8]
    is_frontal: NDArray[np.bool_]
    claims: list[View | None]
    """Of the headers; None also without a header."""
    has_header: NDArray[np.bool_]


def main(data: Path) -> None:
    """Read, train, and print the table."""
    training, test = (read_part(data, p) for p in (Partition.TRAINING, Partition.TEST))
    shown = training.pixels, training.is_frontal
    boones = [fit_boone(*shown, seed=seed).predict_pfi(test.pixels) for seed in SEEDS]
    pfi = {
        "Lehmann": timed("Lehmann", lambda: fit_lehmann(*shown).predict_pfi(test.pixels)),
        "undisplaced": fit_lehmann(*shown, max_displacement=0).predict_pfi(test.pixels),
        "Boone": boones[0],
        "learnt": learnt_from_headers(training, test),
        "network": timed("network", lambda: ask_network(test.pixels)),
    }
    cutoffs = dict.fromkeys(pfi, 50.0) | {
        "network": load_model("googlenet", precision="fp32", device="cpu").card.cutoff
    }
    right = {name: is_right(values, cutoffs[name], test) for name, values in pfi.items()}
    right["header"] = at_its_word(test)
    print(f"Trained on {len(training.labels):,} images, tested on {len(test.labels):,}\n")
    print_table(test.labels, right)
    print("\nExpected calibration error, percentage points:")
    for name, values in pfi.items():
        asked = ~np.isnan(values)
        curve = reliability_curve(values[asked], test.is_frontal[asked])
        print(f"  {name:12} {calibration_error(curve):.1f}")
    counts = [int(np.sum((values >= 50) == test.is_frontal)) for values in boones]
    mean = 100 * np.mean(counts) / len(test.labels)
    print(f"\nBoone with seeds 0 to 5: {counts} right, mean {mean:.2f} %")


def read_part(data: Path, partition: Partition) -> Part:
    """Read and squash the images of a partition."""
    labels = [label for label in read_labels(data / "labels.csv") if label.partition is partition]
    headers = read_headers(data / "open-i-headers.csv.gz")
    squashed = []
    for label, one in zip(labels, squash_files(data / i.file for i in labels), strict=True):
        if isinstance(one, Failure):
            sys.exit(f"{label.file}: {one.reason}")
        squashed.append(one.pixels)
    return Part(
        labels=labels,
        pixels=np.stack(squashed),
        is_frontal=np.array([label.view is View.FRONTAL for label in labels]),
        claims=[(f := headers.get(label.file)) and f.view for label in labels],
        has_header=np.array([label.file in headers for label in labels]),
    )


def learnt_from_headers(training: Part, test: Part) -> Numbers:
    """PFI by the share of frontal training images with the same header; NaN without a header."""
    rows = np.flatnonzero(training.has_header)
    rule = fit_header([training.claims[k] for k in rows], training.is_frontal[rows])
    return np.where(test.has_header, rule.predict_pfi(test.claims), np.nan)


def ask_network(pixels: NDArray[np.uint8]) -> Numbers:
    """PFI by the shipped model."""
    return load_model("googlenet", precision="fp32", device="cpu").pfi(pixels)


def timed(name: str, run: Callable[[], Numbers]) -> Numbers:
    """Call it and print how long it took."""
    began = time.perf_counter()
    values = run()
    print(f"{name}: {time.perf_counter() - began:.1f} s for {len(values)} images")
    return values


def is_right(pfi: Numbers, cutoff: float, test: Part) -> Numbers:
    """1 if correct, 0 if wrong, NaN if not assessed."""
    return np.where(np.isnan(pfi), np.nan, (pfi >= cutoff) == test.is_frontal)


def at_its_word(test: Part) -> Numbers:
    """The same for the views in the headers."""
    agrees = [claim is label.view for claim, label in zip(test.claims, test.labels, strict=True)]
    return np.where(test.has_header, agrees, np.nan)


def print_table(labels: list[Label], right: dict[str, Numbers]) -> None:
    """Print one column per classifier: correct of all by source and view, then accuracies."""
    print(f"{'':17}" + "".join(f"{name:>13}" for name in right))
    for name, inside in groups(labels):
        cells = [values[inside] for values in right.values()]
        cells = [values[~np.isnan(values)] for values in cells]
        print(f"{name:17}" + "".join(f"{share(values):>13}" for values in cells))
        print(f"{'  percent':17}" + "".join(f"{percent(values):>13}" for values in cells))
        print(f"{'  95 %':17}" + "".join(f"{interval(values):>13}" for values in cells))


def groups(labels: list[Label]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each source and view, then the source with headers, then all."""
    for source, view in sorted({(label.source, label.view) for label in labels}):
        yield f"{source} {view}", np.array([(i.source, i.view) == (source, view) for i in labels])
    yield "open-i", np.array([label.source == "open-i" for label in labels])
    yield "all", np.ones(len(labels), bool)


def share(values: Numbers) -> str:
    """Format correct of all, if any were assessed."""
    return f"{int(values.sum())}/{len(values)}" if len(values) else "-"


def percent(values: Numbers) -> str:
    """Format the accuracy."""
    return f"{100 * values.mean():.2f}" if len(values) else "-"


def interval(values: Numbers) -> str:
    """Format the Clopper-Pearson interval in percent."""
    if not len(values):
        return "-"
    found = exact_interval(int(values.sum()), len(values))
    return f"{100 * found.low:.1f}-{100 * found.high:.1f}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

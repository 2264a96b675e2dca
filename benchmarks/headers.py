"""Accuracy of the view in headers and of the model, on the same test patients.

Usage: python benchmarks/headers.py DATA

DATA has labels.csv, its images and open-i-headers.csv.gz, the real headers of the Open-i
collection. Only patients of the test partition count, which no training used.
"""

import sys
from collections import Counter
from pathlib import Path

from cxrview.classify.engine import classify_files
from cxrview.classify.model import load_model
from cxrview.classify.options import NO_REVIEW, ClassifyOptions
from cxrview.dataset.labels import read_headers, read_labels
from cxrview.errors import CxrviewError
from cxrview.records.classification import Failure
from cxrview.records.dataset import Label
from cxrview.terms import Partition, View


def main(data: Path) -> None:
    """Print both accuracies, and the model's for each source and view."""
    labels = [
        label for label in read_labels(data / "labels.csv") if label.partition is Partition.TEST
    ]
    headers = read_headers(data / "open-i-headers.csv.gz")
    with_header = [label for label in labels if label.file in headers]
    said = Counter(verdict(headers[label.file].view, label) for label in with_header)
    print(f"Open-i headers, test patients: {share(said['right'], len(with_header))} right")
    print(f"  {said['wrong']} name the other view, {said['silent']} none")

    views = model_views(data, labels)
    right = sum(views[label.file] is label.view for label in with_header)
    print(f"cxrview, same images: {share(right, len(with_header))} right")
    print("cxrview, all test patients, no image left to review:")
    for kind in sorted({(label.source, label.view) for label in labels}):
        of = [label for label in labels if (label.source, label.view) == kind]
        right = sum(views[label.file] is label.view for label in of)
        print(f"  {kind[0]:9} {kind[1]:8} {share(right, len(of))}")


def model_views(data: Path, labels: list[Label]) -> dict[str, View | None]:
    """Predict with the shipped model, without a review band; predictions by file."""
    model = load_model("googlenet", precision="fp32", device="cpu")
    settings = ClassifyOptions(review_band=NO_REVIEW)
    outcomes = classify_files((str(data / label.file) for label in labels), model, settings)
    return {
        label.file: None if isinstance(outcome, Failure) else outcome.view
        for label, outcome in zip(labels, outcomes, strict=True)
    }


def verdict(said: View | None, label: Label) -> str:
    """Count correct, wrong and missing views."""
    if said is None:
        return "silent"
    return "right" if said is label.view else "wrong"


def share(part: int, whole: int) -> str:
    """Format a count with its percentage."""
    return f"{part:,} of {whole:,} ({100 * part / whole:.1f} %)"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except (CxrviewError, OSError) as error:
        sys.exit(f"the labelled radiographs cannot be read: {error}")

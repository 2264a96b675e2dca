"""Real files whose pixel values contradict their headers get the right view, and say so."""

import csv

import pytest

from cxrview import ClassifyOptions, load_model
from cxrview.classify.engine import classify_files

CASES = {
    "bits-stored-10-values-12": ("bits_above_stored_used",),
    "byteswapped-native": ("byte_order_swapped",),
    "hdr-8-stream-12": ("bits_above_stored_used",),
    "lossy-overshoot-j2k16-12": (),
    "prec-j2k12-alloc16-stored10": ("bits_above_stored_used",),
    "prec-jx12-alloc16-stored10-full": ("bits_above_stored_used",),
    "rescale-1e-6": (),
}
"""Warnings by case."""


@pytest.mark.slow
@pytest.mark.parametrize("is_exact", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_each_film_gets_its_view(shared_data, case, is_exact):
    with (shared_data / "field" / "field.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["case"] == case]
    paths = [str(shared_data / row["file"]) for row in rows]

    settings = ClassifyOptions(exact=is_exact)
    outcomes = classify_files(paths, load_model(), settings)

    found = {outcome.instance.path: outcome for outcome in outcomes}
    assert len(rows) == 2
    for row, path in zip(rows, paths, strict=True):
        assert found[path].view == row["view"]
        assert found[path].warnings == CASES[case]
        assert row["answer"] == "view" or found[path].warnings

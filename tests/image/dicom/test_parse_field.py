"""Real headers and pixels in files that are odd as users' files are: what the command says."""

import csv

import pytest

import cxrview
from cxrview.classify.engine import classify_files
from cxrview.classify.options import ClassifyOptions

CASES = [
    "invalid-vr",
    "vr-blank",
    "zeros-for-delim",
    "jpeg-file-no-eoi",
    "hdr-mono-stream-rgb",
    "tiff-thumb-first",
]


@pytest.fixture(scope="module")
def listed(shared_data):
    with (shared_data / "field" / "field.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["case"] in CASES]
    assert {row["case"] for row in rows} == set(CASES)
    return rows


@pytest.mark.parametrize("exact", [False, True])
def test_each_odd_file_shows_its_view(shared_data, listed, exact):
    paths = [str(shared_data / row["file"]) for row in listed]

    settings = ClassifyOptions(exact=exact)
    results = list(classify_files(paths, cxrview.load_model(), settings))

    assert [r.view for r in results] == [row["view"] for row in listed]

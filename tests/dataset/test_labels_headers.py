"""Of a table of headers two facts are taken, and a table that is at fault is refused."""

import csv
import gzip
import io

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cxrview.dataset.labels import read_headers, view_code
from cxrview.errors import UsageError
from cxrview.records.dataset import HeaderFacts
from cxrview.terms import View

COLUMNS = ["file", "Manufacturer", "View Position", "View Code Sequence"]


def printed(*codes: tuple[str, str]) -> str:
    """A View Code Sequence in pydicom's own print, each item with a modifier in it."""
    items = []
    for value, scheme in codes:
        item, modifier = Dataset(), Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, "view"
        modifier.CodeValue, modifier.CodingSchemeDesignator = "R-40984", "SRT"
        item.ViewModifierCodeSequence = Sequence([modifier])
        items.append(item)
    return "\n".join(str(item) for item in items)


def table(*rows: tuple[str, str, str, str], columns=COLUMNS) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([columns, *rows])
    return out.getvalue().encode()


@pytest.mark.parametrize("name", ["headers.csv", "headers.csv.gz"])
def test_manufacturer_and_claimed_view_are_read(tmp_path, name):
    content = table(
        ("a.jpg", " Maker\x00\u200b & Sons ", "PA", ""),
        ("b.jpg", "", "", printed(("R-10236", "SRT"))),
        ("c.jpg", "", "", ""),
        ("d.jpg", "M" * 70, "SOMEHOW", ""),
    )
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)

    assert read_headers(tmp_path / name) == {
        "a.jpg": HeaderFacts(manufacturer="Maker & Sons", view=View.FRONTAL),
        "b.jpg": HeaderFacts(view=View.LATERAL),
        "c.jpg": HeaderFacts(),
        "d.jpg": HeaderFacts(manufacturer="M" * 64),
    }


def test_the_first_code_of_a_sequence_counts():
    assert view_code(printed(("R-10206", "SRT"), ("R-10236", "SRT"))) == "R-10206^SRT"
    assert view_code("") == ""


@pytest.mark.parametrize("lacking", COLUMNS)
def test_a_table_without_a_column_is_refused(tmp_path, lacking):
    columns = [name if name != lacking else "Patient's Name" for name in COLUMNS]
    (tmp_path / "headers.csv").write_bytes(table(columns=columns))

    with pytest.raises(UsageError, match=f"no column {lacking}"):
        read_headers(tmp_path / "headers.csv")


def test_a_file_named_twice_is_refused_by_its_line(tmp_path):
    content = table(("a.jpg", "", "PA", ""), ("a.jpg", "", "LL", ""))
    (tmp_path / "headers.csv").write_bytes(content)

    with pytest.raises(UsageError, match="line 3 "):
        read_headers(tmp_path / "headers.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gone.csv", None),
        ("plain.csv.gz", table()),
        ("cut.csv.gz", gzip.compress(table(("a.jpg", "", "PA", "")) * 99, mtime=0)[:-9]),
        ("broken.csv.gz", gzip.compress(table(), mtime=0)[:12] + b"\xff" * 40),
        ("latin.csv", table(("a.jpg", "M\u00fcller", "", "")).decode().encode("latin-1")),
        ("empty.csv", b""),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(UsageError, match=name):
        read_headers(tmp_path / name)

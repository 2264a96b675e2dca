"""Tables as people save them: separators, encodings, names of columns."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.errors import UsageError
from cxrview.sources.csv_rows import FILE_COLUMNS, VIEW_COLUMNS, read_csv

NAMES = {"file": FILE_COLUMNS, "view": VIEW_COLUMNS}


def read(path, needed=("file", "view")):
    return [
        (number, row["file"], row["view"])
        for number, row in read_csv(path, NAMES, needed=needed).rows
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_separator_and_encoding_gives_the_same_rows(tmp_path, separator, encoding):
    lines = [separator.join(row) for row in (("file", "view"), ("süd.png", "PA"), ("b.png", "LL"))]
    (tmp_path / "a.csv").write_bytes("\r\n".join(lines).encode(encoding))

    assert read(tmp_path / "a.csv") == [(2, "süd.png", "PA"), (3, "b.png", "LL")]


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(
    lambda t: f"{t}.png"
)


@given(files=st.lists(cells, min_size=1), separator=st.sampled_from(",;\t"))
def test_what_the_csv_module_writes_comes_back(tmp_path_factory, files, separator):
    import csv

    path = tmp_path_factory.mktemp("any") / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines, delimiter=separator)
        writer.writerows([["file", "view"], *([file, "PA"] for file in files)])

    assert [file for _, file, _ in read(path)] == files


def test_a_comma_within_cells_parted_by_semicolons_parts_nothing(tmp_path):
    (tmp_path / "a.csv").write_text('file;view;note, if any\n"a;b.png";PA;left, right\n')

    assert read(tmp_path / "a.csv") == [(2, "a;b.png", "PA")]


def test_excels_line_of_the_separator_is_obeyed_and_counted(tmp_path):
    (tmp_path / "a.csv").write_text("sep=|\nfile|view\na.png|PA\n")

    assert read(tmp_path / "a.csv") == [(3, "a.png", "PA")]


def test_a_gzipped_table_is_read(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"file,view\na.png,PA\n"))

    assert read(tmp_path / "a.csv.gz") == [(2, "a.png", "PA")]


@pytest.mark.parametrize(
    "heading",
    ["File,View", " FILE , VIEW ", "path,label", "image_path,View Position", "Image,label"],
)
def test_columns_may_be_spelled_in_other_ways(tmp_path, heading):
    (tmp_path / "a.csv").write_text(f"{heading}\na.png,PA\n")

    assert read(tmp_path / "a.csv") == [(2, "a.png", "PA")]


def test_of_two_columns_that_could_be_meant_the_exact_name_is(tmp_path):
    (tmp_path / "a.csv").write_text("label,view,FILE,file\nother,PA,no.png,a.png\n")

    assert read(tmp_path / "a.csv") == [(2, "a.png", "PA")]


def test_rows_and_cells_that_excel_leaves_empty_are_left_out(tmp_path):
    (tmp_path / "a.csv").write_text("file,view\na.png,PA,,\n,\n,,,\n")

    assert read(tmp_path / "a.csv") == [(2, "a.png", "PA")]


def test_what_columns_there_are_is_told_where_one_is_missing(tmp_path):
    (tmp_path / "a.csv").write_text("Datei;View;Patient\na.png;PA;7\n")

    with pytest.raises(UsageError) as error:
        read(tmp_path / "a.csv")

    assert "no column file" in error.value.reason
    assert "semicolons" in error.value.advice and "Datei, View, Patient" in error.value.advice


def test_a_table_without_names_of_columns_shows_no_patient(tmp_path):
    (tmp_path / "a.csv").write_text("a.png;Doe^Jane;PA\n")

    with pytest.raises(UsageError, match="no column file, view") as error:
        read(tmp_path / "a.csv")

    assert "3 cells" in error.value.advice and "semicolons" in error.value.advice
    assert "Jane" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04workbook", "is a workbook"),
        ("file;view\ns\u00fcd.png;PA".encode("cp1252"), "UTF-8"),
        (b"", "no column file, view"),
        (None, "cannot be read: No such file"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(tmp_path, content, why):
    if content is not None:
        (tmp_path / "a.csv").write_bytes(content)

    with pytest.raises(UsageError, match=why):
        read(tmp_path / "a.csv")

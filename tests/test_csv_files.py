"""CSV files of cxrview itself: what is written is read again, and other programs read it too."""

import pytest

from cxrview.csv_files import read_csv_columns, read_csv_rows, write_csv

ODD = ["plain", "a,b", 'say "x"', "two\nlines", "carriage\rreturn", "both\r\n", "ä", " space ", ""]


def test_write_csv_writes_what_read_csv_rows_reads(tmp_path):
    rows = [[number, text] for number, text in enumerate(ODD)]

    write_csv(tmp_path / "t.csv", ["number", "text"], rows)

    assert read_csv_columns(tmp_path / "t.csv") == ["number", "text"]
    found = [(int(row["number"]), row["text"]) for row in read_csv_rows(tmp_path / "t.csv")]
    assert found == [(number, text) for number, text in rows]


def test_write_csv_quotes_only_where_it_must(tmp_path):
    write_csv(tmp_path / "t.csv", ["a", "b"], [[1, None], ["x\ry", 2]])

    assert (tmp_path / "t.csv").read_bytes() == b'a,b\n1,\n"x\ry","2"\n'


def test_write_csv_writes_the_columns_where_there_is_no_row(tmp_path):
    write_csv(tmp_path / "t.csv", ["a", "b"], [])

    assert (tmp_path / "t.csv").read_text() == "a,b\n"
    assert list(read_csv_rows(tmp_path / "t.csv")) == []


def test_write_csv_is_read_by_pyarrow(tmp_path):
    csv = pytest.importorskip("pyarrow.csv")
    texts = [text for text in ODD if text]

    write_csv(tmp_path / "t.csv", ["text"], [[text] for text in texts])

    options = csv.ParseOptions(newlines_in_values=True)
    assert csv.read_csv(tmp_path / "t.csv", parse_options=options)["text"].to_pylist() == texts


def test_read_csv_columns_of_an_empty_file_are_none(tmp_path):
    (tmp_path / "t.csv").touch()

    assert read_csv_columns(tmp_path / "t.csv") == []


def test_a_file_that_excel_saved_again_is_read(tmp_path):
    """As "CSV UTF-8" where commas separate cells: with a byte order mark, CRLF at line ends."""
    (tmp_path / "t.csv").write_bytes("\ufeffpath,b\r\nä,1\r\n".encode())

    assert read_csv_columns(tmp_path / "t.csv") == ["path", "b"]
    assert list(read_csv_rows(tmp_path / "t.csv")) == [{"path": "ä", "b": "1"}]


def test_read_csv_rows_refuse_another_encoding(tmp_path):
    (tmp_path / "t.csv").write_bytes("a\nä\n".encode("latin-1"))

    with pytest.raises(ValueError):
        list(read_csv_rows(tmp_path / "t.csv"))

"""A longer CSV file keeps every byte of the old one."""

import csv
import gzip
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrview.claims.raw_csv import add_cells
from cxrview.errors import UsageError
from cxrview.sources.csv_rows import read_csv

cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=5)
)


def extended(source, out, new=("X,Y", "")):
    columns = read_csv(source, {"key": ()}).columns
    add_cells(source, out, columns, ["new", "more"], lambda row: new)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=tables,
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n"]),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_add_cells_keeps_each_cell(tmp_path, rows, quoting, end, separator):
    width = len(rows[0]) if rows else 2
    head = ["key", "view", "third", "fourth"][:width]
    text = io.StringIO(newline="")
    if any("\r" in cell for row in rows for cell in row):  # Python would not quote it
        quoting = csv.QUOTE_ALL
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([head, *rows])
    (tmp_path / "old.csv").write_bytes(text.getvalue().encode())

    extended(tmp_path / "old.csv", tmp_path / "new.csv")

    made = (tmp_path / "new.csv").read_bytes().decode()
    read = list(csv.reader(io.StringIO(made, newline=""), delimiter=separator))
    again = list(csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=separator))
    assert [row[:width] for row in read] == [row[:width] for row in again]
    assert all(row[width:] == ["X,Y", ""] for row in read[1:] if row)
    added = [separator.join(["", '"X,Y"' if separator == "," else "X,Y", ""]) + end]
    assert made.startswith(text.getvalue().split(end)[0] + f"{separator}new{separator}more")
    if rows and "" not in rows[-1]:
        assert made.endswith(added[0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("key,view\na,PA", "key,view,new,more\na,PA,1,\n"[:-1]),
        ("key,view,\r\na,PA,\r\n", "key,view,,new,more\r\na,PA,,1,\r\n"),
        ('key,view\n"a","P""A"\n', 'key,view,new,more\n"a","P""A",1,\n'),
        ("key,view\na\n\nb,LL\n", "key,view,new,more\na,,1,\n\nb,LL,1,\n"),
        ("sep=;\nkey;view\na;PA\n", "sep=;\nkey;view;new;more\na;PA;1;\n"),
        ("\ufeffkey,view\na,PA\n", "\ufeffkey,view,new,more\na,PA,1,\n"),
    ],
)
def test_add_cells_leaves_the_form_as_it_is(tmp_path, old, new):
    (tmp_path / "old.csv").write_bytes(old.encode())

    extended(tmp_path / "old.csv", tmp_path / "new.csv", ("1", ""))

    assert (tmp_path / "new.csv").read_bytes().decode() == new


def test_add_cells_reads_and_writes_gzip_and_utf_16(tmp_path):
    old = "key,view\na,PÄ\n".encode("utf-16")
    (tmp_path / "old.csv.gz").write_bytes(gzip.compress(old))

    extended(tmp_path / "old.csv.gz", tmp_path / "new.csv.gz", ("1", ""))
    extended(tmp_path / "old.csv.gz", tmp_path / "again.csv.gz", ("1", ""))

    new = gzip.decompress((tmp_path / "new.csv.gz").read_bytes())
    assert new == "key,view,new,more\na,PÄ,1,\n".encode("utf-16")
    assert (tmp_path / "new.csv.gz").read_bytes() == (tmp_path / "again.csv.gz").read_bytes()


@pytest.mark.parametrize("row", ["a,PA,one more\n", 'a,"PA\nb,PA\n', 'a,"PA'])
def test_add_cells_refuses_a_row_that_it_would_garble(tmp_path, row):
    (tmp_path / "old.csv").write_text("key,view\n" + row)

    with pytest.raises(UsageError, match=r"old\.csv: row 2"):
        extended(tmp_path / "old.csv", tmp_path / "new.csv")

    assert not (tmp_path / "new.csv").exists()

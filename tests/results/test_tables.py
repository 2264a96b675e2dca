"""The same rows in every format, read back by libraries that we did not write."""

import csv
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cxrview.errors import UsageError
from cxrview.records.classification import Failure, Instance, Prediction
from cxrview.results.columns import COLUMNS, failure_row, from_printable, prediction_row, printable
from cxrview.results.tables import (
    each_failure,
    each_row,
    read_rows,
    table_format,
    write_failures,
    write_table,
)
from cxrview.terms import Agreement, Decision, View

CLASSIFIED = Prediction(
    instance=Instance(
        path="a, b\n'c'.dcm", content_id="00", rows=2500, columns=2048, study_year=2014
    ),
    decision=Decision.CLASSIFIED,
    view=View.FRONTAL,
    pfi=99.98765,
    agreement=Agreement.SILENT,
    warnings=("first_of_frames:3", "odd_uid"),
    model_id="m-1",
)
SKIPPED = Prediction(
    instance=Instance(path="ct.dcm", content_id="01", modality="CT"), decision=Decision.SKIPPED
)
ROWS = [prediction_row(CLASSIFIED), prediction_row(SKIPPED)]


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_rows_come_back_as_they_went(tmp_path, ending):
    path = tmp_path / f"views.{ending}"

    write_table(path, ROWS)

    assert read_rows(path, 10) == ROWS
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
@given(names=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3))
@example(names=["cr\rname.dcm"])
@example(names=["\r", "\n", "\r\n", '"', " ", ",", "\u2028", "\ufeff"])
def test_any_text_in_a_path_comes_back(names, ending):
    rows = [ROWS[0] | {"path": f"/{name}"} for name in names] + ROWS[1:]
    with TemporaryDirectory() as folder:
        path = Path(folder, f"views.{ending}")

        write_table(path, rows)

        assert read_rows(path, 99) == rows


@given(name=st.text(st.characters(exclude_categories=["Cs"])))
@example(name="cr\rname.dcm")
def test_any_text_in_the_path_of_a_failure_comes_back(name):
    row = {"path": f"/{name}", "code": "truncated", "reason": "it ends", "advice": "Copy it"}
    with TemporaryDirectory() as folder:
        path = Path(folder, "views.failures.csv")

        write_failures(path, [row])

        assert list(each_failure(path)) == [row]


def test_the_columns_are_those_promised_and_in_their_order(tmp_path):
    write_table(tmp_path / "views.parquet", ROWS)
    write_table(tmp_path / "views.csv", ROWS)

    promised = [
        "path",
        "sop_instance_uid",
        "series_instance_uid",
        "study_instance_uid",
        "patient_key",
        "sop_class_uid",
        "modality",
        "body_part",
        "manufacturer",
        "manufacturer_model",
        "study_year",
        "photometric",
        "transfer_syntax",
        "rows",
        "columns",
        "frames",
        "header_view_position",
        "header_view_code",
        "header_view",
        "decision",
        "view",
        "pfi",
        "agreement",
        "warnings",
        "model_id",
        "chest",
        "content_id",
        *("projection", "projection_ap", "orientation", "rotation", "rotation_probability"),
        *("mirrored", "mirrored_probability", "inverted", "inverted_probability"),
    ]
    assert pq.read_table(tmp_path / "views.parquet").column_names == promised
    assert (
        pyarrow.csv.read_csv(
            tmp_path / "views.csv",
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        ).column_names
        == promised
    )


def test_pfi_is_rounded_to_a_thousandth_and_nothing_is_null():
    classified, skipped = ROWS

    assert (classified["pfi"], classified["warnings"]) == (99.988, "first_of_frames:3;odd_uid")
    assert (skipped["pfi"], skipped["view"], skipped["warnings"]) == (None, None, None)


def test_a_table_without_rows_has_its_columns_all_the_same(tmp_path):
    write_table(tmp_path / "views.parquet", [])
    write_table(tmp_path / "views.csv", [])

    assert pq.read_table(tmp_path / "views.parquet").column_names == list(COLUMNS)
    assert read_rows(tmp_path / "views.csv", 5) == read_rows(tmp_path / "views.parquet", 5) == []


def test_failures_keep_their_text(tmp_path):
    failure = Failure(path="b.dcm", code="truncated", reason='it "ends", early', advice="Copy it")

    write_failures(tmp_path / "f.csv", [failure_row(failure)])

    (row,) = csv.DictReader((tmp_path / "f.csv").read_text().splitlines())
    assert row == failure_row(failure)


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
@example(rb"back\xff" + b"\xff")
@example(rb"\x\x5c\xf")
def test_any_file_name_is_written_as_valid_text_and_comes_back(name):
    text = printable(os.fsdecode(name))

    assert json.loads(json.dumps(text)) == text
    assert from_printable(text) == os.fsdecode(name)
    assert text.encode("utf-8")


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(UsageError, match="does not end in .parquet, .csv or .jsonl"):
        table_format(tmp_path / "views.xlsx")


@pytest.mark.parametrize("name", ["views.parquet", "views.csv", "views.jsonl"])
def test_true_false_and_unknown_are_read_as_they_were_written(tmp_path, name):
    answers = [(True, False), (False, None), (None, True)]
    rows = [
        ROWS[0] | {"mirrored": one, "inverted": other, "rotation": 90} for one, other in answers
    ]

    write_table(tmp_path / name, rows)

    read = list(each_row(tmp_path / name))
    assert [(row["mirrored"], row["inverted"], row["rotation"]) for row in read] == [
        (*pair, 90) for pair in answers
    ]


def test_a_csv_cell_that_is_neither_true_nor_false_is_refused(tmp_path):
    write_table(tmp_path / "views.csv", [ROWS[0] | {"mirrored": True}])
    text = (tmp_path / "views.csv").read_text()
    (tmp_path / "views.csv").write_text(text.replace("true", "maybe"))

    with pytest.raises(UsageError):
        list(each_row(tmp_path / "views.csv"))


@pytest.mark.parametrize("name", ["v.parquet", "v.csv", "v.jsonl"])
def test_rows_that_pandas_wrote_have_the_types_of_the_columns(tmp_path, name):
    """It makes floats of integers where some are missing, and True of true."""
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    facts = {"decision": "classified", "rotation": 90, "mirrored": True, "pfi": 99.0}
    rows = [dict.fromkeys(COLUMNS) | {"path": "a"} | facts, dict.fromkeys(COLUMNS) | {"path": "b"}]
    rows[1] |= {"decision": "skipped", "frames": 1}
    write_table(tmp_path / "views.parquet", rows)
    table, path = pandas.read_parquet(tmp_path / "views.parquet"), tmp_path / name
    write = {"v.parquet": table.to_parquet, "v.csv": table.to_csv, "v.jsonl": table.to_json}[name]
    write(path, **({"orient": "records", "lines": True} if name == "v.jsonl" else {"index": False}))

    read = list(each_row(path))

    assert read == rows
    assert [type(row["rotation"]) for row in read] == [int, type(None)]

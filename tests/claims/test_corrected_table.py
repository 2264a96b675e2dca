"""The collection's own table again: same text, and what the images show beside it."""

import csv
import gzip
import io
import time
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxrview.claims.claimed_rows import ClaimSource
from cxrview.claims.collections import ClaimColumns, claim_columns
from cxrview.claims.corrected_table import (
    each_correction,
    plan_corrections,
    write_corrected_table,
)
from cxrview.errors import UsageError
from cxrview.terms import Projection, View
from fixtures.claim_tables import CHEXPERT, MIMIC, NIH

MIMIC_NAMES = [line.split(",")[0] for line in MIMIC.splitlines()[1:]]


def columns_of(path, *names):
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [tuple(row[name] for name in names) for row in rows]


def test_write_corrected_table_corrects_and_fills_mimic(result, table, tmp_path):
    shown = ["lateral", "lateral", "frontal", None, "frontal"]
    views = result({f"p10/{n}.jpg": v for n, v in zip(MIMIC_NAMES, shown, strict=True)})
    source = ClaimSource(table=table(MIMIC), columns=claim_columns("mimic-cxr-jpg"))

    done = write_corrected_table(views, source, tmp_path / "new.csv.gz")

    new = gzip.decompress((tmp_path / "new.csv.gz").read_bytes()).decode()
    names = ("ViewPosition", "ViewPosition_corrected", "cxrview_change", "cxrview_decision")
    assert columns_of(tmp_path / "new.csv.gz", *names) == [
        ("PA", "LATERAL", "corrected", "classified"),
        ("LATERAL", "LATERAL", "kept", "classified"),
        ("", "FRONTAL", "filled", "classified"),
        ("AP", "AP", "unchecked", "review"),
        ("LAO", "LAO", "other", "classified"),
    ]
    assert done.changes == {"corrected": 1, "kept": 1, "filled": 1, "unchecked": 1, "other": 1}
    for old_line, new_line in zip(MIMIC.splitlines(), new.splitlines(), strict=True):
        assert new_line.startswith(old_line + ",")


def test_write_corrected_table_uses_the_words_of_chexpert(result, table, tmp_path):
    folder = "/data/renamed/train"
    views = result(
        {
            f"{folder}/patient00001/study1/view1_frontal.jpg": "lateral",
            f"{folder}/patient00002/study1/view1_frontal.jpg": "frontal",
            f"{folder}/patient00002/study1/view2_lateral.jpg": "frontal",
        }
    )
    source = ClaimSource(table=table(CHEXPERT), columns=claim_columns("chexpert"))

    done = write_corrected_table(views, source, tmp_path / "new.csv")

    names = ("Frontal/Lateral_corrected", "cxrview_decision", "cxrview_pfi")
    assert columns_of(tmp_path / "new.csv", *names) == [
        ("Lateral", "classified", "0.5"),
        ("Frontal", "classified", "99.5"),
        ("Frontal", "classified", "99.5"),
        ("Frontal", "no_image", ""),
    ]
    assert done.problems == {"no_image": 1}


def test_write_corrected_table_keeps_the_odd_header_of_nih(result, table, tmp_path):
    views = result({"00000001_000.png": "frontal", "00000003_000.png": "lateral"})
    source = ClaimSource(table=table(NIH), columns=claim_columns("nih"))

    write_corrected_table(views, source, tmp_path / "new.csv")

    head, *rows = (tmp_path / "new.csv").read_text().splitlines()
    assert head.startswith(NIH.splitlines()[0] + ",View Position_corrected,")
    assert [row.split(",", 12)[-1].split(",")[0] for row in rows] == ["PA", "PA", "LATERAL"]


def test_write_corrected_table_counts_readers_labels(result, table, tmp_path):
    labelled = {"decision": "labelled", "view": "lateral", "pfi": 99.0}
    excluded = {"decision": "excluded", "view": None}
    views = result({"a.png": labelled, "b.png": excluded})
    source = ClaimSource(table=table("k,v\na,PA\nb,PA\n"), columns=ClaimColumns(key="k", view="v"))

    write_corrected_table(views, source, tmp_path / "new.csv")

    names = ("v_corrected", "cxrview_change", "cxrview_decision")
    assert columns_of(tmp_path / "new.csv", *names) == [
        ("lateral", "corrected", "labelled"),
        ("PA", "unchecked", "excluded"),
    ]


def test_write_corrected_table_corrects_each_row_of_a_key(result, table, tmp_path):
    """As where every finding of an image has a row, and the rows do not claim one view."""
    views = result({"a.png": "lateral"})
    source = ClaimSource(table=table("k,v\na,PA\na,LL\n"), columns=ClaimColumns(key="k", view="v"))

    done = write_corrected_table(views, source, tmp_path / "new.csv")

    assert columns_of(tmp_path / "new.csv", "v_corrected") == [("lateral",), ("LL",)]
    assert done.problems == {"several_views": 1}


@dataclass
class Said:
    view: View | None
    projection: Projection | None = None


class Persons:
    """By path."""

    def __init__(self, **said):
        self.said, self.is_checked = said, False

    def of(self, row):
        return self.said.get(row["path"].removesuffix(".png"))

    def check(self):
        self.is_checked = True
        return 0


def test_write_corrected_table_prefers_what_persons_say(result, table, tmp_path):
    views = result({f"{name}.png": "lateral" for name in "abcdefg"})
    persons = Persons(
        a=Said(View.FRONTAL, Projection.AP),
        b=Said(View.FRONTAL, Projection.AP),
        c=Said(View.FRONTAL, Projection.AP),
        d=Said(View.FRONTAL),
        e=Said(None),
        f=Said(View.LATERAL, Projection.RL),
    )
    text = "k,v\na,PA\nb,AP\nc,AP supine\nd,PA\ne,PA\nf,\ng,PA\n"
    source = ClaimSource(table=table(text), columns=ClaimColumns(key="k", view="v"))

    write_corrected_table(views, source, tmp_path / "new.csv", persons=persons)

    names = ("v_corrected", "cxrview_change", "cxrview_decision")
    assert columns_of(tmp_path / "new.csv", *names) == [
        ("AP", "corrected", "labelled"),
        ("AP", "kept", "labelled"),
        ("AP supine", "kept", "labelled"),
        ("PA", "kept", "labelled"),
        ("PA", "unchecked", "excluded"),
        ("RL", "filled", "labelled"),
        ("lateral", "corrected", "classified"),
    ]
    assert persons.is_checked


@pytest.mark.parametrize("decided", ["train/a.png", "valid/a.png"])
def test_write_corrected_table_takes_what_a_person_says_of_one_of_equal_files(
    result, table, tmp_path, decided
):
    same = {"view": "lateral", "content_id": "same"}
    views = result({"train/a.png": same, "valid/a.png": same})
    persons = Persons(**{decided.removesuffix(".png"): Said(View.FRONTAL)})
    source = ClaimSource(table=table("k,v\na,LL\n"), columns=ClaimColumns(key="k", view="v"))

    write_corrected_table(views, source, tmp_path / "new.csv", persons=persons)

    assert columns_of(tmp_path / "new.csv", "v_corrected") == [("frontal",)]


def test_write_corrected_table_refuses_different_decisions_about_equal_files(
    result, table, tmp_path
):
    same = {"view": "lateral", "content_id": "same"}
    views = result({"train/a.png": same, "valid/a.png": same})
    persons = Persons(**{"train/a": Said(View.FRONTAL), "valid/a": Said(None)})
    source = ClaimSource(table=table("k,v\na,LL\n"), columns=ClaimColumns(key="k", view="v"))

    with pytest.raises(UsageError, match="equal content, a"):
        write_corrected_table(views, source, tmp_path / "new.csv", persons=persons)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_each_correction_says_what_would_be_written(result, table, tmp_path, ending):
    views = result({"a.png": "lateral"})
    path = table("k,v\na,PA\nb,AP\n")
    if ending == "parquet":
        path = tmp_path / "table.parquet"
        pq.write_table(pa.table({"k": ["a", "b"], "v": ["PA", "AP"]}), path)
    source = ClaimSource(table=path, columns=ClaimColumns(key="k", view="v"))

    planned = plan_corrections(views, source)
    found = [(key, old, new.view) for key, old, new in each_correction(source, planned)]

    assert found == [("a", "PA", "lateral"), ("b", "AP", "AP")]
    assert planned.changes == {"corrected": 1, "unchecked": 1}


def test_write_corrected_table_keeps_types_of_parquet(result, tmp_path):
    views = result({"1.png": "lateral", "2.png": "frontal"})
    old = pa.table({"id": [1, 2, 3], "v": ["PA", None, "AP"], "size": [1.5, None, 2.5]})
    old = old.replace_schema_metadata({"made by": "a hospital"})
    pq.write_table(old, tmp_path / "old.parquet")
    source = ClaimSource(table=tmp_path / "old.parquet", columns=ClaimColumns(key="id", view="v"))

    write_corrected_table(views, source, tmp_path / "new.parquet")

    new = pq.read_table(tmp_path / "new.parquet")
    assert new.select(["id", "v", "size"]).equals(old)
    assert new.schema.metadata == old.schema.metadata
    assert new["v_corrected"].to_pylist() == ["lateral", "frontal", "AP"]
    assert new["cxrview_pfi"].to_pylist() == [0.5, 99.5, None]


@pytest.mark.parametrize("out", ["table.csv", "new.parquet", "missing/new.csv"])
def test_write_corrected_table_refuses_a_name(result, table, tmp_path, out):
    source = ClaimSource(table=table("k,v\na,PA\n"), columns=ClaimColumns(key="k", view="v"))

    with pytest.raises(UsageError):
        write_corrected_table(result({"a.png": "lateral"}), source, tmp_path / out)

    assert (tmp_path / "table.csv").read_text() == "k,v\na,PA\n"


def test_write_corrected_table_refuses_a_corrected_table(result, table, tmp_path):
    views, columns = result({"a.png": "lateral"}), ClaimColumns(key="k", view="v")
    source = ClaimSource(table=table("k,v\na,PA\n"), columns=columns)
    write_corrected_table(views, source, tmp_path / "new.csv")

    with pytest.raises(UsageError, match="v_corrected"):
        write_corrected_table(
            views, ClaimSource(table=tmp_path / "new.csv", columns=columns), tmp_path / "newer.csv"
        )


def test_write_corrected_table_refuses_a_result_of_other_images(result, table, tmp_path):
    source = ClaimSource(table=table(NIH), columns=claim_columns("nih"))

    with pytest.raises(UsageError, match="Image Index"):
        write_corrected_table(result({"x.png": "frontal"}), source, tmp_path / "new.csv")


@pytest.mark.slow
def test_twenty_thousand_rows_take_seconds(result, table, tmp_path):
    text = io.StringIO()
    text.write("dicom_id,subject_id,study_id,ViewPosition\n")
    text.writelines(f"{n:044x},{n // 4},{n // 2},PA\n" for n in range(20_000))
    views = result({f"files/p{n // 4}/{n:044x}.jpg": "frontal" for n in range(20_000)})
    source = ClaimSource(table=table(text.getvalue()), columns=claim_columns("mimic-cxr-jpg"))
    began = time.process_time()

    done = write_corrected_table(views, source, tmp_path / "new.csv")

    assert done.changes == {"kept": 20_000}
    assert time.process_time() - began < 12

"""What persons decided, in place of what a result proposes."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxrview.errors import UsageError
from cxrview.records.review_decision import ReviewDecision
from cxrview.terms import Projection, Ruling, View
from cxrview.writeback.finding import select_findings
from cxrview.writeback.person_views import (
    PersonView,
    PersonViews,
    digest_of,
    read_settled_labels,
    views_of_decisions,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE, OTHER = "0" * 32, "1" * 32


def row(path: str, **facts: object) -> dict[str, object]:
    known = {
        "sop_instance_uid": "1.2",
        "series_instance_uid": None,
        "study_instance_uid": None,
        "sop_class_uid": None,
        "modality": "CR",
        "transfer_syntax": None,
        "header_view_position": "PA",
        "header_view": "frontal",
        "decision": "classified",
        "view": "lateral",
        "pfi": 0.1,
        "agreement": "disagrees",
        "model_id": "m",
        "content_id": HERE,
        "view_origin": None,
    }
    return known | {"path": path} | facts


def decided(path: str, decision: Ruling, **facts: object) -> ReviewDecision:
    known = {"proposed": View.LATERAL, "decided_at": NOON, "reader": "r"}
    return ReviewDecision(path=path, decision=decision, **(known | facts))


def test_views_of_decisions_gives_a_view_only_where_a_person_named_one():
    views = views_of_decisions(
        [
            decided("a", Ruling.ACCEPT, view=View.LATERAL, projection=Projection.LL),
            decided("b", Ruling.REJECT, view=View.FRONTAL),
            decided("c", Ruling.REJECT),
            decided("d", Ruling.UNREADABLE),
        ]
    )

    assert [(one.view, one.projection, one.reason) for one in views] == [
        (View.LATERAL, Projection.LL, ""),
        (View.FRONTAL, None, ""),
        (None, None, "rejected"),
        (None, None, "unreadable"),
    ]


def test_select_findings_replaces_what_the_model_proposes():
    persons = PersonViews(
        views_of_decisions(
            [
                decided("/a/1", Ruling.ACCEPT, view=View.LATERAL, projection=Projection.RL),
                decided("/a/2", Ruling.UNREADABLE),
                decided("/a/3", Ruling.REJECT, view=View.FRONTAL),
            ]
        )
    )
    rows = [
        row("/a/1", decision="review", view=None, agreement=None),
        row("/a/2"),
        row("/a/3"),
        row("/a/4", content_id="4"),
    ]

    selection = select_findings(rows, persons)

    assert [(f.path, f.view, f.projection, f.is_of_person) for f in selection.findings] == [
        ("/a/1", View.LATERAL, Projection.RL, True),
        ("/a/4", View.LATERAL, None, False),
    ]
    assert selection.left_out == {"unreadable": 1, "already_right": 1}


def test_select_findings_writes_a_projection_that_the_header_does_not_have():
    person = PersonView(path="/a/1", view=View.FRONTAL, projection=Projection.AP)

    (one,) = select_findings([row("/a/1")], PersonViews([person])).findings
    right = select_findings([row("/a/1", header_view_position="AP")], PersonViews([person]))

    assert one.projection is Projection.AP
    assert right.left_out == {"already_right": 1}


@pytest.mark.parametrize(
    "decision",
    [
        PersonView(path="/a/missing", view=View.FRONTAL),
        PersonView(path="/a/1", content_id=OTHER, view=View.FRONTAL),
    ],
)
def test_a_decision_about_an_image_of_another_table_is_named(decision):
    with pytest.raises(UsageError, match=decision.path):
        select_findings([row("/a/1")], PersonViews([decision]))


def test_a_decision_is_found_by_a_relative_path():
    person = PersonView(path="sub/1", view=View.FRONTAL)

    assert PersonViews([person], "/a").of(row("/a/sub/1")) is person


def test_of_a_label_and_a_decision_the_later_counts():
    label = PersonView(path="/a/1", view=View.FRONTAL, is_label=True)
    decision = PersonView(path="/a/1", view=View.LATERAL)

    assert PersonViews([label, decision]).of(row("/a/1")) is decision


def test_labels_may_hold_other_archives_but_not_only_these():
    here = PersonView(path="/a/1", view=View.LATERAL, is_label=True)
    elsewhere = PersonView(path="/b/1", view=View.LATERAL, is_label=True)

    selection = select_findings([row("/a/1")], PersonViews([here, elsewhere]))

    assert selection.left_out == {"labels_of_other_files": 1}
    with pytest.raises(UsageError, match="--root"):
        select_findings([row("/a/1")], PersonViews([elsewhere]))


LABELS = [("x.dcm", "frontal", "PA"), ("sub/y.dcm", "lateral", "lateral"), ("z.dcm", "no-view", "")]


def write_csv_labels(folder: Path) -> Path:
    lines = ["file,patient,view,label", *(f"{file},p,{view},{word}" for file, view, word in LABELS)]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder / "labels.csv"


def write_parquet_labels(folder: Path) -> Path:
    names = ("file", "view", "label")
    rows = [dict(zip(names, (cell or None for cell in one), strict=True)) for one in LABELS]
    pq.write_table(pa.Table.from_pylist(rows), folder / "labels.parquet")
    return folder / "labels.parquet"


@pytest.mark.parametrize("write", [write_csv_labels, write_parquet_labels])
def test_read_settled_labels_knows_projections(tmp_path, write):
    views = read_settled_labels(write(tmp_path))

    assert [(one.path, one.view, one.projection, one.reason) for one in views] == [
        (str(tmp_path / "x.dcm"), View.FRONTAL, Projection.PA, ""),
        (str(tmp_path / "sub/y.dcm"), View.LATERAL, None, ""),
        (str(tmp_path / "z.dcm"), None, None, "no_view"),
    ]


@pytest.mark.parametrize("name", ["labels.csv", "labels.parquet"])
def test_read_settled_labels_refuses_other_tables(tmp_path, name):
    with pytest.raises(UsageError, match=name):
        read_settled_labels(tmp_path / name)
    if name.endswith("csv"):
        (tmp_path / name).write_text("file,view\nx,frontal\n")
    else:
        pq.write_table(pa.table({"file": ["x"], "view": ["frontal"]}), tmp_path / name)
    with pytest.raises(UsageError, match="label"):
        read_settled_labels(tmp_path / name)


def test_digest_of_differs_with_the_decisions():
    one = PersonView(path="/a/1", view=View.FRONTAL)
    other = PersonView(path="/a/1", view=View.LATERAL)

    assert digest_of([]) == ""
    assert digest_of([one]) != digest_of([other])

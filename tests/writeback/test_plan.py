"""Which file becomes which copy."""

from pathlib import Path

import pytest

from cxrview.errors import UsageError
from cxrview.terms import Projection, View
from cxrview.writeback.finding import Finding, select_findings
from cxrview.writeback.person_views import PersonView, PersonViews
from cxrview.writeback.plan import plan_write_back

ROW = {
    "path": "/a/1.dcm",
    "sop_instance_uid": "1.2",
    "series_instance_uid": "1.2.1",
    "study_instance_uid": "1.2.2",
    "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1",
    "modality": "CR",
    "transfer_syntax": "1.2.840.10008.1.2.1",
    "decision": "classified",
    "view": "lateral",
    "pfi": 0.1,
    "agreement": "disagrees",
    "model_id": "m",
    "content_id": "0" * 32,
    "view_origin": None,
}


def finding(path: str, uid: str = "", content: str = "", view: View = View.LATERAL, **facts):
    known = {"series_instance_uid": "s", "study_instance_uid": "t", "modality": "CR"}
    return Finding(
        path=path, sop_instance_uid=uid, content_id=content, view=view, **(known | facts)
    )


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"decision": "review", "view": None}, "review"),
        ({"decision": "not_chest", "view": None}, "not_chest"),
        ({"decision": "skipped", "view": None}, "skipped"),
        ({"decision": "excluded", "view": None}, "excluded"),
        ({"agreement": "agrees"}, "already_right"),
        (
            {"sop_instance_uid": None, "sop_class_uid": None, "transfer_syntax": None},
            "not_dicom",
        ),
    ],
)
def test_select_findings_leaves_out_what_nobody_decided_or_needs(facts, reason):
    selection = select_findings([ROW | facts])

    assert selection.findings == ()
    assert selection.left_out == {reason: 1}


@pytest.mark.parametrize("agreement", ["disagrees", "silent"])
def test_select_findings_takes_what_the_header_misses(agreement):
    (one,) = select_findings([ROW | {"agreement": agreement}]).findings

    assert (one.view, one.is_of_person, one.decided_by) == (View.LATERAL, False, "model m")


def test_select_findings_takes_a_readers_label():
    labelled = ROW | {"decision": "labelled", "view_origin": "adjudicated"}

    (one,) = select_findings([labelled]).findings

    assert one.is_of_person


@pytest.mark.parametrize(
    ("facts", "projection"),
    [
        ({"view": "frontal", "projection": "AP"}, Projection.AP),
        ({"view": "frontal", "projection": None}, None),
        ({"view": "frontal"}, None),
        ({"view": "lateral", "projection": "AP"}, None),
        ({"view": "frontal", "projection": "AP", "view_origin": "agreed"}, None),
    ],
)
def test_select_findings_takes_the_projection_of_a_frontal_that_the_model_decided(
    facts, projection
):
    (one,) = select_findings([ROW | facts]).findings

    assert (one.projection, one.model_projection) == (None, projection)


@pytest.mark.parametrize(("said", "reason"), [(None, "rejected"), (View.FRONTAL, "already_right")])
@pytest.mark.parametrize("decided", ["/a/1.dcm", "/a/2.dcm"])
def test_select_findings_writes_no_view_of_the_model_against_a_person_on_an_equal_file(
    said, reason, decided
):
    rows = [ROW | {"path": path, "header_view": "frontal"} for path in ("/a/1.dcm", "/a/2.dcm")]
    person = PersonView(path=decided, view=said, reason="rejected")

    selection = select_findings(rows, PersonViews([person]))

    assert selection.findings == ()
    assert selection.left_out == {reason: 1, "equal_file_decided": 1}


def test_plan_write_back_keeps_the_tree(tmp_path):
    plan = plan_write_back([finding("/a/x/1.dcm", "1"), finding("/a/y/z/2.dcm", "2")], tmp_path)

    assert plan.source_folder == "/a"
    assert [plan.target_of(one) for one in plan.findings] == [
        tmp_path / "x/1.dcm",
        tmp_path / "y/z/2.dcm",
    ]


def test_plan_write_back_takes_one_of_equal_files_and_none_of_contradicting_ones(tmp_path):
    equal = [finding("/a/1", "1", "same"), finding("/a/2", "1", "same")]
    contradicting = [finding("/a/3", "2", "one"), finding("/a/4", "2", "other")]

    plan = plan_write_back([*contradicting, *equal], tmp_path)

    assert [one.path for one in plan.findings] == ["/a/1"]
    assert {(one.path, one.code) for one in plan.refused} == {
        (path, "duplicate_sop_instance_uid") for path in ("/a/2", "/a/3", "/a/4")
    }


def test_plan_write_back_takes_the_equal_file_that_a_person_decided(tmp_path):
    model = finding("/a/1", "1", "same", View.FRONTAL)
    person = finding("/a/2", "1", "same", is_of_person=True)
    precise = finding("/a/3", "1", "same", is_of_person=True, projection=Projection.LL)

    plan = plan_write_back([model, person, precise], tmp_path)

    assert [one.path for one in plan.findings] == ["/a/3"]
    assert {(one.path, one.advice) for one in plan.refused} == {
        (path, "Nothing to do: that file is written") for path in ("/a/1", "/a/2")
    }


def test_plan_write_back_refuses_equal_files_that_persons_decided_differently(tmp_path):
    one = finding("/a/1", "1", "same", View.FRONTAL, is_of_person=True)
    other = finding("/a/2", "1", "same", is_of_person=True)

    plan = plan_write_back([one, other], tmp_path)

    assert plan.findings == ()
    assert {one.advice for one in plan.refused} == {"Decide the same for both files"}


@pytest.mark.parametrize("out", ["archive/out", "archive", "."])
def test_plan_write_back_refuses_an_out_that_overlaps_the_input(tmp_path, out):
    films = [finding(str(tmp_path / "archive" / name), name) for name in ("1", "2")]

    with pytest.raises(UsageError, match="lie in one another"):
        plan_write_back(films, tmp_path / out)


def test_plan_write_back_refuses_a_remote_file():
    plan = plan_write_back([finding("s3://films/1.dcm")], Path("/out"))

    assert (plan.findings, plan.refused[0].code) == ((), "not_local")


@pytest.mark.parametrize(
    ("facts", "both"),
    [
        ({"view": "frontal"}, ("1.2.1",)),
        ({"view": "frontal", "agreement": "agrees"}, ("1.2.1",)),
        ({"view": "frontal", "modality": "DX"}, ()),
        ({"view": "frontal", "series_instance_uid": "1.2.9"}, ()),
        ({"view": None, "decision": "review"}, ()),
        ({"view": "lateral"}, ()),
    ],
)
def test_select_findings_names_cr_series_with_both_views(facts, both):
    """Also where the header of one of the images is right already."""
    selection = select_findings([ROW, ROW | {"path": "/a/2.dcm"} | facts])

    assert selection.both_views == both


def test_select_findings_counts_the_views_of_persons_by_series():
    rows = [ROW, ROW | {"path": "/a/2.dcm", "header_view": None}]
    person = PersonView(path="/a/2.dcm", view=View.FRONTAL)

    assert select_findings(rows, PersonViews([person])).both_views == ("1.2.1",)

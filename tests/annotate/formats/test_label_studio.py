"""Label Studio's exports, in the forms that its own pages give."""

import json
from datetime import UTC, datetime

import pytest

from cxrview.annotate.formats.label_studio import read_label_studio
from cxrview.errors import UsageError


def annotation(*choices, **changed):
    """As in https://labelstud.io/guide/task_format, with choices for boxes."""
    return {
        "id": "1001",
        "result": [
            {
                "from_name": "view",
                "id": "Dx_aB91ISN",
                "to_name": "image",
                "type": "choices",
                "value": {"choices": [choice]},
            }
            for choice in choices
        ],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2021-03-09T22:16:08.728353Z",
        "updated_at": "2021-03-09T22:16:08.728378Z",
        "lead_time": 4.288,
        "task": 1,
        "completed_by": 10,
    } | changed


def read(tmp_path, *tasks):
    path = tmp_path / "export.json"
    path.write_text(json.dumps(list(tasks)))
    return read_label_studio(path)


def task(image, *annotations):
    return {"id": 7, "data": {"image": image}, "annotations": list(annotations), "predictions": []}


def test_each_annotator_says_one_thing_of_a_task(tmp_path):
    by_mail = annotation("lateral", completed_by={"id": 11, "email": "ben@example.org"})

    first, second = read(tmp_path, task("a.png", annotation("frontal"), by_mail))

    assert (first.where, first.file, first.reader, first.says) == (
        "task 7",
        "a.png",
        "label-studio-10",
        "frontal",
    )
    assert first.made == datetime(2021, 3, 9, 22, 16, 8, 728378, UTC)
    assert first.milliseconds == 4288
    assert (second.reader, second.says) == ("ben@example.org", "lateral")


def test_a_cancelled_annotation_is_an_exclusion(tmp_path):
    (one,) = read(tmp_path, task("a.png", annotation(was_cancelled=True)))

    assert (one.says, one.reason) == ("", "other")


@pytest.mark.parametrize(
    ("image", "file"),
    [
        ("/data/local-files/?d=here/a%20b.png", "here/a b.png"),
        ("/data/upload/3/0a1b2c3d-a.png", "a.png"),
        ("http://studio/data/upload/3/0a1b2c3d-a.png?x=1", "a.png"),
        ("s3://bucket/here/a.png", "s3://bucket/here/a.png"),
    ],
)
def test_a_file_has_the_name_that_it_had_before(tmp_path, image, file):
    (one,) = read(tmp_path, task(image, annotation("frontal")))

    assert one.file == file


def test_the_short_export_is_read_too(tmp_path):
    short = {
        "image": "/data/upload/3/0a1b2c3d-a.png",
        "id": 7,
        "choice": "frontal",
        "annotator": 10,
        "annotation_id": 1001,
        "created_at": "2021-03-09T22:16:08.728353Z",
        "lead_time": 4.288,
    }

    (one,) = read(tmp_path, short)

    assert (one.file, one.reader, one.says) == ("a.png", "label-studio-10", "frontal")


def test_readings_come_in_the_order_in_which_they_were_made(tmp_path):
    late = annotation("lateral", updated_at="2021-03-10T00:00:00Z")

    found = read(tmp_path, task("a.png", late), task("b.png", annotation("frontal")))

    assert [one.file for one in found] == ["b.png", "a.png"]


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        ([task("a.png", annotation("frontal", "lateral"))], "task 7: an annotation has several"),
        ([task("a.png", annotation())], "task 7: an annotation has no choice"),
        ([task("", annotation("frontal"))], "task 7: its data have neither file nor image"),
        ([{"id": 7, "annotations": [annotation("frontal")]}], "task 7: not in Label Studio's form"),
        ([{"id": 7, "annotator": 1}], "task 7: its data have neither file nor image"),
        (["a.png"], "is not an export of Label Studio"),
    ],
)
def test_what_says_no_one_thing_is_refused_by_its_task(tmp_path, tasks, why):
    with pytest.raises(UsageError, match=why):
        read(tmp_path, *tasks)


def test_what_is_no_json_is_refused(tmp_path):
    (tmp_path / "export.json").write_text("{")

    with pytest.raises(UsageError, match="is no JSON"):
        read_label_studio(tmp_path / "export.json")

"""Which key is of which image."""

import sys

import pytest

from cxrview.claims.claim_table import Claim, ClaimTable
from cxrview.claims.collections import ClaimColumns
from cxrview.claims.match import KeyProblem, match_claims

COLUMNS = ClaimColumns(key="key", view="view")
ROOTED = ClaimColumns(key="key", view="view", has_root_folder=True)


def rows(*paths, **facts):
    return [{"path": path, "sop_instance_uid": None, "content_id": path} | facts for path in paths]


def matched(keys, paths, failed=(), folder="/archive", columns=COLUMNS):
    claims = tuple(Claim(key=key, text="PA") for key in keys)
    table = ClaimTable(path="t.csv", columns=columns, claims=claims, rows=len(claims))
    made = paths if paths and isinstance(paths[0], dict) else rows(*paths)
    found = match_claims(table, made, failed, folder)
    return [one.key if one else None for one in found.claims()], found.problems


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("02aa804e-bde0", "files/p10/p10000032/s50414267/02aa804e-bde0.jpg"),
        ("00000001_000.png", "images_001/images/00000001_000.png"),
        ("00000001_000.png", "converted/00000001_000.JPG"),
        ("train/patient00001/study1/view1.jpg", "/other/train/patient00001/study1/view1.jpg"),
        ("./train/view1.jpg", "train/view1.jpg"),
        ("train/view1.jpg", "zip://train/view1.jpg::/data/films.zip"),
        ("p10/film", "s3://bucket/files/p10/film.jpg"),
        ("1.2.840.113", "study/1.2.840.113"),
        ("1.2.840.113.5", "study/1.2.840.113.5.dcm"),
        ("train\\view1.jpg", "/data/train/view1.jpg"),
    ],
)
def test_match_claims_finds_the_image_of_a_key(key, path):
    assert matched([key], [path]) == ([key], {})


@pytest.mark.parametrize("separator", ["/", "\\"])
def test_match_claims_leaves_out_the_folder_of_a_collection(separator):
    key = separator.join(["CheXpert-v1.0-small", "train", "patient1", "view1.jpg"])
    paths = ["/data/chexpert/train/patient1/view1.jpg"]

    assert matched([key], paths, columns=ROOTED)[0] == [key]
    assert matched([key], paths)[0] == [None]


def test_match_claims_leaves_a_folder_where_it_leaves_out_the_first():
    paths = ["/data/patient1/view1.jpg"]

    assert matched(["patient2/view1.jpg"], paths, columns=ROOTED)[0] == [None]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("patient00002/study1/view1.jpg", "patient00001/study1/view1.jpg"),
        ("CheXpert/patient00002/view1.jpg", "CheXpert/patient00001/view1.jpg"),
        ("patient00002/view1.jpg", "patient00001/view1.jpg"),
        ("1.2.840.113", "study/1.2.840.dcm"),
        ("000_000.png", "00000_000.png"),
    ],
)
def test_match_claims_takes_no_image_of_another_patient(key, path):
    assert matched([key], [path]) == ([None], {key: KeyProblem.NO_IMAGE})


def test_match_claims_finds_a_sop_instance_uid():
    images = rows("IM0001", sop_instance_uid="1.2.3")

    assert matched(["1.2.3"], images) == (["1.2.3"], {})


def test_match_claims_prefers_the_longer_path():
    """Two patients' files of one name, and a table with the same folders twice."""
    keys = ["a/train/p1/view1.jpg", "a/p1/view1.jpg"]

    assert matched(keys, ["/d/a/train/p1/view1.jpg"])[0] == ["a/train/p1/view1.jpg"]


def test_match_claims_prefers_the_same_ending():
    assert matched(["x.png", "x.jpg"], ["x.jpg", "x.png"]) == (["x.jpg", "x.png"], {})


def test_match_claims_refuses_a_key_of_different_images():
    keys, problems = matched(["view1.jpg", "other"], ["p1/view1.jpg", "p2/view1.jpg", "other.png"])

    assert keys == [None, None, "other"]
    assert problems == {"view1.jpg": KeyProblem.SEVERAL_IMAGES}


def test_match_claims_takes_copies_of_one_image():
    images = rows("one/film.png", "two/film.png", content_id="the same")

    assert matched(["film"], images) == (["film", "film"], {})


def test_match_claims_refuses_two_keys_of_one_image():
    keys, problems = matched(["film.png", "archive/../film.png", "./film.png"], ["film.png"])

    assert keys == [None]
    assert problems["film.png"] == problems["./film.png"] == KeyProblem.SEVERAL_KEYS


def test_match_claims_tells_unreadable_files_from_missing_ones():
    _, problems = matched(["a", "b", "c"], ["a.png"], failed=["b.png"])

    assert problems == {"b": KeyProblem.UNREADABLE, "c": KeyProblem.NO_IMAGE}


def test_match_claims_looks_at_each_key_once_where_all_files_have_one_name():
    def calls(patients):
        keys = [f"train/patient{number:05}/study1/view1_frontal.jpg" for number in range(patients)]
        made = 0

        def count(*_):
            nonlocal made
            made += 1

        sys.setprofile(count)
        try:
            found, problems = matched(keys, [f"/data/{key}" for key in keys])
        finally:
            sys.setprofile(None)
        assert (found, problems) == (keys, {})
        return made

    assert calls(400) < 3 * calls(200)

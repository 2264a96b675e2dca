"""Sorted by their place, paths stand as the finder gives them."""

import json
import os
from pathlib import Path

import pytest

from cxrview.image import find_images
from cxrview.results.columns import from_printable, printable
from cxrview.sources.order import FoundOrder
from cxrview.sources.paths import absolute

NAMES = [
    b"d\xe9/x/1",
    "dé/x/1".encode(),
    b"\xff..dcm",
    "\uffcf.dcm".encode(),
    "😀.dcm".encode(),
    b"back\\xff.dcm",
    b"back\\x5cxff.dcm",
    b"back\xff.dcm",
    b"a::b",
    b"a::b.d/1",
    b"a/0",
    b"a.b/1.dcm",
    b"a.d/2.dcm",
    b"z/1.dcm",
    b"b/.hidden/1.dcm",
    b"b/c/d/1.dcm",
    b"b/c.dcm",
    b"b/c0",
    b"star*.dcm",
    b"cr\rname",
    b"=1",
    b"-",
]
ARGUMENTS = [
    ["."],
    ["b", "."],
    ["*.dcm", "b", "."],
    [".", "*.dcm"],
    ["b/c/d/1.dcm", "*", "b"],
    ["**/*.dcm", "."],
    ["**/1.dcm", "b/c*", "a*"],
    ["star*.dcm", "."],
    ["?", "."],
    ["./a.b/../b", "file://{here}/a.b", "."],
]


@pytest.fixture
def archive(tmp_path, monkeypatch) -> Path:
    for name in NAMES:
        path = tmp_path / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=" ".join)
def test_a_run_is_put_into_its_order_again(archive, arguments):
    arguments = [argument.format(here=archive) for argument in arguments]
    found = list(dict.fromkeys(absolute(path) for path in find_images(arguments)))
    order = FoundOrder(json.dumps([absolute(argument) for argument in arguments]))

    again = sorted(map(printable, found), key=lambda p: order.place_of(from_printable(p)))

    assert [from_printable(path) for path in again] == found


def test_files_of_a_list_stand_where_it_was_named():
    order = FoundOrder(json.dumps(["/a", "-", "/b"]))

    assert sorted(["/b/1", "/c/1", "/a/1"], key=order.place_of) == ["/a/1", "/c/1", "/b/1"]


def test_urls_are_sorted_name_by_name():
    urls = ["zip://x/a/1.dcm::file:///f.zip", "zip://x/a.dcm::file:///f.zip", "s3://b/a/1"]
    order = FoundOrder(json.dumps(["s3://b/a", "zip://**::file:///f.zip"]))

    assert sorted(urls, key=order.place_of) == ["s3://b/a/1", *urls[:2]]


@pytest.mark.parametrize("arguments", ["", "views", "{}", "[1]", "null"])
def test_without_arguments_it_is_by_name(arguments):
    order = FoundOrder(arguments)

    assert sorted(["/b", "/a.b/1", "/a/1"], key=order.place_of) == ["/a/1", "/a.b/1", "/b"]

import json

import pytest

from cxrview.errors import CannotWrite, UsageError
from cxrview.json_file import read_about, read_json, write_json


def test_write_json_is_undone_by_read_json(tmp_path):
    content = {"name": "Ä", "counts": [1, 2.5, None], "nested": {"done": True}}

    write_json(tmp_path / "one.json", content)

    assert read_json(tmp_path / "one.json") == content
    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]


@pytest.mark.parametrize("text", ["", "[]", "3", "{"])
def test_read_json_refuses_other_content(tmp_path, text):
    (tmp_path / "one.json").write_text(text)

    with pytest.raises(ValueError):
        read_json(tmp_path / "one.json")


def test_write_json_turns_disk_errors_into_cannot_write(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(CannotWrite):
        write_json(tmp_path / "file" / "one.json", {})


def test_read_about_gives_none_without_file(tmp_path):
    assert read_about(tmp_path / "about.json", version=1, what="a store") is None


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"complete": "yes"}, {"variants": None, "seed": 1}, None]
)
def test_read_about_refuses_other_stores(tmp_path, change):
    about = {"format": 1, "complete": True, "seed": 1}
    text = "no JSON" if change is None else json.dumps(about | change)
    (tmp_path / "about.json").write_text(text)

    with pytest.raises(UsageError, match="about.json"):
        read_about(tmp_path / "about.json", version=1, needs=("files",), what="a store")


def test_read_about_gives_known_store(tmp_path):
    about = {"format": 1, "complete": False, "files": []}
    write_json(tmp_path / "about.json", about)

    assert read_about(tmp_path / "about.json", version=1, needs=("files",), what="a store") == about

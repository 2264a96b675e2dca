"""Lists of images, in every form."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxrview.annotate.image_list import iter_listed_images
from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS, printable
from cxrview.results.tables import write_table

ROWS = [{"path": "a.png", "ward": "east"}, {"path": "b.png", "ward": None}]


def written(tmp_path, ending):
    path = tmp_path / f"list.{ending}"
    if ending == "csv":
        path.write_text("path,ward\na.png,east\nb.png,\n")
    elif ending == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_every_form_gives_every_column(tmp_path, ending):
    assert list(iter_listed_images(written(tmp_path, ending))) == ROWS


def test_a_folder_of_parts_is_one_list(tmp_path):
    for part in ("1", "2"):
        pq.write_table(pa.Table.from_pylist([{"path": part}]), tmp_path / f"{part}.parquet")

    assert [row["path"] for row in iter_listed_images(tmp_path)] == ["1", "2"]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("columns", [None, ()])
def test_a_result_names_files_whose_names_are_not_valid_text(tmp_path, ending, columns):
    path = os.fsdecode(b"/films/caf\xe9 \\x41.dcm")
    row = dict.fromkeys(COLUMNS) | {"path": printable(path), "decision": "classified"}
    write_table(tmp_path / f"views.{ending}", [row])

    (found,) = iter_listed_images(tmp_path / f"views.{ending}", columns)

    assert found["path"] == path


def test_a_list_without_decisions_names_files_as_they_are(tmp_path):
    (tmp_path / "list.csv").write_text("path\n/films/\\x41.dcm\n")

    (found,) = iter_listed_images(tmp_path / "list.csv")

    assert found["path"] == "/films/\\x41.dcm"


def test_files_are_named_from_their_list_and_paths_as_they_stand(tmp_path):
    long = "x" * 300  # no disk takes it: opening it reports the reason
    (tmp_path / "list.csv").write_text(f"file\nhere/a.png\ns3://bucket/b.png\n{long}\n")

    paths = [row["path"] for row in iter_listed_images(tmp_path / "list.csv")]

    assert paths == [str(tmp_path / "here/a.png"), "s3://bucket/b.png", str(tmp_path / long)]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("list.csv", "ward\neast\n", "names no images"),
        ("list.csv", "path,ward\na.png,east,west\n", "is not a valid file of the format"),
        ("list.csv", "path,ward\n,east\n", "is not a valid file of the format"),
        ("list.parquet", "path\na.png\n", "is not a valid file of the format"),
        ("list.jsonl", "{", "is not a valid file of the format"),
        ("list.txt", "a.png", "does not end in"),
        ("nothing.csv", None, "does not exist"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, name, content, why):
    if content is not None:
        (tmp_path / name).write_text(content)

    with pytest.raises(UsageError, match=why):
        list(iter_listed_images(tmp_path / name))

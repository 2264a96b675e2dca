"""Paths of a run from a Parquet file, a CSV file or a list."""

import gzip

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxrview.cluster.manifest import read_manifest
from cxrview.errors import UsageError

PATHS = ["/a/1.dcm", "s3://bucket/2.dcm", "b/3 [x].dcm"]


@pytest.mark.parametrize("column", ["path", "file", "Image_Path"])
def test_parquet(tmp_path, column):
    file = tmp_path / "all.parquet"
    pq.write_table(pa.table({"other": [1, 2, 3, 4], column: [*PATHS, None]}), file)

    assert list(read_manifest(str(file))) == PATHS


def test_csv(tmp_path):
    text = "other;path\n" + "".join(f"1;{path}\n" for path in PATHS)
    (tmp_path / "all.csv").write_text(text)
    (tmp_path / "all.csv.gz").write_bytes(gzip.compress(text.encode()))

    assert list(read_manifest(f"{tmp_path}/all.csv")) == PATHS
    assert list(read_manifest(f"{tmp_path}/all.csv.gz")) == PATHS


def test_list(tmp_path):
    (tmp_path / "all.txt").write_text("\n".join([*PATHS, ""]) + "\r\n")

    assert list(read_manifest(f"{tmp_path}/all.txt")) == PATHS


@pytest.mark.parametrize("ending", ["parquet", "csv", "txt"])
def test_url(tmp_path, ending):
    file = tmp_path / f"all.{ending}"
    if ending == "parquet":
        pq.write_table(pa.table({"path": PATHS}), file)
    else:
        file.write_text("\n".join((["path"] if ending == "csv" else []) + PATHS))
    url = f"memory://{tmp_path}/all.{ending}"
    fsspec.filesystem("memory").pipe_file(f"{tmp_path}/all.{ending}", file.read_bytes())

    assert list(read_manifest(url)) == PATHS


@pytest.mark.parametrize("name", ["none.parquet", "none.csv", "none.txt", "memory://none.csv"])
def test_a_missing_manifest(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match="none"):
        list(read_manifest(name))


def test_a_table_without_paths(tmp_path):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "all.parquet")
    (tmp_path / "all.csv").write_text("x,y\n1,2\n")

    for name in ("all.parquet", "all.csv"):
        with pytest.raises(UsageError, match="column"):
            list(read_manifest(f"{tmp_path}/{name}"))


def test_a_column_that_is_not_text(tmp_path):
    images = [{"bytes": b"", "path": "1.png"}]
    pq.write_table(pa.table({"image": images}), tmp_path / "all.parquet")

    with pytest.raises(UsageError, match="column image"):
        list(read_manifest(f"{tmp_path}/all.parquet"))


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_paths_in_every_type_of_text(tmp_path, kind):
    paths = pa.array(["/a/1", None, "/a/1"], pa.string()).cast(kind)
    pq.write_table(pa.table({"path": paths}), tmp_path / "all.parquet")

    assert list(read_manifest(f"{tmp_path}/all.parquet")) == ["/a/1", "/a/1"]

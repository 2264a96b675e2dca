import errno
import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry
from hypothesis import given
from hypothesis import strategies as st

from cxrview.errors import CannotOpen, UsageError
from cxrview.image import open_image
from cxrview.sources.find import UnlistedFolder, find_images
from cxrview.sources.paths import matches

names = st.lists(st.text("ab.", min_size=1, max_size=3), min_size=1, max_size=4)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """b/2.dcm, a/1.dcm, a/.hidden/3.dcm, a/note.txt and an empty folder."""
    for name in ("b/2.dcm", "a/1.dcm", "a/.hidden/3.dcm", "a/note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


def relative(archive: Path, found) -> list[str]:
    return [os.path.relpath(path, archive) for path in found]


def test_a_folder_gives_everything_in_the_order_of_names(archive):
    found = relative(archive, find_images([str(archive)]))

    assert found == ["a/.hidden/3.dcm", "a/1.dcm", "a/note.txt", "b/2.dcm"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["a/.hidden/3.dcm", "a/1.dcm", "a/note.txt", "b/2.dcm"]),
        ("a/*.dcm", ["a/1.dcm"]),
        ("**/*.dcm", ["a/1.dcm", "b/2.dcm"]),
        ("**", ["a/.hidden/3.dcm", "a/1.dcm", "a/note.txt", "b/2.dcm"]),  # folders are walked
        ("[b]/**", ["b/2.dcm"]),
        ("*/.hidden/*", ["a/.hidden/3.dcm"]),
        ("?/?.dcm", ["a/1.dcm", "b/2.dcm"]),
    ],
)
def test_a_glob_gives_what_a_shell_would(archive, pattern, expected):
    assert relative(archive, find_images([f"{archive}/{pattern}"])) == expected


def test_a_relative_glob_stays_relative(archive, monkeypatch):
    monkeypatch.chdir(archive)

    assert list(find_images(["*/1.dcm", "a/*.dcm"])) == ["a/1.dcm", "a/1.dcm"]


def test_a_glob_without_match_is_an_error(archive):
    with pytest.raises(UsageError, match="nothing matches"):
        list(find_images([f"{archive}/*.png"]))


def test_a_name_with_wildcards_that_exists_is_itself(archive):
    (archive / "[a].dcm").touch()

    assert relative(archive, find_images([f"{archive}/[a].dcm"])) == ["[a].dcm"]


def test_a_missing_name_is_not_dropped(archive):
    assert list(find_images(["nowhere.dcm"])) == ["nowhere.dcm"]


def test_links_to_folders_are_not_followed_and_broken_ones_not_dropped(archive):
    (archive / "b" / "loop").symlink_to(archive)
    (archive / "b" / "gone").symlink_to("nowhere")
    (archive / "b" / "self").symlink_to("self")

    found = relative(archive, find_images([str(archive / "b")]))

    assert found == ["b/2.dcm", "b/gone", "b/self"]


def test_pipes_are_given_out(archive):
    os.mkfifo(archive / "b" / "pipe")

    assert "b/pipe" in relative(archive, find_images([str(archive)]))


def test_names_of_any_bytes_are_given_out(archive):
    odd = [b"new\nline", b"\xff\xfe", "ä".encode() * 100, b"-"]
    for name in odd:
        (archive / "empty" / os.fsdecode(name)).touch()

    found = find_images([str(archive / "empty")])

    assert sorted(os.fsencode(Path(path).name) for path in found) == sorted(odd)


def test_our_own_results_are_left_out(archive):
    result = (archive / "a" / "1.dcm").resolve()
    (archive / "other").symlink_to(result)

    found = relative(archive, find_images([str(archive)], leave_out=[result]))

    assert found == ["a/.hidden/3.dcm", "a/note.txt", "b/2.dcm"]


@pytest.fixture
def broken_folder(monkeypatch):
    """Make every folder of the name a one that the disk does not list."""
    open_folder = os.scandir

    def closed(folder):
        if Path(folder).name == "a":
            raise OSError(errno.EIO, "Input/output error", folder)
        return open_folder(folder)

    monkeypatch.setattr(os, "scandir", closed)  # root, who may run this, may list all


@pytest.mark.parametrize("below", ["", "/*", "/**/*.dcm", "/*/1.dcm"])
def test_a_folder_that_cannot_be_listed_is_given_out_itself(archive, broken_folder, below):
    found = list(find_images([f"{archive}{below}"]))
    by_url = list(find_images([f"file://{archive}{below}"]))

    assert found[0] == f"{archive}/a" and f"file://{found[0]}" == by_url[0]
    for one in (found[0], by_url[0]):
        assert isinstance(one, UnlistedFolder) and one.reason == "Input/output error"
    assert below == "/*/1.dcm" or relative(archive, found) == ["a", "b/2.dcm"]


def test_a_relative_glob_names_a_closed_folder_as_it_is_written(
    archive, broken_folder, monkeypatch
):
    monkeypatch.chdir(archive)

    (found,) = find_images(["*/1.dcm"])

    assert found == "a" and isinstance(found, UnlistedFolder)


def test_a_folder_that_cannot_be_listed_is_not_told_to_be_no_file(archive, broken_folder):
    with pytest.raises(CannotOpen, match=r"cannot be listed \(Input/output error\)"):
        open_image(archive / "a")


def test_a_name_in_a_closed_folder_is_given_out(archive, monkeypatch):
    def closed(path, **_):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "stat", closed)

    for is_literal in (False, True):
        assert list(find_images(["closed/1.dcm"], is_literal=is_literal)) == ["closed/1.dcm"]


def test_a_tree_deeper_than_python_is_walked(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    depth = 1100  # names of one letter, so that the path stays below the 4,096 of Linux
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("f", os.O_CREAT, dir_fd=here))
    os.close(here)

    try:
        (found,) = find_images([str(tmp_path)])
    finally:  # Python's own rmtree is not up to it
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)

    assert found.count("/d") >= depth


def test_the_same_through_fsspec(archive):
    by_url = [p.removeprefix("file://") for p in find_images([f"file://{archive}"])]

    assert by_url == list(find_images([str(archive)]))


def test_a_zip_is_walked_like_a_folder(archive):
    with zipfile.ZipFile(archive / "x.zip", "w") as pack:
        pack.writestr("in/2.dcm", "")
        pack.writestr("in/deep/1.dcm", "")
        pack.writestr("3.txt", "")
    url = f"file://{archive}/x.zip"

    assert list(find_images([f"zip://::{url}"])) == [
        f"zip://3.txt::{url}",
        f"zip://in/2.dcm::{url}",
        f"zip://in/deep/1.dcm::{url}",
    ]
    assert list(find_images([f"zip://in/*.dcm::{url}"])) == [f"zip://in/2.dcm::{url}"]
    assert list(find_images([f"zip://3.txt::{url}"])) == [f"zip://3.txt::{url}"]


def test_a_url_that_cannot_be_reached_is_given_out():
    assert list(find_images(["nosuch://x/y", "memory://nowhere"])) == [
        "nosuch://x/y",
        "memory://nowhere",
    ]


@pytest.mark.parametrize("pattern", ["**", "*", "**/*.dcm", "*/1.dcm", "**/in", "a/**"])
def test_a_glob_behind_a_url_gives_each_file_once_and_as_in_a_folder(
    archive, pattern, tmp_path_factory
):
    (archive / "a" / ".hidden").rename(archive / "a" / "in")  # its ** takes in what is hidden
    (archive / "a-b").touch()  # sorts between a and what is in it
    (archive / "empty").rmdir()
    packed = tmp_path_factory.mktemp("packed") / "x.zip"
    with zipfile.ZipFile(packed, "w") as pack:
        for path in filter(Path.is_file, archive.rglob("*")):
            pack.write(path, path.relative_to(archive))

    found = [
        url.removeprefix("zip://").partition("::")[0]
        for url in find_images([f"zip://{pattern}::{packed}"])
    ]

    assert found == relative(archive, find_images([f"{archive}/{pattern}"]))


def test_a_list_is_no_glob_behind_a_url_either(archive, monkeypatch):
    """One name of a list that is gone must not end a run; each presigned address has a ?."""
    monkeypatch.chdir(archive)
    with zipfile.ZipFile("x.zip", "w") as pack:
        pack.writestr("a[1].dcm", "")
        pack.writestr("in/2.dcm", "")
    listed = ["zip://a[1].dcm::x.zip", "zip://gone[2].dcm::x.zip", "zip://*::x.zip"]

    assert list(find_images(listed, is_literal=True)) == listed
    assert list(find_images(["zip://in::x.zip"], is_literal=True)) == ["zip://in/2.dcm::x.zip"]
    with pytest.raises(UsageError, match="nothing matches"):
        list(find_images(listed))


class Web(MemoryFileSystem):
    """Stands in for the web, where nothing is found."""

    protocol = ("http", "https")

    def exists(self, path, **_):
        return False

    def glob(self, path, **_):
        return {}


@pytest.mark.parametrize("is_literal", [False, True])
def test_a_question_mark_in_an_address_of_the_web_is_no_glob(monkeypatch, is_literal):
    monkeypatch.setitem(_registry, "http", Web)
    url = "http://nowhere.example/x.dcm?signature=1"

    assert list(find_images([url], is_literal=is_literal)) == [url]
    with pytest.raises(UsageError, match="nothing matches"):
        list(find_images(["http://nowhere.example/*.dcm"]))


class Containers(AbstractFileSystem):
    """As Azure's: of several schemes, with an account that a URL may name."""

    protocol = ("abfs", "az")

    @classmethod
    def _strip_protocol(cls, path):
        path = re.sub("^(abfs|az)://", "", path)
        return re.sub("@[^/]*", "", path).rstrip("/")

    def ls(self, path, detail=True, **_):
        names = {"": "films", "films": "films/a", "films/a": "films/a/1.dcm"}
        if path not in names:
            raise FileNotFoundError(path)
        kind = "directory" if names[path] in names else "file"
        return [{"name": names[path], "type": kind, "size": 0}]


@pytest.mark.parametrize(
    "bucket", ["az://films", "abfs://films", "az://films@account.dfs.core.windows.net"]
)
def test_a_url_of_a_file_begins_as_the_one_that_was_given(monkeypatch, bucket):
    monkeypatch.setitem(_registry, "az", Containers)
    monkeypatch.setitem(_registry, "abfs", Containers)

    for below in ("", "/", "/a", "/a/", "/*/*.dcm", "/a/1.dcm"):
        assert list(find_images([bucket + below])) == [f"{bucket}/a/1.dcm"]


class KeepsListings(Containers):
    """As S3, GCS and Azure, which keep each listing."""

    def ls(self, path, detail=True, **_):
        if path not in self.dircache:
            self.dircache[path] = super().ls(path)
        return self.dircache[path]

    def invalidate_cache(self, path=None):
        self.dircache.pop(path, None)


def test_listings_of_a_store_do_not_stay_in_memory(monkeypatch):
    monkeypatch.setitem(_registry, "az", KeepsListings)

    assert list(find_images(["az://films"])) == ["az://films/a/1.dcm"]

    assert not {"films", "films/a"} & set(KeepsListings().dircache)


class Host(Containers):
    """As that of SFTP: the host is not part of a path."""

    protocol = "sftp"

    @classmethod
    def _strip_protocol(cls, path):
        return path.removeprefix("sftp://host").rstrip("/")

    def ls(self, path, detail=True, **_):
        found = super().ls(path.removeprefix("/"), detail)
        return [entry | {"name": "/" + entry["name"]} for entry in found]


def test_a_url_of_a_file_has_the_host_of_the_one_that_was_given(monkeypatch):
    monkeypatch.setitem(_registry, "sftp", Host)

    for below in ("/films", "/films/", "/films/a", "/films/*/*.dcm"):
        assert list(find_images([f"sftp://host{below}"])) == ["sftp://host/films/a/1.dcm"]


def test_a_folder_behind_a_url_that_is_not_there_is_not_one_shards_alone(archive):
    with zipfile.ZipFile(archive / "x.zip", "w") as pack:
        pack.writestr("in/2.dcm", "")

    for url in (f"zip://out::{archive}/x.zip", f"zip://**::{archive}/y.zip", "nosuch://x"):
        (found,) = find_images([url])
        (listed,) = find_images([url], is_literal=True)

        assert found == listed == url
        assert isinstance(found, UnlistedFolder) and not isinstance(listed, UnlistedFolder)


def test_a_folder_behind_a_url_that_cannot_be_listed_is_given_out_with_the_reason(
    archive, monkeypatch
):
    def closed(self, path, **_):
        raise TimeoutError

    with zipfile.ZipFile(archive / "x.zip", "w") as pack:
        pack.writestr("in/2.dcm", "")
    monkeypatch.setattr("fsspec.implementations.zip.ZipFileSystem.find", closed, raising=False)

    (found,) = find_images([f"zip://in::{archive}/x.zip"])

    assert isinstance(found, UnlistedFolder)
    assert (found, found.reason) == (f"zip://in::{archive}/x.zip", "TimeoutError")


@given(path=names, pattern=names)
def test_matching_agrees_with_pathlib(path, pattern):
    parts = [*pattern[:-1], "*"]
    expected = len(path) == len(parts) and path[:-1] == parts[:-1] and path[-1][0] != "."

    assert matches(tuple(path), tuple(parts)) == expected
    assert matches(tuple(path), ("**",)) == (not any(name[0] == "." for name in path))

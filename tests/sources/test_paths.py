"""The file systems of archives, and one form of a path wherever a run was started."""

import os
import tarfile
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest

from cxrview.sources import paths as paths_module
from cxrview.sources.paths import absolute, file_system


@pytest.fixture
def packed(tmp_path) -> Path:
    """A zip file of 40 members: 0.txt holds "0", and so on."""
    return pack(tmp_path / "x.zip")


def pack(path: Path, more: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(40):
            file.writestr(f"in/{number}.txt", f"{number}{more}")
    return path


@pytest.fixture
def directories(monkeypatch) -> list[str]:
    """Names of the zip files whose directory was read."""
    read, begin = [], zipfile.ZipFile.__init__

    def note(self, file, *arguments, **options):
        read.append(Path(file.name).name)
        begin(self, file, *arguments, **options)

    monkeypatch.setattr(zipfile.ZipFile, "__init__", note)
    return read


def text_of(url: str) -> str:
    with file_system(url) as (files, name), files.open(name, "rb") as file:
        return file.read().decode()


def open_here(path: Path) -> int:
    """How often this process has a file open."""
    links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]  # noqa: PTH208
    return sum(os.path.realpath(link) == str(path) for link in links)


def test_the_directory_of_an_archive_is_read_once_for_many_files(packed, directories):
    for number in range(40):
        assert text_of(f"zip://in/{number}.txt::file://{packed}") == f"{number}"

    assert directories == ["x.zip"]


def test_an_archive_that_was_changed_is_read_anew(packed, tmp_path):
    before = text_of(f"zip://in/7.txt::{packed}")
    pack(tmp_path / "new.zip", more="!").replace(packed)

    assert (before, text_of(f"zip://in/7.txt::{packed}")) == ("7", "7!")


def test_only_the_last_archive_stays_open(packed, tmp_path):
    other = pack(tmp_path / "y.zip")

    text_of(f"zip://in/7.txt::{packed}")
    assert open_here(packed) == 1
    text_of(f"zip://in/7.txt::{other}")

    assert (open_here(packed), open_here(other)) == (0, 1)


def test_a_file_that_is_not_in_the_archive_costs_it_no_second_look(packed, directories):
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            text_of(f"zip://gone.txt::{packed}")

    assert directories == ["x.zip"]


def test_what_went_wrong_in_an_unforeseen_way_is_not_kept(packed):
    with pytest.raises(RuntimeError), file_system(f"zip://in/7.txt::{packed}"):
        raise RuntimeError

    assert open_here(packed) == 0
    assert text_of(f"zip://in/7.txt::{packed}") == "7"


@pytest.mark.parametrize("scheme", ["zip", "tar"])
def test_threads_do_not_read_one_anothers_bytes(tmp_path, scheme):
    """The file of a tar has one place where it is read, and all members share it."""
    path = tmp_path / f"x.{scheme}"
    for number in range(8):
        (tmp_path / f"{number}").write_bytes(bytes([number]) * 300_000)
    with zipfile.ZipFile(path, "w") if scheme == "zip" else tarfile.open(path, "w") as file:
        for number in range(8):
            (file.write if scheme == "zip" else file.add)(tmp_path / f"{number}", f"{number}")
    together = threading.Barrier(4)

    def read(number: int) -> set[int]:
        with file_system(f"{scheme}://{number}::{path}") as (files, name):
            together.wait()
            with files.open(name, "rb") as file:
                return {byte for _ in range(30) for byte in file.read(10_000)}

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, range(8))) == [{number} for number in range(8)]
    assert open_here(path) == 1


def test_other_urls_are_as_fsspec_has_them(tmp_path):
    (tmp_path / "x").write_text("7")

    with file_system(f"file://{tmp_path}/x") as (files, name):
        assert (files, name) == (fsspec.filesystem("file"), f"{tmp_path}/x")


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    """Begin and end with no archive open."""
    last = paths_module._Last()
    monkeypatch.setattr(paths_module, "_LAST", last)
    yield
    if last._kept:
        paths_module._close(last._kept[1])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("films", "{here}/films"),
        ("at 12:30", "{here}/at 12:30"),
        ("a::b", "{here}/a::b"),
        ("/films/", "/films"),
        ("file:///films/../films", "/films"),
        ("file://films", "{here}/films"),
        ("s3://films/of/2019", "s3://films/of/2019"),
        ("zip://**::films.zip", "zip://**::{here}/films.zip"),
        ("zip://**::file:///films.zip", "zip://**::/films.zip"),
        ("zip://**::file://films.zip", "zip://**::{here}/films.zip"),
        ("zip://**::s3://films/a.zip", "zip://**::s3://films/a.zip"),
    ],
)
def test_absolute_is_relative_to_the_folder_and_leaves_urls(tmp_path, monkeypatch, path, expected):
    monkeypatch.chdir(tmp_path)

    assert absolute(path) == expected.format(here=tmp_path)
    assert absolute(path, "/elsewhere") == expected.format(here="/elsewhere")

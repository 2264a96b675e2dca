"""A drawn archive: its files, its truth, and what it refuses."""

import csv
import hashlib
import resource
from pathlib import Path

import pydicom
import pytest

from cxrview.errors import CannotWrite, UsageError
from cxrview.phantom.archive import Drawn, draw_archive
from cxrview.terms import Projection, View

SMALL = {"size": (80, 66), "patients": 1}


@pytest.fixture(scope="module")
def default(tmp_path_factory) -> tuple[Path, list[Drawn]]:
    """The archive of the command without options, only smaller."""
    out = tmp_path_factory.mktemp("phantom") / "archive"
    return out, draw_archive(out, size=(80, 66))


def fingerprints(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        draw_archive(tmp_path / name / "archive", seed=4, **SMALL)

    assert fingerprints(tmp_path / "one") == fingerprints(tmp_path / "two")


@pytest.mark.slow
def test_another_seed_shares_no_file(tmp_path):
    for seed in (1, 2):
        draw_archive(tmp_path / str(seed), seed=seed, damages=[], **SMALL)

    first, second = (fingerprints(tmp_path / str(seed)) for seed in (1, 2))
    assert not set(first.values()) & set(second.values())


def test_the_truth_beside_the_folder_names_every_file(default):
    out, drawn = default
    with out.with_name("archive.truth.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))

    assert {row["file"] for row in rows} == set(fingerprints(out))
    assert [row["view"] for row in rows] == [str(one.view or "") for one in drawn]


def test_the_default_holds_a_bit_of_everything(default):
    out, drawn = default
    photometric = {
        pydicom.dcmread(out / one.file).get("PhotometricInterpretation") for one in drawn
    }

    assert {one.view for one in drawn} == {View.FRONTAL, View.LATERAL, None}
    assert {one.projection for one in drawn} == {*Projection, None}
    assert len({one.syntax for one in drawn}) >= 10
    assert [one.damage for one in drawn if one.damage] == ["truncated"]
    assert {"view-wrong", "view-missing"} <= {one.header_fault for one in drawn}
    assert {"MONOCHROME1", "MONOCHROME2"} <= photometric


def test_no_two_files_share_a_sop_instance_uid(default):
    out, drawn = default
    uids = [pydicom.dcmread(out / one.file).SOPInstanceUID for one in drawn]

    assert len(set(uids)) == len(drawn)


def test_what_is_asked_for_is_drawn(tmp_path):
    drawn = draw_archive(
        tmp_path / "archive",
        projections=[Projection.RL],
        syntaxes=["rle", "jpeg"],
        header_faults=["free-text", "none"],
        damages=["empty", "nested"],
        monochrome1=1.0,
        strangers=False,
        **{**SMALL, "patients": 2},
    )

    sound = [one for one in drawn if not one.damage]
    assert [one.syntax for one in sound] == ["rle", "jpeg"]
    assert [one.header_fault for one in sound] == ["free-text", ""]
    assert {one.projection for one in drawn} == {Projection.RL}
    assert [one.damage for one in drawn if one.damage] == ["empty", "nested"]


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")

    with pytest.raises(UsageError, match="--overwrite"):
        draw_archive(tmp_path, **SMALL)


def test_overwriting_removes_the_earlier_drawing_and_nothing_else(tmp_path):
    out = tmp_path / "archive"
    earlier = draw_archive(out, damages=["empty"], **SMALL)
    (out / "mine.txt").write_text("keep me")
    drawn = draw_archive(out, damages=[], strangers=False, overwrite=True, **SMALL)

    assert len(drawn) < len(earlier)
    assert set(fingerprints(out)) == {one.file for one in drawn} | {"mine.txt"}


@pytest.mark.parametrize("times", [1, 2])
def test_overwriting_removes_what_a_stopped_drawing_left(tmp_path, monkeypatch, times):
    out = tmp_path / "archive"

    def stop(*_):
        raise KeyboardInterrupt

    for _ in range(times):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("cxrview.phantom.archive.make_report", stop)  # the last file
            draw_archive(out, damages=["empty"], overwrite=True, **SMALL)
    assert len(fingerprints(out)) == 3
    assert not (tmp_path / "archive.truth.csv").exists()
    (out / "mine.txt").write_text("keep me")
    (out / "PAT00001" / "STUDY001" / "IM0077").write_text("keep me")

    drawn = draw_archive(out, damages=[], strangers=False, overwrite=True, **SMALL)

    kept = {"mine.txt", "PAT00001/STUDY001/IM0077"}
    assert set(fingerprints(out)) == {one.file for one in drawn} | kept
    assert sorted(one.name for one in tmp_path.iterdir()) == ["archive", "archive.truth.csv"]


@pytest.mark.parametrize("line", ["../mine.txt", "PAT00001"])
def test_overwriting_removes_no_other_file_that_a_list_names(tmp_path, line):
    out, mine = tmp_path / "archive", tmp_path / "mine.txt"
    draw_archive(out, **SMALL)
    mine.write_text("keep me")
    (out / "PAT00001.dcm").write_text("keep me")
    (tmp_path / "archive.truth.csv.part").write_text(f"{line}\n" if "/" in line else line)

    draw_archive(out, overwrite=True, **SMALL)

    assert mine.exists()
    assert (out / "PAT00001.dcm").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"syntaxes": ["jpeg-xl"]},
        {"header_faults": ["upside-down"]},
        {"damages": ["burnt"]},
        {"patients": 0},
        {"size": (10, 10)},
        {"bits": 7},
        {"monochrome1": 2.0},
        {"seed": -1},
    ],
)
def test_what_cannot_be_drawn_is_refused_before_a_file_is_written(tmp_path, wrong):
    with pytest.raises(UsageError):
        draw_archive(tmp_path / "archive", **{**SMALL, **wrong})

    assert not (tmp_path / "archive").exists()


def test_a_full_disk_ends_drawing_without_a_table_of_the_truth(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(CannotWrite):
            draw_archive(tmp_path / "archive", **SMALL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert not (tmp_path / "archive.truth.csv").exists()

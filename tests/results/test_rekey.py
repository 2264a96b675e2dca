"""Patients of results under different keys, joined under one or left out."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset

from cxrview.classify.options import ClassifyOptions
from cxrview.classify.selection import Selection
from cxrview.errors import UsageError
from cxrview.image import find_images
from cxrview.image.pseudonyms import key_condition, pseudonym
from cxrview.results.columns import COLUMNS
from cxrview.results.concat import concat_results
from cxrview.results.files import Outputs
from cxrview.results.rekey import Rekey, WithoutPatients
from cxrview.results.tables import each_row
from cxrview.sources.shard import Shard
from fixtures.runs import run_into

OURS, THEIRS = b"o" * 32, b"t" * 32
CR = "1.2.840.10008.5.1.4.1.1.1"


@pytest.fixture
def films(archive) -> Path:
    """Twelve DICOM files of four patients and of none, among forty pictures and a text."""
    for number in range(12):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.{number}"
        ds.SOPClassUID = CR
        ds.SOPInstanceUID = f"1.2.{number}" if number != 4 else ""
        ds.Modality, ds.PatientID = "CR", f"P{number % 4}" if number != 5 else ""
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.HighBit = 20, 20, 8, 8, 7
        ds.PixelRepresentation = 0
        ds.PixelData = bytes(range(200)) + bytes(200 - number) + b"\xff" * number
        ds.save_as(archive / f"film{number:02}", enforce_file_format=True)
    return archive


@pytest.fixture
def run(films, tmp_path, model):
    """Classify the archive, or a share of it, under a key; give the table."""

    def run_one(name: str, key: bytes | None, shard: str | None = None, *, identify=False, **other):
        settings = ClassifyOptions(key=key, identify=identify, workers=1)
        out = Outputs(table=tmp_path / name)
        patients = "identified" if identify else key_condition(key or b"")
        run_into(
            out,
            find_images([str(films)]),
            model,
            settings,
            conditions={
                "precision": "fp32",
                "cutoff": "60",
                "paths": json.dumps([str(films)]),
                "patients": patients,
                **other,
            },
            selection=Selection(shard=Shard.named(shard) if shard else None),
        )
        return out.table

    return run_one


def join(tables, out: Path, **options):
    return concat_results(tables, Outputs(table=out), **options)


def conditions(table: Path) -> dict[str, str]:
    return json.loads(table.with_suffix(".summary.json").read_text())["conditions"]


def test_shards_under_two_keys_are_refused_with_the_ways_out(run, tmp_path):
    shards = [run("1.csv", OURS, "1/2"), run("2.csv", THEIRS, "2/2")]

    with pytest.raises(UsageError, match="key of the patients' pseudonyms") as refused:
        join(shards, tmp_path / "joined.csv")

    assert "--rekey" in refused.value.advice and "--without-patients" in refused.value.advice
    assert "--allow-different" not in refused.value.advice
    with pytest.raises(UsageError, match="key of the patients' pseudonyms"):
        join(shards, tmp_path / "joined.csv", allow_different=True)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["another key", "real ids", "two other keys"])
def test_shards_that_are_joined_under_one_key_are_the_bytes_of_one_run(run, tmp_path, how):
    one = run("one.csv", OURS)
    shards = [
        run("1.csv", b"x" * 32 if how == "two other keys" else OURS, "1/2"),
        run("2.csv", THEIRS, "2/2", identify=how == "real ids"),
    ]
    rekey = Rekey(key=OURS)

    join(shards, tmp_path / "joined.csv", patients=rekey)

    assert (tmp_path / "joined.csv").read_bytes() == one.read_bytes()
    assert conditions(tmp_path / "joined.csv") == conditions(one)
    keys = {Path(row["path"]).name: row["patient_key"] for row in each_row(one)}
    assert keys["film03"] == keys["film07"] == pseudonym(OURS, "P3")
    assert keys["film05"] is None and keys["00.png"] is None


def test_files_under_the_key_already_and_real_ids_are_not_read_again(run, films, tmp_path):
    tables = [run("1.csv", OURS, "1/2"), run("2.csv", None, "2/2", identify=True)]
    for film in films.glob("film*"):
        film.unlink()

    join(tables, tmp_path / "joined.csv", patients=Rekey(key=OURS))

    assert len(list(each_row(tmp_path / "joined.csv"))) == 52


@pytest.mark.slow
@pytest.mark.parametrize("number", [3, 4], ids=["with a UID", "without one"])
@pytest.mark.parametrize("change", ["gone", "another", "broken"])
def test_a_file_that_is_gone_or_another_is_named_and_refused_unless_left_out(
    run, films, tmp_path, number, change
):
    table, film = run("one.csv", THEIRS), films / f"film{number:02}"
    if change == "another":
        ds = dcmread(film)
        ds.SOPInstanceUID, ds.PatientID = "1.2.99", "somebody else"
        ds.save_as(film)
    elif change == "broken":
        film.write_text("no film")
    else:
        film.unlink()
    out = tmp_path / "joined.csv"

    with pytest.raises(
        UsageError, match=f"cannot be read again, .*: 1, namely .*film{number:02}"
    ) as refused:
        join([table], out, patients=Rekey(key=OURS))
    assert "--without-patients" in refused.value.advice
    assert not out.exists()
    left_out = Rekey(key=OURS, leaves_out=True)
    join([table], out, patients=left_out)

    keys = {Path(row["path"]).name: row["patient_key"] for row in each_row(out)}
    assert left_out.missing == 1
    assert keys[film.name] is None
    assert keys["film02"] == pseudonym(OURS, "P2")
    assert conditions(out)["patients"] == f"{key_condition(OURS)} (headers not read again: 1)"


def test_patients_that_were_left_out_can_be_read_again_later(run, films, tmp_path):
    one = run("one.csv", OURS)
    shards = [run("1.csv", OURS, "1/2"), run("2.csv", THEIRS, "2/2")]
    bare, again = tmp_path / "bare.csv", tmp_path / "again.csv"

    join(shards, bare, patients=WithoutPatients())
    join([bare], again, patients=Rekey(key=OURS))

    assert {row["patient_key"] for row in each_row(bare)} == {None}
    assert conditions(bare)["patients"] == "left out"
    assert again.read_bytes() == one.read_bytes()


@pytest.mark.slow
def test_two_precisions_are_refused_in_words_and_joined_where_allowed(run, tmp_path):
    one = run("one.csv", OURS)
    shards = [
        run("1.csv", OURS, "1/2"),
        run("2.csv", OURS, "2/2", precision="int8", cutoff="64", timeout_seconds="9"),
    ]
    out = tmp_path / "joined.csv"

    with pytest.raises(UsageError) as refused:
        join(shards, out)
    join(shards, out, allow_different=True)
    joined = conditions(out)
    join(shards[::-1], out, allow_different=True)

    assert refused.value.reason.endswith(
        "--precision of the model (precision) was fp32, is int8; --timeout (timeout_seconds) was "
        "not set, is 9; with the precision differ cutoff"
    )
    assert "--allow-different" in refused.value.advice and "--rekey" not in refused.value.advice
    assert (joined["precision"], joined["cutoff"]) == ("fp32 + int8", "60 + 64")
    assert joined["timeout_seconds"] == "9 + not set"
    assert conditions(out) == joined
    assert out.read_bytes() == one.read_bytes()  # this model says the same in both


def test_what_was_joined_of_two_precisions_joins_with_a_later_night(run, draw, tmp_path):
    shards = [run("1.csv", OURS, "1/2"), run("2.csv", OURS, "2/2", precision="int8")]
    both, all_nights = tmp_path / "both.csv", tmp_path / "all.csv"
    join(shards, both, allow_different=True)
    before = len(list(each_row(both)))
    late = Outputs(table=tmp_path / "late.csv")
    late.table.write_bytes(both.read_bytes())
    summary = json.loads((tmp_path / "both.summary.json").read_text())
    summary["conditions"] |= {"precision": "int8"}
    late.summary.write_text(json.dumps(summary))
    late.failures.write_bytes((tmp_path / "both.failures.csv").read_bytes())

    join([both, late.table], all_nights, allow_different=True, allow_doubled=True)

    assert conditions(all_nights)["precision"] == "fp32 + int8"
    assert len(list(each_row(all_nights))) == before


def test_shards_of_two_archives_are_refused_however_different_they_may_be(run, tmp_path):
    shards = [run("1.csv", OURS, "1/2"), run("2.csv", OURS, "2/2", paths='["/elsewhere"]')]

    with pytest.raises(UsageError, match="paths was") as refused:
        join(shards, tmp_path / "joined.csv", allow_different=True)

    assert "the same paths" in refused.value.advice


def test_relative_paths_are_read_again_where_their_run_stood(run, films, tmp_path, monkeypatch):
    table = run("one.csv", THEIRS)
    summary = json.loads(table.with_suffix(".summary.json").read_text())
    text = table.read_text().replace(f"{films}/", "")
    table.write_text(text)
    table.with_suffix(".summary.json").write_text(json.dumps(summary | {"folder": str(films)}))
    monkeypatch.chdir(tmp_path)

    join([table], tmp_path / "joined.csv", patients=Rekey(key=OURS))

    keys = {row["path"]: row["patient_key"] for row in each_row(tmp_path / "joined.csv")}
    assert keys["film01"] == pseudonym(OURS, "P1")


@pytest.mark.parametrize("uid, patient", [("1.2.1", "P1"), ("1.2.9", None), (None, None)])
def test_of_a_url_that_was_read_in_part_the_uid_tells_whether_it_is_the_same(
    films, tmp_path, uid, patient
):
    with ZipFile(tmp_path / "films.zip", "w") as archive:
        archive.write(films / "film01", "film01")
    path = f"zip://film01::{tmp_path}/films.zip"
    row = dict.fromkeys(COLUMNS) | {"path": path, "sop_instance_uid": uid, "patient_key": "old"}
    rekey = Rekey(key=OURS)

    (changed,) = rekey.change([row], key_condition(THEIRS), "")

    assert changed["patient_key"] == (pseudonym(OURS, patient) if patient else None)
    assert rekey.named == ([] if patient else [path])

"""cxrview as a processing module of mercure: in/, out/ and result.json."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

pytest.importorskip("pynetdicom", reason="needs the extra serve: pip install '.[serve]'")

from cxrview.classify.model import load_model  # noqa: E402
from cxrview.errors import UsageError  # noqa: E402
from cxrview.phantom.archive import draw_archive  # noqa: E402
from cxrview.service.mercure import mercure_folders, read_settings, run_module  # noqa: E402


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> list[Path]:
    """A frontal and a lateral of one patient; both headers name the other view."""
    folder = tmp_path_factory.mktemp("drawn") / "films"
    draw_archive(
        folder,
        patients=1,
        size=(512, 420),
        strangers=False,
        damages=["none"],
        header_faults=["view-wrong"],
        syntaxes=["native"],
    )
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def task(tmp_path, drawn) -> tuple[Path, Path]:
    """The folders of a task, as mercure makes them, with one file that is not an image."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for number, film in enumerate(drawn):
        (folder / f"1.2.3#{number}.dcm").write_bytes(film.read_bytes())
    (folder / "1.2.3#broken.dcm").write_bytes(b"no image")
    write_task(folder, {})
    return folder, out


def write_task(folder: Path, settings: object) -> None:
    content = {"id": "1", "process": {"module_name": "cxrview", "settings": settings}}
    (folder / "task.json").write_text(json.dumps(content))


def test_run_module_writes_a_file_for_each_image(task, drawn):
    folder, out = task

    done = run_module(folder, out)

    images = sorted(path.name for path in folder.glob("*.dcm"))
    assert sorted(path.name for path in out.iterdir()) == [*images, "result.json"]
    assert json.loads((out / "result.json").read_text()) == done
    assert done["counts"] == {"classified": 2, "failed": 1}
    assert done["disagree"] == 2
    assert done["__mercure_notification"]["requested"]
    for number, film in enumerate(drawn):
        copy = pydicom.dcmread(out / f"1.2.3#{number}.dcm")
        assert copy.ViewCodeSequence
        assert copy.SOPInstanceUID != pydicom.dcmread(film).SOPInstanceUID
        assert copy.PixelData == pydicom.dcmread(film).PixelData
    assert (out / "1.2.3#broken.dcm").read_bytes() == b"no image"


def test_run_module_writes_reports_beside_untouched_originals(task):
    folder, out = task
    write_task(folder, {"send": ["original", "sr"]})

    run_module(folder, out)

    for image in folder.glob("*.dcm"):
        assert (out / image.name).read_bytes() == image.read_bytes()
    reports = [pydicom.dcmread(path) for path in out.glob("*.sr.dcm")]
    assert [report.Modality for report in reports] == ["SR", "SR"]


def test_run_module_names_no_header_value(task):
    folder, out = task
    for path in folder.glob("*[01].dcm"):
        film = pydicom.dcmread(path)
        film.PatientName = film.PatientID = film.StudyDescription = "PLANTED"
        film.save_as(path)

    run_module(folder, out)

    assert "PLANTED" not in (out / "result.json").read_text()


def test_run_module_of_an_empty_task(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    write_task(folder, None)

    done = run_module(folder, out, load_model())

    assert (done["images"], done["counts"]) == ([], {})
    assert not done["__mercure_notification"]["requested"]


@pytest.mark.parametrize(
    "settings",
    [
        {"sned": ["sr"]},
        {"send": ["pdf"]},
        {"send": ["original", "corrected"]},
        {"review_band": [20]},
        {"review_band": "wide"},
    ],
)
def test_read_settings_refuses_what_is_wrong(tmp_path, settings):
    write_task(tmp_path, settings)

    with pytest.raises(UsageError):
        read_settings(tmp_path / "task.json")


@pytest.mark.parametrize("content", ["", "[]", "not JSON"])
def test_read_settings_refuses_a_task_that_cannot_be_read(tmp_path, content):
    (tmp_path / "task.json").write_text(content)

    with pytest.raises(UsageError):
        read_settings(tmp_path / "task.json")


def test_mercure_folders_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MERCURE_IN_DIR", str(tmp_path))
    monkeypatch.delenv("MERCURE_OUT_DIR", raising=False)

    with pytest.raises(UsageError, match="MERCURE_OUT_DIR"):
        mercure_folders(None, None)
    assert mercure_folders(None, tmp_path) == (tmp_path, tmp_path)
    with pytest.raises(UsageError, match="not a folder"):
        mercure_folders(tmp_path / "missing", tmp_path)


def test_serve_mercure_runs_as_mercure_starts_it(task, tmp_path):
    folder, out = task
    where = {"MERCURE_IN_DIR": str(folder), "MERCURE_OUT_DIR": str(out)}

    done = subprocess.run(
        [sys.executable, "-m", "cxrview", "serve", "--mercure"],
        env=os.environ | where | {"HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "3 images" in done.stdout
    assert (out / "result.json").exists()
    failed = subprocess.run(
        [sys.executable, "-m", "cxrview", "serve", "--mercure", str(tmp_path / "missing")],
        capture_output=True,
    )
    assert failed.returncode == 2

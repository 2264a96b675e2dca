"""Copies and reports, stored by Orthanc (Debian's package) and returned.

Orthanc's HTTP and DICOM servers listen at all addresses, which cannot be changed; so both are off,
and a Lua script within Orthanc calls its REST interface.
"""

import json
import subprocess
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pydicom
import pytest

from cxrview.errors import UnreadableImage
from cxrview.image.fetch import file_content_id
from cxrview.phantom.archive import draw_archive
from cxrview.terms import View
from cxrview.writeback.copy_file import correct_file
from cxrview.writeback.finding import Finding
from cxrview.writeback.jobs import ReportJob
from cxrview.writeback.settings import CorrectionSettings

SETTINGS = CorrectionSettings(
    modified=datetime(2026, 3, 1, 12, tzinfo=UTC), system="cxrview 9.9", software_version="9.9"
)
SCRIPT = """
function Initialize()
  for path in io.lines('{folder}/files.txt') do
    local file = io.open(path, 'rb')
    local answer = RestApiPost('/instances', file:read('*a'), true)
    file:close()
    local out = io.open('{folder}/answers.txt', 'a')
    if answer == nil then
      out:write('refused\\n')
    else
      local stored = ParseJson(answer)
      out:write(stored['Status'] .. ' ' .. stored['ID'] .. '\\n')
      local back = io.open('{folder}/' .. stored['ID'] .. '.dcm', 'wb')
      back:write(RestApiGet('/instances/' .. stored['ID'] .. '/file', true))
      back:close()
      local tags = io.open('{folder}/' .. stored['ID'] .. '.json', 'w')
      tags:write(RestApiGet('/instances/' .. stored['ID'] .. '/simplified-tags', true))
      tags:close()
    end
    out:close()
  end
  os.exit(0)
end
"""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What became of one file in Orthanc."""

    status: str
    """`Success`, `AlreadyStored` or `refused`."""
    back: Path
    """The file that it gave back."""
    tags: dict[str, Any]
    """The header as it reads it, by keyword."""


Store = Callable[[Iterable[Path]], dict[Path, Stored]]


@pytest.fixture
def store(program, tmp_path) -> Store:
    """Store files in an Orthanc of its own, and take them out again."""

    def store_all(paths: Iterable[Path]) -> dict[Path, Stored]:
        folder, paths = tmp_path / "orthanc", list(paths)
        folder.mkdir()
        (folder / "files.txt").write_text("".join(f"{path}\n" for path in paths))
        (folder / "store.lua").write_text(SCRIPT.replace("{folder}", str(folder)))
        configuration = {
            "StorageDirectory": str(folder / "database"),
            "IndexDirectory": str(folder / "database"),
            "HttpServerEnabled": False,
            "DicomServerEnabled": False,
            "RemoteAccessAllowed": False,
            "Plugins": [],
            "LuaScripts": [str(folder / "store.lua")],
        }
        (folder / "orthanc.json").write_text(json.dumps(configuration))
        done = subprocess.run(
            [program("Orthanc"), folder / "orthanc.json"], capture_output=True, timeout=120
        )
        answers = (folder / "answers.txt").read_text().splitlines()
        assert len(answers) == len(paths), done.stderr.decode(errors="replace")[-2000:]
        return {
            path: _stored(folder, *answer.split())
            for path, answer in zip(paths, answers, strict=True)
        }

    return store_all


def _stored(folder: Path, status: str, number: str = "") -> Stored:
    if not number:
        return Stored(status=status, back=folder, tags={})
    tags = json.loads((folder / f"{number}.json").read_bytes().decode("utf-8", "replace"))
    return Stored(status=status, back=folder / f"{number}.dcm", tags=tags)


def finding_of(path: Path) -> Finding | None:
    """That the header names the wrong view; None of a file that pydicom cannot read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            frontal = header.get("ViewPosition") in ("LL", "RL", None)
            return Finding(
                path=str(path),
                sop_instance_uid=str(header.get("SOPInstanceUID", "")),
                series_instance_uid=str(header.get("SeriesInstanceUID", "")),
                study_instance_uid=str(header.get("StudyInstanceUID", "")),
                modality=str(header.get("Modality", "")),
                content_id=file_content_id(path),
                view=View.FRONTAL if frontal else View.LATERAL,
                model_id="drawn-1",
                pfi=99.5 if frontal else 0.5,
            )
        except Exception:  # damaged files raise anything in pydicom
            return None


def corrected(paths: Iterable[Path], folder: Path) -> dict[Path, Path]:
    """Copies by their sources; of those that were not refused."""
    copies = {}
    for number, path in enumerate(sorted(paths)):
        finding = finding_of(path)
        target = folder / f"{number}.dcm"
        try:
            if finding and correct_file(finding, target, SETTINGS).changes:
                copies[path] = target
        except UnreadableImage:
            assert not target.exists()
    return copies


def pixel_hash(path: Path) -> str:
    """Of all bytes of Pixel Data, with its fragments."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
        return sha256(dataset.get_item(0x7FE00010).value).hexdigest()


def test_orthanc_returns_copies_of_drawn_films(store, tmp_path):
    films = tmp_path / "archive"
    draw_archive(films, patients=6, size=(64, 64), seed=3, strangers=False, damages=[])
    copies = corrected(films.rglob("IM*"), tmp_path / "copies")
    assert len(copies) >= 8

    stored = store(copies.values())

    for source, copy in copies.items():
        one, header = stored[copy], pydicom.dcmread(copy)
        assert one.status == "Success"
        assert pixel_hash(one.back) == pixel_hash(source)
        assert one.tags["SOPInstanceUID"] == header.SOPInstanceUID
        assert one.tags["ViewPosition"] == header.ViewPosition
        assert one.tags["ViewCodeSequence"][0]["CodeValue"] == header.ViewCodeSequence[0].CodeValue
        original = one.tags["OriginalAttributesSequence"][-1]
        assert original["ReasonForTheAttributeModification"] == "CORRECT"
        assert original["AttributeModificationDateTime"] == "20260301120000.000000+0000"
        assert one.tags["ContributingEquipmentSequence"][-1]["Manufacturer"] == "cxrview"


@pytest.mark.slow
def test_orthanc_stores_each_report_once(store, tmp_path):
    pytest.importorskip("highdicom", reason="needs highdicom: pip install '.[sr]'")
    films = tmp_path / "archive"
    draw_archive(films, patients=3, size=(64, 64), seed=3, strangers=False, damages=[])
    studies: dict[str, list[Finding]] = {}
    for path in sorted(films.rglob("IM*")):
        if finding := finding_of(path):
            studies.setdefault(finding.study_instance_uid, []).append(finding)
    for folder in ("first", "again"):
        for uid, findings in studies.items():
            ReportJob(
                study_instance_uid=uid, findings=tuple(findings), folder=tmp_path / folder
            ).carry_out(SETTINGS)
    first, again = (sorted((tmp_path / folder).iterdir()) for folder in ("first", "again"))
    assert len(first) == len(studies)

    stored = store([*first, *again])

    assert {stored[path].status for path in first} == {"Success"}
    assert {stored[path].status for path in again} == {"AlreadyStored"}
    for path in first:
        report = pydicom.dcmread(path)
        assert stored[path].back.read_bytes() == path.read_bytes()
        assert stored[path].tags["SOPInstanceUID"] == report.SOPInstanceUID
        evidence = stored[path].tags["CurrentRequestedProcedureEvidenceSequence"]
        assert evidence[0]["StudyInstanceUID"] == report.StudyInstanceUID


def test_orthanc_returns_copies_of_real_files(store, shared_data, tmp_path):
    """A copy is refused only where its source is."""
    sources = [*(shared_data / "dicom").glob("*.dcm"), *(shared_data / "field").glob("*.dcm")]
    copies = corrected(sources, tmp_path / "copies")
    assert len(copies) >= 40

    stored = store([*copies.values(), *copies])

    for source, copy in copies.items():
        is_taken = stored[copy].status != "refused"
        assert is_taken == (stored[source].status != "refused"), source.name
        if is_taken and "PixelData" in pydicom.dcmread(source, force=True):
            assert pixel_hash(stored[copy].back) == pixel_hash(source), source.name
    assert sum(one.status == "Success" for one in stored.values()) >= 60

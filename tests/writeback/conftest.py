"""Findings, settings and drawn DICOM files to write back."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cxrview.image.fetch import file_content_id
from cxrview.phantom.archive import draw_archive
from cxrview.terms import View
from cxrview.writeback.finding import Finding
from cxrview.writeback.settings import CorrectionSettings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def settings() -> CorrectionSettings:
    return CorrectionSettings(modified=NOON, system="cxrview 9.9", software_version="9.9")


@pytest.fixture
def find() -> Callable[..., Finding]:
    """A finding of a file that is there."""

    def find_one(path: Path, view: View = View.LATERAL, **facts: object) -> Finding:
        known = {
            "sop_instance_uid": "",
            "series_instance_uid": "",
            "study_instance_uid": "",
            "modality": "CR",
            "content_id": file_content_id(path),
            "model_id": "drawn-1",
        }
        return Finding(path=str(path), view=view, **(known | facts))

    return find_one


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """Drawn films of twelve patients in several transfer syntaxes; some headers are wrong."""
    folder = tmp_path_factory.mktemp("drawn") / "archive"
    draw_archive(folder, patients=12, size=(96, 80), seed=3)
    return folder


@pytest.fixture
def film(drawn) -> Path:
    """A lateral whose header says PA."""
    return drawn / "PAT00001" / "STUDY001" / "IM0002"

"""Small drawn radiographs as DICOM files."""

from pathlib import Path

import pytest

from cxrview.phantom.archive import draw_archive


@pytest.fixture(scope="session")
def films(tmp_path_factory) -> list[Path]:
    """Four radiographs or more, uncompressed."""
    folder = tmp_path_factory.mktemp("films")
    draw_archive(
        folder, patients=3, size=(64, 64), seed=1, syntaxes=["native"], strangers=False, damages=[]
    )
    return sorted(folder.rglob("IM*"))

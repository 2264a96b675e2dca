"""Runs `orthanc_cases.py` with no network but loopback."""

import shutil
from pathlib import Path

import pytest

from fixtures.orthanc import can_unshare, dicomweb_plugin, in_namespace

CASES = Path(__file__).with_name("orthanc_cases.py")


@pytest.mark.slow
def test_dicomweb_with_orthanc(program, tmp_path):
    program("Orthanc")
    if dicomweb_plugin() is None:
        pytest.skip("needs Orthanc's DICOMweb plug-in: apt-get install orthanc-dicomweb")
    if not shutil.which("unshare") or not can_unshare():
        pytest.skip("needs a network namespace: root, or user namespaces (unshare of util-linux)")

    done = in_namespace(CASES, "--basetemp", tmp_path / "cases")

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    assert "skipped" not in done.stdout

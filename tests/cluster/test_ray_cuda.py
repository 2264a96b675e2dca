"""Workers of a Ray cluster that have a GPU each."""

import subprocess
import sys
from pathlib import Path

import pytest

from cxrview.classify.model import load_model
from cxrview.errors import NoSuchDevice
from cxrview.phantom.archive import draw_archive
from cxrview.terms import Device

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module", autouse=True)
def gpu() -> None:
    try:
        load_model(device=Device.CUDA)
    except NoSuchDevice as error:
        pytest.skip(f"needs a GPU and onnxruntime-gpu: {error}")


def classify(folder: Path, out: str, *more: str) -> None:
    command = [sys.executable, "-m", "cxrview", "classify", "archive", "--out", out]
    options = ["--device", "cuda", "--key", "patient.key", *more]
    ended = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True)
    assert ended.returncode in (0, 1), ended.stderr


def test_rows_are_those_of_one_machine_with_a_gpu(tmp_path):
    draw_archive(tmp_path / "archive", patients=40, size=(256, 210))

    classify(tmp_path, "plain/")
    classify(tmp_path, "cluster/", "--cluster", "local")

    for name in ("/part-00000.parquet", ".failures.csv"):
        of_one, of_cluster = (tmp_path / f"{where}{name}" for where in ("plain", "cluster"))
        assert of_one.read_bytes() == of_cluster.read_bytes(), name

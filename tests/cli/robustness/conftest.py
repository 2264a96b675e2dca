"""A model that can be checked by hand, a store and drawn radiographs, for both commands."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cxrview.classify.model_files import write_model
from cxrview.cli.main import app
from cxrview.dataset.prepare import prepare_images
from cxrview.phantom.archive import draw_archive
from cxrview.records.model_card import ModelCard

IMAGES = 24


@pytest.fixture(scope="package")
def model(tmp_path_factory) -> Path:
    """PFI is how bright the picture is on average: 255 is 100 %."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Cast", ["radiographs"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["grey"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Div", ["mean", "scale"], ["pfi"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean-grey",
        [helper.make_tensor_value_info("radiographs", TensorProto.UINT8, ["n", 256, 256])],
        [helper.make_tensor_value_info("pfi", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor("scale", TensorProto.FLOAT, [], [2.55])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    weights = made.SerializeToString()
    card = ModelCard(
        model_id="mean-grey-1",
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        input_side=256,
        cutoff=50.0,
        paper_cutoff=60.0,
        review_band=(45.0, 55.0),
        precision="float32",
    )
    folder = tmp_path_factory.mktemp("model")
    write_model(folder, card, weights)
    return folder


@pytest.fixture(scope="package")
def store(tmp_path_factory) -> Path:
    """Bright frontal and dark lateral pictures of as many patients."""
    folder = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    lines = []
    for n in range(IMAGES):
        grey = (100 if n % 2 else 160) + rng.integers(-30, 30, (64, 64))
        Image.fromarray(grey.astype(np.uint8)).save(folder / f"{n}.png")
        lines.append(f"{n}.png,p{n},{'lateral' if n % 2 else 'frontal'}")
    (folder / "labels.csv").write_text("\n".join(["file,patient,view", *lines]) + "\n")
    prepare_images(folder / "labels.csv", folder / "store", workers=1)
    return folder / "store"


@pytest.fixture(scope="package")
def chests(tmp_path_factory) -> list[str]:
    """A frontal and a lateral drawn radiograph, as DICOM."""
    folder = tmp_path_factory.mktemp("drawn")
    draw_archive(folder / "archive", patients=1, size=(256, 210), seed=0)
    return [str(folder / "archive/PAT00001/STUDY001" / name) for name in ("IM0001", "IM0002")]


@pytest.fixture
def robustness():
    """Run `cxrview robustness` and return what it prints; what it refuses, it raises."""

    def run(command: str, *arguments, code=0) -> str:
        words = ["robustness", command, *map(str, arguments)]
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.output

    return run


@pytest.fixture
def rows_of():
    """Read a CSV file."""

    def read(path: Path) -> list[dict[str, str]]:
        with path.open(newline="") as file:
            return list(csv.DictReader(file))

    return read

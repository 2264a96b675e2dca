"""`cxrview robustness` as its user runs it, with a network that anybody can check by hand."""

import csv
import hashlib
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from cxrview.assess.modify import MODIFICATIONS
from cxrview.classify.model import load_model
from cxrview.classify.model_files import write_model
from cxrview.cli.main import app
from cxrview.dataset.prepare import prepare_images
from cxrview.dataset.split import partition_of, split_images
from cxrview.dataset.split_files import write_split
from cxrview.dataset.store import open_prepared
from cxrview.errors import UsageError
from cxrview.paper.scale import SCALES
from cxrview.phantom.archive import draw_archive
from cxrview.records import ModelCard

IMAGES = 24


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def chests(tmp_path_factory) -> list[str]:
    """A frontal and a lateral drawn radiograph, as DICOM."""
    folder = tmp_path_factory.mktemp("drawn")
    draw_archive(folder / "archive", patients=1, size=(256, 210), seed=0)
    return [str(folder / "archive/PAT00001/STUDY001" / name) for name in ("IM0001", "IM0002")]


def robustness(*arguments, code=0) -> str:
    """What the command prints; what it refuses, it raises."""
    done = CliRunner().invoke(app, ["robustness", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_is_over_the_test_images_of_the_published_rule(store, model, tmp_path):
    said = robustness(store, "--model", model, "--out", tmp_path)

    test = {f"{n}.png" for n in range(IMAGES) if partition_of(f"p{n}") == "test"}
    rows = pq.read_table(tmp_path / "robustness.parquet").to_pylist()
    assert {row["file"] for row in rows} == test
    assert {row["classifier"] for row in rows} == {"mean-grey-1"}
    for counted in rows_of(tmp_path / "robustness.csv"):
        name = f"{counted['modification']}/{counted['severity']}"
        name = "progenitor" if name == "unmodified/" else name
        of = [row for row in rows if row["variant"] == name]
        right = sum((row["pfi"] >= 50) == (row["view"] == "frontal") for row in of)
        assert (int(counted["right"]), int(counted["images"])) == (right, len(test))
    assert f"all {len(test)}" in said
    assert len(said.splitlines()) >= len(MODIFICATIONS)


def test_a_split_of_the_user_s_own_and_another_partition_are_followed(store, model, tmp_path):
    (tmp_path / "split.csv").write_text("file,partition\n3.png,validation\n5.png,test\n")

    robustness(
        *(store, "--model", model, "--out", tmp_path / "out"),
        *("--split", tmp_path / "split.csv", "--partition", "validation"),
    )

    rows = pq.read_table(tmp_path / "out" / "robustness.parquet").to_pylist()
    assert {row["file"] for row in rows} == {"3.png"}


def test_a_drawn_part_says_so(store, model, tmp_path):
    every = sum(partition_of(f"p{n}") == "training" for n in range(IMAGES))
    said = robustness(
        *(store, "--model", model, "--out", tmp_path),
        *("--partition", "training", "--sample", 4, "--seed", 1),
    )

    assert "drawn by seed 1" in said
    assert f"4 of {every}" in said
    assert {(row["images"], row["drawn_from"]) for row in rows_of(tmp_path / "robustness.csv")} == {
        ("4", str(every))
    }


def test_the_cutoff_can_be_changed(store, model, tmp_path):
    robustness(store, "--model", model, "--out", tmp_path, "--cutoff", 0, "--sample", 2)

    first = rows_of(tmp_path / "robustness.csv")[0]
    assert (first["right"], first["cutoff"]) == (first["frontal"], "0.0")


def test_a_model_of_a_scaled_run_says_so_in_table_and_figure(store, model, chests, tmp_path):
    words = "8 variants instead of 106"
    made = load_model(model)
    weights = (model / "model.onnx").read_bytes()
    write_model(tmp_path / "scaled", replace(made.card, about={"scale": words}), weights)

    for sources in ([store, "--sample", 2], chests):
        robustness(*sources, "--model", tmp_path / "scaled", "--out", tmp_path / "out")

    assert {row["scale"] for row in rows_of(tmp_path / "out" / "robustness.csv")} == {words}
    assert words in (tmp_path / "out" / "modified.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_model_of_the_smoke_scale_is_warned_of_whatever_it_is_used_for(
    store, model, chests, tmp_path
):
    made = load_model(model)
    weights = (model / "model.onnx").read_bytes()
    card = replace(made.card, about={"scale": SCALES["smoke"].words})
    write_model(tmp_path / "smoke", card, weights)
    write_split(
        tmp_path / "split.csv",
        split_images(open_prepared(store).images, by="image"),
        open_prepared(store).images,
    )

    for words in (
        ["robustness", *chests, "--out", tmp_path / "robustness"],
        ["classify", *chests, "--out", tmp_path / "views.csv"],
        ["assess", store, "--split", tmp_path / "split.csv", "--out", tmp_path / "assessed"],
    ):
        command = [*map(str, words), "--model", str(tmp_path / "smoke")]
        done = CliRunner().invoke(app, command, catch_exceptions=False)
        assert f"the model {card.model_id} was made at --scale smoke" in done.stderr, words
        assert "its answers mean nothing" in done.stderr

    summary = json.loads((tmp_path / "views.summary.json").read_text())
    assert summary["conditions"]["scale"] == SCALES["smoke"].words
    assert "figures mean nothing" in (tmp_path / "assessed" / "assessment.json").read_text()


def test_a_run_stopped_by_ctrl_c_goes_on(store, model, tmp_path):
    command = [sys.executable, "-m", "cxrview", "robustness", str(store), "--model", str(model)]
    command += ["--partition", "training", "--out", str(tmp_path)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while run.poll() is None and not list(tmp_path.glob("parts/*.parquet")):
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=60)[1]

    assert run.returncode == 130
    assert "Traceback" not in said
    stood = {path: path.stat().st_mtime_ns for path in tmp_path.glob("parts/*.parquet")}
    assert 0 < len(stood) < len(MODIFICATIONS)
    assert not (tmp_path / "robustness.parquet").exists()
    robustness(store, "--model", model, "--partition", "training", "--out", tmp_path)
    assert all(path.stat().st_mtime_ns == made for path, made in stood.items())
    assert len(rows_of(tmp_path / "robustness.csv")) == len(MODIFICATIONS)


def test_images_get_a_figure_and_a_table(chests, model, tmp_path):
    robustness(*chests, "--model", model, "--out", tmp_path)

    rows = rows_of(tmp_path / "modified.csv")
    assert [row["image"] for row in rows] == ["1"] * 5 + ["2"] * 5
    assert [row["modification"] for row in rows[:5]] == [
        *("unmodified", "marker-added", "rotation", "obscured", "cropped")
    ]
    for row in rows:
        assert row["view"] == ("frontal" if float(row["pfi"]) >= 50 else "lateral")
    # The model is brightness: half of it hidden, a picture is darker.
    assert float(rows[3]["pfi"]) < float(rows[0]["pfi"])
    with Image.open(tmp_path / "modified.png") as figure:
        assert min(figure.size) > 200
    assert "</svg>" in (tmp_path / "modified.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("box", ["10,200,24,30", "4%, 80%, 10%, 12%"])
def test_a_marker_of_the_image_s_own_is_moved_and_blanked(chests, model, tmp_path, box):
    robustness(chests[0], "--model", model, "--out", tmp_path, "--marker-box", box)

    kinds = [row["modification"] for row in rows_of(tmp_path / "modified.csv")]
    assert kinds == [
        *("unmodified", "marker-moved", "marker-blanked", "rotation", "obscured", "cropped")
    ]


def test_a_bad_file_is_one_line_and_the_others_go_on(chests, model, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    said = robustness(
        *(tmp_path / "bad.png", chests[1], "--model", model, "--out", tmp_path / "out"), code=1
    )

    (line,) = [line for line in said.splitlines() if line.startswith("cxrview: ")]
    assert "bad.png" in line
    assert len(rows_of(tmp_path / "out" / "modified.csv")) == 5


def test_nothing_that_can_be_read_leaves_no_figure(model, tmp_path):
    (tmp_path / "none.dcm").write_text("no picture")

    robustness(tmp_path / "none.dcm", "--model", model, "--out", tmp_path / "out", code=1)

    assert not (tmp_path / "out").exists()


def test_names_that_are_mistyped_are_all_told_before_any_work(chests, tmp_path):
    with pytest.raises(UsageError, match=r"a\.png cannot be found .*; b\.png cannot be found"):
        robustness("a.png", chests[0], "b.png", "--model", "nowhere", "--out", tmp_path / "out")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--marker-box", "0,0,1,300"], "no box within 256 x 256"),
        (["--marker-box", "0,0,0.1%,10%"], "no box within"),
        (["--marker-box", "1,2,3"], "no box within"),
        (["--marker-box", "a,b,c,d"], "no box within"),
        (["--marker-box", "0,0,9,9", "--marker-box", "0,0,8,8"], "1 image has 2 boxes"),
        (["--sample", "3"], "for a store"),
    ],
)
def test_what_does_not_fit_images_is_refused(chests, model, tmp_path, options, why):
    with pytest.raises(UsageError, match=why):
        robustness(chests[0], "--model", model, "--out", tmp_path, *options)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--marker-box", "0,0,9,9"], "for images"),
        (["--partition", "tests"], "no partition tests"),
    ],
)
def test_what_does_not_fit_a_store_is_refused(store, model, tmp_path, options, why):
    with pytest.raises(UsageError, match=why):
        robustness(store, "--model", model, "--out", tmp_path, *options)


@pytest.mark.parametrize(("option", "value"), [("--cutoff", "nan"), ("--seed", "-1")])
def test_a_number_out_of_range_is_refused(store, model, tmp_path, option, value):
    said = robustness(store, "--model", model, "--out", tmp_path, option, value, code=2)

    assert option in said


def test_a_folder_that_is_no_store_is_refused(model, tmp_path):
    with pytest.raises(UsageError, match="no prepared images"):
        robustness(tmp_path, "--model", model, "--out", tmp_path / "out")

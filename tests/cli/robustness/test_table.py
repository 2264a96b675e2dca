"""`cxrview robustness table` as its user runs it, with a model that can be checked by hand."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from cxrview.assess.modify import MODIFICATIONS
from cxrview.classify.model import load_model
from cxrview.classify.model_files import write_model
from cxrview.cli.main import app
from cxrview.dataset.split import partition_of, split_images
from cxrview.dataset.split_files import write_split
from cxrview.dataset.store import open_prepared
from cxrview.errors import UsageError
from cxrview.paper.scale import SCALES
from cxrview.records.card_about import CardAbout
from fixtures.posed_model import write_posed_model

IMAGES = 24


def test_the_table_is_over_the_test_images_of_the_published_rule(
    rows_of, robustness, store, model, tmp_path
):
    said = robustness("table", store, "--model", model, "--out", tmp_path)

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


def test_a_split_of_the_user_s_own_and_another_partition_are_followed(
    robustness, store, model, tmp_path
):
    (tmp_path / "split.csv").write_text("file,partition\n3.png,validation\n5.png,test\n")

    robustness(
        "table",
        *(store, "--model", model, "--out", tmp_path / "out"),
        *("--split", tmp_path / "split.csv", "--partition", "validation"),
    )

    rows = pq.read_table(tmp_path / "out" / "robustness.parquet").to_pylist()
    assert {row["file"] for row in rows} == {"3.png"}


def test_a_drawn_part_says_so(rows_of, robustness, store, model, tmp_path):
    every = sum(partition_of(f"p{n}") == "training" for n in range(IMAGES))
    said = robustness(
        "table",
        *(store, "--model", model, "--out", tmp_path),
        *("--partition", "training", "--sample", 4, "--seed", 1),
    )

    assert "drawn by seed 1" in said
    assert f"4 of {every}" in said
    assert {(row["images"], row["drawn_from"]) for row in rows_of(tmp_path / "robustness.csv")} == {
        ("4", str(every))
    }


def test_the_cutoff_can_be_changed(rows_of, robustness, store, model, tmp_path):
    robustness("table", store, "--model", model, "--out", tmp_path, "--cutoff", 0, "--sample", 2)

    first = rows_of(tmp_path / "robustness.csv")[0]
    assert (first["right"], first["cutoff"]) == (first["frontal"], "0.0")


def test_a_model_of_a_scaled_run_says_so_in_table_and_figure(
    rows_of, robustness, store, model, chests, tmp_path
):
    words = "8 variants instead of 106"
    made = load_model(model)
    weights = (model / "model.onnx").read_bytes()
    write_model(tmp_path / "scaled", replace(made.card, about=CardAbout(scale=words)), weights)

    for words_of in (["table", store, "--sample", 2], ["figure", *chests]):
        robustness(*words_of, "--model", tmp_path / "scaled", "--out", tmp_path / "out")

    assert {row["scale"] for row in rows_of(tmp_path / "out" / "robustness.csv")} == {words}
    assert words in (tmp_path / "out" / "modified.svg").read_text(encoding="utf-8")


def test_a_model_that_answers_the_pose_has_columns_for_it(rows_of, robustness, store, tmp_path):
    model = write_posed_model(tmp_path / "posed")

    said = robustness("table", store, "--model", model, "--out", tmp_path / "out", "--sample", 2)

    assert "answered / answered wrong" in said
    turned = next(line for line in said.splitlines() if "rotation" in line and " 90 " in line)
    assert turned.split()[-3:] == ["100.0/100.0", "0.0/0.0", "100.0/0.0"]
    rows = rows_of(tmp_path / "out" / "robustness.csv")
    wrong = {row["severity"]: row["rotation_wrong_percent"] for row in rows}
    assert [wrong[degrees] for degrees in ("", "20", "45", "90", "180")] == [
        *("0.0", "0.0", "", "100.0", "100.0")
    ]


@pytest.mark.slow
def test_a_model_of_the_smoke_scale_is_warned_of_whatever_it_is_used_for(
    store, model, chests, tmp_path
):
    made = load_model(model)
    weights = (model / "model.onnx").read_bytes()
    card = replace(made.card, about=CardAbout(scale=SCALES["smoke"].words))
    write_model(tmp_path / "smoke", card, weights)
    write_split(
        tmp_path / "split.csv",
        split_images(open_prepared(store).images, by="image"),
        open_prepared(store).images,
    )

    for words in (
        ["robustness", "figure", *chests, "--out", tmp_path / "robustness"],
        ["classify", *chests, "--out", tmp_path / "views.csv"],
        [
            "assess",
            "model",
            store,
            "--split",
            tmp_path / "split.csv",
            "--out",
            tmp_path / "assessed",
        ],
    ):
        command = [*map(str, words), "--model", str(tmp_path / "smoke")]
        done = CliRunner().invoke(app, command, catch_exceptions=False)
        assert f"the model {card.model_id} was made at --scale smoke" in done.stderr, words
        assert "its output is meaningless" in done.stderr

    summary = json.loads((tmp_path / "views.summary.json").read_text())
    assert summary["conditions"]["scale"] == SCALES["smoke"].words
    assert "figures mean nothing" in (tmp_path / "assessed" / "assessment.json").read_text()


def stopped_by_ctrl_c(command: list[str], out: Path) -> tuple[int, str]:
    """Press Ctrl-C when the first part is written; gives the exit code and what was printed."""
    run = subprocess.Popen(
        [*command, "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    while run.poll() is None and not list(out.glob("parts/*.parquet")):
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    return run.wait(60), run.communicate()[1]


def test_a_run_stopped_by_ctrl_c_goes_on(rows_of, robustness, store, model, tmp_path):
    command = [sys.executable, "-m", "cxrview", "robustness", "table", str(store)]
    command += ["--model", str(model), "--partition", "training"]
    for attempt in range(10):
        tmp_path = tmp_path / str(attempt)
        code, said = stopped_by_ctrl_c(command, tmp_path)
        if code:  # on a busy machine a run may have ended before it hears the signal
            break

    assert code == 130
    assert "Traceback" not in said
    stood = {path: path.stat().st_mtime_ns for path in tmp_path.glob("parts/*.parquet")}
    assert 0 < len(stood) < len(MODIFICATIONS)
    assert not (tmp_path / "robustness.parquet").exists()
    robustness("table", store, "--model", model, "--partition", "training", "--out", tmp_path)
    assert all(path.stat().st_mtime_ns == made for path, made in stood.items())
    assert len(rows_of(tmp_path / "robustness.csv")) == len(MODIFICATIONS)


def test_a_partition_that_there_is_none_of_is_refused(robustness, store, model, tmp_path):
    with pytest.raises(UsageError, match="partition tests does not exist"):
        robustness("table", store, "--model", model, "--out", tmp_path, "--partition", "tests")


@pytest.mark.parametrize(("option", "value"), [("--cutoff", "nan"), ("--seed", "-1")])
def test_a_number_out_of_range_is_refused(robustness, store, model, tmp_path, option, value):
    said = robustness("table", store, "--model", model, "--out", tmp_path, option, value, code=2)

    assert option in said


def test_a_folder_that_is_no_store_is_refused(robustness, model, tmp_path):
    with pytest.raises(UsageError, match="is not a prepared store"):
        robustness("table", tmp_path, "--model", model, "--out", tmp_path / "out")

"""The whole study on drawn images: what it leaves, and what a kill -9 does to it."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fixtures.smoke_study import COMMAND, finished_study

KILLED_AT = (
    "prepare: started",
    "split: started",
    "pre-train grey: started",
    "pre-train grey: after epoch 0",
    "fine-tune colour/fc-augmented: started",
    "fine-tune grey/all-augmented: step 1",
    "choose: started",
    "assess: started",
    "robustness: started",
)
"""What is printed last before a kill -9, run after run."""
BYTES = (
    "split.csv",
    "pre-trained/*/weights.safetensors",
    "candidates/*/*/validation.parquet",
    "candidates/*/*/weights.safetensors",
    "model/*",
    "assessment/*.parquet",
    "assessment/*.csv",
    "robustness/*.parquet",
    "robustness/*.csv",
)


@pytest.fixture(scope="module")
def whole(shared_folder) -> Path:
    """A finished study, with what it publishes beside it; other tests use it too."""
    return finished_study(shared_folder)


def run_until(out: Path, words: str) -> bool:
    """Kill the study when it prints that; whether it had to be killed."""
    with subprocess.Popen(
        [*COMMAND, "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith(words):
                process.kill()
                process.communicate()
                return True
    return False


@pytest.mark.nightly
@pytest.mark.slow
def test_killed_in_every_kind_of_stage_it_ends_with_the_same_bytes(whole, tmp_path):
    out = tmp_path / "study"
    shutil.copytree(whole / "drawn", out / "drawn")

    killed = [run_until(out, words) for words in KILLED_AT]
    done = subprocess.run([*COMMAND, "--out", str(out)], capture_output=True, text=True)

    assert all(killed)
    assert done.returncode == 0, done.stderr
    compared = 0
    for pattern in BYTES:
        for path in sorted(whole.glob(pattern)):
            twin = out / path.relative_to(whole)
            assert twin.read_bytes() == path.read_bytes(), path.relative_to(whole)
            compared += 1
    assert compared > 30


@pytest.mark.slow
def test_it_leaves_nine_candidates_whose_predictions_can_be_recounted(whole):
    with (whole / "model" / "candidates.csv").open() as lines:
        told = {r["candidate"]: (r["right"], r["images"]) for r in csv.DictReader(lines)}

    recounted = {}
    for path in whole.glob("candidates/*/*/validation.parquet"):
        rows = pq.read_table(path).to_pylist()
        right = sum((row["pfi"] >= 50) == (row["view"] == "frontal") for row in rows)
        recounted[rows[0]["classifier"]] = (str(right), str(len(rows)))
    assert len(told) == 9
    assert told == recounted


@pytest.mark.slow
def test_the_papers_choice_is_assessed_beside_another_one_and_published(whole):
    chosen = json.loads((whole / "model" / "choice.json").read_text())["chosen"]
    published = whole.parent / "public" / "paper-choice.csv"
    assert published.is_file() == (chosen != "grey/all-augmented")

    if published.is_file():
        scores = pq.read_table(whole / "paper-choice" / "assessment" / "scores.parquet").to_pylist()
        with published.open() as lines:
            rows = list(csv.DictReader(lines))
        tested = [row for row in scores if row["set"] != "validation"]
        assert {row["classifier"] for row in (*rows, *scores)} == {"grey/all-augmented"}
        for row in (row for row in rows if row["images"] == "both"):
            cutoff = float(row["cutoff"])
            right = sum((one["pfi"] >= cutoff) == (one["view"] == "frontal") for one in tested)
            assert (int(row["right"]), int(row["total"])) == (right, len(tested))


@pytest.mark.slow
def test_no_patient_and_no_file_is_in_what_may_be_published(whole):
    public = whole.parent / "public"
    labels = (whole / "drawn" / "labels.csv").read_text().splitlines()[1:]
    names = {row.split(",")[0] for row in labels} | {row.split(",")[1] for row in labels}

    texts = [
        p.read_text()
        for p in public.rglob("*")
        if p.suffix in (".csv", ".html", ".json", ".md", ".svg")
    ]

    assert len(texts) > 8
    assert not [name for name in names for text in texts if name in text]
    assert not (public / "figures" / "failures.png").exists()
    assert "phantom" in (public / "reproduction.html").read_text()


@pytest.mark.slow
def test_the_page_asks_for_nothing_else(whole):
    asked = []

    class Links(HTMLParser):
        def handle_starttag(self, tag, attrs):
            asked.extend(
                value
                for name, value in attrs
                if name in ("src", "href", "data") and tag != "a" and value
            )

    Links().feed((whole / "reproduction.html").read_text())

    assert len(asked) >= 8
    assert all(value.startswith(("data:", "#")) for value in asked)


@pytest.mark.slow
def test_another_study_in_the_folder_is_refused(whole):
    done = subprocess.run(
        [*COMMAND, "--seed", "2", "--out", str(whole)], capture_output=True, text=True
    )

    assert done.returncode == 2
    assert "belongs to another study" in done.stderr
    assert "seed" in done.stderr


@pytest.mark.slow
def test_each_stage_was_timed(whole):
    seconds = json.loads((whole / "times.json").read_text())

    assert len(seconds) == 2 + 3 + 9 + 3
    assert all(value >= 0 for value in seconds.values())


@pytest.mark.slow
def test_a_larger_study_needs_its_images(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cxrview", "reproduce", "--out", str(tmp_path / "study")],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert "needs LABELS, --published, --pictures and --classes" in done.stderr
    assert not (tmp_path / "study").exists()


@pytest.mark.slow
def test_each_stage_as_a_command_of_its_own_gives_the_same(whole, tmp_path):
    """fc-original of colour by `cxrview finetune`, the model by `cxrview choose`."""
    place = whole / "candidates" / "colour" / "fc-original"
    command = [sys.executable, "-m", "cxrview"]

    fine_tune = [
        *(*command, "finetune", str(whole / "store"), "--recipe", "fc-original"),
        *("--split", str(whole / "split.csv"), "--scale", "smoke"),
        *("--pre-trained", str(whole / "pre-trained" / "colour")),
        *("--out", str(tmp_path / "one")),
    ]
    subprocess.run(fine_tune, check=True, capture_output=True)
    of_another_seed = subprocess.run([*fine_tune, "--seed", "1"], capture_output=True, text=True)
    subprocess.run(
        [*command, "choose", str(whole / "candidates"), "--out", str(tmp_path / "model")],
        check=True,
        capture_output=True,
    )

    for name in ("validation.parquet", "weights.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (place / name).read_bytes()
    for name in ("model.onnx", "card.json", "comparisons.csv"):
        assert (tmp_path / "model" / name).read_bytes() == (whole / "model" / name).read_bytes()
    assert list((tmp_path / "one" / "events").iterdir())
    assert of_another_seed.returncode == 2
    assert "seed" in of_another_seed.stderr


@pytest.mark.slow
def test_ctrl_c_says_that_what_is_finished_is_kept(tmp_path):
    out = tmp_path / "study"
    with subprocess.Popen(
        [*COMMAND, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and not list(out.rglob("IM*")):
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate()

    assert process.returncode == 130
    assert said == ("", "cxrview: interrupted; what is finished is kept\n")

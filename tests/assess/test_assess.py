"""An assessment from images to files, recounted by other code from what it leaves behind."""

import csv
import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from cxrview.assess.assess import assess_model, compute_scores
from cxrview.assess.cascade import cascade_conditions
from cxrview.assess.images import choose_images
from cxrview.assess.remarks import assessment_remarks
from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.model import Model
from cxrview.dataset.split import partition_of
from cxrview.errors import UsageError
from cxrview.records.card_about import CardAbout
from cxrview.records.classification import Failure
from cxrview.records.dataset import Prepared, PreparedImage, Split
from cxrview.records.model_card import ModelCard
from cxrview.terms import Partition, View

SIDE, INSIDE, OUTSIDE = 32, 90, 30
VIEWS = ["frontal", "lateral"]
TABLES = ("assessment.csv", "slices.csv", "reliability.csv", "errors.csv", "assessment.json")


@pytest.fixture(scope="module")
def model() -> Model:
    """PFI is how bright the picture is on average: 255 is 100 %."""
    nodes = [
        helper.make_node("Cast", ["radiographs"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["grey"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Div", ["mean", "scale"], ["pfi"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean-grey",
        [helper.make_tensor_value_info("radiographs", TensorProto.UINT8, ["n", SIDE, SIDE])],
        [helper.make_tensor_value_info("pfi", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor("scale", TensorProto.FLOAT, [], [2.55])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    weights = made.SerializeToString()
    card = ModelCard(
        model_id="mean-grey-1",
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        input_side=SIDE,
        cutoff=50.0,
        paper_cutoff=60.0,
        review_band=(45.0, 55.0),
        precision="float32",
    )
    onnx.checker.check_model(made, full_check=True)
    return Model(card=card, backend=OnnxRuntime(weights, threads=1))


def drawn(number: int, source: str, seed: int, *, headers: bool) -> Prepared:
    """Frontal pictures are brighter as a rule; their headers are right as a rule."""
    rng = np.random.default_rng(seed)
    images, pixels = [], []
    for row in range(number):
        view = View.LATERAL if row % 2 else View.FRONTAL
        bright = np.clip(rng.normal(150 if view is View.FRONTAL else 100, 25), 20, 235)
        pixels.append(np.clip(rng.normal(bright, 15, (SIDE, SIDE)), 0, 255).astype(np.uint8))
        claim = rng.choice([view, View.FRONTAL, None]) if headers else None
        images.append(
            PreparedImage(
                row=row,
                file=f"{source}/{row}.png",
                source=source,
                study="",
                patient=f"{source} {row}",
                view=view,
                file_sha256="",
                pixel_sha256=f"{source} {row}",
                has_header=headers,
                manufacturer=str(rng.choice(["Maker", "Other"])) if headers else "",
                header_view=claim,
            )
        )
    return Prepared(images=tuple(images), pixels=np.stack(pixels))


@pytest.fixture(scope="module")
def images():
    inside, outside = drawn(INSIDE, "in", 1, headers=True), drawn(OUTSIDE, "out", 2, headers=False)
    parts = [p for p in Partition for _ in range(INSIDE // 3)]
    split = Split(
        partitions={i.file: p for i, p in zip(inside.images, parts, strict=True)}, by="patient"
    )
    return choose_images(inside, split, external=outside)


@pytest.fixture(scope="module")
def assessed(images, model, tmp_path_factory):
    out = tmp_path_factory.mktemp("assessed") / "run"
    return out, assess_model(images, model, out)


def rows_of(path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_count_of_the_table_is_what_the_raw_scores_give(assessed):
    out, _ = assessed
    scores = pq.read_table(out / "scores.parquet").to_pylist()
    table = rows_of(out / "assessment.csv")

    assert {row["classifier"] for row in table} == {
        *("mean-grey-1", "lehmann", "boone"),
        *("header", "header, learnt"),
    }
    for row in table:
        sets = {"inside", "external"} if row["images"] == "both" else {row["images"]}
        of = [s for s in scores if s["classifier"] == row["classifier"] and s["set"] in sets]
        truth = [s["view"] for s in of]
        if row["rule"] == "at its word":
            right = sum(s["view"] == s["header_view"] for s in of)
        else:
            said = ["frontal" if s["pfi"] >= float(row["cutoff"]) else "lateral" for s in of]
            matrix = confusion_matrix(truth, said, labels=VIEWS)
            right = int(np.trace(matrix))
            cells = [int(row[f"{a}_called_{b}"]) for a in VIEWS for b in VIEWS]
            assert matrix.ravel().tolist() == cells
            assert float(row["sensitivity"]) == matrix[0, 0] / matrix[0].sum()
            assert float(row["specificity"]) == matrix[1, 1] / matrix[1].sum()
        assert (int(row["right"]), int(row["total"])) == (right, len(of))
        exact = binomtest(right, len(of)).proportion_ci(method="exact")
        ends = float(row["accuracy_low"]), float(row["accuracy_high"])
        assert ends == pytest.approx((exact.low, exact.high))


def test_slices_and_errors_are_what_the_raw_scores_give(assessed):
    out, _ = assessed
    scores = pq.read_table(out / "scores.parquet").to_pylist()
    cutoffs = {
        (r["classifier"], r["cutoff_from"], r["rule"]): r["cutoff"]
        for r in rows_of(out / "assessment.csv")
        if r["cutoff"]
    }

    def is_right(row, score) -> bool:
        if row["rule"] == "at its word":
            return score["header_view"] == score["view"]
        cutoff = cutoffs[row["classifier"], row["cutoff_from"], row["rule"]]
        return (score["pfi"] >= float(cutoff)) == (score["view"] == "frontal")

    def of(row) -> list:
        sets = {"inside", "external"} if row["images"] == "both" else {row["images"]}
        return [s for s in scores if s["classifier"] == row["classifier"] and s["set"] in sets]

    slices = rows_of(out / "slices.csv")
    assert {(s["kind"], s["name"]) for s in slices} >= {
        *(("source", "in"), ("source", "out"), ("manufacturer", "Maker"), ("manufacturer", "")),
        ("header_view", ""),
    }
    for row in slices:
        inside = [s for s in of(row) if s[row["kind"]] == row["name"]]
        right = sum(is_right(row, s) for s in inside)
        assert (int(row["right"]), int(row["total"])) == (right, len(inside))
    errors = rows_of(out / "errors.csv")
    headline = [r for r in rows_of(out / "assessment.csv") if r["headline"] == "yes"]
    for row in headline:
        names = ("classifier", "images", "cutoff_from", "rule")
        listed = [e["file"] for e in errors if all(e[name] == row[name] for name in names)]
        wrong = [s["file"] for s in of(row) if not is_right(row, s)]
        assert listed == ([] if row["images"] == "both" else wrong)
    assert errors


def test_the_networks_scores_are_how_bright_each_picture_is(assessed, images):
    _, run = assessed
    network = run.scores[0]
    pixels = np.concatenate([one.pixels() for one in images.scored])

    assert network.pfi == pytest.approx(pixels.mean(axis=(1, 2)) / 2.55, abs=1e-4)
    assert network.facts["set"].tolist() == [one.name for one in images.scored for _ in one.images]


def test_headers_are_asked_where_there_is_one(assessed):
    _, run = assessed
    of = {one.classifier: one for one in run.scores}

    assert len(of["header"]) == len(of["header, learnt"]) == 2 * INSIDE // 3
    assert set(of["header"].facts["source"]) == {"in"}
    silent = int((of["header"].facts["header_view"][INSIDE // 3 :] == "").sum())
    assert any(f"30 of 60 test images that have one; {silent} of these" in r for r in run.remarks)


@pytest.mark.slow
def test_what_is_complete_is_not_computed_again(assessed, images, model, tmp_path):
    out, asked = tmp_path / "again", []
    shutil.copytree(assessed[0], out)

    assess_model(images, model, out, watch=asked.append)

    assert asked == []
    names = {path.name for path in out.iterdir()}
    assert names >= {*TABLES, "scores.parquet", "about.json", "fig-3.svg", "fig-4.png"}
    assert names == {path.name for path in assessed[0].iterdir()}
    for name in names:
        assert (out / name).read_bytes() == (assessed[0] / name).read_bytes(), name


@pytest.mark.slow
def test_a_scaled_model_is_said_to_be_one_in_every_table_and_figure(
    assessed, images, model, tmp_path
):
    out, words = tmp_path / "scaled", "scaled to two cores: 400 images, not 119,674"
    shutil.copytree(assessed[0], out)
    card = replace(model.card, about=CardAbout(scale=words))

    assess_model(images, replace(model, card=card), out, note="drawn phantoms, no patient")

    for name in ("assessment.csv", "slices.csv", "reliability.csv"):
        assert {list(row.items())[-1] for row in rows_of(out / name)} == {("scale", words)}, name
        plain = rows_of(assessed[0] / name)
        assert {list(row.items())[-1] for row in plain} == {("scale", "")}, name
    assert json.loads((out / "assessment.json").read_text())["scale"] == words
    for name in ("fig-3", "fig-4", "fig-5", "calibration", "failures"):
        above = f"drawn phantoms, no patient. {words}. " if name in ("fig-4", "failures") else words
        assert above in (out / f"{name}.svg").read_text(encoding="utf-8"), name
        assert words not in (assessed[0] / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_papers_cutoff_is_another_reading_of_the_same_scores(assessed, images, model, tmp_path):
    out, asked = tmp_path / "again", []
    shutil.copytree(assessed[0], out)

    assess_model(images, model, out, cutoff_from="test", watch=asked.append)

    table, errors = rows_of(out / "assessment.csv"), rows_of(out / "errors.csv")
    assert asked == []
    assert {r["cutoff_from"] for r in table} == {"validation", "test", ""}
    assert {r["cutoff_from"] for r in table if r["headline"] == "yes"} == {"test", ""}
    assert {r["cutoff_from"] for r in errors} == {"test", ""}


@pytest.mark.parametrize("damage", ["half", "gone", "no about"])
def test_what_a_killed_run_left_is_made_whole(images, model, tmp_path, damage):
    compute_scores(images, model, tmp_path / "whole", baselines=False)
    out = tmp_path / "killed"
    compute_scores(images, model, out, baselines=False)
    scores, about = out / "scores.parquet", out / "about.json"
    if damage == "half":
        scores.write_bytes(scores.read_bytes()[:500])
    elif damage == "gone":
        scores.unlink()
    else:  # killed between the scores and the word that they are complete
        known = json.loads(about.read_text())
        known.pop("scores_sha256")
        about.write_text(json.dumps(known))

    compute_scores(images, model, out, baselines=False)

    for name in ("scores.parquet", "about.json"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_another_assessment_is_replaced_only_where_asked(images, model, tmp_path):
    out = tmp_path / "run"
    compute_scores(images, model, out, baselines=False)
    other = replace(images, external=replace(images.external, images=()))

    with pytest.raises(UsageError, match="external_images, external_sha256 changed"):
        compute_scores(other, model, out, baselines=False)
    (scores,) = compute_scores(other, model, out, baselines=False, overwrite=True)

    assert set(scores.facts["set"]) == {"validation", "inside"}


def test_two_models_together_are_another_assessment_than_the_first_alone(images, model, tmp_path):
    compute_scores(images, model, tmp_path, baselines=False)
    both = replace(model, card=replace(model.card, chest_cutoff=50.0), second=model)

    with pytest.raises(UsageError, match="second_model changed"):
        compute_scores(images, both, tmp_path, baselines=False)

    about = json.loads((tmp_path / "about.json").read_text())
    about["second_model"] = cascade_conditions(both)
    (tmp_path / "about.json").write_text(json.dumps(about))
    compute_scores(images, both, tmp_path, baselines=False)
    with pytest.raises(UsageError, match="second_model changed"):
        compute_scores(images, model, tmp_path, baselines=False)


@pytest.mark.parametrize("name", ["about.json", "letter.txt"])
def test_other_peoples_files_are_let_be(images, model, tmp_path, name):
    (tmp_path / name).write_text('{"kind": "store"}')

    with pytest.raises(UsageError, match="assessment"):
        compute_scores(images, model, tmp_path, baselines=False, overwrite=True)

    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_network_for_other_pictures_is_refused(images, model, tmp_path):
    card = replace(model.card, input_side=64)

    with pytest.raises(UsageError, match="32 x 32 pixels, the model takes 64 x 64"):
        compute_scores(images, replace(model, card=card), tmp_path / "run", baselines=False)


def test_baselines_need_something_to_learn_from(images, model, tmp_path):
    frontal = tuple(i for i in images.training.images if i.view is View.FRONTAL)
    bare = replace(images, training=replace(images.training, images=frontal))

    with pytest.raises(UsageError, match="no lateral image among 15 training images"):
        compute_scores(bare, model, tmp_path / "a")
    few = replace(images, training=replace(images.training, images=images.training.images[:4]))
    with pytest.raises(UsageError, match="4 training images are too few"):
        compute_scores(few, model, tmp_path / "b")
    compute_scores(bare, model, tmp_path / "c", baselines=False)


def test_images_that_the_model_was_trained_on_are_told(images, model):
    """Its card says by which labels and which rule; the rule says whose images these were."""
    about = CardAbout(partitions="as in cxrview.dataset.partition", labels_sha256="L")
    card = replace(model.card, about=about)
    store = replace(images.inside.store, about={"labels_sha256": "L"})
    same = replace(images, inside=replace(images.inside, store=store))
    seen = sum(partition_of(i.patient) is Partition.TRAINING for i in same.inside.images)

    told = assessment_remarks(same, card, (), baselines=False)
    told_of_second = assessment_remarks(same, model.card, (), baselines=False, second=card)
    untold = assessment_remarks(images, card, (), baselines=False)

    assert seen
    assert told == (
        f"mean-grey-1 was trained on {seen} of the 30 inside images: its accuracy on them "
        "says nothing about new patients",
    )
    assert told_of_second == told
    assert untold == ()


def test_what_could_not_be_read_is_told(images, model):
    failure = Failure(path="in/x.png", code="empty_file", reason="it is empty", advice="")
    store = replace(images.inside.store, failures=(failure,))
    sets = ("training", "validation", "inside")
    same = replace(images, **{s: replace(getattr(images, s), store=store) for s in sets})

    told = assessment_remarks(same, model.card, (), baselines=False)

    assert told == ("1 labelled file could not be read: not in any count",)


def test_a_network_may_have_the_name_of_its_candidate(images, model, tmp_path):
    (scores,) = compute_scores(
        images, model, tmp_path / "run", name="grey/all-augmented", baselines=False
    )

    assert scores.classifier == "grey/all-augmented"

"""The choice from what nine candidates left on disk, recounted by plain code."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from scipy.stats import chi2_contingency
from typer.testing import CliRunner

from cxrview.assess.score_files import write_scores
from cxrview.classify.model import load_model
from cxrview.cli.main import app
from cxrview.errors import UsageError
from cxrview.paper.candidates import CANDIDATES, FINE_TUNINGS, Candidate
from cxrview.paper.choose import choose_candidate_of, make_model
from cxrview.paper.scale import SCALES
from cxrview.paper.train_candidate import VALIDATION
from cxrview.paper.trained_model import finish_training
from cxrview.records.scores import Scores
from cxrview.train.googlenet import GoogLeNet

PROGENITORS, VARIANTS = 40, 5
ERRORS = {"fc-original": 0.15, "fc-augmented": 0.08, "all-augmented": 0.01}


def scores_of(candidate: Candidate) -> Scores:
    rng = np.random.default_rng(CANDIDATES.index(candidate))
    each = VARIANTS if FINE_TUNINGS[candidate.fine_tuning].is_augmented else 1
    number = np.arange(PROGENITORS * each)
    is_frontal = (number // each) % 2 == 0
    pfi = np.where(is_frontal, 99.0, 2.0)
    is_wrong = rng.random(len(number)) < ERRORS[candidate.fine_tuning]
    return Scores(
        classifier=candidate.name,
        files=np.array([f"{k // each}.png" for k in number]),
        patients=np.array([f"p{k // each // 2}" for k in number]),
        variants=np.array([f"v{k % each}" if k % each else "progenitor" for k in number]),
        is_frontal=is_frontal,
        pfi=np.where(is_wrong, 100 - pfi, pfi),
        facts={"source": np.full(len(number), "drawn")},
    )


def finish(
    folder: Path, candidate: Candidate, words: str = "drawn at random", **belongs: str
) -> None:
    """What a training leaves, weights apart: the choice looks at what it said."""
    out = folder / candidate.pre_training / candidate.fine_tuning
    write_scores(out / VALIDATION, [scores_of(candidate)])
    (out / "about.json").write_text(json.dumps(about_of(candidate, words, belongs)))


def about_of(candidate: Candidate, words: str, belongs: dict[str, str]) -> dict[str, object]:
    return {
        "candidate": candidate.name,
        "scale_words": words,
        "schedule": {},
        "belongs": {"scale": "smoke", "seed": "0", "images": "a", "split": "b"} | belongs,
    }


@pytest.fixture(scope="module")
def nine(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("nine")
    torch.manual_seed(0)
    untrained = GoogLeNet(2, auxiliary=False)
    for candidate in CANDIDATES:
        finish(folder, candidate)
        if candidate.fine_tuning == "all-augmented":  # one of these will be chosen
            place = folder / candidate.pre_training / candidate.fine_tuning
            finish_training(place, untrained, about_of(candidate, "drawn at random", {}))
    return folder


def counts(folder: Path) -> dict[str, tuple[int, int]]:
    """Right, and in all, of each, from the Parquet alone."""
    found = {}
    for path in sorted(folder.rglob(VALIDATION)):
        rows = pq.read_table(path).to_pylist()
        right = sum((row["pfi"] >= 50) == (row["view"] == "frontal") for row in rows)
        found[rows[0]["classifier"]] = (right, len(rows))
    return found


def test_accuracies_and_choice_are_those_of_the_predictions(nine, tmp_path):
    choice = choose_candidate_of(nine, seed=0)
    make_model(choice, nine, tmp_path)

    recounted = counts(nine)
    with (tmp_path / "candidates.csv").open() as lines:
        written = {
            r["candidate"]: (int(r["right"]), int(r["images"])) for r in csv.DictReader(lines)
        }
    order = {"colour": 0, "grey-subset": 1, "grey": 2}
    best = max(
        recounted,
        key=lambda name: (recounted[name][0] / recounted[name][1], order[name.split("/")[0]]),
    )
    assert written == recounted
    assert choice.chosen.name == best
    assert json.loads((tmp_path / "choice.json").read_text())["chosen"] == best


def test_comparisons_are_those_of_scipy(nine, tmp_path):
    make_model(choose_candidate_of(nine, seed=0), nine, tmp_path)

    recounted = counts(nine)
    with (tmp_path / "comparisons.csv").open() as lines:
        rows = {row["comparison"]: row for row in csv.DictReader(lines)}
    row = rows["all-augmented against fc-augmented"]
    table = []
    for method in ("all-augmented", "fc-augmented"):
        pool = [recounted[name] for name in recounted if name.endswith(f"/{method}")]
        right, total = sum(r for r, _ in pool), sum(n for _, n in pool)
        table.append([right, total - right])
    plain = chi2_contingency(table, correction=False)
    corrected = chi2_contingency(table, correction=True)
    assert float(row["chi_squared_statistic"]) == pytest.approx(plain.statistic)
    assert float(row["chi_squared_p"]) == pytest.approx(plain.pvalue)
    assert float(row["chi_squared_corrected_statistic"]) == pytest.approx(corrected.statistic)
    assert float(row["chi_squared_corrected_p"]) == pytest.approx(corrected.pvalue)


def test_the_chosen_one_can_be_classified_with(nine, tmp_path):
    choice = choose_candidate_of(nine, seed=0)
    card = make_model(choice, nine, tmp_path)

    model = load_model(tmp_path)

    assert model.card == card
    assert model.card.paper_cutoff == choice.cutoff.high
    assert choice.cutoff.low <= model.card.cutoff <= choice.cutoff.high
    assert model.pfi(np.zeros((1, 256, 256), np.uint8)).shape == (1,)


def test_the_same_choice_gives_the_same_bytes(nine, tmp_path):
    for name in ("one", "two"):
        make_model(choose_candidate_of(nine, seed=0), nine, tmp_path / name)

    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_missing_candidate_is_named(tmp_path):
    for candidate in CANDIDATES[:-1]:
        finish(tmp_path, candidate)

    with pytest.raises(UsageError, match="grey-subset/all-augmented has no finished candidate"):
        choose_candidate_of(tmp_path, seed=0)


def test_candidates_of_another_split_are_refused(tmp_path):
    for candidate in CANDIDATES:
        finish(tmp_path, candidate, split="c" if candidate == CANDIDATES[3] else "b")

    with pytest.raises(UsageError, match="differ in split"):
        choose_candidate_of(tmp_path, seed=0)


def test_a_candidate_in_the_place_of_another_is_refused(tmp_path):
    for candidate in CANDIDATES:
        finish(tmp_path, candidate)
    (tmp_path / "grey" / "fc-original").rename(tmp_path / "kept")
    (tmp_path / "colour" / "fc-original").rename(tmp_path / "grey" / "fc-original")
    (tmp_path / "kept").rename(tmp_path / "colour" / "fc-original")

    with pytest.raises(UsageError, match="colour/fc-original contains grey/fc-original"):
        choose_candidate_of(tmp_path, seed=0)


@pytest.mark.parametrize("name", ["schedule", "pre_trained"])
def test_candidates_that_differ_by_more_than_their_names_are_refused(tmp_path, name):
    """One schedule for the three of a method, one network for the three of a pre-training."""
    for candidate in CANDIDATES:
        value = "other" if candidate == CANDIDATES[4] else "same"
        finish(tmp_path, candidate, **{name: value})

    with pytest.raises(UsageError, match=f"differ in {name}"):
        choose_candidate_of(tmp_path, seed=0)


def test_what_was_changed_in_one_training_stands_over_all(tmp_path):
    for candidate in CANDIDATES:
        is_odd = candidate == CANDIDATES[4]
        finish(tmp_path, candidate, words="drawn; epochs 3 instead of 30" if is_odd else "drawn")

    assert choose_candidate_of(tmp_path, seed=0).scale_words == "drawn; epochs 3 instead of 30"


def test_a_model_that_stands_there_is_not_replaced_unasked(nine, tmp_path):
    make_model(choose_candidate_of(nine, seed=0), nine, tmp_path)

    done = CliRunner().invoke(app, ["choose", str(nine), "--out", str(tmp_path)])

    assert "already holds a model" in str(done.exception)


def test_the_command_says_what_was_chosen(nine, tmp_path):
    done = CliRunner().invoke(app, ["choose", str(nine), "--out", str(tmp_path / "model")])

    assert done.exit_code == 0, done.output
    assert "drawn at random" in done.output
    assert f"chosen: {choose_candidate_of(nine, seed=0).chosen.name}" in done.output
    assert (tmp_path / "model" / "fig-2.png").stat().st_size > 10_000


def test_the_command_compares_by_its_seed(nine, tmp_path):
    CliRunner().invoke(app, ["choose", str(nine), "--out", str(tmp_path / "one"), "--seed", "1"])
    for seed in (0, 1):
        make_model(choose_candidate_of(nine, seed=seed), nine, tmp_path / str(seed))

    zero, one, by_command = (
        (tmp_path / name / "comparisons.csv").read_bytes() for name in ("0", "1", "one")
    )
    assert by_command == one != zero


def test_a_model_of_a_smoke_scale_says_so_on_its_card(nine, tmp_path):
    for words, is_test in ((SCALES["smoke"].words, True), (SCALES["laptop"].words, False)):
        for candidate in CANDIDATES:
            shutil.copytree(nine / candidate.name, tmp_path / words[:5] / candidate.name)
            finish(tmp_path / words[:5], candidate, words)

        choice = choose_candidate_of(tmp_path / words[:5], seed=0)
        assert make_model(choice, nine, tmp_path / "model").is_smoke_test is is_test

"""The table of robustness: recounted from its Parquet, stopped, gone on with."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cxrview.assess.modify import MODIFICATIONS, figure_modifications
from cxrview.assess.robustness import count_modified
from cxrview.assess.robustness_run import (
    BATCH,
    ImagesToModify,
    NamedClassifier,
    assess_partition,
    draw_images,
    modified_images,
    score_modified_images,
)
from cxrview.assess.score_files import read_scores, write_scores
from cxrview.classify.model import load_model
from cxrview.errors import UsageError
from cxrview.records.answers import Answers
from cxrview.records.evaluation import Box
from fixtures.posed_model import write_posed_model

N = BATCH + 4
"""More than one batch, and the last not full."""
SOME = tuple(
    row
    for row in MODIFICATIONS
    if row.name in ("progenitor", "rotation/10", "obscured/left", "marker-added/R-10-top-left")
)


class MeanGrey:
    """PFI is how bright the picture is on average; may be stopped after some batches."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.batches: list[int] = []
        self._stop_after = stop_after

    def __call__(self, batch):
        if len(self.batches) == self._stop_after:
            raise KeyboardInterrupt
        self.batches.append(len(batch))
        return batch.reshape(len(batch), -1).mean(axis=1) / 2.55


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Bright pictures, frontal, and darker ones, lateral; half a bright one is darker still."""
    rng = np.random.default_rng(0)
    grey = np.where(np.arange(N) % 2, 120, 160)[:, None, None]
    return (grey + rng.integers(-20, 20, (N, 64, 64))).astype(np.uint8)


def assess(pixels, out: Path, predict=None, **options):
    n = len(pixels)
    images = ImagesToModify(
        pixels=pixels,
        is_frontal=np.arange(n) % 2 == 0,
        files=np.array([f"{k}.png" for k in range(n)]),
        patients=np.array([f"p{k // 2}" for k in range(n)]),
        sources=np.array(["here", "there"] * n)[:n],
        drawn_from=options.pop("drawn_from", n),
    )
    classifier = NamedClassifier(
        predict=predict or MeanGrey(),
        name=options.pop("classifier", "model"),
        scale=options.pop("scale", ""),
        second=options.pop("second", {}),
    )
    return assess_partition(
        images,
        classifier,
        options.pop("cutoff", 55.0),
        out,
        options.pop("watch", lambda done: None),
        modifications=options.pop("modifications", SOME),
        **options,
    )


def test_the_counts_are_those_of_the_parquet_file_counted_by_hand(pixels, tmp_path):
    counts = assess(pixels, tmp_path)

    rows = pq.read_table(tmp_path / "robustness.parquet").to_pylist()
    assert len(rows) == N * len(SOME)
    with (tmp_path / "robustness.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    for row, one, written in zip(SOME, counts, table, strict=True):
        right = [
            (r["pfi"] >= 55) == (r["view"] == "frontal") for r in rows if r["variant"] == row.name
        ]
        assert (one.table.right, one.table.total) == (sum(right), N)
        assert (int(written["right"]), int(written["images"])) == (sum(right), N)
        assert float(written["accuracy_percent"]) == pytest.approx(100 * sum(right) / N)
    assert [one.lost for one in counts if one.modification == "obscured"] == [N // 2]


def test_a_scaled_model_is_said_to_be_one_in_every_row(pixels, tmp_path):
    def last_column(**options) -> set[tuple[str, str]]:
        assess(pixels[:4], tmp_path, **options)
        with (tmp_path / "robustness.csv").open(newline="") as file:
            return {list(row.items())[-1] for row in csv.DictReader(file)}

    assert last_column() == {("scale", "")}
    assert last_column(scale="8 variants, not 106") == {("scale", "8 variants, not 106")}


def test_every_pfi_is_of_its_own_image_and_modification(pixels, tmp_path):
    assess(pixels, tmp_path)

    by_name = {row.name: row for row in SOME}
    for row in pq.read_table(tmp_path / "robustness.parquet").to_pylist():
        number = int(row["file"].removesuffix(".png"))
        expected = by_name[row["variant"]].make(pixels[number]).mean() / 2.55
        assert row["pfi"] == pytest.approx(expected)
        assert (row["patient"], row["source"]) == (f"p{number // 2}", ["here", "there"][number % 2])


def test_a_run_stopped_anywhere_goes_on_and_ends_with_the_same_bytes(pixels, tmp_path):
    assess(pixels, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        assess(pixels, tmp_path / "stopped", MeanGrey(stop_after=5))

    rest, done = MeanGrey(), []
    assess(pixels, tmp_path / "stopped", rest, watch=done.append)

    # Two batches a modification: of the five, four stood whole on the disk.
    assert rest.batches == [BATCH, N - BATCH] * (len(SOME) - 2)
    assert sum(done) == N * len(SOME)
    for name in ("robustness.parquet", "robustness.csv"):
        assert (tmp_path / "stopped" / name).read_bytes() == (
            tmp_path / "whole" / name
        ).read_bytes()


def test_a_torn_part_is_made_again(pixels, tmp_path):
    assess(pixels, tmp_path)
    torn = sorted((tmp_path / "parts").iterdir())[0]
    torn.write_bytes(torn.read_bytes()[:100])
    again = MeanGrey()

    assess(pixels, tmp_path, again)

    assert sum(again.batches) == N


def test_another_cutoff_counts_anew_and_asks_nothing(pixels, tmp_path):
    assess(pixels, tmp_path)
    again = MeanGrey()

    counts = assess(pixels, tmp_path, again, cutoff=0.0)

    assert again.batches == []
    assert counts[0].table.right == N // 2


def test_what_changed_of_the_images_is_computed_again(pixels, tmp_path):
    assess(pixels, tmp_path)
    changed = pixels.copy()
    changed[-1, 0, 0] ^= 1
    again = MeanGrey()

    with pytest.raises(UsageError, match="pixels have changed"):
        assess(changed, tmp_path)
    assess(changed, tmp_path, again, overwrite=True)

    assert sum(again.batches) == N * len(SOME)


def test_answers_of_another_second_model_are_not_mixed_in(pixels, tmp_path):
    one, two = {"second_model": "one"}, {"second_model": "two"}
    with pytest.raises(KeyboardInterrupt):
        assess(pixels, tmp_path, MeanGrey(stop_after=5), second=one)
    again = MeanGrey()

    assess(pixels, tmp_path, again, second=two)

    assert sum(again.batches) == N * len(SOME)
    for other in (one, {}):
        with pytest.raises(UsageError, match="second model"):
            assess(pixels, tmp_path, second=other)
    assess(pixels, tmp_path, MeanGrey(stop_after=0), second=two)


def test_a_table_of_an_older_version_is_counted_again(pixels, tmp_path):
    counts = assess(pixels, tmp_path)
    path = tmp_path / "robustness.parquet"
    write_scores(path, read_scores(path))

    assert assess(pixels, tmp_path, MeanGrey(stop_after=0)) == counts


def test_a_classifier_of_two_models_is_told_from_the_first_alone(tmp_path):
    first = load_model(write_posed_model(tmp_path), precision="fp32", device="cpu")
    second = replace(first, card=replace(first.card, model_id="behind"))

    alone, both = NamedClassifier.of(first), NamedClassifier.of(replace(first, second=second))
    border = replace(first, card=replace(first.card, review_band=(40.0, 60.0)), second=second)

    assert alone.name == both.name
    assert alone.second == {} != both.second
    assert NamedClassifier.of(border).second != both.second


def test_a_table_of_another_model_or_of_other_images_is_not_replaced_unasked(pixels, tmp_path):
    assess(pixels, tmp_path, classifier="one")

    with pytest.raises(UsageError, match="another model"):
        assess(pixels, tmp_path, classifier="two")
    with pytest.raises(UsageError, match="other images"):
        assess(pixels[:4], tmp_path, classifier="one")
    assess(pixels[:4], tmp_path, classifier="two", overwrite=True)
    (standing,) = read_scores(tmp_path / "robustness.parquet")
    assert (standing.classifier, len(standing)) == ("two", 4 * len(SOME))


def test_the_parquet_file_can_be_counted_again_with_its_own_tools(pixels, tmp_path):
    counts = assess(pixels, tmp_path)

    (scores,) = read_scores(tmp_path / "robustness.parquet")

    assert count_modified(scores, cutoff=55.0) == counts


def test_no_image_is_refused(pixels, tmp_path):
    with pytest.raises(UsageError, match="no image"):
        assess(pixels[:0], tmp_path)


def test_a_draw_is_the_same_by_the_same_seed_and_in_order():
    drawn = draw_images(100, 10, seed=3)

    assert drawn.tolist() == sorted(set(drawn.tolist()))
    assert len(drawn) == 10
    assert np.array_equal(drawn, draw_images(100, 10, seed=3))
    assert not np.array_equal(drawn, draw_images(100, 10, seed=4))
    assert (
        draw_images(5, None, seed=0).tolist() == draw_images(5, 9, seed=0).tolist() == [*range(5)]
    )


@pytest.mark.parametrize("box", [None, Box(row=5, column=80, rows=10, columns=12)])
def test_the_figure_shows_what_the_model_was_asked_about(pixels, box):
    shown = modified_images(pixels[0], box)
    scored = score_modified_images(pixels[0], lambda b: Answers(pfi=MeanGrey()(b)), box)

    assert [title for title, _ in shown] == [row.title for row in figure_modifications(box)]
    for (title, picture), one in zip(shown, scored, strict=True):
        assert one.title == title
        assert np.array_equal(one.pixels, picture)
        assert one.pfi == pytest.approx(picture.mean() / 2.55)

from dataclasses import replace

import numpy as np
import pytest

from cxrview.dataset.augment.poses import ORIENTATIONS, pose_of_orientation
from cxrview.errors import UsageError
from cxrview.records.answers import Answers, PoseAnswers
from cxrview.terms import Partition, Projection, View
from cxrview.train.fast.labels import PictureLabel
from cxrview.train.fast.pictures import Pictures
from cxrview.train.fast.validate import (
    chest_cutoff,
    most_decided,
    validate,
)
from cxrview.train.fast.validation_lines import validation_lines
from fixtures.fast_pictures import patients


@pytest.fixture(scope="module")
def marked():
    """Pictures whose first pixel, which no pose keeps, says the row; the level is the kind."""
    trained, held = patients(4), patients(6, Partition.TEST)
    kinds = [("one", View.FRONTAL, Projection.AP), ("one", View.FRONTAL, Projection.PA)]
    kinds += [("two", View.FRONTAL, Projection.AP), ("other", None, None)]
    kinds += [("one", View.FRONTAL, Projection.AP), ("one", View.FRONTAL, Projection.PA)]
    kinds += [("one", View.LATERAL, None), ("two", View.LATERAL, None), ("other", None, None)]
    kinds += [("two", View.FRONTAL, Projection.AP)]
    labels = tuple(
        PictureLabel(
            file=f"{k}.png", source=source, patient=patient, view=view, projection=projection
        )
        for k, (patient, (source, view, projection)) in enumerate(
            zip(trained + held, kinds, strict=True)
        )
    )
    pixels = np.zeros((10, 256, 256), np.uint8)
    pixels[:, 100:156, 100:156] = 10 * np.arange(10, dtype=np.uint8)[:, None, None]
    return Pictures(
        labels=labels, pixels=pixels, teacher=Answers(pfi=np.zeros(10), chest=np.zeros(10))
    )


class Oracle:
    """Gives answers by the row of a picture; rows are seen through poses and inversion."""

    def __init__(self, pfi, chest, projection_ap):
        self.pfi, self.chest, self.projection_ap = pfi, chest, projection_ap
        self.rows: list[int] = []

    def __call__(self, pictures) -> Answers:
        middle = pictures[:, 128, 128].astype(int)
        is_inverted = pictures[:, 0, 0] == 255
        rows = np.where(is_inverted, 255 - middle, middle) // 10
        self.rows += rows.tolist()
        turn = np.tile([100.0, 0, 0, 0], (len(rows), 1))
        return Answers(
            pfi=np.array(self.pfi, float)[rows],
            chest=np.array(self.chest, float)[rows],
            pose=PoseAnswers(
                turns=turn,
                mirrored=np.zeros(len(rows)),
                inverted=100.0 * is_inverted,
                projection_ap=np.array(self.projection_ap, float)[rows],
            ),
        )


def oracle() -> Oracle:
    return Oracle(
        pfi=[0, 0, 0, 0, 99, 30, 8, 1, 50, 93],
        chest=[0, 0, 0, 0, 90, 40, 80, 70, 60, 99],
        projection_ap=[0, 0, 90, 0, 20, 10, 0, 0, 0, 30],
    )


def test_validate_runs_on_test_patients_only_besides_untrained_projections(marked):
    model = oracle()

    validate(marked, model)

    assert set(model.rows) == {2, 4, 5, 6, 7, 8, 9}  # 2: its source has AP only
    assert model.rows.count(2) == 1


def test_validate_counts_errors_and_decided_by_source_and_view(marked):
    counts = {row.group: row for row in validate(marked, oracle()).views}

    one = counts["one frontal"]
    assert (one.pictures, one.errors) == (2, 1)
    assert (one.decided_10_90, one.errors_10_90, one.decided_5_95, one.errors_5_95) == (1, 0, 1, 0)
    two = counts["two frontal"]
    assert (two.errors, two.decided_10_90, two.decided_5_95) == (0, 1, 0)
    lateral = counts["one lateral"]
    assert (lateral.errors, lateral.decided_10_90, lateral.decided_5_95) == (0, 1, 0)


def test_validate_counts_turns_and_inversions_of_sixteen_poses(marked):
    poses = validate(marked, oracle()).poses

    assert [row.group for row in poses] == list(ORIENTATIONS)
    for row in poses:
        truth = pose_of_orientation(row.group)
        assert row.turn_errors == (row.pictures if truth.quarter_turns else 0)
        assert row.inverted_errors == 0
        assert row.mirrored_errors == (row.frontals if truth.is_mirrored else 0)
        assert (row.pictures, row.errors) == (5, 1)


def test_validate_counts_refused_radiographs_and_accepted_others(marked):
    counts = validate(marked, oracle())

    of = {row.group: row for row in counts.chest}
    assert counts.chest_cutoff_strict == 40
    radiographs, other = of["one radiographs"], of["other not-chest"]
    assert (radiographs.pictures, radiographs.refused_at_50, radiographs.refused_at_strict) == (
        3,
        1,
        0,
    )
    assert (other.pictures, other.refused_at_50) == (1, 0)


def test_validate_counts_projection_by_source(marked):
    one, two = validate(marked, oracle()).projections

    assert (one.source, one.is_trained, one.ap, one.pa) == ("one", True, 1, 1)
    assert (one.ap_errors, one.pa_errors) == (1, 0)
    assert (two.source, two.is_trained, two.ap, two.pa) == ("two", False, 2, 0)
    assert (two.ap_errors, two.surest, two.surest_errors) == (1, 1, 0)


def test_validate_takes_all_pictures_of_a_source_left_out(marked):
    counts = validate(marked, oracle(), without=("two",))

    assert {row.group: row.pictures for row in counts.views}["two frontal"] == 2


def test_validate_needs_radiographs_of_test_patients(marked):
    is_training = marked.is_in(Partition.TRAINING)
    labels = tuple(one for one, chosen in zip(marked.labels, is_training, strict=True) if chosen)

    with pytest.raises(UsageError, match="test patients have no radiograph"):
        validate(replace(marked, labels=labels, pixels=marked.pixels[is_training]), oracle())


def test_most_decided_takes_the_most_with_at_most_two_percent_wrong():
    margin = np.arange(100, 0, -1.0)
    is_wrong = np.zeros(100, bool)
    is_wrong[[49, 60]] = True

    assert most_decided(margin, is_wrong) == 100
    is_wrong[80] = True
    assert most_decided(margin, is_wrong) == 60
    assert most_decided(margin, np.ones(100, bool)) == 0


def test_most_decided_does_not_divide_pictures_that_are_equally_sure():
    margin = np.repeat([50.0, 40.0], [50, 50])
    is_wrong = np.zeros(100, bool)
    is_wrong[[49, 90, 91]] = True

    assert most_decided(margin, is_wrong) == 50
    is_wrong[10] = True
    assert most_decided(margin, is_wrong) == 0
    assert most_decided(margin[:0], is_wrong[:0]) == 0


def test_chest_cutoff_refuses_at_most_one_in_two_thousand():
    chest = np.arange(1, 4001) / 100

    assert (chest < chest_cutoff(chest)).sum() == 1


def test_validation_lines_print_every_group(marked):
    counts = validate(marked, oracle())

    text = "\n".join(validation_lines(counts))

    for row in (*counts.views, *counts.poses, *counts.chest):
        assert row.group in text
    assert "two, never trained on" in text
    # AP wrong, PA wrong, wrong in the surest 70 %, decided at 2 %.
    assert text.splitlines()[-1].split("trained on")[1].split() == (
        ["1", "of", "2", "0", "of", "0", "0", "of", "1", "1", "of", "2"]
    )

"""Counts of turn, mirroring and inversion, with a model whose errors are known."""

from dataclasses import replace

import numpy as np
import pytest

from cxrview.assess.pose import PoseCounts, PoseImages, add_up, choose_few, count_poses
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.stats import exact_interval
from fixtures.pose_oracle import (
    RIGHT,
    SEES_NO_INVERSION,
    TURNS_TOO_FAR,
    UNSURE,
    oracle_model,
    picture,
)


def images_of(*kinds: int, sources=None, is_frontal=None, projections=None) -> PoseImages:
    n = len(kinds)
    return PoseImages(
        pixels=np.stack([picture(kind) for kind in kinds]),
        is_frontal=np.array(is_frontal or [True] * n),
        sources=np.array(sources or ["here"] * n),
        projections=np.array(projections or [""] * n),
    )


def counted(images: PoseImages, answer: str, **options) -> dict[str, tuple[int, int, int, int]]:
    counts = count_poses(oracle_model(), images, **options)
    return {
        one.pose: (one.pictures, one.errors, one.decided, one.errors_decided)
        for one in counts
        if one.answer == answer
    }


@pytest.mark.parametrize("answer", ["rotation", "mirrored", "inverted"])
def test_count_poses_of_a_model_that_is_right_has_no_error_in_any_orientation(answer):
    counts = counted(images_of(RIGHT, RIGHT), answer)

    assert counts == dict.fromkeys(ORIENTATIONS, (2, 0, 2, 0))


def test_count_poses_counts_a_wrong_turn_in_every_orientation():
    counts = counted(images_of(RIGHT, TURNS_TOO_FAR), "rotation")

    assert counts == dict.fromkeys(ORIENTATIONS, (2, 1, 2, 1))


def test_count_poses_counts_an_error_below_the_threshold_as_not_decided():
    rotation = counted(images_of(UNSURE), "rotation")
    mirrored = counted(images_of(UNSURE), "mirrored")

    # The oracle calls such a picture upright and mirrored, with too little probability.
    assert rotation["progenitor"] == (1, 0, 0, 0)
    assert rotation["turned-90"] == (1, 1, 0, 0)
    assert mirrored["progenitor"] == (1, 1, 0, 0)
    assert mirrored["mirrored"] == (1, 0, 0, 0)


def test_count_poses_counts_what_is_wrong_in_inverted_pictures_only():
    counts = counted(images_of(RIGHT, SEES_NO_INVERSION), "inverted")

    for name, found in counts.items():
        assert found == ((2, 1, 2, 1) if "inverted" in name else (2, 0, 2, 0)), name


def test_count_poses_asks_for_mirroring_and_projection_of_frontal_images_only():
    images = images_of(
        *[RIGHT] * 4,
        is_frontal=[True, True, True, False],
        projections=["PA", "AP", "", "PA"],
    )

    upright = {"orientations": ["progenitor"]}
    assert counted(images, "mirrored", **upright) == {"progenitor": (3, 0, 3, 0)}
    assert counted(images, "projection", **upright) == {"progenitor": (2, 1, 2, 1)}
    assert counted(images, "rotation", **upright) == {"progenitor": (4, 0, 4, 0)}


def test_count_poses_counts_each_source_and_reports_every_picture():
    done = []

    counts = count_poses(
        oracle_model(),
        images_of(RIGHT, TURNS_TOO_FAR, RIGHT, sources=["a", "b", "b"]),
        progress=done.append,
    )

    rotation = [one for one in counts if one.answer == "rotation" and one.pose == "turned-180"]
    assert [(one.source, one.pictures, one.errors) for one in rotation] == [
        ("a", 1, 0),
        ("b", 2, 1),
    ]
    assert sum(done) == 3 * len(ORIENTATIONS)


def test_count_poses_decides_above_the_threshold_and_not_at_it():
    model = oracle_model(thresholds={**oracle_model().card.thresholds, "rotation": 100.0})

    counts = count_poses(model, images_of(RIGHT), orientations=["progenitor"])

    assert next(one for one in counts if one.answer == "rotation").decided == 0


def test_count_poses_refuses_a_model_without_these_answers():
    model = oracle_model()

    with pytest.raises(ValueError, match="oracle-1"):
        count_poses(replace(model, card=replace(model.card, thresholds={})), images_of(RIGHT))


def test_add_up_sums_over_orientations_by_source_and_over_all():
    counts = count_poses(
        oracle_model(), images_of(RIGHT, TURNS_TOO_FAR, UNSURE, sources=["a", "b", "b"])
    )

    sums = {(one.answer, one.source): one for one in add_up(counts)}

    assert {source for _, source in sums} == {"a", "b", "all"}
    assert sums["rotation", "all"] == PoseCounts(
        answer="rotation",
        source="all",
        pose="all",
        pictures=48,
        errors=16 + 12,
        decided=32,
        errors_decided=16,
    )
    assert sums["rotation", "b"].pictures == 32
    assert sums["rotation", "all"].error_interval == exact_interval(16, 32)


def test_add_up_counts_a_source_named_all_once():
    counts = count_poses(oracle_model(), images_of(RIGHT, sources=["all"]))

    assert next(one for one in add_up(counts) if one.answer == "rotation").pictures == 16


def test_choose_few_takes_all_of_a_rare_kind_and_as_many_of_the_others():
    kinds = np.array(["rare"] * 3 + ["many"] * 50)

    chosen = choose_few(kinds, 10)

    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert np.unique(kinds[chosen], return_counts=True)[1].tolist() == [10, 3]
    assert np.array_equal(chosen, choose_few(kinds, 10))
    assert choose_few(kinds, None).tolist() == list(range(53))
    assert choose_few(np.array([], str), 5).tolist() == []

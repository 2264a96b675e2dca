"""Which images are inside a study and which external, and when a folder can be gone on with."""

import dataclasses
import tarfile
from pathlib import Path

import numpy as np
import pytest

from cxrview.errors import UsageError
from cxrview.paper.plan import StudyPlan, check_plan, write_plan
from cxrview.paper.pretrain_run import PictureSource
from cxrview.paper.scale import SCALES
from cxrview.paper.stages import external_sources, images_inside, split_study
from cxrview.records.dataset import Prepared, PreparedImage
from cxrview.terms import Partition, View


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    images = tuple(
        PreparedImage(
            row=k,
            file=f"{k}.png",
            source=("here", "there", "a place, far")[k % 3],
            study="",
            patient=f"p{k}",
            view=View.FRONTAL if k % 2 else View.LATERAL,
            file_sha256="",
            pixel_sha256=str(k),
        )
        for k in range(90)
    )
    return Prepared(images=images, pixels=np.zeros((90, 256, 256), np.uint8))


@pytest.fixture
def plan(tmp_path) -> StudyPlan:
    for name in ("labels.csv", "weights.npz", "classes.csv", "other.csv"):
        (tmp_path / name).write_text(name)
    (tmp_path / "pictures" / "n1").mkdir(parents=True)
    (tmp_path / "pictures" / "n1" / "a.png").write_text("a picture")
    return StudyPlan(
        labels=tmp_path / "labels.csv",
        published=tmp_path / "weights.npz",
        pictures=PictureSource(pictures=tmp_path / "pictures", classes=tmp_path / "classes.csv"),
        scale=SCALES["smoke"],
    )


def test_all_images_are_inside_where_nothing_else_is_said(plan, prepared):
    assert len(images_inside(plan, prepared)) == 90
    assert external_sources(plan, prepared) == ()


def test_what_is_external_is_not_inside(plan, prepared):
    named = dataclasses.replace(plan, external_sources=("there",))

    assert {i.source for i in images_inside(named, prepared)} == {"here", "a place, far"}


def test_the_same_labels_as_external_ones_give_all_other_sources(plan, prepared):
    same = dataclasses.replace(plan, sources=("here",), external=plan.labels)

    assert external_sources(same, prepared) == ("a place, far", "there")
    assert {i.source for i in images_inside(same, prepared)} == {"here"}


def test_the_same_labels_without_a_word_on_sources_are_refused(plan, prepared):
    same = dataclasses.replace(plan, external=plan.labels)

    with pytest.raises(UsageError, match="no source is left"):
        images_inside(same, prepared)


def test_a_source_cannot_be_on_both_sides(plan, prepared):
    both = dataclasses.replace(plan, sources=("here",), external_sources=("here",))

    with pytest.raises(UsageError, match="source here is both"):
        images_inside(both, prepared)


def test_a_source_of_another_labels_file_may_have_the_same_name(plan, prepared, tmp_path):
    other = dataclasses.replace(
        plan, sources=("here",), external=tmp_path / "other.csv", external_sources=("here",)
    )

    assert {i.source for i in images_inside(other, prepared)} == {"here"}


def test_an_unknown_source_is_answered_with_those_that_there_are(plan, prepared):
    with pytest.raises(UsageError, match=r"source her has no image\. .*here, there"):
        images_inside(dataclasses.replace(plan, sources=("her",)), prepared)


def test_the_scale_leaves_out_what_it_has_no_use_for(plan, prepared):
    split = split_study(plan, prepared)

    sizes = [len(split.files(part)) for part in Partition]
    assert sizes == [24, 12, 18]


def test_a_folder_goes_on_with_its_own_plan_alone(plan, tmp_path):
    path = tmp_path / "plan.json"
    check_plan(path, plan.conditions)

    write_plan(path, plan.conditions)

    check_plan(path, plan.conditions)
    other = dataclasses.replace(plan, seed=1, sources=("a b",))
    with pytest.raises(UsageError, match="another study, which differs in seed, sources"):
        check_plan(path, other.conditions)


def test_changed_labels_are_another_study(plan, tmp_path):
    write_plan(tmp_path / "plan.json", plan.conditions)
    Path(plan.labels).write_text("more")

    with pytest.raises(UsageError, match="differs in labels"):
        check_plan(tmp_path / "plan.json", plan.conditions)


@pytest.mark.parametrize("change", ["another name", "another size", "one more", "a tar"])
def test_other_pictures_are_another_study(plan, tmp_path, change):
    write_plan(tmp_path / "plan.json", plan.conditions)
    picture = plan.pictures.pictures / "n1" / "a.png"
    if change == "another name":
        picture.rename(picture.with_name("b.png"))
    elif change == "another size":
        picture.write_text("another picture")
    elif change == "one more":
        picture.with_name("b.png").write_text("a picture")
    else:
        with tarfile.open(tmp_path / "other.tar", "w") as tar:
            tar.add(picture, "train/n2/a.png")
        source = dataclasses.replace(plan.pictures, pictures=tmp_path / "other.tar")
        plan = dataclasses.replace(plan, pictures=source)

    with pytest.raises(UsageError, match="differs in pictures"):
        check_plan(tmp_path / "plan.json", plan.conditions)


def test_pictures_may_be_moved(plan, tmp_path):
    write_plan(tmp_path / "plan.json", plan.conditions)
    moved = plan.pictures.pictures.rename(tmp_path / "elsewhere")
    source = dataclasses.replace(plan.pictures, pictures=moved)

    check_plan(tmp_path / "plan.json", dataclasses.replace(plan, pictures=source).conditions)


def test_a_plan_without_a_record_of_the_pictures_is_resumed(plan, tmp_path):
    path = tmp_path / "plan.json"
    older = {name: value for name, value in plan.conditions.items() if name != "pictures"}
    write_plan(path, older)

    check_plan(path, plan.conditions)
    with pytest.raises(UsageError, match="differs in seed"):
        check_plan(path, dataclasses.replace(plan, seed=1).conditions)


def test_two_sources_are_not_one_with_a_space(plan):
    two = dataclasses.replace(plan, sources=("a", "b")).conditions
    one = dataclasses.replace(plan, sources=("a b",)).conditions

    assert two != one

"""Which images are assessed, leaks planted."""

from dataclasses import replace

import numpy as np
import pytest

from cxrview.assess.images import choose_images
from cxrview.errors import UsageError
from cxrview.records.dataset import Prepared, PreparedImage, Split
from cxrview.terms import Partition, View


def image(row: int, **facts) -> PreparedImage:
    known = {
        "file": f"{row}.png",
        "source": "here",
        "study": "",
        "patient": f"p{row}",
        "view": View.LATERAL if row % 2 else View.FRONTAL,
        "file_sha256": "",
        "pixel_sha256": f"picture {row}",
    }
    return PreparedImage(row=row, **(known | facts))


def store(images) -> Prepared:
    return Prepared(images=tuple(images), pixels=np.zeros((len(images), 8, 8), np.uint8))


def split(**partitions) -> Split:
    of = {name: part for part, names in partitions.items() for name in names}
    return Split(partitions={f"{n}.png": Partition(part) for n, part in of.items()}, by="patient")


THIRDS = {"training": [0, 1], "validation": [2, 3], "test": [4, 5]}
INSIDE = [image(k) for k in range(6)]


def elsewhere(number: int) -> Prepared:
    """Other pictures of patients who have, by chance, the names of those inside."""
    return store(
        [image(k, file=f"out/{k}.png", source="there", pixel_sha256=f"o{k}") for k in range(number)]
    )


def test_each_partition_has_its_part():
    images = choose_images(store(INSIDE), split(**THIRDS), external=elsewhere(3))

    assert [i.file for i in images.training.images] == ["0.png", "1.png"]
    assert [i.file for i in images.validation.images] == ["2.png", "3.png"]
    assert [i.file for i in images.inside.images] == ["4.png", "5.png"]
    assert [len(one) for one in images.scored] == [2, 2, 3]


def test_a_split_that_leaks_is_refused():
    images = [*INSIDE[:5], image(5, patient="p0")]

    with pytest.raises(UsageError, match=r"one patient .*0\.png .*training.* 5\.png .*test"):
        choose_images(store(images), split(**THIRDS))


@pytest.mark.parametrize("inside", [0, 2, 4])
def test_the_same_picture_inside_and_outside_is_refused_with_both_names(inside):
    planted = [*elsewhere(3).images[:2], image(2, file="out/copy.png", pixel_sha256="picture 4")]
    images = [*INSIDE]
    images[inside] = image(inside, pixel_sha256="picture 4")
    if inside != 4:
        images[4] = image(4, pixel_sha256="another")

    with pytest.raises(UsageError, match=rf"same picture: {inside}\.png .* out/copy\.png"):
        choose_images(store(images), split(**THIRDS), external=store(planted))


def test_one_patient_inside_and_outside_of_one_store_is_refused_with_both_names():
    images = [*INSIDE, image(6, source="there"), image(7, source="there", patient="p3")]

    with pytest.raises(UsageError, match=r"patient: 3\.png \(validation\) and 7\.png") as refused:
        choose_images(store(images), split(**THIRDS), external_sources=["there"])
    assert "6.png" not in str(refused.value)
    assert "p3" not in str(refused.value)


def test_patients_of_two_stores_may_have_one_name():
    assert len(choose_images(store(INSIDE), split(**THIRDS), external=elsewhere(6)).external) == 6


def test_images_of_unknown_patients_are_not_of_one_patient():
    unknown = [image(k, patient="") for k in range(6)]
    external = [image(k, patient="", source="there") for k in (6, 7)]

    by_image = replace(split(**THIRDS), by="image")
    chosen = choose_images(store([*unknown, *external]), by_image, external_sources=["there"])

    assert len(chosen.external) == 2


def test_the_store_itself_as_the_external_one_is_refused():
    with pytest.raises(UsageError, match=r"same picture: 0\.png .* 0\.png .*external"):
        choose_images(store(INSIDE), split(**THIRDS), external=store(INSIDE))


def test_the_first_ten_leaks_are_named_and_the_rest_counted():
    inside = [image(k) for k in range(24)]
    parts = {"training": range(0, 8), "validation": range(8, 16), "test": range(16, 24)}

    with pytest.raises(UsageError, match="and 14 more"):
        choose_images(store(inside), split(**parts), external=store(inside))


def test_a_sample_is_drawn_by_seed_whatever_the_order_of_rows():
    there = elsewhere(40)
    turned = store([image(k, **facts(i)) for k, i in enumerate(reversed(there.images))])

    def drawn(of: Prepared, seed: int) -> set[str]:
        images = choose_images(store(INSIDE), split(**THIRDS), external=of, sample=10, seed=seed)
        return {i.file for i in images.external.images}

    assert len(drawn(there, 0)) == 10
    assert drawn(there, 0) == drawn(turned, 0)
    assert drawn(there, 0) != drawn(there, 1)


def facts(of: PreparedImage) -> dict[str, object]:
    names = ("file", "source", "patient", "view", "pixel_sha256")
    return {name: getattr(of, name) for name in names}


@pytest.mark.parametrize(
    ("parts", "options", "reason"),
    [
        ({**THIRDS, "validation": []}, {}, "no validation images"),
        ({**THIRDS, "test": []}, {}, "no test images"),
        ({**THIRDS, "validation": [2]}, {}, "no lateral image among 1 validation image"),
        ({**THIRDS, "test": [5]}, {}, "no frontal image among 1 test image"),
        (THIRDS, {"external_sources": ["nowhere"]}, "no external image is of source nowhere"),
        (THIRDS, {"external": store([])}, "holds no image"),
        (THIRDS, {"external": elsewhere(3), "sample": 4}, "1 to 3 external images; got 4"),
        (THIRDS, {"sample": 4}, "none are named"),
    ],
)
def test_what_cannot_be_assessed_is_refused(parts, options, reason):
    with pytest.raises(UsageError, match=reason):
        choose_images(store(INSIDE), split(**parts), **options)


def test_training_images_of_one_view_are_nobodys_concern_here():
    """Only baselines learn from them."""
    assert len(choose_images(store(INSIDE), split(**{**THIRDS, "training": [0]})).training) == 1

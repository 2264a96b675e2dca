"""Sizes, seeds and leaks: what a split promises."""

import itertools
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.dataset.labels import read_labels
from cxrview.dataset.split import PAPER_COUNTS, check_split, hash_files, partition_of, split_images
from cxrview.errors import UsageError
from cxrview.records.dataset import Split
from cxrview.terms import Partition

TRAINING, VALIDATION, TEST = Partition


@dataclass(frozen=True)
class Image:
    file: str
    patient: str


def images_of(sizes: list[int]) -> list[Image]:
    """As many images of each patient as the list says."""
    return [Image(f"{p}-{k}.png", f"p{p}") for p, size in enumerate(sizes) for k in range(size)]


def unlike(images) -> dict[str, str]:
    """No picture twice."""
    return {image.file: image.file for image in images}


def sizes_of(split: Split) -> list[int]:
    return [len(split.files(partition)) for partition in Partition]


PAPERS = images_of([2] * 752 + [1] * 324 + [3] * 18)[:1882]
"""As many images as the paper had, about as many of each patient."""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sizes", [{"counts": PAPER_COUNTS}, {"shares": (60, 20, 20)}, {}])
@pytest.mark.parametrize("by", ["image", "patient"])
def test_the_papers_sizes_are_met_exactly(by, sizes, seed):
    split = split_images(PAPERS, by=by, seed=seed, **sizes)

    assert sizes_of(split) == [1129, 376, 377]
    check_split(split, PAPERS, unlike(PAPERS))


patients = st.lists(st.integers(1, 9), min_size=3, max_size=60)


@given(sizes=patients, seed=st.integers(0, 99))
def test_by_patient_no_patient_is_divided_and_none_left_out(sizes, seed):
    images = images_of(sizes)
    try:
        split = split_images(images, seed=seed)
    except UsageError:
        return  # too few to fill three partitions

    where = {(image.patient, split.partitions[image.file]) for image in images}
    assert len(where) == len(sizes)
    assert set(split.partitions) == {image.file for image in images}


@given(
    sizes=st.lists(st.integers(1, 6), min_size=3, max_size=9),
    room=st.integers(1, 30),
    seed=st.integers(0, 99),
)
def test_no_choice_of_whole_patients_comes_nearer(sizes, room, seed):
    """All subsets are tried."""
    images = images_of(sizes)
    room = min(room, len(images))
    split = split_images(images, counts=(room, 0, 0), seed=seed)

    sums = {sum(c) for n in range(1, len(sizes) + 1) for c in itertools.combinations(sizes, n)}
    assert abs(sizes_of(split)[0] - room) == min(abs(total - room) for total in sums)


@given(sizes=patients.filter(lambda s: sum(s) >= 10), seed=st.integers(0, 9), data=st.data())
@pytest.mark.parametrize("by", ["patient", "image", "rule"])
def test_the_order_of_rows_changes_nothing(by, sizes, seed, data):
    images = images_of(sizes)
    shuffled = data.draw(st.permutations(images))
    try:
        split = split_images(images, by=by, seed=seed)
    except UsageError:
        return

    assert list(split_images(shuffled, by=by, seed=seed).partitions.items()) == list(
        split.partitions.items()
    )


def test_a_seed_once_published_gives_the_same_split_for_ever():
    split = split_images(images_of([1] * 10), by="image", seed=7)

    in_line = sorted(range(10), key=lambda n: sha256(f"7\n{n}-0.png".encode()).digest())
    assert in_line == [6, 9, 8, 1, 7, 3, 5, 2, 0, 4]
    assert [split.partitions[f"{n}-0.png"] for n in in_line] == (
        [TRAINING] * 6 + [VALIDATION] * 2 + [TEST] * 2
    )


def test_another_seed_gives_another_split():
    splits = {tuple(split_images(PAPERS, by="image", seed=s).partitions.items()) for s in range(5)}

    assert len(splits) == 5


def test_every_image_is_as_likely_to_be_a_test_image_as_any():
    """Of 400 seeds a fifth; five standard deviations are 40."""
    images = images_of([1, 2, 3, 4] * 5)
    drawn = Counter()
    for seed in range(400):
        drawn.update(split_images(images, seed=seed).files(TEST))

    assert all(abs(drawn[image.file] - 80) < 40 for image in images)


def test_what_is_over_is_left_out_by_whole_patients():
    images = images_of([2] * 50)

    split = split_images(images, counts=(30, 10, 10))

    assert sizes_of(split) == [30, 10, 10]
    taken = {image.patient for image in images if image.file in split.partitions}
    assert len(taken) == 25


def test_by_rule_is_the_published_rule():
    split = split_images(PAPERS, by="rule")

    assert split.seed is None
    assert all(split.partitions[i.file] is partition_of(i.patient) for i in PAPERS)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"counts": (90, 10, 10)}, "1 to 100"),
        ({"counts": (-1, 10, 10)}, "0 or more"),
        ({"counts": (10, 10)}, "three"),
        ({"shares": (60, 20, 10)}, "sum of 100"),
        ({"shares": (120, -10, -10)}, "sum of 100"),
        ({"shares": (99.9, 0.05, 0.05)}, "too few"),
        ({"by": "study"}, "by patient, by image or by rule"),
    ],
)
def test_what_cannot_be_met_is_refused(arguments, reason):
    with pytest.raises(UsageError, match=reason):
        split_images(images_of([2] * 50), **arguments)


def test_two_patients_do_not_fill_three_partitions():
    with pytest.raises(UsageError, match="too few patients for the test"):
        split_images(images_of([5, 5]))


def test_shares_are_taken_as_written_and_not_as_binary_fractions():
    split = split_images(images_of([1] * 1000), by="image", shares=(33.3, 33.3, 33.4))
    same = split_images(
        images_of([1] * 1000), by="image", shares=(Fraction(333, 10),) * 2 + (33.4,)
    )

    assert sizes_of(split) == sizes_of(same) == [333, 333, 334]


TWO = [Image("a.png", "Jane Doe"), Image("b.png", "Jane Doe")]


def test_a_patient_in_two_partitions_is_refused_by_both_files_and_without_a_name():
    split = Split(partitions={"a.png": TRAINING, "b.png": TEST}, by="patient")

    with pytest.raises(
        UsageError, match=r"one patient .*: a.png \(training\) and b.png \(test\)"
    ) as error:
        check_split(split, TWO, unlike(TWO))

    assert "Jane" not in str(error.value)


def test_by_image_a_patient_may_be_in_two_partitions_as_in_the_paper():
    split = Split(partitions={"a.png": TRAINING, "b.png": TEST}, by="image")

    check_split(split, TWO, unlike(TWO))


@pytest.mark.parametrize("by", ["image", "patient", "rule"])
def test_a_picture_under_two_names_in_two_partitions_is_refused(by):
    images = [Image("a.png", "p1"), Image("copy.png", "p2")]
    split = Split(partitions={"a.png": VALIDATION, "copy.png": TEST}, by=by)

    with pytest.raises(
        UsageError, match=r"same picture .*: a.png \(validation\) and copy.png \(test\)"
    ):
        check_split(split, images, {"a.png": "same", "copy.png": "same"})


def test_a_picture_twice_in_one_partition_leaks_nothing():
    images = [Image("a.png", "p1"), Image("copy.png", "p2")]
    split = Split(partitions={"a.png": TEST, "copy.png": TEST}, by="patient")

    check_split(split, images, {"a.png": "same", "copy.png": "same"})


def test_an_image_outside_the_split_is_left_out_and_leaks_nothing():
    split = Split(partitions={"a.png": TEST}, by="patient")

    check_split(split, TWO, {"a.png": "same", "b.png": "same"})


def test_a_split_of_other_images_is_refused():
    split = Split(partitions={"a.png": TEST, "elsewhere.png": TEST}, by="patient")

    with pytest.raises(UsageError, match="elsewhere.png is not among the images"):
        check_split(split, TWO, unlike(TWO))


def test_ten_leaks_are_named_and_the_others_counted():
    images = images_of([2] * 13)
    split = Split(
        partitions={i.file: TEST if i.file.endswith("-0.png") else TRAINING for i in images},
        by="patient",
    )

    with pytest.raises(UsageError, match="9-0.png .* and 3 more") as error:
        check_split(split, images, unlike(images))

    assert "10-0.png" not in str(error.value)


def test_copies_of_a_file_have_one_hash(tmp_path):
    for name, content in (("a.png", b"1"), ("b.png", b"1"), ("c.png", b"2")):
        (tmp_path / name).write_bytes(content)
    images = [Image(f"{name}.png", "p") for name in "abc"]

    hashes = hash_files(images, tmp_path)

    assert hashes["a.png"] == hashes["b.png"] != hashes["c.png"]
    with pytest.raises(UsageError, match="d.png cannot be read"):
        hash_files([Image("d.png", "p")], tmp_path)


@pytest.mark.parametrize("by", ["patient", "image", "rule"])
def test_the_shared_radiographs_are_split_without_a_leak(shared_data, by):
    labels = read_labels(shared_data / "labels.csv")

    split = split_images(labels, by=by)

    check_split(split, labels, hash_files(labels, shared_data))
    if by != "rule":
        assert sizes_of(split) == [2494, 831, 832]


@pytest.mark.parametrize("by", ["patient", "rule"])
def test_a_split_that_needs_patients_is_refused_where_some_have_none(by):
    images = [Image(f"{k}.png", "" if k % 2 else f"p{k}") for k in range(12)]

    with pytest.raises(UsageError, match=r"6 of 12 images have no patient.*split --by image"):
        split_images(images, by=by)
    assert len(split_images(images, by="image").partitions) == 12


def test_a_given_split_by_patient_is_refused_where_some_have_none():
    images = [Image("0.png", "p1"), Image("1.png", ""), Image("2.png", "")]
    content = unlike(images)
    partitions = {image.file: Partition.TRAINING for image in images}

    with pytest.raises(UsageError, match="2 of 3 images have no patient"):
        check_split(Split(partitions=partitions, by="patient"), images, content)
    check_split(Split(partitions=partitions, by="image"), images, content)

"""The subset rule, against the counts that the README of the shared data states."""

from collections import Counter

import pytest

from cxrview.dataset.natural.ilsvrc import read_classes, subset_classes
from cxrview.errors import UsageError


@pytest.fixture(scope="module")
def classes(shared_data):
    return read_classes(shared_data / "pretraining" / "ilsvrc-classes.csv")


def test_the_subset_is_a_hundred_classes_by_the_rule(classes):
    """35 natural ones (2 plants, 10 formations, 16 objects, 7 fungi) and 65 artifacts."""
    subset = subset_classes(classes, seed=0)

    assert Counter(c.category for c in subset) == {
        "plant": 2,
        "geologic formation": 10,
        "natural object": 16,
        "fungus": 7,
        "artifact": 65,
    }
    assert len({c.wnid for c in subset}) == 100


def test_where_pictures_are_few_artifacts_make_up_for_it(classes, shared_data):
    """In the pack there are 10 natural classes; the other 90 are artifacts."""
    import tarfile

    with tarfile.open(shared_data / "pretraining" / "tiny-imagenet.tar") as pack:
        available = {name.split("/")[1] for name in pack.getnames() if name.count("/") > 1}

    subset = subset_classes(classes, seed=0, available=available)

    counts = Counter(c.category for c in subset)
    assert counts == {"geologic formation": 5, "natural object": 5, "artifact": 90}
    assert {c.wnid for c in subset} <= available


def test_the_draw_depends_on_the_seed_and_not_on_the_files_order(classes):
    assert subset_classes(classes, seed=3) == subset_classes(classes[::-1], seed=3)
    assert subset_classes(classes, seed=3) != subset_classes(classes, seed=4)


def test_too_few_classes_are_refused(classes):
    with pytest.raises(UsageError, match="100 classes"):
        subset_classes(classes[:50], seed=0)


def test_a_class_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "classes.csv"
    path.write_text("index,wnid,category\n0,n1,plant\n1,n1,plant\n")

    with pytest.raises(UsageError, match="twice"):
        read_classes(path)


def test_another_file_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")

    with pytest.raises(UsageError, match="columns index, wnid and category"):
        read_classes(tmp_path / "other.csv")

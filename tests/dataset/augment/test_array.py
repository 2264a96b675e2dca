"""Variants on disk: whatever stopped a run, the same bytes in the end."""

import numpy as np
import pytest

from cxrview.dataset.augment import array as materialised
from cxrview.dataset.augment.array import open_materialised, write_materialised
from cxrview.errors import CannotWrite, UsageError
from cxrview.terms import Partition

PROGENITORS = [(f"{number}.png", Partition.TRAINING) for number in range(4)] + [
    ("4.png", Partition.VALIDATION)
]
SHAPE = (3, 8, 8)
BLOCK = 3 * 8 * 8
CONDITIONS = {"seed": 0, "variants": ["a", "b", "c"]}


class Stopped(Exception):
    pass


def make(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, SHAPE).astype(np.uint8)


def make_until_third(number: int) -> np.ndarray:
    if number == 2:
        raise Stopped
    return make(number)


def write(folder, make=make, conditions=CONDITIONS, **options):
    write_materialised(folder, PROGENITORS, SHAPE, make, conditions, **options)


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def begun(tmp_path):
    with pytest.raises(Stopped):
        write(tmp_path / "begun", make_until_third)
    return tmp_path / "begun"


def test_what_is_written_is_opened_as_a_map(tmp_path):
    write(tmp_path / "new")

    opened = open_materialised(tmp_path / "new")

    assert isinstance(opened.pixels, np.memmap)
    assert not opened.pixels.flags.writeable
    assert np.array_equal(opened.pixels, [make(number) for number in range(5)])
    assert list(zip(opened.files, opened.partitions, strict=True)) == PROGENITORS
    assert opened.variants == ("a", "b", "c")


@pytest.mark.parametrize("torn", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK, 5 * BLOCK])
def test_a_run_stopped_anywhere_ends_with_the_same_bytes(tmp_path, begun, torn):
    write(tmp_path / "whole")
    pixels = begun / materialised.VARIANTS
    with pixels.open("r+b") as file:
        file.truncate(max(0, pixels.stat().st_size - torn))

    write(begun)

    assert contents(begun) == contents(tmp_path / "whole")


def test_going_on_makes_only_what_is_missing_and_the_last(begun):
    asked, done = [], []

    def noting(number: int) -> np.ndarray:
        asked.append(number)
        return make(number)

    write(begun, noting, watch=done.append)

    assert asked == [1, 2, 3, 4]
    assert done == [1, 1, 1, 1, 1]


def test_a_complete_one_is_left_as_it_is(tmp_path):
    write(tmp_path / "new")

    def never(number: int) -> np.ndarray:
        raise AssertionError

    write(tmp_path / "new", never)


def test_one_begun_is_not_opened(begun):
    with pytest.raises(UsageError, match="is incomplete"):
        open_materialised(begun)


def test_other_conditions_are_refused_and_named(begun):
    with pytest.raises(UsageError, match="other settings: seed"):
        write(begun, conditions=CONDITIONS | {"seed": 1})

    write(begun, conditions=CONDITIONS | {"seed": 1}, overwrite=True)
    assert open_materialised(begun).about["seed"] == 1


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path, overwrite):
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(UsageError, match="other files"):
        write(tmp_path, overwrite=overwrite)

    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_a_folder_without_variants_is_refused(tmp_path):
    with pytest.raises(UsageError, match="has no variants"):
        open_materialised(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "gone", "index"])
def test_damage_is_refused(tmp_path, damage):
    write(tmp_path / "new")
    pixels = tmp_path / "new" / materialised.VARIANTS
    if damage == "cut":
        with pixels.open("r+b") as file:
            file.truncate(1000)
    elif damage == "gone":
        pixels.unlink()
    else:
        (tmp_path / "new" / materialised.INDEX).write_bytes(b"no table")

    with pytest.raises(UsageError, match="damaged"):
        open_materialised(tmp_path / "new")


def test_an_about_of_something_else_is_refused(tmp_path):
    (tmp_path / materialised.ABOUT).write_text('{"format": 1, "complete": true}')

    with pytest.raises(UsageError, match="about.json"):
        write(tmp_path)


def test_two_writers_do_not_mix(tmp_path):
    def second(number: int) -> np.ndarray:
        with pytest.raises(UsageError, match="another process is writing"):
            write(tmp_path / "new")
        return make(number)

    write(tmp_path / "new", second)


def test_too_little_room_is_told_before_any_work(tmp_path, monkeypatch):
    full = type("Usage", (), {"free": BLOCK})
    monkeypatch.setattr(materialised.shutil, "disk_usage", lambda folder: full)

    with pytest.raises(CannotWrite, match="GB of free space"):
        write(tmp_path / "new", lambda number: pytest.fail("began to work"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(CannotWrite, match="cannot be written"):
        write(tmp_path / "file" / "new")

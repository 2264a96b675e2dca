"""A store that is stopped anywhere and gone on with, and what is refused."""

import hashlib
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from cxrview.dataset.store import INDEX_COLUMNS, open_prepared
from cxrview.dataset.store_writer import PreparedWriter
from cxrview.errors import CannotWrite, UsageError
from cxrview.records.classification import Failure
from cxrview.records.dataset import PreparedImage
from cxrview.terms import View

SIDE = 8
CONDITIONS = {"labels_sha256": "00", "as_published": False}
PICTURES = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE), np.uint8)
BROKEN = Failure(path="2.png", code="truncated", reason="it ends early", advice="Copy it, again")


def image(number: int) -> PreparedImage:
    return PreparedImage(
        row=0,
        file=f"{number}.png",
        source="drawn",
        study="",
        patient=f"p{number}",
        view=View.LATERAL,
        file_sha256="11",
        pixel_sha256=hashlib.sha256(PICTURES[number].tobytes()).hexdigest(),
        warnings=("first_of_frames:3", "odd_uid") if number == 4 else (),
        has_header=number < 4,
        manufacturer="Maker" if number == 3 else "",
        header_view=View.FRONTAL if number == 1 else None,
    )


def write(folder, stop_before: int = 5, conditions=CONDITIONS) -> int:
    """Five labels, of which the third cannot be read; how many of them were there already."""
    with PreparedWriter(folder, SIDE, conditions) as writer:
        began_at = writer.done
        for number in range(began_at, 0 if writer.is_complete else stop_before):
            if number == 2:
                writer.fail(BROKEN)
            else:
                writer.keep(image(number), PICTURES[number])
        if stop_before == 5 and not writer.is_complete:
            writer.finish()
    return began_at


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_was_kept_comes_back(tmp_path):
    write(tmp_path)

    store = open_prepared(tmp_path)

    assert [i.file for i in store.images] == ["0.png", "1.png", "3.png", "4.png"]
    assert [i.row for i in store.images] == [0, 1, 2, 3]
    assert store.images[3].warnings == ("first_of_frames:3", "odd_uid")
    assert store.images[0].view is View.LATERAL
    assert [i.header_view for i in store.images] == [None, View.FRONTAL, None, None]
    assert [i.manufacturer for i in store.images] == ["", "", "Maker", ""]
    assert [i.has_header for i in store.images] == [True, True, True, False]
    assert store.failures == (BROKEN,)
    assert np.array_equal(store.pixels, PICTURES[[0, 1, 3, 4]])
    assert store.content["1.png"] == hashlib.sha256(store.pixels[1].tobytes()).hexdigest()


def test_numpy_and_arrow_read_it_without_us(tmp_path):
    write(tmp_path)

    pixels = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    index = pq.read_table(tmp_path / "index.parquet")

    assert isinstance(pixels, np.memmap)
    assert pixels.shape == (4, SIDE, SIDE)
    assert pixels.dtype == np.uint8
    assert index.column_names == list(INDEX_COLUMNS)
    assert sorted(contents(tmp_path)) == [
        "about.json",
        "failures.csv",
        "index.parquet",
        "pixels.npy",
    ]


def test_pixels_cannot_be_changed_by_mistake(tmp_path):
    write(tmp_path)

    with pytest.raises(ValueError, match="read-only"):
        open_prepared(tmp_path).pixels[0, 0, 0] = 1


@pytest.mark.parametrize("stop", range(5))
def test_a_store_stopped_anywhere_ends_with_the_same_bytes(tmp_path, stop):
    write(tmp_path / "whole")

    write(tmp_path / "stopped", stop)
    with pytest.raises(UsageError, match="stopped is incomplete"):
        open_prepared(tmp_path / "stopped")
    began_at = write(tmp_path / "stopped")

    assert began_at == stop
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("name", "lost"), [("progress.jsonl", 5), ("pixels.npy", 1), ("pixels.npy", SIDE * SIDE)]
)
def test_an_outcome_half_written_is_made_again(tmp_path, name, lost):
    """As after a loss of power, when either file may lack its end."""
    write(tmp_path / "whole")
    write(tmp_path / "stopped", 4)
    with (tmp_path / "stopped" / name).open("rb+") as file:
        file.truncate(file.seek(0, 2) - lost)

    began_at = write(tmp_path / "stopped")

    assert began_at == 3
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_a_stop_after_the_last_word_leaves_nothing_to_do(tmp_path):
    write(tmp_path)
    whole = contents(tmp_path)
    (tmp_path / "progress.jsonl").touch()

    write(tmp_path)

    assert contents(tmp_path) == whole


def test_a_stop_within_finishing_is_made_good(tmp_path):
    """The header of the pixels, index and failures were written, about.json was not."""
    write(tmp_path / "whole")
    write(tmp_path / "stopped", 4)
    begun = (tmp_path / "stopped" / "about.json").read_bytes()
    progress = (tmp_path / "stopped" / "progress.jsonl").read_bytes()
    write(tmp_path / "stopped")
    (tmp_path / "stopped" / "about.json").write_bytes(begun)
    (tmp_path / "stopped" / "progress.jsonl").write_bytes(progress)

    write(tmp_path / "stopped")

    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


@pytest.mark.parametrize("stop", [2, 5])
def test_other_conditions_are_refused_by_name(tmp_path, stop):
    write(tmp_path, stop)

    with pytest.raises(UsageError, match="without --as-published"):
        write(tmp_path, conditions=CONDITIONS | {"as_published": True})


def test_a_store_is_made_anew_only_where_asked(tmp_path):
    write(tmp_path)
    other = CONDITIONS | {"as_published": True}

    with PreparedWriter(tmp_path, SIDE, other, overwrite=True) as writer:
        assert (writer.done, writer.is_complete) == (0, False)
        writer.finish()

    assert open_prepared(tmp_path).images == ()
    assert open_prepared(tmp_path).pixels.shape == (0, SIDE, SIDE)


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_with_other_files_is_left_alone(tmp_path, overwrite):
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(UsageError, match="other files"):
        PreparedWriter(tmp_path, SIDE, CONDITIONS, overwrite=overwrite)

    assert contents(tmp_path) == {"thesis.txt": b"mine"}


def test_two_writers_do_not_mix_their_pictures(tmp_path):
    with (
        PreparedWriter(tmp_path, SIDE, CONDITIONS),
        pytest.raises(UsageError, match="another process is preparing"),
    ):
        PreparedWriter(tmp_path, SIDE, CONDITIONS)


def test_a_folder_that_cannot_be_made_is_told_in_a_line(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(CannotWrite, match="Not a directory"):
        PreparedWriter(tmp_path / "file" / "store", SIDE, CONDITIONS)


def test_a_folder_without_a_store_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is not a prepared store"):
        open_prepared(tmp_path)


@pytest.mark.parametrize("name", ["pixels.npy", "index.parquet", "failures.csv"])
@pytest.mark.parametrize("content", [None, b"", b"nonsense" * 99])
def test_a_damaged_store_is_refused(tmp_path, name, content):
    write(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(UsageError, match="damaged"):
        open_prepared(tmp_path)


def test_pixels_of_another_store_are_refused(tmp_path):
    write(tmp_path)
    np.save(tmp_path / "pixels.npy", PICTURES)

    with pytest.raises(UsageError, match="damaged"):
        open_prepared(tmp_path)


@pytest.mark.parametrize("complete", [True, False])
def test_a_store_of_an_earlier_version_is_refused_and_can_be_made_anew(tmp_path, complete):
    """Format 1 did not keep what headers say."""
    former = {"format": 1, "side": SIDE, "complete": complete, "reader": "default"}
    (tmp_path / "about.json").write_text(json.dumps(former | CONDITIONS))
    (tmp_path / "pixels.npy").write_bytes(b"of then")
    (tmp_path / "progress.jsonl").write_bytes(b"of then")

    for using in (open_prepared, write):
        with pytest.raises(UsageError, match="earlier version") as refused:
            using(tmp_path)
        assert "--overwrite" in refused.value.advice
    with PreparedWriter(tmp_path, SIDE, CONDITIONS, overwrite=True) as writer:
        writer.finish()

    assert open_prepared(tmp_path).images == ()


@pytest.mark.parametrize("text", ["[]", "nonsense", json.dumps({"format": 99, "complete": True})])
def test_an_about_of_another_kind_is_refused(tmp_path, text):
    (tmp_path / "about.json").write_text(text)

    with pytest.raises(UsageError, match="about.json"):
        open_prepared(tmp_path)

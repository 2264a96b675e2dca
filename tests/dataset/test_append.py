"""Pictures and lines grow together, wherever they are stopped."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from cxrview.atomic_files import locked
from cxrview.dataset.append import Appender, Kind
from cxrview.dataset.natural.store import KeptPicture, PictureWriter, open_pictures
from cxrview.errors import UsageError
from cxrview.terms import Partition

SIDE = 4
PICTURES = np.random.default_rng(0).integers(0, 256, (7, SIDE, SIDE), np.uint8)
FAILED = 2


def read_about(folder: Path):
    path = folder / "about.json"
    return json.loads(path.read_text()) if path.exists() else None


def kind(sync_every: int | None = None) -> Kind:
    return Kind(
        format=1,
        holds="noise",
        lines="lines.jsonl",
        read_about=read_about,
        advice="Leave it",
        sync_every=sync_every,
    )


def write(folder: Path, stop_before: int = 7, sync_every: int | None = None) -> list[int]:
    """Seven outcomes, of which one is a failure; those that stood there already, by number."""
    seen: list[int] = []

    def recall(fields):
        seen.append(fields["number"])

    with Appender(folder, SIDE, kind(sync_every), {}, recall=recall) as store:
        for number in range(store.done, stop_before):
            if number == FAILED:
                store.append({"number": number})
            else:
                digest = hashlib.sha256(PICTURES[number].tobytes()).hexdigest()
                store.append({"number": number, "pixel_sha256": digest}, PICTURES[number])
        if stop_before == 7:
            store.end()
            store.complete(kept=store.kept)
    return seen


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("sync_every", [None, 2])
@pytest.mark.parametrize("stop", range(7))
@pytest.mark.parametrize("torn", [b"", b'{"number": ', b"5\n"])
def test_stopped_anywhere_it_ends_with_the_same_bytes(tmp_path, stop, torn, sync_every):
    write(tmp_path / "whole")
    write(tmp_path / "stopped", stop, sync_every)
    with (tmp_path / "stopped" / "lines.jsonl").open("ab") as lines:
        lines.write(torn)

    seen = write(tmp_path / "stopped", sync_every=sync_every)

    assert seen == list(range(stop))
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
    assert np.array_equal(
        np.load(tmp_path / "stopped" / "pixels.npy"), np.delete(PICTURES, FAILED, axis=0)
    )


@pytest.mark.parametrize(("sync_every", "believed"), [(None, 0), (2, 5)])
def test_only_what_may_not_be_on_the_disk_is_looked_at(tmp_path, sync_every, believed):
    """The first picture is spoilt: it is noticed where all is looked at."""
    write(tmp_path, 5, sync_every)
    with (tmp_path / "pixels.npy").open("r+b") as pixels:
        pixels.seek(-4 * SIDE**2, 2)
        pixels.write(bytes(SIDE**2))

    assert len(write(tmp_path, 5, sync_every)) == believed


def test_a_folder_is_held_by_one_writer_and_then_free(tmp_path):
    with (
        locked(tmp_path),
        pytest.raises(UsageError, match="is drawing"),
        locked(tmp_path, "drawing"),
    ):
        pass
    with locked(tmp_path):
        pass


def test_pictures_begun_by_an_earlier_version_go_on(tmp_path):
    """Files as version 0.1 left them when it was stopped after the first of two pictures."""
    conditions = {"listing_sha256": "00", "per_class": None, "version": "0.1"}
    about = {"format": 1, "side": SIDE, **conditions, "complete": False}
    (tmp_path / "about.json").write_text(json.dumps(about, indent=2) + "\n")
    digest = hashlib.sha256(PICTURES[0].tobytes()).hexdigest()
    line = (
        '{"file": "train/n1/a.png", "partition": "training", "wnid": "n1", "rows": 9, '
        f'"columns": 8, "pixel_sha256": "{digest}", "failure": ""}}\n'
    )
    (tmp_path / "pictures.jsonl").write_text(line)
    np.save(tmp_path / "pixels.npy", np.empty((0, SIDE, SIDE), np.uint8))
    with (tmp_path / "pixels.npy").open("ab") as pixels:
        pixels.write(PICTURES[0].tobytes() + b"torn")

    with PictureWriter(tmp_path, SIDE, conditions) as writer:
        assert writer.done == 1
        more = KeptPicture(
            file="train/n1/b.png",
            partition=Partition.TRAINING,
            wnid="n1",
            pixel_sha256=hashlib.sha256(PICTURES[1].tobytes()).hexdigest(),
        )
        writer.keep(more, PICTURES[1])
        writer.finish()

    assert np.array_equal(open_pictures(tmp_path).pixels, PICTURES[:2])
    assert (tmp_path / "pictures.jsonl").read_text().startswith(line)

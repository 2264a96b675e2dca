"""`--root`: a study whose images lie elsewhere than when it was made."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from cxrview.errors import UsageError

NOT_HERE = "no image of the study is in "


@pytest.fixture
def moved(room):
    """A study that was read, and whose archive then was moved into `disk`."""
    room.create_read()
    shutil.move("archive", "disk/films")
    return room


@pytest.mark.parametrize("root", ["disk/films", "file://{here}/disk/films"])
def test_links_and_tables_lead_to_where_the_images_lie_now(moved, root):
    before = moved.study()
    root = root.format(here=Path.cwd())

    done = moved.run(f"annotate export study.db --out labels.csv --links linked --root {root}")

    assert not done.stderr
    links = list(Path("linked").glob("*/*"))
    assert len(links) == 38
    for link in links:
        assert link.parent.name == moved.view(int(link.resolve(strict=True).stem))
    assert all(Path(row["file"]).is_file() for row in moved.read_csv("labels.csv"))
    moved.run(f"annotate export study.db --out acts.csv --readings --root {root}")
    assert all(Path(row["file"]).is_file() for row in moved.read_csv("acts.csv"))
    assert moved.study() == before


def test_readings_may_be_named_from_a_table_beside_the_images(room):
    room.create()
    shutil.move("archive", "disk/films")
    lines = [("films/here/02.png", "p1", "frontal")]
    room.write_csv("disk/labels.csv", ("file", "patient", "view"), lines)
    command = "annotate import study.db disk/labels.csv --reader anna"

    with pytest.raises(UsageError, match="the study has no image films/here"):
        room.run(command)
    room.run(f"{command} --root disk/films")

    assert len(room.study()[3]) == 1


def test_a_split_reads_the_images_where_they_lie_now(moved):
    with pytest.raises(UsageError, match=f"{NOT_HERE}.*or use --root"):
        moved.run("split study.db --out split.csv")

    moved.run("split study.db --out split.csv --root disk/films")

    assert Path("split.csv").exists()
    with pytest.raises(UsageError, match="--root is for an annotation study"):
        moved.run("split split.csv --out other.csv --root disk/films")


def test_a_store_behind_a_url_may_hold_them(moved):
    files = fsspec.filesystem("memory")
    files.put("disk/films/", "/moved-films/", recursive=True)
    try:
        command = "annotate export study.db --root memory://moved-films"
        moved.run(f"{command} --out labels.csv")
        with pytest.raises(UsageError, match="links to images behind URLs are not possible"):
            moved.run(f"{command} --links linked")
    finally:
        files.rm("/moved-films", recursive=True)

    files = {row["file"] for row in moved.read_csv("labels.csv")}
    assert "memory://moved-films/here/02.png" in files


@pytest.mark.parametrize("root", ["disk", "disk/films/here", "nowhere", "memory://nowhere"])
@pytest.mark.parametrize(
    "command", ["serve study.db --port 0", "export study.db --out labels.csv --links linked"]
)
def test_a_root_that_holds_no_image_is_refused(moved, command, root):
    place = root if "://" in root else str(Path(root).absolute())

    with pytest.raises(UsageError, match=f"{NOT_HERE}{re.escape(place)}, such as here/00.png"):
        moved.run(f"annotate {command} --root {root}")

    assert not Path("labels.csv").exists() and not Path("linked").exists()


def test_a_root_of_which_some_images_are_gone_is_one(moved):
    for k in range(30):
        Path("disk/films/here", f"{k:02}.png").unlink()

    moved.run("annotate export study.db --out labels.csv --root disk/films")


def test_an_empty_root_is_a_slip(moved):
    with pytest.raises(UsageError, match="--root is empty"):
        moved.run("annotate export study.db --out labels.csv --root", "")


def test_a_study_of_urls_has_no_root_to_move(room):
    room.write_csv("list.csv", ("path",), [("memory://films/00.png",)])
    room.run("annotate create urls.db --from list.csv --reader anna --reader ben")

    with pytest.raises(UsageError, match="--root is for studies with relative paths"):
        room.run("annotate serve urls.db --port 0 --root .")


def test_whoever_does_not_name_it_is_told_of_it(moved):
    advice = "or use --root to name"
    with pytest.raises(UsageError, match=f"40 of 40 images of the study .*{advice}"):
        moved.run("annotate serve study.db --port 0")
    with pytest.raises(UsageError, match=f"38 images of the study .*{advice}"):
        moved.run("annotate export study.db --links linked")

    for told in ("--out labels.csv", "--out acts.csv --readings"):
        assert advice in moved.run(f"annotate export study.db {told}").stderr
    assert not moved.run("annotate export study.db --out tasks.json").stderr


@pytest.mark.slow
def test_served_from_where_they_lie_now_nothing_is_missing(moved):
    command = [sys.executable, "-m", "cxrview", "annotate", "serve", "study.db", "--port", "0"]
    with subprocess.Popen(
        [*command, "--root", "disk/films"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            address = server.stdout.readline()
            server.send_signal(signal.SIGINT)
            _, errors = server.communicate(timeout=30)
        finally:
            server.kill()

    assert "serving at" in address
    assert (server.returncode, errors) == (0, "")

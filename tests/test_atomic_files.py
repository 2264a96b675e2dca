"""Files appear complete or not at all, and one process at a time writes to a folder."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxrview.atomic_files import (
    PART,
    atomic_path,
    atomic_path_in_new_folder,
    locked,
    raising_cannot_write,
    write_atomic,
    writing,
)
from cxrview.errors import CannotWrite, UsageError


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_atomic_path_gives_the_file_its_name_when_it_is_complete(tmp_path):
    path = tmp_path / "views.csv"

    with atomic_path(path) as part:
        part.write_text("rows")
        assert not path.exists()

    assert path.read_text() == "rows"
    assert names(tmp_path) == ["views.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_atomic_path_leaves_the_earlier_file_after_an_error(tmp_path, error):
    path = tmp_path / "views.csv"
    path.write_text("earlier")

    with pytest.raises(error), atomic_path(path) as part:
        part.write_text("half")
        raise error

    assert path.read_text() == "earlier"
    assert names(tmp_path) == ["views.csv"]


def test_atomic_path_of_a_folder_that_does_not_exist_raises(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "no" / "a") as part:
        part.write_text("rows")


def test_atomic_path_in_new_folder_creates_the_folder(tmp_path):
    with atomic_path_in_new_folder(tmp_path / "a" / "b" / "c.json") as part:
        part.write_text("{}")

    assert (tmp_path / "a" / "b" / "c.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("content", "written"), [("M\u00fcller", b"M\xc3\xbcller"), (b"\xff", b"\xff")]
)
def test_write_atomic_writes_text_as_utf8_and_bytes_as_they_are(tmp_path, content, written):
    write_atomic(tmp_path / "new" / "file", content)

    assert (tmp_path / "new" / "file").read_bytes() == written


def test_write_atomic_raises_cannot_write_where_the_disk_fails(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(CannotWrite, match="file"):
        write_atomic(tmp_path / "file" / "below", "text")


def test_write_atomic_ignores_what_an_interrupted_process_left(tmp_path):
    path = tmp_path / "a.json"
    path.with_name(path.name + PART).write_text("half of it, and longer")

    write_atomic(path, "{}")

    assert path.read_text() == "{}"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("context", [raising_cannot_write, writing])
def test_an_os_error_becomes_cannot_write_with_the_path_and_the_reason(tmp_path, context):
    with pytest.raises(CannotWrite) as raised, context(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert str(tmp_path) in raised.value.reason
    assert os.strerror(errno.ENOSPC) in raised.value.reason


def test_locked_refuses_another_process_until_the_block_ends(tmp_path):
    code = (
        "import sys; from pathlib import Path; from cxrview.atomic_files import locked\n"
        "with locked(Path(sys.argv[1]), 'preparing'): print('locked')"
    )

    def other() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False
        )

    with locked(tmp_path):
        refused = other()

    assert refused.returncode and "UsageError" in refused.stderr and "preparing" in refused.stderr
    assert other().stdout.strip() == "locked"


def test_locked_names_the_folder_and_what_is_done(tmp_path):
    with locked(tmp_path), pytest.raises(UsageError) as raised, locked(tmp_path, "serving"):
        pass

    assert str(tmp_path) in raised.value.reason and "serving" in raised.value.reason

"""A program is known by what it says of itself; a test that lacks one says what brings it."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAGICK_6 = "Version: ImageMagick 6.9.11-60 Q16 x86_64 2021-01-25 https://imagemagick.org"
MAGICK_7 = "Version: ImageMagick 7.1.1-43 Q16-HDRI x86_64 22550 https://imagemagick.org"


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Put a program into a folder of the path; no other folder is on it but those asked for."""
    monkeypatch.setenv("PATH", "")

    def put(folder: str, name: str, says: str, *, code: int = 0, shell: str = "/bin/sh") -> Path:
        file = tmp_path / folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!{shell}\necho '{says}'\nexit {code}\n")
        file.chmod(0o755)
        known = os.environ["PATH"].split(os.pathsep)
        if str(file.parent) not in known:
            monkeypatch.setenv("PATH", os.pathsep.join([*filter(None, known), str(file.parent)]))
        return file

    return put


def test_the_right_program_is_found_behind_another_of_its_name(script, program):
    script("first", "convert", "usage: convert VOLUME", code=1)
    right = script("second folder", "convert", MAGICK_6)

    assert program("ImageMagick 6") == str(right)


def test_an_image_magick_of_another_version_does_for_what_is_not_compared(script, program):
    newer = script("bin", "magick", MAGICK_7)

    assert program("ImageMagick") == str(newer)
    with pytest.raises(pytest.skip.Exception, match=r"^needs ImageMagick 6: apt-get install"):
        program("ImageMagick 6")


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_goes_by_several_names(script, program, name):
    file = script("bin", name, "Google Chrome 126.0.6478.55")

    assert program("chromium") == str(file)


@pytest.mark.parametrize(
    ("program_file", "found"),
    [
        ({"says": "dcmdump of another maker"}, r"is another program, or another version"),
        ({"says": "", "shell": "/nowhere/sh"}, r"does not start: No such file or directory"),
        ({"says": "libdcmdata.so.17: not found", "code": 127}, r"does not start: exit code 127"),
    ],
)
def test_what_is_not_the_program_is_named_in_the_reason(script, program, program_file, found):
    file = script("bin", "dcmdump", **program_file)

    with pytest.raises(pytest.skip.Exception) as skipped:
        program("dcmdump")

    assert skipped.match(rf"^needs dcmdump: apt-get install dcmtk \({file} {found}\)$")


def test_a_program_that_is_missing_is_named_with_its_package(script, program):
    script("bin", "convert", MAGICK_6)

    with pytest.raises(pytest.skip.Exception) as skipped:
        program("opj_compress")

    assert str(skipped.value) == "needs opj_compress: apt-get install libopenjp2-tools"


def test_a_program_that_a_test_starts_hears_ctrl_c():
    asked = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"

    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)

    assert said.stdout == "False\n"


@pytest.mark.slow
def test_it_does_so_where_the_tests_run_in_a_shells_background():
    test = "tests/test_programs.py::test_a_program_that_a_test_starts_hears_ctrl_c"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "1", test]
    ignore = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, preexec_fn=ignore)

    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_run_ends_with_one_line_of_what_it_lacked(script, tmp_path, workers):
    fake = script("bin", "convert", "usage: convert VOLUME", code=1)
    lacking = [
        "tests/image/test_raster.py::test_an_interlaced_png_is_read",
        "tests/phantom/test_dicom.py::test_dcmtk_finds_nothing_to_complain_of",
        "tests/image/dicom/test_file_shared.py",
    ]
    environment = os.environ | {"CXRVIEW_DATA": str(tmp_path), "CXRVIEW_NO_SKIP": ""}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", workers, *lacking]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout
    *_, line, counts = done.stdout.splitlines()
    assert " skipped in " in counts
    assert line == (
        f"skipped for want of: ImageMagick [{fake} is another program, or another version], "
        "dcmdump (apt-get install dcmtk imagemagick); "
        "the shared radiographs (set CXRVIEW_DATA to their folder)"
    )

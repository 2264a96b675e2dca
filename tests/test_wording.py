import pytest

from cxrview.wording import counted, plural


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (plural(0, "file"), "0 files"),
        (plural(1, "file"), "1 file"),
        (plural(2, "file"), "2 files"),
        (plural(1, "file is", "files are"), "1 file is"),
        (plural(40, "file is", "files are"), "40 files are"),
        (plural(1885, "image", form=","), "1,885 images"),
        (plural(1, "image", form="6"), "     1 image"),
        (counted(1, "files found"), "1 file found"),
        (counted(1, "test pictures of no chest"), "1 test picture of no chest"),
        (counted(0, "images"), "0 images"),
        (counted(1885, "test images", form=","), "1,885 test images"),
    ],
)
def test_one_thing_is_in_the_singular(written, expected):
    assert written == expected

"""Links by view: what is laid, what is kept, what is never touched."""

import pytest

from cxrview.annotate.formats.link_tree import create_links
from cxrview.errors import UsageError
from cxrview.terms import View


@pytest.fixture
def images(tmp_path):
    """A PNG, and a DICOM file whose name has no ending but a patient."""
    (tmp_path / "a.PNG").write_bytes(b"picture")
    (tmp_path / "Smith^John").write_bytes(bytes(128) + b"DICM")
    return {
        "0" * 16: (View.FRONTAL, tmp_path / "a.PNG"),
        "1" * 16: (View.LATERAL, tmp_path / "Smith^John"),
    }


def laid(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.glob("*/*"))


def test_a_link_is_named_by_id_and_kind_alone(tmp_path, images):
    create_links(tmp_path / "out", images, overwrite=False)

    assert laid(tmp_path / "out") == [
        "frontal/0000000000000000.png",
        "lateral/1111111111111111.dcm",
    ]
    assert (tmp_path / "out/frontal" / ("0" * 16 + ".png")).read_bytes() == b"picture"


def test_a_new_layout_takes_the_place_of_the_old(tmp_path, images):
    create_links(tmp_path / "out", images, overwrite=False)
    changed = {"0" * 16: (View.LATERAL, tmp_path / "a.PNG")}

    create_links(tmp_path / "out", changed, overwrite=True)

    assert laid(tmp_path / "out") == ["lateral/0000000000000000.png"]


@pytest.mark.parametrize("stranger", ["notes.txt", "frontal/mine.png", "frontal/" + "0" * 16])
def test_nothing_but_our_links_is_ever_removed(tmp_path, images, stranger):
    path = tmp_path / "out" / stranger
    path.parent.mkdir(parents=True)
    path.write_text("not ours")

    with pytest.raises(UsageError, match="holds other files"):
        create_links(tmp_path / "out", images, overwrite=True)

    assert path.read_text() == "not ours"


def test_links_that_would_lead_nowhere_are_not_laid(tmp_path, images):
    (tmp_path / "a.PNG").unlink()

    with pytest.raises(UsageError, match="1 image of the study is missing"):
        create_links(tmp_path / "out", images, overwrite=False)

    assert not (tmp_path / "out").exists()

import gzip
from io import StringIO

import pytest

from cxrview.errors import UsageError
from cxrview.image import ReadOptions, open_image
from cxrview.image.dicom.view_position import load_table
from cxrview.terms import View

MIMIC = {
    "AP": View.FRONTAL,
    "PA": View.FRONTAL,
    "LATERAL": View.LATERAL,
    "LL": View.LATERAL,
    "PA LLD": View.FRONTAL,
    "LAO": None,
    "RAO": None,
    "AP AXIAL": View.FRONTAL,
    "AP LLD": View.FRONTAL,
    "XTABLE LATERAL": View.LATERAL,
    "AP RLD": View.FRONTAL,
    "SWIMMERS": None,
    "PA RLD": View.FRONTAL,
    "LPO": None,
}
"""Every View Position of MIMIC-CXR."""


@pytest.mark.parametrize(("position", "view"), MIMIC.items())
def test_every_position_of_mimic_cxr_is_decided(position, view):
    assert position in load_table().positions
    assert load_table().view_of(position, "") == (view, ())


@pytest.mark.parametrize(
    ("position", "view"),
    [
        ("pa", View.FRONTAL),
        (" Lateral ", View.LATERAL),
        ("L-LAT", View.LATERAL),
        ("AP_SUPINE", View.FRONTAL),
        ("X-TABLE  LATERAL", View.LATERAL),
        ("PA\\PA", View.FRONTAL),
        ("PA\\ERECT", View.FRONTAL),
        ("PA\\LATERAL", None),
        ("CHEST PA AND LATERAL", None),
        ("", None),
        ("*", None),
    ],
)
def test_positions_are_read_leniently(position, view):
    assert load_table().view_of(position, "") == (view, ())


@pytest.mark.parametrize(
    ("code", "view"),
    [
        ("399033003^SCT", View.FRONTAL),
        ("399173006^SCT", View.LATERAL),
        ("R-10236^SNM3", View.LATERAL),
        ("R-10214^SRT", View.FRONTAL),
        ("399135007^SCT", None),
        ("R-10236^99LOCAL", None),
        ("^", None),
    ],
)
def test_codes_are_read_under_all_names_of_their_scheme(code, view):
    assert load_table().view_of("", code) == (view, ())


def test_the_code_wins_and_the_contradiction_is_told():
    assert load_table().view_of("PA", "399067008^SCT") == (
        View.LATERAL,
        ("header_contradicts_itself",),
    )
    assert load_table().view_of("PA", "399182000^SCT") == (View.FRONTAL, ())


def test_every_row_has_a_reason():
    from importlib import resources

    text = (resources.files("cxrview.image.dicom") / "view_positions.csv").read_text()

    assert text.startswith(f"# version: {load_table().version}\n")
    assert all(line.count(",") == 4 and line.split(",")[4] for line in text.splitlines()[2:])


def test_a_user_may_bring_his_own_table(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("# version: mine\nkind,value,scheme,view,note\nposition,thorax vorn,,frontal,\n")

    table = load_table(own)

    assert table.version == "mine"
    assert table.view_of("THORAX_VORN", "") == (View.FRONTAL, ())
    assert table.view_of("PA", "") == (None, ())


def test_the_readers_table_is_an_option(kit, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("kind,value,scheme,view,note\nposition,PA,,lateral,\n")

    instance = open_image(kit.build(), ReadOptions(header_terms=own)).instance

    assert instance.header_view is View.LATERAL


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n", "kind,value,scheme,view,note\nposition,PA,,up,\n", "\0", "kind,value\nx,y\n"],
)
def test_a_table_that_makes_no_sense_is_refused(tmp_path, text):
    own = tmp_path / "own.csv"
    own.write_text(text)

    with pytest.raises(UsageError):
        load_table(own)


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_table(tmp_path / "none.csv")


def test_every_position_of_the_open_i_headers_is_known(shared_data):
    import csv

    text = gzip.decompress((shared_data / "open-i-headers.csv.gz").read_bytes()).decode()
    positions = {row["View Position"] for row in csv.DictReader(StringIO(text))} - {""}

    assert positions
    assert all(load_table().view_of(position, "")[0] for position in positions)

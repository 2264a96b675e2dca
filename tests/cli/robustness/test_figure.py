"""`cxrview robustness figure` as its user runs it, with a model that can be checked by hand."""

import pytest
from PIL import Image

from cxrview.errors import UsageError


def test_images_get_a_figure_and_a_table(rows_of, robustness, chests, model, tmp_path):
    robustness("figure", *chests, "--model", model, "--out", tmp_path)

    rows = rows_of(tmp_path / "modified.csv")
    assert [row["image"] for row in rows] == ["1"] * 5 + ["2"] * 5
    assert [row["modification"] for row in rows[:5]] == [
        *("unmodified", "marker-added", "rotation", "obscured", "cropped")
    ]
    for row in rows:
        assert row["view"] == ("frontal" if float(row["pfi"]) >= 50 else "lateral")
    # The model is brightness: half of it hidden, a picture is darker.
    assert float(rows[3]["pfi"]) < float(rows[0]["pfi"])
    with Image.open(tmp_path / "modified.png") as figure:
        assert min(figure.size) > 200
    assert "</svg>" in (tmp_path / "modified.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("box", ["10,200,24,30", "4%, 80%, 10%, 12%"])
def test_a_marker_of_the_image_s_own_is_moved_and_blanked(
    rows_of, robustness, chests, model, tmp_path, box
):
    robustness("figure", chests[0], "--model", model, "--out", tmp_path, "--marker-box", box)

    kinds = [row["modification"] for row in rows_of(tmp_path / "modified.csv")]
    assert kinds == [
        *("unmodified", "marker-moved", "marker-blanked", "rotation", "obscured", "cropped")
    ]


def test_a_bad_file_is_one_line_and_the_others_go_on(rows_of, robustness, chests, model, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    said = robustness(
        "figure",
        *(tmp_path / "bad.png", chests[1], "--model", model, "--out", tmp_path / "out"),
        code=1,
    )

    (line,) = [line for line in said.splitlines() if line.startswith("cxrview: ")]
    assert "bad.png" in line
    assert len(rows_of(tmp_path / "out" / "modified.csv")) == 5


def test_nothing_that_can_be_read_leaves_no_figure(robustness, model, tmp_path):
    (tmp_path / "none.dcm").write_text("no picture")

    robustness("figure", tmp_path / "none.dcm", "--model", model, "--out", tmp_path / "out", code=1)

    assert not (tmp_path / "out").exists()


def test_names_that_are_mistyped_are_all_told_before_any_work(robustness, chests, tmp_path):
    with pytest.raises(UsageError, match=r"a\.png cannot be found .*; b\.png cannot be found"):
        robustness("figure", "a.png", chests[0], "b.png", "--out", tmp_path / "out")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--marker-box", "0,0,1,300"], "within 256 x 256"),
        (["--marker-box", "0,0,0.1%,10%"], "not a box within"),
        (["--marker-box", "1,2,3"], "not a box within"),
        (["--marker-box", "a,b,c,d"], "not a box within"),
        (["--marker-box", "0,0,9,9", "--marker-box", "0,0,8,8"], "1 image has 2 boxes"),
    ],
)
def test_what_does_not_fit_images_is_refused(robustness, chests, model, tmp_path, options, why):
    with pytest.raises(UsageError, match=why):
        robustness("figure", chests[0], "--model", model, "--out", tmp_path, *options)

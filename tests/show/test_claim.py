import re
from dataclasses import replace

import pytest

from cxrview.errors import CannotWrite
from cxrview.show.claim import as_words, render_claim, write_claim
from cxrview.train.scale import SCALES


def items(text: str) -> dict[int, str]:
    """Number of each item to its answer."""
    found = re.findall(r"^\*\*(\d+)\. .*?\*\*\n(.*?)(?=^\*\*\d|^## |\Z)", text, re.M | re.S)
    return {int(number): answer.strip() for number, answer in found}


@pytest.fixture(scope="module")
def checklist(reproduction) -> str:
    return render_claim(reproduction)


def test_all_42_items_are_there_in_order_and_answered(checklist):
    found = items(checklist)

    assert list(found) == list(range(1, 43))
    assert all(len(answer) > 8 for answer in found.values())


def test_an_item_stands_apart_from_the_next(checklist):
    assert re.findall(r"[^\n]\n(?=\*\*\d|## )", checklist) == []
    assert "\n\n\n" not in checklist


def test_the_scale_and_drawn_radiographs_are_said_at_the_top(changed):
    text = render_claim(changed(scale=SCALES["smoke"], is_drawn=True))

    assert SCALES["smoke"].words in text.split("## ")[0]
    assert "nothing on this page is about patients" in text.split("## ")[0]
    assert items(text)[5].startswith("Neither")


def test_answers_are_those_of_the_run(checklist, reproduction):
    found = items(checklist)
    both = next(one for one in reproduction.of_network if one.images == "both")
    table = both.assessment.table

    assert reproduction.chosen.name in found[26]
    assert f"{table.total - table.right} of {table.total} test images are wrong" in found[37]
    assert (
        f"specificity {table.lateral_called_lateral} of {table.lateral}" in found[36].split("\n")[2]
    )
    assert "575 labelled inside images, 2 unreadable, 3 left out, 570 in partitions" in found[33]
    assert "63.16 % are for training, 21.05 % for validation, 15.79 % for the test" in found[20]
    assert "covid: 60 images" in found[32]
    assert "rotation 10: 135 of 150" in found[30]


def test_what_was_not_done_says_so(changed, reproduction):
    inside = tuple(one for one in reproduction.assessed if one.images == "inside")
    bare = changed(
        assessed=inside,
        modified=(),
        software={},
        flow=replace(reproduction.flow, externals=()),
    )

    found = items(render_claim(bare))

    not_done = {number for number, answer in found.items() if "*Not done" in answer}
    assert {16, 17, 18, 19, 27, 30, 31, 32, 34, 40, 42} <= not_done
    assert "versions of other packages were not recorded" in found[23]


@pytest.mark.parametrize(
    ("by", "level"), [("patient", "Patient."), ("image", "Image: a"), ("rule", "Patient.")]
)
def test_the_level_of_the_partitions_is_that_of_the_split(changed, by, level):
    assert items(render_claim(changed(split_by=by)))[21].startswith(level)


def test_no_patient_and_no_file_is_named(changed, figures):
    text = render_claim(changed(figures=figures))

    assert "SENTINEL" not in text
    assert str(figures["fig-1"].parent) not in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("<script>", r"\<script>"),
        ("*bold* _x_ [a](b) |", r"\*bold\* \_x\_ \[a\](b) \|"),
        ("&lt;", r"\&lt;"),
        ("one\n## two", r"one \#\# two"),
        ("p < 0.001 & more", "p < 0.001 & more"),
    ],
)
def test_a_name_is_no_markup(changed, name, words):
    assert as_words(name) == words
    assert f"Inside: {words}." in items(render_claim(changed(sources=(name,))))[7]


def test_the_checklist_is_written_whole_or_not_at_all(reproduction, checklist, tmp_path):
    path = tmp_path / "claim.md"

    write_claim(reproduction, path)

    assert path.read_text(encoding="utf-8") == checklist
    with pytest.raises(CannotWrite):
        write_claim(reproduction, path / "below-a-file.md")

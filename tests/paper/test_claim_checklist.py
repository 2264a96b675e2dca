import re
from dataclasses import replace

import pytest

from cxrview.errors import CannotWrite
from cxrview.paper.claim_checklist import as_words, render_claim, write_claim
from cxrview.paper.scale import SCALES


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
    both = next(one for one in reproduction.of_model if one.images == "both")
    table = both.assessment.table

    assert reproduction.chosen.name in found[26]
    assert f"{table.total - table.right} of {table.total} test images are wrong" in found[37]
    assert (
        f"specificity {table.lateral_called_lateral} of {table.lateral}" in found[36].split("\n")[2]
    )
    assert "575 labelled inside images, 2 unreadable, 3 left out, 570 in partitions" in found[33]
    assert "63.16 % are for training, 21.05 % for validation, 15.79 % for testing" in found[20]
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


@pytest.mark.parametrize(
    ("in_labels", "words"),
    [
        (True, "of covid: from the labels file of the inside images, and no patient"),
        (False, "of covid: from another labels file than the inside images."),
        (None, "of covid: whether they are in the labels file of the inside images is not known."),
    ],
)
def test_external_images_are_said_to_be_of_what_the_record_tells(changed, in_labels, words):
    found = items(render_claim(changed(external_in_labels=in_labels)))

    assert f"External images, {words}" in found[21]
    assert "also inside" not in found[21]


def test_a_source_that_is_inside_and_external_is_told(changed, reproduction):
    (one,) = reproduction.flow.externals
    same = replace(reproduction.flow, externals=(replace(one, name="open-i"),))

    found = items(render_claim(changed(flow=same, external_in_labels=False)))

    assert found[21].endswith("These sources are also inside: open-i.")


def test_a_source_without_a_name_is_said_to_have_none(changed, reproduction):
    (one,) = reproduction.flow.externals
    unnamed = replace(reproduction.flow, externals=(replace(one, name=""),))

    found = items(render_claim(changed(flow=unnamed, sources=("",))))

    assert found[7] == "Inside: source not named. External: source not named."
    assert "Done, on source not named: 60 images." in found[32]
    assert "external, source not named: 60 images" in found[34]


@pytest.mark.parametrize("as_published", [True, False])
def test_whether_images_went_through_jpeg_is_told(changed, as_published):
    answer = items(render_claim(changed(as_published=as_published)))[9]

    assert ("compressed in full size as lossy JPEG" in answer) is as_published
    assert ("this run did not" in answer) is not as_published


def test_the_gallery_is_not_said_to_show_more_than_it_does(changed, checklist, figures):
    shown = items(render_claim(changed(figures=figures)))[37]

    by = {
        one.rule: one.assessment.table.total - one.assessment.table.right
        for one in changed().of_model
        if (one.images, one.cutoff_from) == ("both", "validation")
    }
    assert f"images, {by['middle']} with its middle. The page shows those that are wrong" in shown
    assert f"{by['higher end']} of 150 test images are wrong with the higher end" in shown
    assert "at most 24 of them" in shown
    assert "They are not shown." in items(checklist)[37]


def test_modifications_of_some_images_say_of_how_many(checklist):
    assert "2 modifications of test images, 150 of 200 test images, drawn by seed." in checklist


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

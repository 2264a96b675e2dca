"""Fig 1: the run's own counts, and they must add up."""

from dataclasses import replace

import pytest

from cxrview.paper.candidates import CANDIDATES
from cxrview.paper.figures.flow import (
    AugmentedCounts,
    ExternalSet,
    Flow,
    ImageCounts,
    boxed_externals,
    draw_flow,
)
from cxrview.reports.figures.style import alt_text
from cxrview.terms import Partition


def counted(images: int, patients: int, frontal: int) -> ImageCounts:
    return ImageCounts(images=images, patients=patients, frontal=frontal, lateral=images - frontal)


PAPERS = Flow(
    labelled=counted(1885, 909, 1000),
    unreadable=1,
    left_out=2,
    partitions={
        Partition.TRAINING: counted(1129, 545, 600),
        Partition.VALIDATION: counted(376, 181, 200),
        Partition.TEST: counted(377, 183, 199),
    },
    made={
        Partition.TRAINING: AugmentedCounts(progenitors=1129, images=119_674),
        Partition.VALIDATION: AugmentedCounts(progenitors=376, images=39_856),
    },
    accuracies={candidate: 0.99 + k / 1000 for k, candidate in enumerate(CANDIDATES)},
    chosen=CANDIDATES[5],
    externals=(
        ExternalSet(
            name="open-i", labelled=counted(7470, 3851, 3818), drawn=counted(1000, 922, 511)
        ),
    ),
)


def test_every_count_is_in_it_with_separators(words):
    text = " ".join(words(draw_flow(PAPERS)))

    for count in (
        "1,885 images of 909 patients", "1 unreadable", "2 left out", "1,129 images",
        "376 images", "377 images", "545 patients", "119,674 images", "made of 1,129",
        "39,856 images", "made of 376", "7,470 images", "1,000 images", "511 frontal",
        "489 lateral", "on 1,377 test images", "grey/all-augmented",
    ):  # fmt: skip
        assert count in text


def test_all_nine_candidates_are_there_and_the_chosen_one_in_bold(words):
    from matplotlib.text import Text

    figure = draw_flow(PAPERS)

    assert {f"{99 + k / 10:.2f}" for k in range(9)} <= set(words(figure))
    bold = {t.get_text() for t in figure.findobj(Text) if t.get_fontweight() == "bold"}
    assert {text for text in bold if text.startswith("99.")} == {"99.50"}


def test_how_the_run_was_scaled_stands_in_it(words):
    text = words(draw_flow(replace(PAPERS, note="scaled to two cores")))

    assert "scaled to two cores" in text


def test_counts_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match="1885 images are not 1882 in partitions"):
        replace(PAPERS, left_out=3)
    with pytest.raises(ValueError, match="an image is frontal or lateral"):
        ImageCounts(images=3, patients=1, frontal=1, lateral=1)
    with pytest.raises(ValueError, match=r"no accuracy of colour/fc-original"):
        replace(PAPERS, accuracies=dict(list(PAPERS.accuracies.items())[1:]))


def test_more_than_three_external_sources_are_one_box_with_their_sums(words):
    (one,) = PAPERS.externals
    each = tuple(replace(one, name=f"source {k}") for k in range(5))

    text = words(draw_flow(replace(PAPERS, externals=each)))

    (box,) = boxed_externals(replace(PAPERS, externals=each))
    assert {"External:", "5 sources", "37,350 images", "19,255 patients"} <= set(text)
    assert {"5,000 images", "2,555 frontal", "2,445 lateral"} <= set(text)
    assert box.drawn.images == sum(source.drawn.images for source in each)
    assert boxed_externals(replace(PAPERS, externals=each[:3])) == each[:3]
    assert "source 0" in alt_text(draw_flow(replace(PAPERS, externals=each)))[1]


@pytest.mark.slow
@pytest.mark.parametrize("externals", [0, 1, 3, 4, 12])
def test_it_can_be_printed(externals, check_print):
    more = tuple(replace(PAPERS.externals[0], name=f"number {k}") for k in range(externals))
    note = "a scaled run must never look like a full one, which takes a few words to say " * 3
    check_print(lambda: draw_flow(replace(PAPERS, externals=more, note=note)))

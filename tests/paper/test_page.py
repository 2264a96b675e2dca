import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from cxrview.errors import CannotWrite, UsageError
from cxrview.paper.candidates import CANDIDATES, PAPERS_CHOICE
from cxrview.paper.page import render_page, write_page
from cxrview.paper.results import Reproduction
from cxrview.paper.scale import SCALES
from cxrview.records.scores import Scores

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """What a browser would find: elements, whether they are closed in order, and tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.captions: dict[str, str] = {}
        self.words: list[str] = []
        self._table = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._table = dict(attrs)["id"]
            self.tables[self._table], self.captions[self._table] = [], ""
        if tag == "tr":
            self.tables[self._table].append([])
        if tag in ("td", "th"):
            self.tables[self._table][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        data = data.replace("\N{NO-BREAK SPACE}", " ")
        if "style" not in self.open:
            self.words.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[self._table][-1][-1] += data
        if "caption" in self.open:
            self.captions[self._table] += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(reproduction: Reproduction) -> Page:
    return Page(render_page(reproduction))


def test_every_element_is_closed_in_order_and_ids_are_unique(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]

    assert page.open == []
    assert len(ids) == len(set(ids))
    assert all(
        one["aria-labelledby"] in ids for _, one in page.elements if "aria-labelledby" in one
    )


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in zip(levels, levels[1:], strict=False))


def test_the_page_asks_for_nothing_outside_itself(changed, figures):
    text = render_page(changed(figures=figures))
    page = Page(text)

    assert len(page.attributes("img")) == len(figures)
    assert all(one["src"].startswith("data:") for one in page.attributes("img"))
    outside = {one["href"] for one in page.attributes("a") if one["href"][0] != "#"}
    assert outside == {"https://doi.org/10.1007/s10278-016-9914-9"}
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert not re.search(r"url\(|@import", text)


def test_every_figure_has_a_caption_and_words_for_those_who_cannot_see_it(changed, figures):
    page = Page(render_page(changed(figures=figures)))

    assert len(page.attributes("figure")) == len(figures)
    assert [tag for tag, _ in page.elements].count("figcaption") == len(figures)
    assert all(len(one["alt"]) > 20 for one in page.attributes("img"))


def test_a_figure_describes_itself(changed, tmp_path):
    path = tmp_path / "fig-2.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>Nine</dc:title><dc:description>Colour is\n behind</dc:description>"
        "</metadata></svg>"
    )

    page = Page(render_page(changed(figures={"fig-2": path})))

    assert page.attributes("img")[0]["alt"] == "Nine. Colour is behind."


def test_a_figure_that_was_not_drawn_is_said_to_be_missing(page):
    assert page.attributes("img") == []
    assert page.text.count("Not on this page") == 8


@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)
def test_the_words_of_the_scale_stand_once_and_every_table_leads_to_them(changed, scale):
    text = render_page(changed(scale=scale))
    page = Page(text)

    assert len(page.captions) == 10
    assert all(f"Scale: {scale.name}" in caption for caption in page.captions.values())
    assert text.split("<main>")[0].count(scale.words) == 1
    assert text.count(scale.words) == 1
    links = [one["href"] for one in page.attributes("a") if one.get("class") == "scale"]
    assert set(links) == {"#scale"} and len(links) >= 9


def test_every_link_within_the_page_leads_somewhere(page):
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    inside = [one["href"][1:] for one in page.attributes("a") if one["href"].startswith("#")]

    assert len(inside) > 15
    assert set(inside) <= ids


@pytest.mark.parametrize("names", [(), ("extra",)])
def test_the_contents_are_the_headings_in_order(changed, figures, names):
    shown = figures | {name: figures["fig-1"] for name in names}
    text = render_page(changed(figures=shown))
    contents, main = text.split("<nav")[1].split("<main>")

    listed = re.findall(r'<a href="#([a-z-]+)">([^<]+)</a>', contents)
    headings = re.findall(r'<h2 id="([a-z-]+)">([^<]+)</h2>', main)
    assert listed == headings
    assert ("others" in dict(listed)) is bool(names)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        ("241pt", "200pt", {"class": "column", "width": "321", "height": "267"}),
        ("510pt", "200pt", {"class": None, "width": "680", "height": "267"}),
        ("85mm", "50mm", {"class": "column", "width": "321", "height": "189"}),
        ("100%", "50mm", {"class": None, "width": None, "height": None}),
    ],
)
def test_a_figure_takes_the_room_it_was_drawn_for(changed, tmp_path, width, height, expected):
    path = tmp_path / "fig-2.svg"
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"></svg>'
    )

    page = Page(render_page(changed(figures={"fig-2": path})))

    figure = next(one for one in page.attributes("figure") if one["id"] == "fig-2")
    (image,) = page.attributes("img")
    found = {"class": figure.get("class"), **{n: image.get(n) for n in ("width", "height")}}
    assert found == expected


def right_of(one, right):
    """The same row with so many right, all wrong ones being frontal."""
    table = one.assessment.table
    laterals = table.lateral_called_lateral + table.lateral_called_frontal
    found = replace(
        table,
        lateral_called_lateral=laterals,
        lateral_called_frontal=0,
        frontal_called_frontal=right - laterals,
        frontal_called_lateral=table.total - right,
    )
    return replace(one, assessment=replace(one.assessment, table=found))


def test_a_baseline_that_beats_the_network_is_said_to(changed, reproduction):
    """Only on the images where it does, by the cutoff that either is headed by."""
    is_ahead = {("lehmann", "external"): 59, ("lehmann", "both"): 130}
    own = {"external": 50, "both": 120, "inside": 90}
    rows = tuple(
        right_of(one, is_ahead.get((one.classifier, one.images), own[one.images]))
        if one.classifier in ("lehmann", reproduction.chosen.name)
        else right_of(one, 40)
        for one in reproduction.assessed
    )

    text = Page(render_page(changed(assessed=rows))).text

    assert (
        "Nearest neighbours (Lehmann 2003): better than the chosen candidate on test images "
        "external (59 against 50 of 60), and on test images both together (130 against 120 of "
        "150), each by the cutoff that validation images gave." in text
    )
    assert text.count("better than the chosen candidate") == 1


def test_drawn_radiographs_are_said_to_be_drawn_at_the_top_and_over_every_table(changed, page):
    drawn = render_page(changed(is_drawn=True))

    assert "nothing on this page is about patients" in drawn.split("<main>")[0]
    assert all("drawn phantoms" in caption for caption in Page(drawn).captions.values())
    assert "phantom" not in page.text


def test_a_figure_of_phantoms_in_a_study_of_patients_says_so(changed, figures):
    text = render_page(changed(figures=figures, phantom_figures=frozenset(["fig-4"])))

    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text, re.S)
    assert [("phantom" in caption, "Fig 4" in caption) for caption in captions].count(
        (True, True)
    ) == 1
    assert sum("phantom" in caption for caption in captions) == 1


def test_radiographs_of_patients_are_warned_of_at_the_top(changed, figures):
    plain = {name: path for name, path in figures.items() if name in ("fig-1", "fig-2")}
    plain["failures"] = figures["fig-1"]  # a gallery that says that there is no error
    phantoms = frozenset(["fig-4", "fig-6"])

    heads = [
        render_page(changed(figures=shown, **other)).split("<main>")[0]
        for shown, other in (
            (figures, {"phantom_figures": phantoms}),
            (plain, {}),
            (figures, {"is_drawn": True}),
        )
    ]

    assert "radiographs of patients (Failures)" in heads[0]
    assert "radiographs of patients" not in heads[1] + heads[2]


def test_the_gallery_says_by_which_cutoffs_and_how_many_at_the_most(changed, figures):
    page = Page(render_page(changed(figures=figures)))

    assert "by the higher end of the range of cutoffs or by its middle" in page.text
    assert "24 at the most" in page.text


def test_calibration_error_is_that_of_all_test_images(page, reproduction):
    both = next(one for one in reproduction.of_model if one.images == "both")

    assert f"{both.assessment.calibration_error:.2f} percentage points on 150 test" in page.text


def test_no_patient_and_no_file_is_named(changed, figures):
    text = render_page(changed(figures=figures))

    assert "SENTINEL" not in text
    assert str(figures["fig-1"].parent) not in text


def test_hostile_names_are_only_words(changed, reproduction):
    hostile = "<script>alert(\"1\")</script>' onmouseover='x"
    slices = tuple(
        replace(
            row,
            assessment=replace(
                row.assessment,
                slices=tuple(replace(s, name=hostile) for s in row.assessment.slices),
            ),
        )
        for row in reproduction.assessed
    )

    text = render_page(
        changed(
            assessed=slices,
            differs=(hostile,),
            sources=(hostile,),
            machine=hostile,
            seconds={hostile: 1.0},
        )
    )

    page = Page(text)
    assert page.attributes("script") == []
    assert not any("onmouseover" in attributes for _, attributes in page.elements)
    assert page.text.count(hostile) > 5


def test_every_number_of_the_comparisons_is_what_another_count_gives(page, reproduction):
    grey = ("grey", "grey-subset")
    pools = [
        (lambda c: c[0] in grey, lambda c: c[0] == "colour"),
        (lambda c: c[0] == "grey", lambda c: c[0] == "grey-subset"),
        (lambda c: c[1] == "fc-augmented", lambda c: c[1] == "fc-original"),
        (lambda c: c[1] == "all-augmented", lambda c: c[1] == "fc-augmented"),
        (
            lambda c: c[0] in grey and c[1] == "all-augmented",
            lambda c: c[0] in grey and c[1] == "fc-augmented",
        ),
    ]
    paper = ["99.5 against 93.2", "99.6 against 99.3", "95.2 against 93.4"]
    paper += ["99.6 against 95.2", "99.7 against 99.2"]
    rows = page.tables["comparisons"][1:]

    for row, pair, published in zip(rows, pools, paper, strict=True):
        (right, total), (right2, total2) = (count(reproduction, pool) for pool in pair)
        table = [[right, total - right], [right2, total2 - right2]]
        assert row[1] == published.replace(" against", "\nagainst")
        assert row[3] == f"{100 * right / total:.2f}\nagainst {100 * right2 / total2:.2f}"
        assert row[4] == f"{right:,} of {total:,}\nagainst {right2:,} of {total2:,}"
        for cell, correction in ((row[5], False), (row[6], True)):
            found = chi2_contingency(table, correction=correction)
            assert cell.split("\n")[0] == f"{found.statistic:.2f}"
            assert is_written(cell.split("\n")[1], found.pvalue)
        first, second = (on_originals(reproduction, pool) for pool in pair)
        assert as_number(row[7].split()[0]) == pytest.approx(100 * (first - second), abs=0.0051)
        low, high = map(as_number, re.findall(r"[+−\d.]+", row[7])[1:])
        assert low <= as_number(row[7].split()[0]) <= high
        ahead = right / total - right2 / total2
        words = {1: "as in the paper", -1: "reversed", 0: "equal"}
        assert row[8] == words[int(np.sign(ahead))]


def count(reproduction: Reproduction, pool: Callable) -> tuple[int, int]:
    right, total = 0, 0
    for scores in reproduction.validated.values():
        if pool(tuple(scores.classifier.split("/"))):
            for pfi, frontal in zip(scores.pfi, scores.is_frontal, strict=True):
                right += (pfi >= 50) == frontal
                total += 1
    return right, total


def on_originals(reproduction: Reproduction, pool: Callable) -> float:
    accuracies = [
        np.mean([(p >= 50) == f for p, f, v in zip(s.pfi, s.is_frontal, s.variants, strict=True)
                 if v == "progenitor"])
        for s in reproduction.validated.values()
        if pool(tuple(s.classifier.split("/")))
    ]  # fmt: skip
    return float(np.mean(accuracies))


def is_written(words: str, p: float) -> bool:
    if words == "p < 0.001":
        return p < 0.001
    return float(words.removeprefix("p = ")) == pytest.approx(p, abs=0.005)


def as_number(words: str) -> float:
    return float(words.replace("−", "-"))


def test_the_table_of_candidates_counts_each_on_its_own_images_and_on_the_same(page, reproduction):
    rows = {row[0]: row for row in page.tables["candidates"][1:]}

    assert list(rows) == [candidate.name for candidate in CANDIDATES]
    for candidate, scores in reproduction.validated.items():
        row, right = rows[candidate.name], (scores.pfi >= 50) == scores.is_frontal
        shown = scores.variants == "progenitor"
        assert row[1] == f"{right.sum():,} of {len(scores):,}"
        assert row[2] == f"{100 * right.mean():.2f} %"
        assert row[4] == f"{right[shown].sum()} of 120"
        assert row[7] == (
            "99.73 %\n(99.67–99.78 %)" if candidate.name == "grey/all-augmented" else "–"
        )


def test_an_order_that_is_not_the_papers_is_said_plainly(changed, reproduction):
    first, *rest = reproduction.compared
    turned = replace(first, first=(80, 100), second=(90, 100))
    same = replace(first, first=(3, 4), second=(75, 100))

    text = Page(render_page(changed(compared=(turned, same, *rest[2:])))).text

    assert (
        "Different: grey (either) against colour pre-training. Here 80.00 against 90.00 %, in the "
        "paper 99.5 against 93.2 %: reversed." in text
    )
    assert "Here 75.00 against 75.00 %, in the paper 99.5 against 93.2 %: equal." in text


def test_pools_without_an_error_have_nothing_to_test(changed, reproduction):
    first, *rest = reproduction.compared
    perfect = replace(first, first=(100, 100), second=(50, 50), chi_squared=None)

    page = Page(render_page(changed(compared=(perfect, *rest))))

    assert page.tables["comparisons"][1][5:7] == ["nothing to test", "nothing to test"]
    assert page.tables["comparisons"][1][8] == "equal"


def test_the_papers_test_counts_stand_beside_ours(page, reproduction):
    rows = page.tables["network"][1:]

    assert len(rows) == len(reproduction.of_model) == 12
    assert {row[0]: row[8] for row in rows if "higher end" in row[1]} == {
        "inside": "377 of 377\n100 %",
        "external": "1,000 of 1,000\n100 %",
        "both together": "1,377 of 1,377\n100 % (99.73–100 %)",
    }
    for row, one in zip(rows, reproduction.of_model, strict=True):
        table = one.assessment.table
        assert [int(cell) for cell in row[2:6]] == [
            table.frontal_called_frontal,
            table.frontal_called_lateral,
            table.lateral_called_frontal,
            table.lateral_called_lateral,
        ]
        assert row[6] == f"{table.right} of {table.total}"


def test_cutoffs_of_validation_and_of_test_images_are_both_there(page, reproduction):
    validation, test = page.tables["cutoffs"][1:]
    high = {
        one.cutoff_from: one.assessment.cutoff
        for one in reproduction.of_model
        if one.rule == "higher end"
    }

    assert validation[3] == f"{reproduction.validation_cutoff.high:.1f} %"
    assert test[3] == f"{high['test']:.1f} %"
    assert test[5] == "14.3 to 99.6 %\n99.6 %"


def test_the_network_stands_beside_the_baselines(page):
    rows = page.tables["classifiers"][1:]

    assert [row[0].split("\n")[0] for row in rows][1:] == ["nearest neighbours", "perceptron"]
    assert all("of 90" in row[2] and "of 60" in row[3] and "of 150" in row[4] for row in rows)


def test_slices_and_modifications_are_tables_too(page):
    slices = [(row[0], row[1]) for row in page.tables["slices"][1:]]

    assert ("covid", "source") in slices
    assert ("Maker & Sons", "manufacturer") in slices
    assert ("unknown", "manufacturer") in slices
    assert [row[:2] for row in page.tables["robustness"][1:]] == [
        ["unmodified", "–"],
        ["rotation", "10"],
        ["obscured", "left"],
    ]


def test_a_table_of_some_of_the_test_images_says_of_how_many(page, changed, reproduction):
    whole = tuple(replace(one, drawn_from=one.table.total) for one in reproduction.modified)

    captions = [
        page.captions["robustness"],
        Page(render_page(changed(modified=whole))).captions["robustness"],
    ]

    assert "150 of 200 test images, drawn by seed" in captions[0]
    assert "150 of" not in captions[1]


def test_the_papers_external_images_stand_once_beside_ours(page, changed, reproduction):
    (one,) = reproduction.flow.externals
    several = replace(
        reproduction.flow,
        externals=tuple(replace(one, name=name) for name in ("covid", "hannover", "")),
    )

    rows = Page(render_page(changed(flow=several))).tables["images"][1:]

    assert page.tables["images"][-1] == [
        "test, external",
        "covid",
        *["60", "40", "20", "30", "1,000"],
    ]
    assert rows[-4:] == [
        ["test, external", "covid", *["60", "40", "20", "30", "–"]],
        ["test, external", "hannover", *["60", "40", "20", "30", "–"]],
        ["test, external", "source not named", *["60", "40", "20", "30", "–"]],
        ["test, external", "all 3 together", *["180", "120", "60", "90", "1,000"]],
    ]


def test_a_source_without_a_name_is_said_to_have_none(changed, reproduction):
    unnamed = tuple(
        replace(
            row,
            assessment=replace(
                row.assessment,
                slices=tuple(replace(s, name="") for s in row.assessment.slices),
            ),
        )
        for row in reproduction.assessed
    )

    page = Page(render_page(changed(sources=("",), assessed=unnamed)))

    assert {row[1] for row in page.tables["images"][1:4]} == {"source not named"}
    assert {(row[0], row[1]) for row in page.tables["slices"][1:]} == {
        ("source not named", "source"),
        ("unknown", "manufacturer"),
    }


def test_equal_candidates_are_told_apart_by_pre_training(changed, reproduction):
    perfect = {c: right_everywhere(s) for c, s in reproduction.validated.items()}
    chosen = next(c for c in CANDIDATES if c.name == "grey/fc-original")
    assessed = tuple(replace(row, classifier=chosen.name) for row in reproduction.of_model)

    text = Page(
        render_page(
            changed(
                validated=perfect,
                assessed=assessed,
                flow=replace(reproduction.flow, chosen=chosen),
            )
        )
    ).text

    assert "Chosen: grey/fc-original" in text
    assert "The paper chose another one: grey/all-augmented." in text


def test_the_papers_choice_stands_beside_another_chosen_one(changed, reproduction):
    """Counted on the variants, it is less often right than a candidate of the originals alone."""
    chosen = next(c for c in CANDIDATES if c.name == "grey-subset/fc-original")
    scores = dict(reproduction.validated)
    scores[chosen] = right_everywhere(scores[chosen])
    originals = scores[PAPERS_CHOICE].where(scores[PAPERS_CHOICE].is_progenitor)
    assessed = [replace(row, classifier=chosen.name) for row in reproduction.of_model]
    of_paper = [
        replace(row, classifier=PAPERS_CHOICE.name)
        for row in reproduction.assessed
        if row.classifier == "lehmann"
    ]

    page = Page(
        render_page(
            changed(
                validated=scores,
                assessed=(*assessed, *of_paper),
                flow=replace(reproduction.flow, chosen=chosen),
            )
        )
    )

    assert (
        f"grey-subset/fc-original on {len(scores[chosen])} grey/all-augmented on "
        f"{len(scores[PAPERS_CHOICE])}. On the {len(originals)} originals grey/all-augmented has "
        f"{int(originals.is_right.sum())} right."
    ) in page.text.replace(",", "")
    by_test = [row for row in assessed if (row.cutoff_from, row.rule) == ("test", "higher end")]
    right = next(row.assessment.table.right for row in by_test if row.images == "both")
    assert f"By the paper's way of choosing the cutoff: {right} of" in page.text
    assert "The paper's choice, grey/all-augmented, on the same test images: " in page.text
    assert page.text.count("from the test images themselves") >= 2
    assert "chosen in the paper): better" not in page.text
    assert [" ".join(row[0].split()) for row in page.tables["classifiers"]] == [
        "Classifier",
        "grey-subset/fc-original (chosen)",
        "grey/all-augmented (chosen in the paper)",
    ]


def right_everywhere(scores: Scores) -> Scores:
    return replace(scores, pfi=np.where(scores.is_frontal, 99.0, 1.0))


def test_a_run_without_external_images_is_shown_with_what_there_is(changed, reproduction):
    inside = tuple(one for one in reproduction.assessed if one.images == "inside")

    page = Page(render_page(changed(assessed=inside, modified=(), images_per_second=None)))

    assert [row[0] for row in page.tables["network"][1:]] == ["inside"] * 4
    assert all(row[3] == "not assessed" for row in page.tables["classifiers"][1:])
    assert "The table of the complete test set was not made in this run." in page.text
    assert "Speed was not measured in this run." in page.text


def test_a_chosen_candidate_without_assessment_is_refused(changed, reproduction):
    with pytest.raises(ValueError, match="but not assessed"):
        changed(
            assessed=tuple(
                one for one in reproduction.assessed if one.classifier != reproduction.chosen.name
            )
        )


def test_the_page_is_written_whole_or_not_at_all(reproduction, tmp_path):
    path = tmp_path / "run" / "reproduction.html"

    write_page(reproduction, path)

    assert [p.name for p in path.parent.iterdir()] == ["reproduction.html"]
    assert path.read_text(encoding="utf-8") == render_page(reproduction)
    with pytest.raises(CannotWrite):
        write_page(reproduction, path / "below-a-file.html")


@pytest.mark.parametrize(
    ("name", "content"), [("gone.svg", None), ("odd.pdf", "x"), ("odd.svg", "no picture")]
)
def test_a_figure_that_cannot_be_shown_is_refused_by_name(changed, tmp_path, name, content):
    path = tmp_path / name
    if content:
        path.write_text(content)

    with pytest.raises(UsageError, match=name):
        render_page(changed(figures={"fig-1": path}))


def test_the_template_holds_no_figure_of_a_run():
    import cxrview.paper

    template = Path(cxrview.paper.__file__).parent / "templates" / "reproduction.html"
    words = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", template.read_text(encoding="utf-8"))

    assert set(re.findall(r"\d+", words)) == {"2017"}

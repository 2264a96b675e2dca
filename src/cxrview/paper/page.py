"""Writes `reproduction.html`: one self-contained page with the results of a run and the paper's."""

import base64
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cxrview.assess.classifiers import BOTH, HIGHER_END, TEST
from cxrview.atomic_files import write_atomic
from cxrview.errors import UsageError
from cxrview.paper.candidates import PAPERS_CHOICE
from cxrview.paper.captions import CAPTIONS, Caption, caption_of, names_under
from cxrview.paper.published_numbers import CITATION, DOI, IMAGES_PER_SECOND, TESTED
from cxrview.paper.results import Reproduction, first_of
from cxrview.paper.tables.assessment import (
    CLASSIFIERS,
    SETS,
    classifiers_table,
    cutoffs_table,
    format_model_accuracy,
    model_table,
    robustness_table,
    slices_table,
)
from cxrview.paper.tables.comparisons import comparisons_table, order_sentences, scales_table
from cxrview.paper.tables.run import parts_table, times_table
from cxrview.paper.tables.validation import (
    candidates_table,
    choice_sentences,
    pre_training_table,
)
from cxrview.records.evaluation import Assessed
from cxrview.reports.format import fill_template

TITLE = (
    "Frontal or lateral by deep learning: the study of Rajkomar 2017, carried out again with "
    "convolutional networks"
)
DRAWN_WORDS = "The radiographs are drawn phantoms: nothing on this page is about patients."
PHANTOM_FIGURE_WORDS = "The radiographs shown here are drawn phantoms, not those of the study."


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFigure:
    """A figure for the template."""

    size: str = ""
    """`column` for a figure as wide as one of two columns; a class of the style sheet."""
    width: int = 0
    """CSS pixels, so that the layout does not move while it loads; 0 without a picture."""
    height: int = 0
    name: str
    title: str
    caption: str
    alt: str
    uri: str
    """Empty if the run has not drawn it."""


def write_page(reproduction: Reproduction, path: Path) -> None:
    """Write the page atomically; it loads no other file.

    Args:
        reproduction: the results. The page has counts, no file names and no patients.
        path: .html; an existing page is replaced.

    Raises:
        CannotWrite: the disk is full or not writable.
        UsageError: a figure cannot be read, or is neither SVG nor PNG.
    """
    write_atomic(path, render_page(reproduction))


def render_page(reproduction: Reproduction) -> str:
    """Give the page as text; errors as for `write_page`."""
    return fill_template(
        "cxrview.paper",
        "reproduction.html",
        _context(reproduction),
        is_html=True,
        finalize=_keep_percent,
    )


def _keep_percent(value: object) -> object:
    """Put a no-break space between a number and its percent sign."""
    return value.replace(" %", "\N{NO-BREAK SPACE}%") if type(value) is str else value


def _context(run: Reproduction) -> dict[str, Any]:
    return {
        "run": run,
        "title": TITLE,
        "citation": CITATION,
        "doi": DOI,
        "drawn_words": DRAWN_WORDS if run.is_drawn else "",
        "patient_words": patient_sentence(run),
        "calibration": calibration_sentence(run),
        "results": result_sentences(run),
        "orders": order_sentences(run),
        "choice": choice_sentences(run),
        "speed": speed_sentence(run),
        "figures": {caption.name: show_figures(run, caption) for caption in CAPTIONS.values()},
        "others": [_show(run, name) for name in run.figures if caption_of(name) is None],
        "tables": {
            table.name: table
            for table in (
                parts_table(run),
                pre_training_table(run),
                candidates_table(run),
                comparisons_table(run),
                scales_table(run),
                cutoffs_table(run),
                model_table(run),
                classifiers_table(run),
                slices_table(run),
                robustness_table(run),
                times_table(run),
            )
        },
    }


def result_sentences(run: Reproduction) -> tuple[str, ...]:
    """Describe the results on each set of test images, and the paper's on both."""
    found = [(name, run.assessed_on(name)) for name in SETS]
    sentences = [
        f"Test images, {SETS[name]}: {format_model_accuracy(one)}." for name, one in found if one
    ]
    sentences += test_cutoff_sentences(run)
    sentences += better_baseline_sentences(run)
    paper = TESTED[run.test_images]
    if run.test_images == BOTH and paper.percent_interval:
        low, high = paper.percent_interval
        sentences.append(
            f"The paper: {paper.right:,} of {paper.total:,} right, {paper.percent:g} % "
            f"({low:g}–{high:g} %), by a cutoff chosen on the test images themselves."
        )
    return tuple(sentences)


def test_cutoff_sentences(run: Reproduction) -> tuple[str, ...]:
    """Give the result by a cutoff from the test images, the paper's way, and the paper's choice."""
    chosen = _by_test_cutoff(run.of_model, run.test_images)
    sentences = [f"By the paper's way of choosing the cutoff: {chosen}."] if chosen else []
    rows = [one for one in run.assessed if one.classifier == PAPERS_CHOICE.name]
    own = first_of(rows, run.test_images)
    if run.chosen != PAPERS_CHOICE and own:
        by_test = _by_test_cutoff(rows, run.test_images)
        sentences.append(
            f"The paper's choice, {PAPERS_CHOICE.name}, on the same test images: "
            f"{format_model_accuracy(own)}{f'; {by_test}' if by_test else ''}."
        )
    return tuple(sentences)


def _by_test_cutoff(rows: Sequence[Assessed], images: str) -> str:
    """Describe one classifier with the higher end of the best range on the test images."""
    for one in rows:
        if (one.images, one.cutoff_from, one.rule) == (images, TEST, HIGHER_END):
            return format_model_accuracy(one)
    return ""


def better_baseline_sentences(run: Reproduction) -> tuple[str, ...]:
    """Describe each baseline that is better than the chosen candidate on some test images.

    Both use cutoffs from validation images, and only equal sets of images are compared.
    """
    sentences = []
    for name in dict.fromkeys(one.classifier for one in run.assessed):
        if name in (run.chosen.name, PAPERS_CHOICE.name):
            continue
        rows = [one for one in run.assessed if one.classifier == name]
        pairs = [(SETS[s], first_of(rows, s), run.assessed_on(s)) for s in SETS]
        ahead = [
            f"on test images {words} ({a.right:,} against {b.right:,} of {b.total:,})"
            for words, a, b in (
                (words, one.assessment.table, own.assessment.table)
                for words, one, own in pairs
                if one and own
            )
            if a.total == b.total and a.right > b.right
        ]
        if ahead:
            called = " ".join(CLASSIFIERS.get(name, name).split())
            sentences.append(
                f"{called[0].upper()}{called[1:]}: better than the chosen candidate "
                f"{', and '.join(ahead)}, each by the cutoff that validation images gave."
            )
    return tuple(sentences)


def patient_sentence(run: Reproduction) -> str:
    """Warn of figures that show radiographs of patients; empty if there are none."""
    if run.is_drawn:
        return ""
    titles = [
        caption.title
        for caption in CAPTIONS.values()
        if caption.has_radiographs and _shows_patients(run, caption)
    ]
    if not titles:
        return ""
    return (
        f"The page shows radiographs of patients ({', '.join(titles)}): before it is passed on, "
        "their source's terms have to allow it."
    )


def _shows_patients(run: Reproduction, caption: Caption) -> bool:
    names = set(names_under(caption, run.figures)) - run.phantom_figures
    return any(embed_picture(run.figures[name]).has_pixels for name in names)


def calibration_sentence(run: Reproduction) -> str:
    """Give the expected calibration error on all test images."""
    found = run.headline.assessment
    off, images = found.calibration_error, found.table.total
    return (
        f"Expected calibration error of the chosen candidate: {off:.2f} percentage points on "
        f"{images:,} test images."
    )


def speed_sentence(run: Reproduction) -> str:
    """Give images per second, ours and the paper's, which measure different things."""
    paper = f"The paper reports {IMAGES_PER_SECOND.value:g} images per second for the network alone"
    if run.images_per_second is None:
        return f"Speed was not measured in this run. {paper}."
    where = f", on {run.machine}" if run.machine else ""
    return (
        f"{run.images_per_second:,.1f} images per second, from files to result rows{where}. "
        f"{paper}, without reading the images."
    )


def show_figures(run: Reproduction, caption: Caption) -> Sequence[PageFigure]:
    """Give the figures of one caption; a single one without a picture if none was drawn."""
    names = names_under(caption, run.figures)
    if names:
        return [_show(run, name) for name in names]
    missing = "Not on this page: it was not drawn, or shows patients and stays in the run's folder."
    return [
        PageFigure(
            name=caption.name, title=caption.title, caption=caption.words, alt=missing, uri=""
        )
    ]


def _show(run: Reproduction, name: str) -> PageFigure:
    caption = caption_of(name)
    part = name.removeprefix(caption.name).strip("-").replace("-", " ") if caption else ""
    title = caption.title if caption else name
    words = caption.words if caption else "Not in the paper."
    if name in run.phantom_figures:
        words += f" {PHANTOM_FIGURE_WORDS}"
    elif run.is_drawn and caption and caption.has_radiographs:
        words += " The radiographs are drawn phantoms."
    picture = embed_picture(run.figures[name])
    return PageFigure(
        name=name,
        title=f"{title}, {part}" if part else title,
        caption=words,
        alt=picture.description or f"{title}. {words}",
        uri=picture.uri,
        size="column" if picture.is_narrow else "",
        width=picture.width,
        height=picture.height,
    )


_KINDS = {".svg": "image/svg+xml", ".png": "image/png"}
_IMAGE = "{http://www.w3.org/2000/svg}image"
_DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The attributes of an `img` element."""

    uri: str
    """`data:image/svg+xml;base64,...`."""
    description: str
    """Alternative text from the SVG's metadata; may be empty."""
    has_pixels: bool
    """It contains a bitmap, such as a radiograph, and not only lines and text."""
    width: int = 0
    """CSS pixels; 0 if unknown."""
    height: int = 0

    @property
    def is_narrow(self) -> bool:
        """Whether it is as wide as one of two columns, 85 mm in a journal."""
        return 0 < self.width < _NARROW


_NARROW = 100 / 25.4 * 96
"""100 mm in CSS pixels."""
_UNITS = {"pt": 96 / 72, "px": 1.0, "": 1.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_LENGTH = re.compile(r"\s*([0-9.]+)\s*([a-z]*)\s*")


def embed_picture(path: Path) -> Picture:
    """Read a picture.

    Raises:
        UsageError: it cannot be read, or is neither SVG nor PNG.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path} is not an .svg or .png file", "Save the figure as one of them")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    uri = f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
    if kind != _KINDS[".svg"]:
        width, height = _png_size(content)
        return Picture(uri=uri, description="", has_pixels=True, width=width, height=height)
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise UsageError(f"{path} is not a valid SVG file", "Draw the figure again") from error
    has_pixels = next(root.iter(_IMAGE), None) is not None
    return Picture(
        uri=uri,
        description=_description(root),
        has_pixels=has_pixels,
        width=_pixels(root.get("width", "")),
        height=_pixels(root.get("height", "")),
    )


def _pixels(length: str) -> int:
    """Convert a length of SVG to CSS pixels; 0 if it is relative or not a length."""
    found = _LENGTH.fullmatch(length)
    return round(float(found[1]) * _UNITS[found[2]]) if found and found[2] in _UNITS else 0


def _png_size(content: bytes) -> tuple[int, int]:
    """Read width and height from the header chunk (PNG, section 11.2.2)."""
    if content[12:16] != b"IHDR":
        return 0, 0
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _description(root: ElementTree.Element) -> str:
    """Read title and description, as `reports.figures.style.save_figure` writes them."""
    found = [root.find(f".//{_DUBLIN_CORE}{name}") for name in ("title", "description")]
    words = [" ".join(one.text.split()) for one in found if one is not None and one.text]
    return ". ".join(sentence.rstrip(".") for sentence in words) + ("." if words else "")

"""Made-up scores like those of a good network, and what every figure is asked."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from cxrview.records import Scores
from cxrview.show.figures.style import save_figure
from cxrview.train.study import CANDIDATES, FINE_TUNINGS, Candidate


def make_scores(frontal: int, lateral: int, *, seed: int, spread: float = 1.0) -> Scores:
    """Most PFI close to the ends, a few in between, hardly one on the wrong side."""
    rng = np.random.default_rng(seed)
    number = np.arange(frontal + lateral)
    is_frontal = number < frontal
    away = 100 * rng.beta(0.12 * spread, 6, len(number))
    return Scores(
        classifier="grey/all-augmented",
        files=np.array([f"{seed}-{k}.png" for k in number]),
        patients=(number // 2).astype(str),
        variants=np.full(len(number), "progenitor"),
        is_frontal=is_frontal,
        pfi=np.where(is_frontal, 100 - away, away),
    )


def make_validated(candidate: Candidate, wrong: int, progenitors: int = 94) -> Scores:
    """A candidate that errs on so many of its images, drawn by their number."""
    each = 8 if FINE_TUNINGS[candidate.fine_tuning].is_augmented else 1
    number = np.arange(progenitors * each)
    is_frontal = (number // each) % 2 == 0
    pfi = np.where(is_frontal, 99.0, 1.0)
    at = np.random.default_rng(wrong).choice(len(number), wrong, replace=False)
    pfi[at] = 100 - pfi[at]
    return Scores(
        classifier=candidate.name,
        files=(number // each).astype(str),
        variants=np.where(number % each == 0, "progenitor", (number % each).astype(str)),
        patients=((number // each) // 2).astype(str),
        is_frontal=is_frontal,
        pfi=pfi,
    )


@pytest.fixture(scope="session")
def sets() -> dict[str, Scores]:
    """Two test sets, about as large as the paper's and ours."""
    return {
        "inside": make_scores(189, 188, seed=1),
        "external": make_scores(379, 31, seed=2, spread=4),
    }


@pytest.fixture(scope="session")
def frontal_alone() -> Scores:
    return make_scores(243, 0, seed=3)


@pytest.fixture(scope="session")
def validated() -> dict[Candidate, Scores]:
    """All nine, the sixth the best."""
    wrong = (7, 48, 5, 1, 10, 1, 2, 11, 3)
    return {c: make_validated(c, w) for c, w in zip(CANDIDATES, wrong, strict=True)}


@pytest.fixture(scope="session")
def smoke() -> dict[Candidate, Scores]:
    """All nine, which have learnt nothing, on six progenitors; the fourth is always wrong."""
    wrong = (3, 20, 25, 6, 30, 2, 0, 11, 44)
    return {c: make_validated(c, w, progenitors=6) for c, w in zip(CANDIDATES, wrong, strict=True)}


@pytest.fixture(scope="session")
def flawless() -> dict[Candidate, Scores]:
    return {candidate: make_validated(candidate, 0) for candidate in CANDIDATES}


@pytest.fixture(scope="session")
def words() -> Callable[[Figure], list[str]]:
    """Every text of a figure that is to be seen."""

    def read(figure: Figure) -> list[str]:
        FigureCanvasAgg(figure).draw()
        return [text.get_text() for text in _shown(figure)]

    return read


@pytest.fixture
def check_print(tmp_path: Path) -> Callable[[Callable[[], Figure]], None]:
    """What a printer asks of any figure, drawn twice by the same call.

    No text is cut off or lies on another, the SVG is sound XML with a title, both files have
    the same bytes when drawn again, and nothing holds the figure.
    """

    def check(draw: Callable[[], Figure]) -> None:
        figure = draw()
        png, svg = save_figure(figure, tmp_path / "once", "figure")

        FigureCanvasAgg(figure).draw()
        frame = figure.bbox
        # A tick beyond the axis keeps its words, which are not drawn: the SVG tells.
        drawn = svg.read_text(encoding="utf-8")
        boxes = [
            (text.get_text(), text.get_window_extent())
            for text in _shown(figure)
            if f"<!-- {text.get_text().splitlines()[0]} -->" in drawn
        ]
        assert boxes
        cut = [t for t, b in boxes if not (b.x0 >= 0 and b.x1 <= frame.x1)]
        cut += [t for t, b in boxes if not (b.y0 >= 0 and b.y1 <= frame.y1)]
        assert cut == []
        # Frames of neighbouring lines may touch where no ink does.
        small = [(text, box.padded(-0.2 * 8 / 72 * figure.dpi)) for text, box in boxes]
        assert [
            (first, second)
            for k, (first, a) in enumerate(small)
            for second, b in small[k + 1 :]
            if a.overlaps(b)
        ] == []

        root = ElementTree.fromstring(svg.read_bytes())
        title = root.find("{http://www.w3.org/2000/svg}title")
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert title is not None and title.text
        again = save_figure(draw(), tmp_path / "again", "figure")
        assert [path.read_bytes() for path in again] == [png.read_bytes(), svg.read_bytes()]

    return check


def _shown(figure: Figure) -> list[Text]:
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text.get_window_extent().width > 0
    ]

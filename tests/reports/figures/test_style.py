"""Print: the same everywhere, for readers of every kind of sight, whole or not at all."""

import subprocess
import sys

import matplotlib
import pytest
from matplotlib.colors import to_rgb

from cxrview.errors import CannotWrite
from cxrview.reports.figures.pfi_histogram import draw_pfi_histogram
from cxrview.reports.figures.style import (
    VIEW_COLOUR,
    VIEW_HATCH,
    alt_text,
    in_print,
    new_figure,
    save_figure,
)
from cxrview.terms import View


def luminance(colour: str) -> float:
    """Relative, 0 to 1: WCAG 2.1, from the definition of sRGB."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_two_views_differ_to_those_who_see_no_colour_at_all():
    darker, brighter = sorted(luminance(VIEW_COLOUR[view]) for view in View)

    assert (brighter + 0.05) / (darker + 0.05) > 2


def test_colour_is_never_all_that_tells_the_views_apart():
    assert VIEW_HATCH[View.FRONTAL] != VIEW_HATCH[View.LATERAL]


def test_what_a_reader_has_set_does_not_change_a_figure(tmp_path, sets):
    sets = {"inside": sets["inside"]}
    plain = save_figure(draw_pfi_histogram(sets, cutoff=40), tmp_path / "plain", "f")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black", "svg.hashsalt": "x"}):
        other = save_figure(draw_pfi_histogram(sets, cutoff=40), tmp_path / "other", "f")

    assert [p.read_bytes() for p in plain] == [p.read_bytes() for p in other]


def test_drawing_leaves_a_readers_settings_alone():
    before = dict(matplotlib.rcParams)

    in_print(lambda: new_figure(85, 50, title="a", description="b"))()

    assert dict(matplotlib.rcParams) == before


def test_nothing_global_holds_a_figure():
    """All modules of the package: pyplot keeps what it draws until it is told to close it."""
    code = (
        "import pkgutil, importlib, sys, cxrview.reports.figures as figures\n"
        "for m in pkgutil.iter_modules(figures.__path__):\n"
        "    importlib.import_module(f'cxrview.reports.figures.{m.name}')\n"
        "print([n for n in ('matplotlib.pyplot', 'torch') if n in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_figure_carries_words_for_those_who_cannot_see_it():
    figure = new_figure(85, 50, title="A title", description="What is to be seen.\nAll of it.")

    assert alt_text(figure) == ("A title", "What is to be seen.\nAll of it.")


def test_the_png_has_200_dots_an_inch(tmp_path):
    from PIL import Image

    png, _ = save_figure(new_figure(180, 90, title="a", description="b"), tmp_path, "f")

    with Image.open(png) as picture:
        assert picture.size == (int(200 * 180 / 25.4), int(200 * 90 / 25.4))


def test_the_files_are_written_whole_or_not_at_all(tmp_path):
    figure = new_figure(85, 50, title="a", description="b")
    (tmp_path / "taken").write_text("a file where a folder should be")

    with pytest.raises(CannotWrite, match=r"f\.png cannot be written"):
        save_figure(figure, tmp_path / "taken", "f")
    save_figure(figure, tmp_path / "free", "f")

    assert sorted(p.name for p in (tmp_path / "free").iterdir()) == ["f.png", "f.svg"]

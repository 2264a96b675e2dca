"""The scripts of the pages that need no browser."""

from pathlib import Path

PAGES = Path(__file__).parent / "pages"


def test_page_scripts(run_scripts):
    assert run_scripts(PAGES) > 0

"""Runs the blocks of guides, of reference pages and of the README."""

import pytest

from docs.page_blocks import chapters_of, names_of, run_chapter


@pytest.mark.slow
@pytest.mark.parametrize("chapter", chapters_of("guides"), ids=names_of)
def test_blocks_of_a_page_run_in_its_order(chapter, folder, request):
    run_chapter(chapter, folder, request)

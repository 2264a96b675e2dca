"""Runs the blocks of the pages of commands for archives and readers."""

import pytest

from docs.page_blocks import chapters_of, names_of, run_chapter


@pytest.mark.slow
@pytest.mark.parametrize("chapter", chapters_of("commands"), ids=names_of)
def test_blocks_of_a_page_run_in_its_order(chapter, folder, request):
    run_chapter(chapter, folder, request)

"""Everything here needs torch, which inference does not."""

import pytest

pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")


@pytest.fixture(scope="session")
def bars():
    """Training images of `fixtures.bars`."""
    from fixtures.bars import draw_bars

    return draw_bars()

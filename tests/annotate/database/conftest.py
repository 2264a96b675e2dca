"""A study to test with."""

from datetime import UTC, datetime

import pytest

from cxrview.records.annotation import AnnotationStudy


@pytest.fixture
def study() -> AnnotationStudy:
    """A study with everything set that may be."""
    return AnnotationStudy(
        study_id="5" * 32,
        name="two readers",
        created=datetime(2017, 4, 1, 12, tzinfo=UTC),
        seed=2**63 - 1,
        repeat_share=0.1,
        root="/archive/\udcff",
        about={"sample": 400, "stratify": ["decision", "source"]},
    )

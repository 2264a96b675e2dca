"""A library that is not installed costs one line, with what brings it."""

import pytest

from cxrview.cli.shared.extras import needs_extra
from cxrview.errors import UsageError


def test_a_missing_library_is_named_with_the_extra_that_brings_it():
    with (
        pytest.raises(
            UsageError,
            match=r"choosing needs no_such_library, which is not installed\. .* -m pip install ",
        ),
        needs_extra("train", "choosing"),
    ):
        import no_such_library  # noqa: F401

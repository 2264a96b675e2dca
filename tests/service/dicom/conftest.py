"""pynetdicom has one place for where it writes received objects: tests put it back."""

from collections.abc import Iterator

import pytest
from pynetdicom import _config, dimse_messages


@pytest.fixture(autouse=True)
def _pynetdicom_as_before() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for place, name in (
            (_config, "STORE_RECV_CHUNKED_DATASET"),
            (dimse_messages, "NamedTemporaryFile"),
        ):
            patched.setattr(place, name, getattr(place, name))
        yield

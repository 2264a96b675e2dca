"""What a worker sends arrives as it was; what is cut raises, and nothing is unpickled."""

import io
import pickle
from dataclasses import replace

import numpy as np
import pytest

from cxrview.classify.wire import DecodedImage, pack, unpack
from cxrview.records.classification import Failure, Instance
from cxrview.terms import View

PIXELS = np.arange(256, dtype=np.uint8).reshape(16, 16)
INSTANCE = Instance(
    path="/archive/f\udcfclm.dcm",
    content_id="0" * 32,
    rows=16,
    columns=16,
    study_year=2012,
    header_view=View.LATERAL,
    manufacturer="J\u00fcrgen & \u6771\u829d",
)
IMAGE = DecodedImage(
    instance=INSTANCE, warnings=("odd_uid", "first_of_frames:2"), is_constant=False, pixels=PIXELS
)


class Pipe(io.BytesIO):
    def receive(self, length: int) -> bytes:
        return self.read(length)


def sent(outcome):
    return unpack(Pipe(pack(outcome)))


def test_unpack_gives_the_image_that_was_packed():
    received = sent(IMAGE)

    assert np.array_equal(received.pixels, PIXELS)
    assert replace(received, pixels=None) == replace(IMAGE, pixels=None)
    assert received.instance.header_view is View.LATERAL


def test_unpack_gives_a_skipped_file_without_pixels():
    skipped = DecodedImage(instance=INSTANCE, warnings=(), skip_reason="body_part")

    assert sent(skipped) == skipped


def test_unpack_gives_the_failure_that_was_packed():
    failure = Failure(path="a\udcff", code="truncated", reason='"cut"', advice="Copy it")

    assert sent(failure) == failure


def test_unpack_reads_one_outcome_after_the_other():
    pipe = Pipe(pack(IMAGE) + pack(replace(IMAGE, pixels=None, is_constant=True)))

    assert unpack(pipe).pixels is not None
    assert unpack(pipe).is_constant
    with pytest.raises(EOFError):
        unpack(pipe)


@pytest.mark.parametrize("length", [0, 3, 8, 20, -1])
def test_unpack_raises_where_the_worker_died_while_sending(length):
    with pytest.raises(EOFError):
        unpack(Pipe(pack(IMAGE)[:length]))


def test_unpack_runs_no_pickle():
    class Harmful:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    data = pickle.dumps(Harmful())
    head = len(data).to_bytes(4, "little") + bytes(4)

    with pytest.raises(ValueError):
        unpack(Pipe(head + data))

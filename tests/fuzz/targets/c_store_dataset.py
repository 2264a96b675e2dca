"""The data set of a C-STORE request: what the store makes of it, whatever it contains."""

import tempfile
from pathlib import Path

from cxrview.service.store import Store
from fuzz.seed_files import dicom_of_each_syntax


def seeds() -> tuple[bytes, ...]:
    """Files as pynetdicom writes them: preamble, meta information and the data set as it came."""
    return dicom_of_each_syntax()


def check(data: bytes) -> None:
    """Hand an object over twice: it is kept once, with its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "queue")
        try:
            for _ in range(2):
                part = store.new_part()
                part.write_bytes(data)
                store.accept(part, "dicom", "CR1")
            counts = store.counts()
            assert (counts.received, counts.repeated) == (1, 1)
            (image,) = store.next_to_classify(5) or [None]
            assert image is None or Path(image.path).read_bytes() == data
            assert not list(store.new_part().parent.iterdir())
        finally:
            store.close()

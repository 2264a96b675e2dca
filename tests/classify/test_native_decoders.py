"""A native decoder that crashes, hangs or eats memory costs one row of a run.

The decoder of JPEG-LS is replaced in the workers by one that does what the comment in a stream
says, in C: the process has no chance to raise an exception first.
"""

import os
import resource
import struct
import textwrap
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate

from cxrview.classify.engine import classify_files
from cxrview.classify.options import ClassifyOptions
from cxrview.phantom.archive import draw_archive
from cxrview.records.classification import Failure

HARMS = {
    "segfault": ("decoder_crash", "SIGSEGV"),
    "abort": ("decoder_crash", "SIGABRT"),
    "overflow": ("decoder_crash", "SIGSEGV"),
    "sleep": ("timeout", "longer than 5 s"),
    "loop": ("timeout", "longer than 5 s"),
    "eat": ("memory", "more memory"),
    "eat-and-crash": ("decoder_crash", "SIGSEGV"),
}
"""What the decoder does, and the code and reason of the row that it costs."""
DECODER = textwrap.dedent("""
    import ctypes, re
    import imagecodecs

    sound, c, with_gil = imagecodecs.jpegls_decode, ctypes.CDLL(None), ctypes.PyDLL(None)
    c.malloc.restype = c.memset.restype = ctypes.c_void_p
    c.malloc.argtypes = [ctypes.c_size_t]
    c.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

    def decode(data):
        found = re.search(b"do:([a-z-]+);", bytes(data))
        harm = found[1].decode() if found else ""
        if harm == "segfault":
            ctypes.string_at(8)
        if harm == "abort":
            c.abort()
        if harm == "overflow":  # writes beyond a block until the memory ends
            c.memset(c.malloc(16), 65, 1 << 44)
        if harm == "sleep":  # in C, without releasing the interpreter
            with_gil.sleep(3600)
        if harm == "loop":
            re.match(r"(a+)+$", "a" * 60 + "b")  # computes, and cannot be interrupted
        while harm.startswith("eat"):
            block = c.malloc(64 << 20)
            if not block and harm == "eat":
                raise MemoryError
            c.memset(block, 1, 64 << 20)  # with "eat-and-crash" also if malloc failed
        return sound(data)

    imagecodecs.jpegls_decode = decode
""")


@pytest.fixture
def harmful_decoder(tmp_path, monkeypatch) -> None:
    """Replace the decoder in every process that is started from now on."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(DECODER)
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)


@pytest.fixture
def film(tmp_path) -> Path:
    """A drawn radiograph in JPEG-LS."""
    draw_archive(
        tmp_path / "drawn",
        patients=1,
        size=(96, 80),
        syntaxes=["jpeg-ls"],
        strangers=False,
        damages=[],
    )
    return min((tmp_path / "drawn").rglob("IM*"))


def with_comment(film: Path, target: Path, text: str) -> str:
    """The same radiograph with a comment in its stream (ITU-T T.81 B.2.4.5)."""
    dataset = pydicom.dcmread(film)
    pixels = (np.arange(96 * 80) % 4096).astype(np.uint16).reshape(96, 80)
    stream = bytes(imagecodecs.jpegls_encode(pixels))
    comment = f"do:{text};".encode()
    stream = stream[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(comment)) + comment + stream[2:]
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = encapsulate([stream])
    dataset.save_as(target)
    return str(target)


@pytest.mark.slow
def test_decode_worker_survives_every_harm_of_a_decoder(
    film, model, harmful_decoder, tmp_path, monkeypatch
):
    """One run: each harm between two sound files, which are classified all the same."""
    folder = tmp_path / "working folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    paths = []
    for harm in HARMS:
        paths.append(with_comment(film, tmp_path / f"{harm}.before", "nothing"))
        paths.append(with_comment(film, tmp_path / harm, harm))
    paths.append(with_comment(film, tmp_path / "last", "nothing"))

    options = ClassifyOptions(workers=2, timeout_seconds=5, memory_bytes=512 << 20)
    try:
        outcomes = list(classify_files(paths, model, options))
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)

    assert list(folder.iterdir()) == []  # a core file holds pixels and headers
    assert len(outcomes) == len(paths)
    for (code, reason), outcome in zip(HARMS.values(), outcomes[1::2], strict=False):
        assert isinstance(outcome, Failure), outcome
        assert outcome.code == code
        assert reason in outcome.reason
    assert not [one for one in outcomes[::2] if isinstance(one, Failure)]

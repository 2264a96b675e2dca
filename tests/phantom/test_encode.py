"""Every transfer syntax decodes to what was drawn, by decoders that are not ours."""

import io
import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import generate_frames

from cxrview.errors import UsageError
from cxrview.phantom.dicom import Shot, make_instance, to_bytes
from cxrview.phantom.encode import SYNTAXES, find_syntax
from cxrview.terms import Projection

DECODERS = {
    "jpeg": imagecodecs.jpeg8_decode,
    "jpeg-extended": imagecodecs.jpeg8_decode,
    "jpeg-lossless": imagecodecs.jpeg8_decode,
    "jpeg-lossless-p14": imagecodecs.jpeg8_decode,
    "jpeg-ls": imagecodecs.jpegls_decode,
    "jpeg-ls-near": imagecodecs.jpegls_decode,
    "jpeg-2000": imagecodecs.jpeg2k_decode,
    "jpeg-2000-lossy": imagecodecs.jpeg2k_decode,
    "htj2k": imagecodecs.htj2k_decode,
}
"""The rest, pydicom reads alone."""
DCMTK_READS = ("native", "implicit", "big-endian", "deflated", "rle", "jpeg", "jpeg-extended",
               "jpeg-lossless", "jpeg-lossless-p14")  # fmt: skip


def decoded(content: bytes, name: str) -> np.ndarray:
    dataset = pydicom.dcmread(io.BytesIO(content))
    if name in DECODERS:
        stream = next(generate_frames(dataset.PixelData, number_of_frames=1))
        return DECODERS[name](stream)
    return dataset.pixel_array


def written(pixels, patient, name: str, bits: int, *, is_monochrome1: bool = False) -> bytes:
    shot = Shot(
        patient=patient,
        projection=Projection.PA,
        archive_seed=0,
        bits=bits,
        is_monochrome1=is_monochrome1,
    )
    return to_bytes(make_instance(pixels, shot, find_syntax(name)))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("name", SYNTAXES)
def test_every_syntax_gives_back_what_was_drawn(pixels, patient, name, bits):
    syntax = find_syntax(name)
    drawn = (pixels.astype(np.uint32) << 4 >> (16 - bits)).astype(np.uint16)
    kept = min(bits, syntax.most_bits)
    wanted = (drawn >> (bits - kept)).astype(int)

    difference = np.abs(decoded(written(drawn, patient, name, bits), name).astype(int) - wanted)

    # Lossy: an eightieth of the range, and the largest near a sharp edge.
    assert difference.mean() <= (2**kept / 80 if syntax.lossy_method else 0)


@pytest.mark.parametrize("name", SYNTAXES)
def test_monochrome1_is_the_same_picture_the_other_way_round(pixels, patient, name):
    plain = decoded(written(pixels, patient, name, 12), name).astype(int)
    inverted = decoded(written(pixels, patient, name, 12, is_monochrome1=True), name).astype(int)
    most = 2 ** min(12, find_syntax(name).most_bits) - 1

    assert np.abs(plain + inverted - most).mean() < most / 100


@pytest.mark.parametrize("name", SYNTAXES)
def test_the_header_owns_up_to_lossy_compression(pixels, patient, name):
    dataset = pydicom.dcmread(io.BytesIO(written(pixels, patient, name, 12)))
    is_lossy = bool(find_syntax(name).lossy_method)

    assert dataset.file_meta.TransferSyntaxUID == find_syntax(name).uid
    assert dataset.LossyImageCompression == ("01" if is_lossy else "00")
    assert ("LossyImageCompressionRatio" in dataset) == is_lossy


@pytest.mark.parametrize("name", DCMTK_READS)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_dcmtk_renders_what_it_can_read(pixels, patient, name, bits, tmp_path: Path, program):
    drawn = (pixels.astype(np.uint32) << 4 >> (16 - bits)).astype(np.uint16)
    (tmp_path / "in.dcm").write_bytes(written(drawn, patient, name, bits))

    rendered = subprocess.run(
        [program("dcmj2pnm"), "+Wm", tmp_path / "in.dcm", tmp_path / "out.pgm"],
        capture_output=True,
        text=True,
    )

    assert rendered.returncode == 0, rendered.stderr
    grey = _pgm(tmp_path / "out.pgm")
    assert np.corrcoef(grey.ravel(), drawn.ravel())[0, 1] > 0.998


def _pgm(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_an_unknown_syntax_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="jpeg-2000"):
        find_syntax("jpeg-xl")

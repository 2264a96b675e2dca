"""Min-max windowing against the real dcmj2pnm (DCMTK), on every shared DICOM file.

Files whose syntax Debian's build cannot read are decoded by independent libraries (GDCM,
CharLS by pyjpegls), written native by pydicom and rendered by dcmj2pnm then.
"""

import subprocess
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import ExplicitVRLittleEndian

from cxrview.image import ReadOptions, read_radiograph

RENDERED = [
    "CR-ModalitySequenceLUT",
    "GH133",
    "JPEGBaseline_1s_1f_u_08_08",
    "JPEGLosslessP14SV1_1s_1f_u_16_16",
    "JPEGLossless_1s_1f_i_16_16_bad",
    "JPEGLossless_1s_1f_u_16_12",
    "JPGLosslessP14SV1_1s_1f_8b",
    "OutOfBoundsOverlay",
    "RG2_JPLL",
    "RG2_JPLY",
    "RG2_JPLY_fixed",
    "bad_sequence",
    "dx_image",
    "emri_small_RLE",
    "emri_small_big_endian",
    "explicit_big",
    "jpeg_lossless_sel1",
    "liver_expb",
    "rle",
    "test1",
    "test2",
    "test3",
    "test4",
    "test5",
    "test6",
]
JPEG_2000 = [
    "693_J2KR",
    "966",
    "ELSCINT1_JP2vsJ2K",
    "JPEG2KLossless_1s_1f_u_16_16",
    "MAROTECH_CT_JP2Lossy",
    "MR2_J2KI",
    "MR2_J2KR",
    "NM_Kakadu44_SOTmarkerincons",
    "OsirixFake16BitsStoredFakeSpacing",
    "RG1_J2KI",
    "RG3_J2KI",
    "RG3_J2KR",
    "TOSHIBA_J2K_OpenJPEGv2Regression",
    "TOSHIBA_J2K_SIZ0_PixRep1",
    "TOSHIBA_J2K_SIZ1_PixRep0",
    "emri_small_jpeg_2k_lossless",
    "explicit_VR-UN",
]
JPEG_LS = [
    "CT1_JLSN",
    "JLSL_08_07_0_1F",
    "JLSL_16_15_1_1F",
    "RG1_JLSN",
    "RG2_JLSL",
    "RG2_JLSN",
    "emri_small_jpeg_ls_lossless",
    "jpeg_ls",
]
LIVERS = [
    "liver_deflate",
    "liver_j2k",
    "liver_rle",
    "liver_nonbyte_aligned_deflate",
    "liver_nonbyte_aligned_j2k",
    "liver_nonbyte_aligned_rle",
]
"""One bit a pixel, the first frame the same in all: pydicom and GDCM disagree about these."""


def render(dcmj2pnm: str, source: Path, target: Path) -> np.ndarray:
    subprocess.run(
        [dcmj2pnm, "+Wm", "-O", "+F", "1", "+op", source, target], check=True, capture_output=True
    )
    return np.asarray(Image.open(target))


def assert_equal_within_one(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("name", RENDERED)
def test_grey_values_are_those_of_dcmj2pnm(shared_data, program, tmp_path, name):
    path = shared_data / "dicom" / f"{name}.dcm"
    theirs = render(program("dcmj2pnm"), path, tmp_path / "x.pgm")

    ours = read_radiograph(str(path), ReadOptions(exact=True)).pixels

    assert_equal_within_one(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "library"),
    [*((name, "gdcm") for name in JPEG_2000), *((name, "pyjpegls") for name in JPEG_LS)],
)
def test_other_syntaxes_agree_with_an_independent_decoder(
    shared_data, program, tmp_path, name, library
):
    path = shared_data / "dicom" / f"{name}.dcm"
    native = tmp_path / "native.dcm"
    write_native(path, native, library)
    theirs = render(program("dcmj2pnm"), native, tmp_path / "x.pgm")

    ours = read_radiograph(str(path), ReadOptions(exact=True)).pixels

    assert_equal_within_one(ours, theirs)


def write_native(source: Path, target: Path, library: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(source)
        if source.stem == "966":
            # GDCM gives up at the comment behind the last tile-part: take that out.
            stream = get_frame(ds.PixelData, 0, number_of_frames=1)
            ds.PixelData = encapsulate([stream.replace(b"\xff\x64\x00\x0b\x00\x01PADDING", b"")])
        ds.decompress(decoding_plugin=library)
        ds.save_as(target)
    assert ds.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


@pytest.mark.parametrize("name", LIVERS)
def test_one_bit_a_pixel_is_the_same_in_every_syntax(shared_data, program, tmp_path, name):
    folder = shared_data / "dicom"
    theirs = render(program("dcmj2pnm"), folder / "liver_expb.dcm", tmp_path / "x.pgm")

    ours = read_radiograph(str(folder / f"{name}.dcm")).pixels

    assert_equal_within_one(ours, theirs[: ours.shape[0], : ours.shape[1]])

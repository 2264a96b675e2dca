"""What becomes of each of the 59 shared DICOM files."""

import csv

import pytest

from cxrview.errors import NoPixelData
from cxrview.image import open_image

NO_PIXELS = ["chrJapMulti.dcm", "chrJapMultiExplicitIR6.dcm", "chrKoreanMulti.dcm"]
WARNINGS = {
    "bad_sequence.dcm": ("odd_uid",),
    # Its stream says signed, its header unsigned.
    "TOSHIBA_J2K_SIZ1_PixRep0.dcm": ("pixel_representation_doubtful",),
    **{
        name: ("first_of_frames:10",)
        for name in (
            "emri_small_RLE.dcm",
            "emri_small_big_endian.dcm",
            "emri_small_jpeg_2k_lossless.dcm",
            "emri_small_jpeg_ls_lossless.dcm",
        )
    },
    **{
        f"liver_{kind}.dcm": ("first_of_frames:3",)
        for kind in (
            "deflate",
            "expb",
            "j2k",
            "rle",
            "nonbyte_aligned_deflate",
            "nonbyte_aligned_j2k",
            "nonbyte_aligned_rle",
        )
    },
}


@pytest.fixture(scope="module")
def listed(shared_data):
    with (shared_data / "dicom" / "dicom.csv").open() as file:
        return {row["file"]: row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_every_file_is_read_or_has_no_pixels(shared_data, listed):
    assert len(listed) == 59
    for name in listed:
        file = open_image(str(shared_data / "dicom" / name))
        if name in NO_PIXELS:
            with pytest.raises(NoPixelData):
                file.decode()
            continue
        radiograph = file.decode()

        assert radiograph.warnings == WARNINGS.get(name, ()), name
        assert not radiograph.is_constant


def test_headers_say_what_the_list_says(shared_data, listed):
    for name, row in listed.items():
        instance = open_image(str(shared_data / "dicom" / name)).instance

        assert instance.transfer_syntax == row["transfer_syntax"], name
        assert instance.photometric == row["photometric"], name
        assert instance.modality == row["modality"], name
        assert instance.body_part == row["body_part"], name
        assert instance.header_view_position == row["view_position"], name
        assert (instance.rows, instance.columns) == (int(row["rows"]), int(row["columns"])), name

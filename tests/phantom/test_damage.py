"""Every damage gives a file, the same each time, and says what to make of it."""

import io
import warnings

import pydicom
import pytest

from cxrview import errors
from cxrview.image import read_radiograph
from cxrview.phantom.damage import DAMAGES, READABLE
from cxrview.phantom.dicom import to_bytes
from cxrview.phantom.odd_pixels import ODD_PIXELS

CODES = {
    kind.code
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.UnreadableImage)
}


@pytest.mark.parametrize("name", [name for name in DAMAGES if name != "deflate-bomb"])
def test_a_damage_differs_from_the_sound_file_and_leaves_it_alone(sound, name):
    before = to_bytes(sound)
    damaged = DAMAGES[name].apply(sound)

    assert damaged != before
    assert to_bytes(sound) == before
    assert DAMAGES[name].apply(sound) == damaged


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_expected_is_readable_or_a_reason_code(name):
    assert DAMAGES[name].expected
    assert DAMAGES[name].expected <= {READABLE, *CODES}
    assert DAMAGES[name].what


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_read_as_expected(sound, name):
    try:
        read_radiograph(DAMAGES[name].apply(sound))
        found = READABLE
    except errors.UnreadableImage as error:
        found = error.code

    assert found in DAMAGES[name].expected


@pytest.mark.parametrize("name", ODD_PIXELS)
def test_odd_pixels_can_be_read_with_pydicom(sound, name):
    dataset = pydicom.dcmread(io.BytesIO(DAMAGES[name].apply(sound)))

    assert dataset.pixel_array.size >= sound.Rows * sound.Columns


def test_the_bomb_is_small_and_grows_a_hundredfold(sound):
    bomb = DAMAGES["deflate-bomb"].apply(sound)

    assert len(bomb) < 1_000_000


@pytest.mark.parametrize(
    "name", ["rows-zero", "rows-missing", "bits-stored-zero", "no-pixels", "truncated"]
)
def test_broken_files_give_pydicom_no_picture(sound, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(io.BytesIO(DAMAGES[name].apply(sound)))

        with pytest.raises((AttributeError, ValueError)):
            _ = dataset.pixel_array


def test_negative_values_mean_the_same_picture(sound):
    half = 2 ** (sound.BitsStored - 1)
    signed = pydicom.dcmread(io.BytesIO(DAMAGES["signed"].apply(sound)))

    assert (signed.pixel_array.astype(int) + half == sound.pixel_array).all()

"""Valid files with unusual pixels, all of which should be read.

Each takes a data set with native little-endian pixels of one frame and changes it in place.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from cxrview.phantom.encode import native_bytes

PADDING = 63


def stored_pixels(dataset: Dataset) -> NDArray[np.uint16]:
    """Give the native pixels of a data set of `dicom.add_pixels`: (rows, columns)."""
    kind = "u1" if dataset.BitsAllocated == 8 else "<u2"
    size = int(dataset.Rows) * int(dataset.Columns)
    values = np.frombuffer(dataset.PixelData, dtype=kind, count=size)
    return values.reshape(dataset.Rows, dataset.Columns).astype(np.uint16)


def constant(dataset: Dataset) -> None:
    """Set every pixel to half of the range."""
    pixels = stored_pixels(dataset)
    _put(dataset, np.full_like(pixels, 2 ** (int(dataset.BitsStored) - 1)))


def padded(dataset: Dataset) -> None:
    """Add a frame of Pixel Padding Value (0028,0120), which no other pixel has."""
    pixels = np.maximum(stored_pixels(dataset), PADDING + 1)
    rows, columns = pixels.shape
    border = np.ones(pixels.shape, dtype=bool)
    border[rows // 12 : -rows // 12, columns // 12 : -columns // 12] = False
    pixels[border] = PADDING
    dataset.PixelPaddingValue = PADDING
    _put(dataset, pixels)


def signed(dataset: Dataset) -> None:
    """Set Pixel Representation (0028,0103) to 1, with half of the values below zero."""
    half = 2 ** (int(dataset.BitsStored) - 1)
    values = stored_pixels(dataset).astype(np.int32) - half
    dataset.PixelRepresentation = 1
    dataset.WindowCenter = 0
    kind = "i1" if dataset.BitsAllocated == 8 else "<i2"
    raw = values.astype(kind).tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)


def inverse_lut(dataset: Dataset) -> None:
    """Use MONOCHROME1 with Presentation LUT Shape (2050,0020) INVERSE, as DX does."""
    if dataset.PhotometricInterpretation != "MONOCHROME1":
        most = np.uint16(2 ** int(dataset.BitsStored) - 1)
        _put(dataset, most - stored_pixels(dataset))
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.PresentationLUTShape = "INVERSE"


def modality_lut(dataset: Dataset) -> None:
    """Use values that need Modality LUT Sequence (0028,3000)."""
    levels = 256
    bits = int(dataset.BitsStored)
    _put(dataset, (stored_pixels(dataset) >> max(bits - 8, 0)).astype(np.uint16))
    item = Dataset()
    item.LUTDescriptor = [levels, 0, 16]
    item.ModalityLUTType = "US"
    item.LUTData = np.linspace(0, 65535, levels).astype("<u2").tobytes()
    item["LUTData"].VR = "OW"
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType"):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.ModalityLUTSequence = Sequence([item])


def colour_screenshot(dataset: Dataset) -> None:
    """Make an RGB Secondary Capture, like a screenshot."""
    grey = _eight_bits(dataset)
    _secondary_capture(dataset, grey)
    dataset.SamplesPerPixel = 3
    dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "RGB"
    _put(dataset, np.repeat(grey[..., None], 3, axis=-1))


def palette(dataset: Dataset) -> None:
    """Use PALETTE COLOR with a grey ramp as table (PS3.3 C.7.6.3.1.5)."""
    grey = _eight_bits(dataset)
    _secondary_capture(dataset, grey)
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    ramp = (np.arange(256) * 257).astype("<u2").tobytes()
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", ramp)
    _put(dataset, grey)


def several_frames(dataset: Dataset) -> None:
    """Make three frames: the image, the image upside down, and the image again."""
    first = stored_pixels(dataset)
    dataset.NumberOfFrames = 3
    _put(dataset, np.stack([first, first[::-1], first]))


def float_pixels(dataset: Dataset) -> None:
    """Use Float Pixel Data (7FE0,0008) instead of Pixel Data (PS3.3 C.7.6.24)."""
    values = stored_pixels(dataset).astype("<f4")
    for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(dataset, keyword)
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = values.tobytes()


ODD_PIXELS: dict[str, tuple[str, Callable[[Dataset], None]]] = {
    "constant": ("every pixel has one value", constant),
    "padded": ("a frame of Pixel Padding Value around the image", padded),
    "signed": ("Pixel Representation 1, half of the values negative", signed),
    "inverse-lut": ("MONOCHROME1 and Presentation LUT Shape INVERSE", inverse_lut),
    "modality-lut": ("256 values that a Modality LUT spreads over 16 bits", modality_lut),
    "colour-screenshot": ("RGB Secondary Capture", colour_screenshot),
    "palette": ("PALETTE COLOR with a grey table", palette),
    "several-frames": ("three frames, the second upside down", several_frames),
}
"""Description in one line and change, by name."""


def _put(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    dataset.PixelData = native_bytes(pixels, int(dataset.BitsAllocated))


def _eight_bits(dataset: Dataset) -> NDArray[np.uint16]:
    values = stored_pixels(dataset) >> max(int(dataset.BitsStored) - 8, 0)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        values = 255 - values
    return values.astype(np.uint16)


def _secondary_capture(dataset: Dataset, grey: NDArray[np.uint16]) -> None:
    uid = UID("1.2.840.10008.5.1.4.1.1.7")
    dataset.SOPClassUID = uid
    dataset.file_meta.MediaStorageSOPClassUID = uid
    dataset.ConversionType = "WSD"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    for keyword in ("WindowCenter", "WindowWidth", "PresentationLUTShape"):
        if keyword in dataset:
            delattr(dataset, keyword)

"""A small drawn chest and a writer of DICOM bytes, for the tests of reading."""

import subprocess
import warnings
from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import UID

CR = "1.2.840.10008.5.1.4.1.1.1"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
RLE = "1.2.840.10008.1.2.5"

MakeDicom = Callable[..., bytes]


def draw_chest(rows: int = 90, columns: int = 76, top: int = 4095) -> NDArray[np.uint16]:
    """Two dark lungs in a bright trunk, with a fixed grain: shape (rows, columns), 0 to `top`."""
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    trunk = np.clip(1.2 - x**2 - 0.5 * y**2, 0, 1)
    lungs = sum(np.exp(-(((x - s) / 0.3) ** 2) - (y / 0.6) ** 2) for s in (-0.45, 0.45))
    grain = np.random.default_rng(7).normal(0, 0.01, x.shape)
    grey = np.clip(trunk - 0.7 * lungs + grain, 0, 1)
    grey = (grey - grey.min()) / (grey.max() - grey.min())
    return np.rint(grey * top).astype(np.uint16)


def encode(pixels: NDArray[Any], syntax: str, bits: int) -> bytes:
    """Compress one plane without loss, or with little where the syntax allows no other."""
    pattern = pixels.view(f"u{pixels.itemsize}")
    if bits < 8 * pixels.itemsize:
        pattern = pattern & ((1 << bits) - 1)
    match syntax.removeprefix("1.2.840.10008.1.2."):
        case "4.50":
            return imagecodecs.jpeg8_encode(pattern, level=98)
        case "4.51":
            return imagecodecs.jpeg_encode(pattern, level=98, bitspersample=12)
        case "4.57" | "4.70":
            return imagecodecs.jpeg_encode(pattern, lossless=True, bitspersample=bits)
        case "4.80" | "4.81":
            return imagecodecs.jpegls_encode(pattern)
        case "4.90" | "4.91":
            return imagecodecs.jpeg2k_encode(
                pixels, level=0, codecformat="j2k", reversible=True, bitspersample=bits
            )
        case "4.201" | "4.202" | "4.203":
            return imagecodecs.htj2k_encode(pixels, reversible=True)
        case "5":
            return RLELosslessEncoder.encode(
                pattern.tobytes(),
                rows=pixels.shape[0],
                columns=pixels.shape[1],
                samples_per_pixel=1,
                number_of_frames=1,
                bits_allocated=8 * pixels.itemsize,
                bits_stored=bits,
                pixel_representation=0,
                photometric_interpretation="MONOCHROME2",
                encoding_plugin="pydicom",  # gdcm's aborts the process now and then
            )
    raise NotImplementedError(syntax)


def dataset(pixels: NDArray[Any] | None, **attributes: Any) -> Dataset:
    """A CR image; `pixels` of shape (rows, columns), or (frames, rows, columns)."""
    ds = Dataset()
    ds.SOPClassUID = CR
    ds.SOPInstanceUID = "1.2.3.4"
    ds.StudyInstanceUID = "1.2.3"
    ds.SeriesInstanceUID = "1.2.3.1"
    ds.StudyDate = "20130401"
    ds.Modality = "CR"
    ds.BodyPartExamined = "CHEST"
    ds.PatientID = "P1"
    ds.PatientName = "Secret^Name"
    ds.ViewPosition = "PA"
    if pixels is not None:
        ds.SamplesPerPixel = 1
        ds.PhotometricInterpretation = "MONOCHROME2"
        ds.Rows, ds.Columns = pixels.shape[-2:]
        if pixels.ndim == 3:
            ds.NumberOfFrames = pixels.shape[0]
        ds.BitsAllocated = 8 * pixels.itemsize
        ds.BitsStored = ds.BitsAllocated
        ds.HighBit = ds.BitsStored - 1
        ds.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values are the point
        for name, value in attributes.items():
            if value is None:
                del ds[name]
            else:
                setattr(ds, name, value)
    return ds


def to_bytes(ds: Dataset, syntax: str = EXPLICIT) -> bytes:
    """Write a data set with preamble and meta information."""
    file = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values are the point
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = UID(syntax)
        ds.file_meta.MediaStorageSOPClassUID = ds.get("SOPClassUID", CR)
        ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", "") or "1.2.3.4"
        dcmwrite(file, ds, enforce_file_format=True)
    return file.getvalue()


def build(pixels: NDArray[Any] | None = None, syntax: str = EXPLICIT, **attributes: Any) -> bytes:
    """A DICOM file of these pixels; attributes of None are left out."""
    if pixels is None:
        pixels = draw_chest()
    ds = dataset(pixels, **attributes)
    if syntax in (EXPLICIT, IMPLICIT, BIG_ENDIAN, "1.2.840.10008.1.2.1.99"):
        order = ">" if syntax == BIG_ENDIAN else "<"
        ds.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
        if len(ds.PixelData) % 2:
            ds.PixelData += b"\0"
        ds["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    else:
        frames = pixels if pixels.ndim == 3 else pixels[None]
        ds.PixelData = encapsulate([encode(f, syntax, ds.BitsStored) for f in frames])
        ds["PixelData"].VR = "OB"
    return to_bytes(ds, syntax)


@pytest.fixture(scope="session")
def chest() -> NDArray[np.uint16]:
    """A drawn chest of 12 bits."""
    return draw_chest()


@pytest.fixture(scope="session")
def make_dicom() -> MakeDicom:
    """Writes DICOM bytes: `make_dicom(pixels, syntax, **attributes)`."""
    return build


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Dataset]:
    """Makes the data set alone, and `make_bytes` writes it."""
    return dataset


@pytest.fixture(scope="session")
def make_bytes() -> Callable[..., bytes]:
    """Writes a data set."""
    return to_bytes


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """All of them at once, for tests that are tables."""
    return SimpleNamespace(
        chest=draw_chest(),
        build=build,
        dataset=dataset,
        to_bytes=to_bytes,
        encode=encode,
        draw_chest=draw_chest,
    )


@pytest.fixture(scope="session")
def openjpeg(program, tmp_path_factory) -> Callable[..., bytes]:
    """Compresses 12 bits by OpenJPEG's own program: `openjpeg(pixels, "-p", "RPCL", "-PLT")`."""
    folder, compress = tmp_path_factory.mktemp("openjpeg"), program("opj_compress")

    def run(pixels: NDArray[Any], *options: str) -> bytes:
        plain, packed = folder / "x.pgm", folder / "x.j2k"
        head = f"P5\n{pixels.shape[1]} {pixels.shape[0]}\n4095\n"
        plain.write_bytes(head.encode() + pixels.astype(">u2").tobytes())
        command = [compress, "-i", str(plain), "-o", str(packed), *options]
        subprocess.run(command, check=True, capture_output=True)
        return packed.read_bytes()

    return run


@pytest.fixture(scope="session")
def encode_frame() -> Callable[..., bytes]:
    """Compresses one plane."""
    return encode

"""Converts the published BVLC GoogLeNet from Caffe's file to the arrays that `--published` takes.

Usage: python -m cxrview.train.caffemodel bvlc_googlenet.caffemodel bvlc-googlenet.npz

A `.caffemodel` is a NetParameter of caffe.proto in the wire format of protocol buffers
(https://protobuf.dev/programming-guides/encoding). Only the few fields that hold weights are read
here, so that neither Caffe nor a protocol buffer library is needed.
"""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import atomic_path, raising_cannot_write
from cxrview.errors import CxrviewError, InvalidModel, UsageError

PUBLISHED_SHA256 = "3214bd9dd3a1d7a5e5e7ae655a97b04624e0eb39ee19663ed88d57a083cbc86b"
"""`arrays_sha256` of the weights that the model in the package was trained from."""
NOT_USED = ("loss1/", "loss2/")
"""Layers of the auxiliary classifiers, which cxrview trains from scratch."""
_ADVICE = "It should be bvlc_googlenet.caffemodel; download it again"

# Field numbers of caffe.proto: of NetParameter, of its two kinds of layers, and of BlobProto.
_LAYERS = {100: (1, 7), 2: (4, 6)}
"""Field of the layers to the fields of a layer's name and blobs: LayerParameter, and
V1LayerParameter of older files."""
_OLD_SHAPE, _DATA, _SHAPE, _DOUBLE_DATA, _DIM = (1, 2, 3, 4), 5, 7, 8, 1

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


def main() -> None:
    """Convert the file that the command line names."""
    if len(sys.argv) != 3:
        raise UsageError("name two files", "The .caffemodel, and the .npz to write")
    arrays = read_caffemodel(Path(sys.argv[1]))
    write_arrays(arrays, Path(sys.argv[2]))
    digest = arrays_sha256(arrays)
    is_known = "" if digest == PUBLISHED_SHA256 else "not "
    print(f"{len(arrays)} arrays in {sys.argv[2]}, SHA-256 of their values {digest}")
    print(f"these are {is_known}the weights that the model in the package was trained from")


def read_caffemodel(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the weights and biases of all layers but those of auxiliary classifiers.

    Args:
        path: of a `.caffemodel`, also of the deprecated V1 form.

    Returns:
        `<layer>.weight` of shape (out, in, rows, columns), or (out, in) of a fully connected layer,
        and `<layer>.bias` of shape (out,), as the file stores them.

    Raises:
        InvalidModel: the file is missing, truncated, or holds no such layer.
    """
    try:
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise InvalidModel(f"{path} cannot be read: {error.strerror}", _ADVICE) from error
    arrays = {}
    try:
        for field, layer in _fields(content):
            if field not in _LAYERS or not isinstance(layer, memoryview):
                continue
            name, blobs = _layer(layer, *_LAYERS[field])
            if not name.startswith(NOT_USED):
                for kind, blob in zip(("weight", "bias"), blobs, strict=False):
                    arrays[f"{name}.{kind}"] = _array(blob, kind)
    except (IndexError, ValueError) as error:
        raise InvalidModel(f"{path.name} is damaged, or not a Caffe model", _ADVICE) from error
    if not arrays:
        raise InvalidModel(f"{path.name} has no layer with weights", _ADVICE)
    return arrays


def write_arrays(arrays: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Write arrays by their names as an .npz file, which must not exist yet.

    Raises:
        UsageError: the file exists.
        CannotWrite: the disk is full or fails.
    """
    if path.exists():
        raise UsageError(f"{path} already exists", "Choose another name")
    with raising_cannot_write(path), atomic_path(path) as part, part.open("wb") as file:
        # NumPy's type stubs object because an array could be named allow_pickle.
        np.savez(file, **arrays)  # type: ignore[arg-type]


def arrays_sha256(arrays: Mapping[str, NDArray[np.float32]]) -> str:
    """SHA-256 over names, shapes and little-endian values, sorted by name, as hexadecimal.

    It does not depend on the order or the compression of the .npz file that holds them.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].shape}\n".encode())
        digest.update(arrays[name].astype("<f4").tobytes())
    return digest.hexdigest()


def _layer(message: memoryview, name_field: int, blobs_field: int) -> tuple[str, list[memoryview]]:
    """The name of a layer and its blobs: weights first, then biases."""
    name, blobs = "", []
    for field, value in _fields(message):
        if isinstance(value, memoryview) and field == name_field:
            name = bytes(value).decode()
        elif isinstance(value, memoryview) and field == blobs_field:
            blobs.append(value)
    return name, blobs


def _array(blob: memoryview, kind: str) -> NDArray[np.float32]:
    """The values of a blob in their shape.

    Older files give every blob four dimensions: a fully connected layer has (1, 1, out, in), and
    a bias (1, 1, 1, out).
    """
    old, shape, parts = dict.fromkeys(_OLD_SHAPE, 1), None, []
    for field, value in _fields(blob):
        if field in old and isinstance(value, int):
            old[field] = value
        elif field == _SHAPE and isinstance(value, memoryview):
            shape = [size for _, part in _fields(value) for size in _varints(part)]
        elif field in (_DATA, _DOUBLE_DATA) and isinstance(value, memoryview):
            parts.append(np.frombuffer(value, "<f4" if field == _DATA else "<f8"))
    if shape is None:
        shape = list(old.values())
        shape = shape[2:] if shape[:2] == [1, 1] else shape
    values = np.concatenate(parts) if parts else np.empty(0)
    return values.astype(np.float32).reshape(-1 if kind == "bias" else shape)


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a message; floats and texts as their bytes.

    Raises:
        IndexError: the message ends within a field.
        ValueError: it has a field of an unknown type, or an integer that is too long.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, place = _varint(message, place)
        elif kind in (_FOUR_BYTES, _EIGHT_BYTES):
            size = 4 if kind == _FOUR_BYTES else 8
        else:
            raise ValueError(f"wire type {kind}")
        if place + size > len(message):
            raise IndexError("the message ends within a field")
        yield key >> 3, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """An integer of seven bits a byte, the lowest first, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("an integer of more than ten bytes")


def _varints(part: int | memoryview) -> list[int]:
    """The integers of a repeated field, packed or not."""
    if isinstance(part, int):
        return [part]
    found, place = [], 0
    while place < len(part):
        value, place = _varint(part, place)
        found.append(value)
    return found


if __name__ == "__main__":
    try:
        main()
    except CxrviewError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)

import hashlib
import io
import struct
import zipfile
import zlib
from typing import ClassVar

import numpy as np
import pytest
from fsspec import AbstractFileSystem
from fsspec.registry import _registry, known_implementations

from cxrview.errors import CannotOpen, NotAnImage, TooLarge
from cxrview.image import Limits, ReadOptions, open_image, read_radiograph
from cxrview.image.fetch import content_id


def test_path_url_archive_and_bytes_are_one(kit, tmp_path):
    data = kit.build()
    (tmp_path / "x.dcm").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as pack:
        pack.writestr("in/x.dcm", data)
    expected = read_radiograph(data)

    for path in (
        str(tmp_path / "x.dcm"),
        tmp_path / "x.dcm",
        f"file://{tmp_path}/x.dcm",
        f"zip://in/x.dcm::file://{tmp_path}/x.zip",
    ):
        radiograph = read_radiograph(path)

        assert np.array_equal(radiograph.pixels, expected.pixels)
        assert radiograph.instance.path == str(path)
        assert radiograph.instance.content_id == expected.instance.content_id


class _Start(io.BytesIO):
    """A file of a web server that gives no parts: of more than a block only the start."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.size = len(data)

    def read(self, count: int = -1) -> bytes:
        if self.tell() + min(count, self.size - self.tell()) > 1 << 17:
            raise ValueError("The HTTP server doesn't appear to support range requests")
        return super().read(count)


class _Stream(io.BytesIO):
    """Gives what has come so far, and cannot go back."""

    def read(self, count: int = -1) -> bytes:
        return super().read(min(count, 1000))

    def seek(self, *_):
        raise ValueError("Cannot seek streaming HTTP file")


class _Web(AbstractFileSystem):
    protocol = "web"
    files: ClassVar[dict[str, bytes]] = {}

    def open(self, path, mode="rb", block_size=None, **_):
        return (_Stream if block_size == 0 else _Start)(self.files[path])


@pytest.mark.parametrize("side", [None, 64])
def test_a_server_that_gives_no_parts_of_a_file_is_read_from_end_to_end(kit, monkeypatch, side):
    monkeypatch.setitem(_registry, "web", _Web)
    data = kit.build(kit.draw_chest(900, 760))
    _Web.files |= {"big.dcm": data, "film": bytes(1 << 20)}

    file = open_image("web://big.dcm", side=side)

    assert file.instance.content_id == content_id(data)
    assert np.array_equal(file.decode().pixels, read_radiograph(data).pixels)
    with pytest.raises(TooLarge):
        open_image("web://big.dcm", ReadOptions(limits=Limits(max_file_bytes=1 << 18)), side=side)
    with pytest.raises(NotAnImage):
        open_image("web://film", side=side)


def test_what_is_not_installed_is_named(monkeypatch):
    err = 'WebFileSystem requires "aioweb" to be installed'
    monkeypatch.setitem(known_implementations, "nix", {"class": "aioweb.Nix", "err": err})

    with pytest.raises(CannotOpen) as caught:
        open_image("nix://host/x.dcm")

    assert caught.value.advice == err


def test_the_content_id_is_a_digest_of_all_bytes():
    data = bytes(range(256)) * 700  # three blocks, the last one begun

    crcs = [zlib.crc32(data[at : at + 65536]) for at in (0, 65536, 131072)]
    expected = hashlib.blake2b(struct.pack("<Q3I", len(data), *crcs), digest_size=16)
    assert content_id(data) == expected.hexdigest()


def test_any_changed_byte_changes_the_content_id(kit):
    data = kit.build()
    known = {content_id(data), content_id(data + b"\0"), content_id(b"")}

    for at in (0, 131, len(data) // 2, len(data) - 1):
        known.add(content_id(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]))

    assert len(known) == 7
    assert open_image(data).instance.content_id in known


def test_a_file_is_opened_once(kit, tmp_path):
    path = tmp_path / "x.dcm"
    path.write_bytes(kit.build())
    file = open_image(str(path))
    path.unlink()

    assert file.decode().pixels.shape == (90, 76)


def test_pixels_cannot_be_written(kit):
    pixels = read_radiograph(kit.build()).pixels

    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 1


def test_limits_must_make_sense():
    for wrong in ({"max_file_bytes": 0}, {"max_nesting": 0}, {"max_inflate_ratio": -1}):
        with pytest.raises(ValueError, match="at least one"):
            ReadOptions(limits=Limits(**wrong))

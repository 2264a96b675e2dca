"""A stream that is cut behind a resolution decodes to the same picture of that resolution."""

from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cxrview.image.dicom.codestream import jpeg2000_end, jpeg2000_levels, jpeg2000_size
from cxrview.image.dicom.jpeg2000_truncate import NeedsWholeFile, cut_stream, read_main

ORDERS = [
    ("-p", "RPCL", "-PLT"),
    ("-p", "RPCL", "-PLT", "-TLM"),
    ("-p", "RPCL", "-TP", "R"),
    ("-p", "RPCL", "-TP", "R", "-TLM"),
    ("-p", "RPCL", "-TP", "R", "-PLT"),
    ("-p", "RPCL", "-PLT", "-SOP", "-EPH", "-n", "3"),
    ("-p", "RPCL", "-PLT", "-c", "[128,128],[32,64]"),
    ("-p", "RPCL", "-PLT", "-r", "30,10,4", "-I"),
    ("-p", "RLCP", "-PLT", "-r", "30,10,1"),
    ("-PLT",),
]
UNTOLD = {
    "no lengths": ("-p", "RPCL"),
    "layer after layer": ("-PLT", "-r", "30,10,1"),
    "place after place": ("-PLT", "-p", "PCRL"),
    "tiles": ("-PLT", "-p", "RPCL", "-t", "128,128"),
    "an origin": ("-PLT", "-p", "RPCL", "-d", "8,8"),
    "an order that changes": ("-PLT", "-p", "RPCL", "-POC", "T1=0,0,1,3,1,RPCL/T1=3,0,1,6,1,RPCL"),
    "precincts in tile-parts": ("-p", "RPCL", "-TP", "R", "-TLM", "-c", "[128,128],[32,64]"),
}


class Bytes:
    """A stream of which nothing has to be fetched."""

    def __init__(self, data: bytes) -> None:
        self.data, self.length = data, len(data)

    def take(self, start: int, stop: int) -> bytes:
        if stop > self.length:
            raise NeedsWholeFile
        return self.data[start:stop]

    def tail(self, count: int) -> bytes:
        return self.data[-count:]


def cut(data: bytes, halvings: int, *, is_divided: bool = False) -> bytes:
    stream = Bytes(data)
    short = cut_stream(stream, read_main(stream), halvings, is_divided=is_divided)
    assert jpeg2000_end(short, jpeg2000_size(short)) == len(short) - 2
    assert short.endswith(b"\xff\xd9")
    return short


def reduced(data: bytes, halvings: int) -> np.ndarray | None:
    """By OpenJPEG; None where it gives up."""
    image = Image.open(BytesIO(data))
    image.reduce = halvings
    try:
        return np.asarray(image)
    except OSError:
        return None


@pytest.mark.parametrize("options", ORDERS, ids=" ".join)
def test_openjpeg_decodes_the_beginning_as_it_does_the_whole(kit, openjpeg, options):
    whole = openjpeg(kit.draw_chest(320, 288), *options)
    lengths = [len(whole)]

    for halvings in range(1, jpeg2000_levels(whole, jpeg2000_size(whole)) + 1):
        short = cut(whole, halvings)
        lengths.append(len(short))

        assert reduced(short, halvings).std() > 99
        assert reduced(short, 0).shape == (320, 288)
        assert np.array_equal(reduced(short, halvings), reduced(whole, halvings))
    assert all(b < 0.7 * a or b < 4000 for a, b in zip(lengths, lengths[1:], strict=False))


@settings(max_examples=40)
@given(
    rows=st.integers(40, 300),
    columns=st.integers(40, 300),
    resolutions=st.integers(1, 6),
    data=st.data(),
)
def test_openjph_decodes_the_beginning_as_it_does_the_whole(kit, rows, columns, resolutions, data):
    pixels = kit.draw_chest(rows, columns)
    whole = imagecodecs.htj2k_encode(
        pixels, reversible=True, tlm=True, tilepart=1, resolutions=resolutions
    )
    levels = jpeg2000_levels(whole, jpeg2000_size(whole))
    halvings = data.draw(st.integers(1, levels))

    short = cut(whole, halvings)

    decode = imagecodecs.htj2k_decode
    assert np.array_equal(decode(short, skipres=halvings), decode(whole, skipres=halvings))
    assert len(short) < 0.7 * len(whole)
    assert decode(short).shape == pixels.shape


@pytest.mark.parametrize("why", UNTOLD)
def test_a_stream_that_does_not_tell_is_left_alone(kit, openjpeg, why):
    whole = openjpeg(kit.draw_chest(320, 288), *UNTOLD[why])

    with pytest.raises(NeedsWholeFile):
        cut(whole, 2)


def test_colours_are_left_alone():
    rgb = np.zeros((90, 80, 3), np.uint8)
    whole = imagecodecs.htj2k_encode(rgb, reversible=True, tlm=True, tilepart=1)

    with pytest.raises(NeedsWholeFile):
        cut(whole, 2)


def test_resolutions_of_many_precincts_are_told_by_a_syntax_that_divides_them(kit, openjpeg):
    """Six tile-parts of six resolutions, where the transfer syntax makes them mean just that."""
    whole = openjpeg(kit.draw_chest(320, 288), *UNTOLD["precincts in tile-parts"])

    short = cut(whole, 2, is_divided=True)

    assert np.array_equal(reduced(short, 2), reduced(whole, 2))
    assert len(short) < len(whole) / 4


def test_a_number_of_tile_parts_that_is_not_the_resolutions_means_nothing(kit, openjpeg):
    whole = openjpeg(
        kit.draw_chest(320, 288), "-p", "RLCP", "-TP", "L", "-r", "30,10,1", "-c", "[64,64]"
    )

    with pytest.raises(NeedsWholeFile):
        cut(whole, 2, is_divided=True)


@pytest.mark.parametrize("of_tile", [0, 1, 2])
@pytest.mark.parametrize("of_length", [2, 4])
@pytest.mark.parametrize("segments", [1, 2])
def test_lengths_of_tile_parts_come_in_any_width(kit, of_tile, of_length, segments):
    whole = imagecodecs.htj2k_encode(
        kit.draw_chest(150, 130), reversible=True, tlm=True, tilepart=1
    )
    at = whole.index(b"\xff\x55")
    end = at + 2 + int.from_bytes(whole[at + 2 : at + 4])
    lengths = [int.from_bytes(whole[k + 2 : k + 6]) for k in range(at + 6, end, 6)]
    assert sum(lengths) + end == len(whole) - 2
    tlm = b""
    for index, some in enumerate([lengths[:2], lengths[2:]] if segments == 2 else [lengths]):
        body = bytes([index, of_tile << 4 | (of_length == 4) << 6])
        body += b"".join(bytes(of_tile) + n.to_bytes(of_length) for n in some)
        tlm += b"\xff\x55" + (len(body) + 2).to_bytes(2) + body

    short = cut(whole[:at] + tlm + whole[end:], 2)

    assert short == cut(whole, 2)


@pytest.mark.parametrize("options", ORDERS[:6], ids=" ".join)
def test_a_length_that_is_not_true_is_not_believed(kit, openjpeg, options):
    whole = openjpeg(kit.draw_chest(320, 288), *options)
    header = whole.index(b"\xff\x90")
    segments = [at for m in (b"\xff\x55", b"\xff\x58") if 0 < (at := whole.find(m)) < header + 14]
    ends = [(at, at + 2 + int.from_bytes(whole[at + 2 : at + 4])) for at in segments]
    places = [k for start, end in [*ends, (header, header + 12)] for k in range(start, end)]

    for at in places:
        for bit in range(8):
            wrong = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
            try:
                short = cut(wrong, 2)
            except NeedsWholeFile:
                continue
            assert np.array_equal(reduced(short, 2), reduced(wrong, 2))


@settings(max_examples=150)
@given(data=st.data())
def test_a_stream_without_its_end_is_left_alone(kit, data):
    whole = imagecodecs.htj2k_encode(
        kit.draw_chest(150, 130), reversible=True, tlm=True, tilepart=1
    )
    length = data.draw(st.integers(0, len(whole) - 3))

    with pytest.raises(NeedsWholeFile):
        cut(whole[:length], 2)

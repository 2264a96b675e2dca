"""Of a distant file, what is read in part shows the same as what is read whole."""

from dataclasses import replace

import fsspec
import imagecodecs
import numpy as np
import pytest
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate

from cxrview.errors import CannotOpen, NotAnImage, UnreadableImage
from cxrview.image import ReadOptions, open_image
from cxrview.image.dicom.codecs import CODECS
from cxrview.image.dicom.reduced_copy import HEAD_BYTES

SIDE = 128
URL = "counted://x.dcm"
J2K, HTJ2K, RPCL = (f"1.2.840.10008.1.2.4.{k}" for k in (90, 201, 202))
BY_RESOLUTION = {"reversible": True, "tlm": True, "tilepart": 1}
IN_PART = {
    "HTJ2K RPCL, TLM": (RPCL, BY_RESOLUTION),
    "HTJ2K, TLM": (HTJ2K, BY_RESOLUTION),
    "PLT": (J2K, ("-p", "RPCL", "-PLT")),
    "PLT of tile-parts": (J2K, ("-p", "RLCP", "-PLT", "-TP", "R")),
    "TLM": (J2K, ("-p", "RPCL", "-TLM", "-TP", "R")),
    "SOT": (J2K, ("-p", "RPCL", "-TP", "R")),
    "precincts, markers": (J2K, ("-p", "RPCL", "-PLT", "-SOP", "-EPH", "-c", "[256,256]")),
}
WHOLE = {
    "no lengths, HTJ2K": (RPCL, {"reversible": True}),
    "no lengths": (J2K, ("-p", "RPCL")),
    "tiles": (J2K, ("-p", "RPCL", "-PLT", "-t", "512,512")),
    "places first": (J2K, ("-p", "PCRL", "-PLT")),
}


class Piece(AbstractBufferedFile):
    """Fetches what its cache wants, as those of object stores do, and writes it down."""

    def _fetch_range(self, start, end):
        if start and self.fs.is_stubborn and end - start < self.size:
            raise ValueError("this store gives no pieces")
        self.fs.fetched.append((start, end))
        return self.fs.data[start:end]


class Counted(AbstractFileSystem):
    """A store of one file."""

    protocol = "counted"
    data = b""
    is_stubborn = False
    fetched: list[tuple[int, int]] = []

    def info(self, path, **_):
        if "missing" in path:
            raise FileNotFoundError(path)
        return {"name": path, "size": len(self.data), "type": "file"}

    def _open(self, path, mode="rb", block_size=None, cache_options=None, **_):
        return Piece(self, path, mode, block_size or "default", cache_options=cache_options)


@pytest.fixture(scope="module")
def store():
    fsspec.register_implementation("counted", Counted, clobber=True)
    return fsspec.filesystem("counted")


def fetched(store) -> int:
    return sum(end - start for start, end in store.fetched)


def put(store, data: bytes, *, is_stubborn: bool = False) -> None:
    store.data, store.is_stubborn = data, is_stubborn
    store.fetched.clear()


@pytest.fixture(scope="module")
def pack(kit, openjpeg):
    """Make a DICOM file of a chest of 1030 x 902 pixels, compressed in one of many ways."""
    pixels, streams = kit.draw_chest(1030, 902), {}

    def make(way, *, cut: int | None = None, **attributes) -> bytes:
        syntax, how = way
        if str(way) not in streams:
            encode = imagecodecs.htj2k_encode
            streams[str(way)] = (
                encode(pixels, **how) if isinstance(how, dict) else openjpeg(pixels, *how)
            )
        ds = kit.dataset(pixels, BitsStored=12, HighBit=11, **attributes)
        ds.PixelData = encapsulate([streams[str(way)][:cut]])
        ds["PixelData"].VR = "OB"
        return kit.to_bytes(ds, syntax)

    return make


def read_in_part(side: int = SIDE):
    return open_image(URL, side=side).decode_square(side)


def outcome(read):
    """Pixels and all that is known of them but the digest, or why there are none."""
    try:
        radiograph = read()
    except UnreadableImage as error:
        return type(error), error.reason
    instance = replace(radiograph.instance, path="", content_id="")
    return instance, radiograph.pixels.tobytes(), radiograph.warnings, radiograph.is_constant


def assert_as_now(store, data: bytes) -> None:
    put(store, data)
    assert outcome(read_in_part) == outcome(lambda: open_image(data).decode_square(SIDE))


@pytest.mark.parametrize("name", IN_PART)
def test_what_is_read_in_part_is_bit_for_bit_the_reduced_picture(store, pack, name):
    data = pack(IN_PART[name])
    whole = open_image(data).decode_square(SIDE)
    put(store, data)

    part = read_in_part()

    assert np.array_equal(part.pixels, whole.pixels)
    assert part.instance == replace(whole.instance, path=URL, content_id="")
    assert part.warnings == whole.warnings
    assert fetched(store) < len(data) / 4, store.fetched
    assert len(store.fetched) <= (4 if name == "SOT" else 3)


@pytest.mark.parametrize("name", WHOLE)
def test_a_stream_that_does_not_tell_is_read_whole(store, pack, name):
    data = pack(WHOLE[name])
    whole = open_image(data).decode_square(SIDE)
    put(store, data)

    part = read_in_part()

    assert np.array_equal(part.pixels, whole.pixels)
    assert part.instance == replace(whole.instance, path=URL)
    assert fetched(store) == len(data)
    assert len(store.fetched) == 2


@pytest.mark.parametrize(
    "attributes",
    [{"VOILUTFunction": "SIGMOID"}, {"PixelRepresentation": 1}, {"NumberOfFrames": 2}],
    ids=lambda attributes: next(iter(attributes)),
)
def test_what_needs_full_resolution_by_its_header_is_read_whole(store, pack, attributes):
    data = pack(IN_PART["TLM"], **attributes)

    assert_as_now(store, data)

    assert fetched(store) == len(data)


def test_what_needs_full_resolution_by_its_pixels_has_the_rest_fetched(store, pack):
    data = pack(IN_PART["TLM"], PixelPaddingValue=900)
    put(store, data)

    file = open_image(URL, side=SIDE)
    before = fetched(store)
    radiograph = file.decode_square(SIDE)

    assert before < len(data) / 4
    assert fetched(store) <= len(data) + 3 * 4096
    assert radiograph.instance.content_id == open_image(data).instance.content_id
    assert_as_now(store, data)


@pytest.mark.parametrize("side", [64, 300])
def test_who_asks_for_more_than_was_said_gets_it(store, pack, side):
    data = pack(IN_PART["HTJ2K, TLM"])
    put(store, data)
    file, whole = open_image(URL, side=SIDE), open_image(data)

    assert np.array_equal(file.decode_square(side).pixels, whole.decode_square(side).pixels)
    assert np.array_equal(file.decode().pixels, whole.decode().pixels)
    assert fetched(store) < len(data) + 3 * HEAD_BYTES  # the rest once, and not twice
    assert file.decode().instance.content_id == whole.instance.content_id


@pytest.mark.parametrize("how", [{"options": ReadOptions(exact=True), "side": SIDE}, {}])
def test_the_exact_reader_and_those_who_do_not_say_read_all(store, pack, how):
    data = pack(IN_PART["TLM"])
    put(store, data)

    file = open_image(URL, **how)

    assert fetched(store) == len(data)
    assert file.instance.content_id == open_image(data).instance.content_id


def test_nothing_is_decoded_in_full(store, pack, monkeypatch):
    monkeypatch.setattr("cxrview.image.dicom.file.CODECS", dict.fromkeys(CODECS))  # none left

    put(store, pack(IN_PART["PLT"]))

    assert read_in_part().pixels.std() > 10


def test_a_header_longer_than_the_first_piece_is_read_to_its_end(store, pack):
    data = pack(IN_PART["TLM"], ImageComments="x" * 99_000)

    assert_as_now(store, data)

    assert HEAD_BYTES < fetched(store) < len(data) / 2


def test_other_formats_are_read_whole_in_two_reads(store, kit):
    pixels = kit.draw_chest(800, 700)

    for syntax in ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.70"):
        data = kit.build(pixels, syntax, BitsStored=12, HighBit=11)
        assert_as_now(store, data)
        assert (len(store.fetched), fetched(store)) == (2, len(data))


def test_a_small_file_is_read_at_once(store, kit):
    data = kit.build()

    assert_as_now(store, data)

    assert store.fetched == [(0, len(data))]


def test_a_film_costs_its_first_piece(store):
    put(store, b"\x1a\x45\xdf\xa3" * (1 << 20))

    with pytest.raises(NotAnImage):
        read_in_part()

    assert fetched(store) < 2 * HEAD_BYTES


def test_a_store_that_gives_no_pieces_is_read_as_ever(store, pack):
    data = pack(IN_PART["TLM"])
    put(store, data, is_stubborn=True)

    radiograph = read_in_part()

    assert radiograph.instance.content_id == open_image(data).instance.content_id


def test_a_file_that_changes_meanwhile_is_read_anew(store, pack, kit):
    put(store, pack(IN_PART["TLM"], PixelPaddingValue=900))
    file = open_image(URL, side=SIDE)
    put(store, data := kit.build())

    assert outcome(lambda: file.decode_square(SIDE)) == outcome(
        lambda: open_image(data).decode_square(SIDE)
    )


def test_a_file_that_is_not_there_is_told(store):
    put(store, b"")
    with pytest.raises(CannotOpen):
        open_image("counted://missing.dcm", side=SIDE)


often = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@often
@given(name=st.sampled_from(sorted(IN_PART)), data=st.data())
def test_a_file_that_is_cut_fails_as_when_read_whole(store, pack, name, data):
    """In transfer, anywhere; most often where what is left is still worth reading in part."""
    file = pack(IN_PART[name])

    assert_as_now(store, file[: len(file) - data.draw(st.integers(0, len(file) - 1))])


@often
@given(name=st.sampled_from(sorted(IN_PART)), data=st.data())
def test_a_stream_that_was_cut_before_it_was_packed_fails_as_when_read_whole(
    store, pack, name, data
):
    length = len(pack(IN_PART[name]))

    assert_as_now(store, pack(IN_PART[name], cut=-data.draw(st.integers(2, length - 2000))))


@pytest.mark.slow
@often
@given(name=st.sampled_from(sorted(IN_PART)), bit=st.integers(0, 7), data=st.data())
def test_damage_before_the_packets_shows_as_when_read_whole(store, pack, name, bit, data):
    """In elements, offset table and lengths: all but what tells a decoder how to decode."""
    file = pack(IN_PART[name])
    stream = file.index(b"\xff\x4f\xff\x51")
    places = [range(stream), range(file.index(b"\xff\x90"), file.index(b"\xff\x93"))]
    if 0 < (tlm := file.find(b"\xff\x55\0")) < stream + 300:
        places.append(range(tlm + 2, tlm + 2 + int.from_bytes(file[tlm + 2 : tlm + 4])))
    at = data.draw(st.sampled_from([k for some in places for k in some]))

    assert_as_now(store, file[:at] + bytes([file[at] ^ 1 << bit]) + file[at + 1 :])


@pytest.mark.slow
@often
@given(
    name=st.sampled_from(sorted(IN_PART)),
    at=st.floats(0, 0.999),
    junk=st.binary(min_size=1, max_size=40),
)
def test_no_damage_makes_a_file_fail_that_is_read_when_whole(store, pack, name, at, junk):
    file = pack(IN_PART[name])
    start = int(len(file) * at**3)  # most of them in what is read
    broken = file[:start] + junk + file[start + len(junk) :]
    put(store, broken)

    part, whole = outcome(read_in_part), outcome(lambda: open_image(broken).decode_square(SIDE))

    assert len(part) >= len(whole)
    if len(part) == 2:
        assert part == whole


@pytest.mark.parametrize("way", [IN_PART["HTJ2K RPCL, TLM"], IN_PART["PLT"]], ids=str)
def test_values_above_bits_stored_are_told_of_what_is_read_in_part(store, pack, way):
    """Reduced pictures do not tell whether bits continue the value: the rest is fetched."""
    data = pack(way)
    for tag, bits in ((b"\x01\x01", 10), (b"\x02\x01", 9)):
        at = data.index(b"\x28\0" + tag + b"US\2\0") + 8
        data = data[:at] + bytes([bits, 0]) + data[at + 2 :]

    assert_as_now(store, data)
    assert read_in_part().warnings == ("bits_above_stored_used",)

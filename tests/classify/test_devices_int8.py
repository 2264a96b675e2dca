import pytest

from cxrview.classify.devices import is_fast_at_int8

ZEN_4 = "processor\t: 0\nflags\t\t: fpu sse2 avx2 avx512f avx512_vnni\n"
HASWELL = "processor\t: 0\nflags\t\t: fpu sse2 avx avx2 fma\n"
ALDER_LAKE = "processor\t: 0\nflags\t\t: fpu sse2 avx2 avx_vnni\n"
GRAVITON = "processor\t: 0\nFeatures\t: fp asimd asimddp\n"


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (ZEN_4, True),
        (ALDER_LAKE, True),
        (GRAVITON, True),
        (HASWELL, False),
        (ZEN_4 + HASWELL, False),
        ("model name\t: avx512_vnni\n", False),
        ("", False),
    ],
    ids=["zen 4", "alder lake", "graviton", "haswell", "mixed", "a name", "nothing"],
)
def test_a_processor_is_known_by_its_flags(cpuinfo, expected):
    assert is_fast_at_int8(cpuinfo) is expected

"""Tells whether this processor is quick at integers of 8 bits, and whether it is right."""

import platform
import re
from pathlib import Path

QUICK_AT_INT8 = frozenset({"avx512_vnni", "avx_vnni", "asimddp"})
"""Flags of instructions that multiply and add four products of 8 bits at once: VNNI of x86, the
dot product of Arm."""
X86 = frozenset({"x86_64", "amd64", "i386", "i686"})


def is_quick_at_int8(cpuinfo: str | None = None) -> bool:
    """Whether a processor has instructions for dot products of 8 bits.

    Args:
        cpuinfo: as Linux writes /proc/cpuinfo; this machine's where None. Where there is no such
            file, as on macOS and Windows, nothing is known and the answer is no.
    """
    if cpuinfo is None:
        try:
            cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
    lines = re.findall(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    # Of several kinds of core the weakest counts: a thread may run on any.
    return bool(lines) and all(QUICK_AT_INT8 & set(line.split()) for line in lines)


def is_right_at_int8() -> bool:
    """Whether sums of products of 8 bits come out whole here.

    On x86 without VNNI ONNX Runtime makes do with an instruction that adds two such products in 16
    bits, and what does not fit there is lost.
    """
    return platform.machine().lower() not in X86 or is_quick_at_int8()

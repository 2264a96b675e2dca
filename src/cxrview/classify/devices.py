"""The devices that a network runs on: how each wants to be asked, and which are to be had here."""

import contextlib
import io
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from cxrview.errors import NoSuchDevice
from cxrview.terms import Device

FATAL = 4
"""All that ONNX Runtime may log by itself; what else goes wrong, it raises or we say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a device wants to be asked."""

    provider: str
    """ONNX Runtime's name for it."""
    options: Mapping[str, int | str] = field(default_factory=dict)
    call: int
    """Radiographs of every call, filled up where there are fewer: no row may depend on how many
    images came with it, and sums may be rounded otherwise in a call of another size."""
    batch: int
    """Most radiographs that one thread asks about together."""
    lanes: int | None
    """Threads that ask at once; one for each core where None."""


ASKING: Mapping[Device, Asking] = {
    # One thread is no quicker with several radiographs at a time: see docs/benchmarks.md. Batches
    # are there for an archive of small files, where to hand on single ones would cost.
    Device.CPU: Asking(provider="CPUExecutionProvider", call=1, batch=4, lanes=None),
    # One thread fetches the next radiographs while the other waits for the GPU. Without TF32,
    # fp32 means fp32. How a convolution is done follows from its sizes: by default there would be a
    # race, which takes time, and whose winner could round otherwise in the next run.
    Device.CUDA: Asking(
        provider="CUDAExecutionProvider",
        options={"use_tf32": 0, "cudnn_conv_algo_search": "HEURISTIC"},
        call=32,
        batch=32,
        lanes=2,
    ),
}


def onnxruntime_here() -> ModuleType:
    """ONNX Runtime, told to keep to itself."""
    # Since 1.32 it would note down this machine's facts in HOME and send them to its maker.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(FATAL)
    library: ModuleType = onnxruntime
    return library


def is_built_for(device: Device) -> bool:
    """Whether ONNX Runtime was built for it; it may still lack a driver, libraries or the GPU."""
    return ASKING[device].provider in onnxruntime_here().get_available_providers()


def prepare_device(device: Device) -> None:
    """Load what a device needs besides ONNX Runtime.

    Raises:
        NoSuchDevice: ONNX Runtime was not built for it.
    """
    if not is_built_for(device):
        raise NoSuchDevice(
            f"ONNX Runtime finds no device {device} here",
            "Take --device cpu, or install onnxruntime-gpu in place of onnxruntime",
        )
    preload = getattr(onnxruntime_here(), "preload_dlls", None)
    if device is Device.CUDA and preload:  # since 1.21
        # Where CUDA came by pip, no loader finds it by itself. What is missing is printed; the
        # session then says so, too.
        with contextlib.redirect_stdout(io.StringIO()):
            preload()


def unusable(device: Device) -> NoSuchDevice:
    """ONNX Runtime was built for a device, and cannot use it."""
    return NoSuchDevice(
        f"ONNX Runtime was built for {device}, and cannot use it here",
        "See whether nvidia-smi shows a GPU and whether CUDA and cuDNN are there "
        "(pip install 'onnxruntime-gpu[cuda,cudnn]'), or take --device cpu",
    )


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

"""The devices that a model runs on: how each is best called, and which are available here."""

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
"""The only level that ONNX Runtime may log; it raises other errors, or we report them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceProfile:
    """How a device is best called."""

    provider: str
    """ONNX Runtime's name for it."""
    options: Mapping[str, int | str] = field(default_factory=dict)
    call: int
    """Radiographs of every call, padded where there are fewer: no row may depend on how many
    images were in the same call, and sums may be rounded differently in a call of another size."""
    batch: int
    """Most radiographs that one thread sends together."""
    lanes: int | None
    """Threads that call at once; one for each core where None."""


PROFILES: Mapping[Device, DeviceProfile] = {
    # One thread is not faster with several radiographs at a time: see docs/benchmarks.md. Batches
    # are for an archive of small files, where handing over single ones would cost time.
    Device.CPU: DeviceProfile(provider="CPUExecutionProvider", call=1, batch=4, lanes=None),
    # One thread fetches the next radiographs while the other waits for the GPU. Without TF32,
    # fp32 means fp32. The algorithm of a convolution follows from its sizes: by default all are
    # timed, which takes long, and the fastest may round differently in the next run.
    Device.CUDA: DeviceProfile(
        provider="CUDAExecutionProvider",
        options={"use_tf32": 0, "cudnn_conv_algo_search": "HEURISTIC"},
        call=32,
        batch=32,
        lanes=2,
    ),
}


def onnxruntime_here() -> ModuleType:
    """Import ONNX Runtime, without telemetry and logging."""
    # Since 1.32 it would store facts about this machine in HOME and send them to its maker.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(FATAL)
    library: ModuleType = onnxruntime
    return library


def is_built_for(device: Device) -> bool:
    """Whether ONNX Runtime was built for it; driver, libraries or the GPU may still be missing."""
    return PROFILES[device].provider in onnxruntime_here().get_available_providers()


def prepare_device(device: Device) -> None:
    """Load what a device needs besides ONNX Runtime.

    Raises:
        NoSuchDevice: ONNX Runtime was not built for it.
    """
    if not is_built_for(device):
        raise NoSuchDevice(
            f"ONNX Runtime finds no device {device} here",
            "Use --device cpu, or install onnxruntime-gpu in place of onnxruntime",
        )
    preload = getattr(onnxruntime_here(), "preload_dlls", None)
    if device is Device.CUDA and preload:  # since 1.21
        # Where CUDA was installed by pip, no loader finds it. What is missing is printed; the
        # session then reports it, too.
        with contextlib.redirect_stdout(io.StringIO()):
            preload()


def unusable(device: Device) -> NoSuchDevice:
    """The error for a device that ONNX Runtime was built for, and cannot use."""
    return NoSuchDevice(
        f"ONNX Runtime was built for {device}, and cannot use it here",
        "Check that nvidia-smi shows a GPU and that CUDA and cuDNN are installed "
        "(pip install 'onnxruntime-gpu[cuda,cudnn]'), or use --device cpu",
    )


FAST_INT8_FLAGS = frozenset({"avx512_vnni", "avx_vnni", "asimddp"})
"""Flags of instructions that multiply and add four products of 8 bits at once: VNNI of x86, the
dot product of Arm."""
X86 = frozenset({"x86_64", "amd64", "i386", "i686"})


def is_fast_at_int8(cpuinfo: str | None = None) -> bool:
    """Whether a processor has instructions for dot products of 8 bits.

    Args:
        cpuinfo: the text of /proc/cpuinfo; of this machine where None. Where there is no such
            file, as on macOS and Windows, the answer is no.
    """
    if cpuinfo is None:
        try:
            cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
    lines = re.findall(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    # Of several kinds of core the weakest counts: a thread may run on any of them.
    return bool(lines) and all(FAST_INT8_FLAGS & set(line.split()) for line in lines)


def is_exact_at_int8() -> bool:
    """Whether sums of products of 8 bits are exact here.

    On x86 without VNNI ONNX Runtime uses an instruction that adds two such products in 16 bits, and
    larger sums overflow.
    """
    return platform.machine().lower() not in X86 or is_fast_at_int8()

"""The devices that a model runs on (CPU, CUDA): their settings, and which are available here."""

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
"""The only level that ONNX Runtime may log; other errors are raised, or reported by cxrview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceProfile:
    """How to call a device."""

    provider: str
    """ONNX Runtime's name for it."""
    options: Mapping[str, int | str] = field(default_factory=dict)
    call: int
    """Number of radiographs of every call, padded if there are fewer: sums may be rounded
    differently in a call of another size, and no row may depend on the other images of its call."""
    batch: int
    """Maximum number of radiographs that one thread sends together."""
    lanes: int | None
    """Number of threads that call at once; None for one per core."""


PROFILES: Mapping[Device, DeviceProfile] = {
    # One thread is not faster with several radiographs at a time (docs/benchmarks.md). Batches help
    # with archives of small files, where passing single ones between threads would cost time.
    Device.CPU: DeviceProfile(provider="CPUExecutionProvider", call=1, batch=4, lanes=None),
    # One thread fetches the next radiographs while the other waits for the GPU. TF32 would make
    # fp32 less exact. The algorithm of a convolution is chosen by its sizes: the default is to time
    # all algorithms, which takes long, and the fastest may round differently in the next run.
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
    # Since 1.32 it would store facts about this machine in HOME and send them to its publisher.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(FATAL)
    library: ModuleType = onnxruntime
    return library


def is_built_for(device: Device) -> bool:
    """Whether ONNX Runtime was built for a device; its driver or GPU may still be missing."""
    return PROFILES[device].provider in onnxruntime_here().get_available_providers()


def prepare_device(device: Device) -> None:
    """Load the libraries that a device needs besides ONNX Runtime.

    Raises:
        NoSuchDevice: ONNX Runtime was not built for the device.
    """
    if not is_built_for(device):
        raise NoSuchDevice(
            f"ONNX Runtime finds no device {device} here",
            "Use --device cpu, or install onnxruntime-gpu in place of onnxruntime",
        )
    preload = getattr(onnxruntime_here(), "preload_dlls", None)
    if device is Device.CUDA and preload:  # since 1.21
        # The system's loader does not find libraries of CUDA that pip installed. Missing ones are
        # printed here, and the session reports them, too.
        with contextlib.redirect_stdout(io.StringIO()):
            preload()


def unusable(device: Device) -> NoSuchDevice:
    """Return the error for a device that ONNX Runtime was built for but cannot use."""
    return NoSuchDevice(
        f"ONNX Runtime was built for {device}, and cannot use it here",
        "Check that nvidia-smi shows a GPU and that CUDA and cuDNN are installed "
        "(pip install 'onnxruntime-gpu[cuda,cudnn]'), or use --device cpu",
    )


FAST_INT8_FLAGS = frozenset({"avx512_vnni", "avx_vnni", "asimddp"})
"""CPU flags of instructions that multiply and add four products of 8 bits at once: VNNI of x86, the
dot product of Arm."""
X86 = frozenset({"x86_64", "amd64", "i386", "i686"})


def is_fast_at_int8(cpuinfo: str | None = None) -> bool:
    """Whether a processor has instructions for dot products of 8 bits.

    Args:
        cpuinfo: the text of /proc/cpuinfo; None for that of this machine. The result is False if
            the file does not exist, as on macOS and Windows.
    """
    if cpuinfo is None:
        try:
            cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
    lines = re.findall(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    # If the kinds of core differ, all must have it: a thread may run on any of them.
    return bool(lines) and all(FAST_INT8_FLAGS & set(line.split()) for line in lines)


def is_exact_at_int8() -> bool:
    """Whether sums of products of 8 bits are exact here.

    On x86 without VNNI ONNX Runtime uses an instruction that adds two such products in 16 bits, and
    larger sums overflow.
    """
    return platform.machine().lower() not in X86 or is_fast_at_int8()

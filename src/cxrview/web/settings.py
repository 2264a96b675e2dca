"""Settings of the pictures that a server makes for its pages."""

import os
from dataclasses import dataclass

from cxrview.workers.memory import LIMIT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSettings:
    """How pictures are made, and how much memory they may take."""

    picture_workers: int = max(1, min(4, os.cpu_count() or 1))
    """Number of processes that decode images."""
    picture_seconds: float = 30
    """Time limit for one image."""
    picture_memory_bytes: int = LIMIT_BYTES
    """Address space that such a process may use beyond what it starts with."""
    masks_border: bool = False
    """Cover the outer tenth of each picture, since burned-in text can show names."""
    cache_bytes: int = 512 << 20
    """Memory for rendered pictures."""

"""Settings of the annotation server."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cxrview.annotate.web.leases import LEASE_SECONDS
from cxrview.workers.memory import LIMIT_BYTES


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """Settings of one server."""

    hosts: tuple[str, ...] = ("localhost",)
    """Host names that the server accepts, besides its addresses. Others are refused, which prevents
    DNS rebinding."""
    is_https: bool = False
    """Whether browsers use https, to this server or to a proxy in front of it."""
    is_https_only: bool = False
    """Whether to send HSTS: browsers then use only https for this host for a year, on every port,
    which breaks other http services of the host."""
    login_hours: float = 12
    """Hours after which a login ends."""
    lease_seconds: float = LEASE_SECONDS
    """Seconds for which a tab holds the images that it fetched, so that other tabs show others."""
    picture_workers: int = max(1, min(4, os.cpu_count() or 1))
    """Number of processes that decode images."""
    picture_seconds: float = 30
    """Time limit for one image."""
    picture_memory_bytes: int = LIMIT_BYTES
    """Address space that such a process may use beyond what it starts with."""
    cache_bytes: int = 512 << 20
    """Memory for rendered pictures."""
    clock: Callable[[], datetime] = now

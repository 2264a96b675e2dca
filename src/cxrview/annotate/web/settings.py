"""How the annotation room is served."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """What may differ from one server to another."""

    hosts: tuple[str, ...] = ("localhost",)
    """Names that browsers may call the server by, besides its addresses. Any other is refused, so
    that a foreign name that points here (DNS rebinding) opens nothing."""
    is_https: bool = False
    """Whether browsers come by https, to this server or to a proxy before it."""
    is_https_only: bool = False
    """Whether browsers are told to come to this host by https alone for a year (HSTS). It holds for
    every port of the host, so that other services on it by http are shut out."""
    login_hours: float = 12
    """After which a login ends."""
    lease_seconds: float = 120
    """For which a tab holds the images that it fetched, so that another tab shows others."""
    picture_workers: int = max(1, min(4, os.cpu_count() or 1))
    """Processes that read images."""
    picture_seconds: float = 30
    """That one image may take."""
    picture_memory_bytes: int = 4 << 30
    """Address space that such a process may take beyond what it starts with."""
    cache_bytes: int = 512 << 20
    """Of pictures kept in memory."""
    clock: Callable[[], datetime] = now

"""Settings of the annotation server."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cxrview.web.leases import LEASE_SECONDS
from cxrview.web.settings import PictureSettings


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings(PictureSettings):
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
    clock: Callable[[], datetime] = now

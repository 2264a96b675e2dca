"""Secrets of readers' sign-in links, and the day on which each link expires.

The day is part of the secret, so that the stored digest covers it and it cannot be changed.
"""

import re
import secrets
from datetime import UTC, datetime, timedelta

LINK_DAYS = 30
"""Days for which a link is valid."""
_DAY = "%Y%m%d"
_DATED = re.compile(r"[\w-]{43}\.(\d{8})")


def new_link_secret(now: datetime, days: int = LINK_DAYS) -> str:
    """Return 32 random bytes as text, followed by the last day (UTC) on which they are valid."""
    last = now.astimezone(UTC) + timedelta(days=days)
    return f"{secrets.token_urlsafe(32)}.{last.strftime(_DAY)}"


def last_day(secret: str) -> str:
    """Return the last day of a link as YYYYMMDD; empty for a link of an older version."""
    dated = _DATED.fullmatch(secret)
    return dated[1] if dated else ""


def has_ended(secret: str, now: datetime) -> bool:
    """Whether a link's last day is over."""
    day = last_day(secret)
    return bool(day) and now.astimezone(UTC).strftime(_DAY) > day

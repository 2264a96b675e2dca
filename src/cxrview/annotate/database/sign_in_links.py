"""Secrets of the links that sign a reader in, and the day on which each ends.

The day is part of the secret, so that the digest that is kept covers it too: nobody can move it.
"""

import re
import secrets
from datetime import UTC, datetime, timedelta

LINK_DAYS = 30
"""For which a link signs in."""
_DAY = "%Y%m%d"
_DATED = re.compile(r"[\w-]{43}\.(\d{8})")


def new_link_secret(now: datetime, days: int = LINK_DAYS) -> str:
    """Draw 32 random bytes, and write behind them the last day (UTC) on which they are good."""
    last = now.astimezone(UTC) + timedelta(days=days)
    return f"{secrets.token_urlsafe(32)}.{last.strftime(_DAY)}"


def last_day(secret: str) -> str:
    """The last day of a link as YYYYMMDD; empty where it has none, as links of older versions."""
    dated = _DATED.fullmatch(secret)
    return dated[1] if dated else ""


def has_ended(secret: str, now: datetime) -> bool:
    """Whether a link's last day is over."""
    day = last_day(secret)
    return bool(day) and now.astimezone(UTC).strftime(_DAY) > day

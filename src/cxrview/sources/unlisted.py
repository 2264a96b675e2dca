"""What stands in a list of files for those that nobody could list."""

from typing import Self

from cxrview.errors import CannotOpen


class Unlisted(str):
    """A folder or URL whose files could not be had: given out in their place, as a failure.

    Which files are missing is not known, and so not whose share they belong to either: every
    shard tells of it.
    """

    reason: str
    """The system's words; empty where only the opener can say why."""

    def __new__(cls, path: str, reason: str = "") -> Self:
        """Take the path, and the reason in the system's words."""
        made = super().__new__(cls, path)
        made.reason = reason
        return made

    def error(self) -> CannotOpen:
        """What to tell of it."""
        return CannotOpen(
            str(self),
            f"this folder cannot be listed ({self.reason})",
            "Its files are missing: see to its permission or its disk, and run again",
        )

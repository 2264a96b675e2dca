"""Names the extra to install where a library is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from cxrview.errors import UsageError
from cxrview.install_command import install_command


@contextmanager
def needs_extra(name: str, what: str) -> Iterator[None]:
    """Import, within the block, libraries that an extra installs.

    Args:
        name: the extra, such as `train`.
        what: what needs them, such as `training`, for the message.

    Raises:
        UsageError: a library is not installed; the message names it.
    """
    try:
        yield
    except ImportError as error:
        raise UsageError(
            f"{what} needs {error.name}, which is not installed",
            f"Install it with: {install_command(name)}",
        ) from error

"""Report a missing library with the command that installs its extra."""

from collections.abc import Iterator
from contextlib import contextmanager

from cxrview.errors import UsageError
from cxrview.install_command import install_command


@contextmanager
def needs_extra(name: str, what: str) -> Iterator[None]:
    """Raise UsageError if a library of an extra is missing, for the imports in the block.

    Args:
        name: the extra, such as `train`.
        what: the feature that needs them, such as `training`, for the message.

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

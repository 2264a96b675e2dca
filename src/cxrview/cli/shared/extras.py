"""Names the extra to install where a library is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from cxrview.errors import UsageError
from cxrview.install_command import install_command


@contextmanager
def training_extra(what: str) -> Iterator[None]:
    """Import, within the block, libraries that the extra named train installs.

    Args:
        what: what needs them, such as `training`, for the message.

    Raises:
        UsageError: a library is not installed; the message names it.
    """
    with _extra("train", what):
        yield


@contextmanager
def annotation_extra() -> Iterator[None]:
    """Import, within the block, libraries that the extra named annotate installs.

    Raises:
        UsageError: a library is not installed; the message names it.
    """
    with _extra("annotate", "the annotation room"):
        yield


@contextmanager
def report_page_extra() -> Iterator[None]:
    """Import within the block what the extra named audit installs.

    Raises:
        UsageError: a library is not installed; the message names it.
    """
    with _extra("audit", "the page of an audit"):
        yield


@contextmanager
def report_extra() -> Iterator[None]:
    """Import within the block what the extra named sr installs.

    Raises:
        UsageError: a library is not installed; the message names it.
    """
    with _extra("sr", "a structured report"):
        yield


@contextmanager
def _extra(name: str, what: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise UsageError(
            f"{what} needs {error.name}, which is not installed",
            f"Install it with: {install_command(name)}",
        ) from error

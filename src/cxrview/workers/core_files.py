"""Core files, which would hold the pixels and headers that a process has read."""

from contextlib import suppress

_LIMIT = 1
"""Bytes. Linux writes no core file that is smaller than a page, and with this limit does not start
a program of `core_pattern` either, such as systemd-coredump; with 0 it does (core(5))."""


def prevent_core_files() -> None:
    """Let this process, and those that it starts from now on, leave no core file when they crash.

    Nothing happens on Windows, which has no such limit.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0 if most == 0 else _LIMIT, most))

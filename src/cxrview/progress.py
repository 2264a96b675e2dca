"""The callback that does nothing, the default of every progress callback."""


def ignore(*_: object) -> None:
    """Take any progress and do nothing."""

"""The callback that does nothing, the default of every progress callback."""


def ignore(*_: object) -> None:
    """Accept any arguments and do nothing."""

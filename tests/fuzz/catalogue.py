"""The targets: what takes bytes of unknown origin, each with its own file in `targets`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

NAMES = (
    "dicom_reader",
    "raster_readers",
    "writeback_file",
    "rest_body",
    "stow_multipart",
    "c_store_dataset",
    "csv_tables",
    "toml_configuration",
    "model_folder",
    "journals",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target."""

    name: str
    seeds: Callable[[], Sequence[bytes]]
    """Gives inputs that are sound, or odd in a known way."""
    check: Callable[[bytes], None]
    """Ends without an exception, whatever the bytes are."""


def load_target(name: str) -> Target:
    """Load a target; its extras must be installed."""
    module = import_module(f"fuzz.targets.{name}")
    return Target(name=name, seeds=module.seeds, check=module.check)

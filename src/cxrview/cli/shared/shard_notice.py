"""Print, before a shard is read, the settings that all machines must share for `concat`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cxrview.image.pseudonyms import key_condition
from cxrview.terms import Device, Precision

if TYPE_CHECKING:
    from cxrview.classify.model import Model
    from cxrview.classify.plan import RunPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardKey:
    """The key of the pseudonyms of a shard."""

    path: Path
    key: bytes
    is_named: bool
    """Whether the user named its file with --key."""
    is_new: bool
    """Whether it was created for this run."""


def print_shard_notice(plan: "RunPlan", precision: Precision, device: Device) -> None:
    """Print the settings that must agree, if a run reads one of several shards and is not resumed.

    Args:
        plan: of the run.
        precision: as the user asked for it.
        device: likewise.
    """
    shard, key = plan.selection.shard, None
    if shard is None or shard.count == 1 or plan.is_resumed:
        return
    if plan.key_file and isinstance(plan.options.key, bytes):
        key = ShardKey(
            path=plan.key_file,
            key=plan.options.key,
            is_named=not plan.is_default_key,
            is_new=plan.is_new_key,
        )
    print_what_must_agree(str(shard), key, plan.model, precision, device)


def print_what_must_agree(
    shard: str, key: ShardKey | None, model: "Model", precision: Precision, device: Device
) -> None:
    """Print on stderr the automatic choices of this machine, and options by which all agree.

    Nothing is printed if nothing was chosen automatically.

    Args:
        shard: as on the command line, such as 1/2.
        key: of the pseudonyms; None with --identify.
        model: as loaded on this machine.
        precision: as the user asked for it.
        device: likewise.
    """
    chosen = []
    if key and (key.is_new or not key.is_named):
        origin = "created now" if key.is_new else "this machine's own"
        chosen.append(
            f"  patients' key: {key.path} ({origin}; {key_condition(key.key)}); "
            "copy it to all machines before they begin, and name it there with --key"
        )
    if precision is Precision.AUTO:
        chosen.append(
            f"  precision: {model.card.precision}, by the processor; --precision fp32 works on "
            "every machine, int8 is faster where all processors have VNNI"
        )
    uses_cpu = model.backend.name.endswith(Device.CPU)
    if device is Device.AUTO and not uses_cpu:
        chosen.append(f"  device: {model.backend.name}; --device cpu works on every machine")
    if not chosen:
        return
    options = [] if key is None else ["--key", "shared.key" if not key.is_named else str(key.path)]
    options += ["--precision", "fp32" if precision is Precision.AUTO else str(precision)]
    options += [] if uses_cpu else ["--device", "cpu" if device is Device.AUTO else str(device)]
    typer.echo(
        "\n".join(
            [
                f"--shard {shard}: cxrview concat joins only results with the same settings. This "
                "machine chose automatically:",
                *chosen,
                f"Give all machines the same options, such as {' '.join(options)}",
            ]
        ),
        err=True,
    )

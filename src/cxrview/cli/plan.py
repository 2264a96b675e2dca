"""`cxrview plan`: cores, GPUs and hours that a large archive needs, before machines are rented."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.capacity.plan import CapacityPlan

AUTO = "auto"
WIDTH_OF_A_FILE = 120
"""Width in characters if the output is not a terminal."""


def plan(
    images: Annotated[str, typer.Option(metavar="N", help="Images in the archive, such as 1e8.")],
    syntax: Annotated[
        str,
        typer.Option(
            metavar="NAME=SHARE,...",
            help="Shares of transfer syntaxes, which add up to 1; names as cxrview phantom "
            "--list-faults prints them, and j2k. `cxrview classify --estimate` counts them.",
        ),
    ],
    cores: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Cores of all machines.", show_default=False),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(
            metavar="HOURS", help="Instead of --cores: how long it may take.", show_default=False
        ),
    ] = None,
    gpus: Annotated[
        str,
        typer.Option(
            metavar="N|auto",
            help="GPUs that run the model in place of the cores; auto: as many as keep up with "
            "the cores.",
        ),
    ] = "0",
    gpu_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE", help="Images per second of one GPU.", show_default="measured here"
        ),
    ] = None,
    megapixels: Annotated[
        float | None,
        typer.Option(metavar="MP", help="Of an image, on average.", show_default="5.12"),
    ] = None,
    storage_rate: Annotated[
        float | None,
        typer.Option(
            metavar="MB/S",
            help="What storage gives to all machines together.",
            show_default="no limit",
        ),
    ] = None,
    machine_cores: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Cores of one machine.", show_default="those of this one"
        ),
    ] = None,
    overhead: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SHARE",
            help="Core time that a cluster takes in addition, 0.15 for 15 %.",
            show_default="0.15",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="fast|googlenet", help="The model in the package that is run.")
    ] = "fast",
    benchmark: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON file for the measurement of this machine: written if it does not exist, "
            "otherwise read instead of measuring.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compute the cores, GPUs and hours that classifying a large archive needs.

    Measures this machine for about 20 seconds with drawn radiographs, and applies a cost model
    that was fitted to measured runs. Names the resource that limits the run, and prints every
    assumption. Reads none of your files.

    Exit code: 0 done, 2 usage error, 3 the measurement failed.
    """
    from cxrview.capacity.benchmark import benchmark_of
    from cxrview.capacity.cost_model import packaged_cost_model
    from cxrview.capacity.plan import OVERHEAD, Archive, Cluster, parse_shares, plan_capacity

    archive = Archive(
        images=_whole(images, "--images"), shares=parse_shares(syntax), megapixels=megapixels
    )
    cluster = Cluster(
        cores=cores,
        hours=hours,
        gpus=None if gpus == AUTO else _whole(gpus, "--gpus"),
        gpu_images_per_second=gpu_rate,
        storage_megabytes_per_second=storage_rate,
        machine_cores=machine_cores,
        overhead=OVERHEAD if overhead is None else overhead,
    )
    if benchmark is None or not benchmark.exists():
        typer.echo("measuring this machine, for about 20 seconds", err=True)
    measured = benchmark_of(benchmark, list(archive.shares))
    made = plan_capacity(archive, cluster, measured, packaged_cost_model(), model=model)
    _print_plan(made)


def _whole(text: str, option: str) -> int:
    """Read a whole number that may be written with an exponent, such as 1e8."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not (number >= 0 and number.is_integer()):
        raise typer.BadParameter(f"{option} is a whole number, such as 100000 or 1e5; got {text}")
    return int(number)


def _print_plan(plan: "CapacityPlan") -> None:
    from cxrview.cli.shared.tables import number, print_table, text

    print_table(
        [text("assumption", keeps_lines=True), number("value"), text("source")],
        [(one.name, one.value, one.source) for one in plan.assumptions],
        is_ruled=False,
        width_of_a_file=WIDTH_OF_A_FILE,
    )
    print_table(
        [text("resource"), number("amount"), number("hours"), number("in use")],
        [
            (one.name, f"{one.amount:,.0f}", f"{one.hours:,.2f}", f"{one.hours / plan.hours:.0%}")
            for one in plan.resources
        ],
        is_ruled=False,
        width_of_a_file=WIDTH_OF_A_FILE,
    )
    rate = plan.images / plan.hours / 3600
    typer.echo(
        f"{1000 * plan.core_seconds:.1f} ms of a core and {plan.megabytes:.2f} MB an image; "
        f"{rate:,.0f} images and {rate * plan.megabytes:,.0f} MB a second"
    )
    gpus = f", {plural(plan.gpus, 'GPU', form=',')}" if plan.gpus else ""
    typer.echo(
        f"{plural(plan.images, 'image', form=',')}: {plural(plan.cores, 'core', form=',')}{gpus} "
        f"in {plural(plan.machines, 'machine', form=',')}, {plan.hours:,.1f} hours, "
        f"{plan.machine_hours:,.0f} machine-hours, give or take "
        f"{100 * plan.typical_error:.0f} % by the cost model"
    )
    typer.echo(f"limited by: {plan.limit.name}")

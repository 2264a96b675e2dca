"""`cxrview classify --cluster`: a run on many machines, with its progress and its counts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cxrview.terms import Device, Precision

if TYPE_CHECKING:
    from cxrview.classify.inputs import Inputs
    from cxrview.classify.model import Model
    from cxrview.classify.options import ClassifyOptions
    from cxrview.cluster.run import ClusterPlan
    from cxrview.results.result import Result

DEFAULT_FOLDER = "views/"
"""Result of a cluster if no --out is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRunDone:
    """A run on a cluster that has ended.

    Attributes:
        result: complete or not.
        plan: of the run.
    """

    result: "Result"
    plan: "ClusterPlan"

    @property
    def model(self) -> "Model":
        """The model, on this machine."""
        return self.plan.plan.model

    @contextmanager
    def local_result(self) -> Iterator["Result"]:
        """Yield the result with its files on this machine, copied there if they are not."""
        from cxrview.results.result import result_on_disk

        if not self.result.summary.is_complete:
            yield self.result
            return
        with self.plan.destination.local_copy() as outputs:
            yield result_on_disk(outputs)


def refuse_without_cluster(*, out: str, estimate: bool, forget_missing: bool) -> None:
    """Refuse options of `classify` that only one machine has.

    Raises:
        typer.BadParameter: one of them is given.
    """
    if out == "-":
        raise typer.BadParameter("--cluster needs a folder: give --out one, such as views/")
    if estimate:
        raise typer.BadParameter("--estimate reads a sample on this machine: leave out --cluster")
    if forget_missing:
        raise typer.BadParameter(
            "--cluster lists the files once, so that --forget-missing has no meaning: leave it out"
        )


def folder_named(context: typer.Context, out: str) -> str:
    """Return the folder of the result: what --out names, or the default of a cluster."""
    source = context.get_parameter_source("out")
    return DEFAULT_FOLDER if source is not None and source.name == "DEFAULT" else out


def classify_on_cluster(
    inputs: "Inputs",
    cluster: str,
    out: str,
    options: "ClassifyOptions",
    is_time_up: Callable[[], bool],
    *,
    model: str,
    precision: Precision,
    device: Device,
    resume: bool,
    overwrite: bool,
    known: Sequence[Path],
    shard: str | None,
    show: bool,
) -> ClusterRunDone:
    """Run with a progress bar, and print the counts; arguments as for `plan_cluster_run`."""
    from cxrview.cli.shared.progress import progress
    from cxrview.cli.shared.smoke_model import warn_of_smoke_test
    from cxrview.cluster.run import plan_cluster_run

    plan = plan_cluster_run(
        inputs,
        cluster=cluster,
        out=out,
        model=model,
        precision=precision,
        device=device,
        options=options,
        resume=resume,
        overwrite=overwrite,
        known=known,
        shard=shard,
    )
    for folder in plan.plan.empty:
        typer.echo(f"{folder} holds no file: is its disk mounted?", err=True)
    warn_of_smoke_test(plan.plan.model.card)
    run = plan.start()
    with progress("images", run.count) as advance:
        result = run.run(advance, is_time_up, lambda notice: typer.echo(notice, err=True))
    done = ClusterRunDone(result=result, plan=plan)
    _report(done, show=show)
    return done


def _report(done: ClusterRunDone, *, show: bool) -> None:
    """Print the counts on stderr and, with `show`, the table on stdout."""
    from cxrview.cli.classify_report import counts, show_rows, times

    summary, name = done.result.summary, done.plan.destination.name
    lines = [*counts(summary), *times(summary)]
    if summary.is_complete:
        lines.append(f"rows in {name}, failures in {name.rstrip('/')}.failures.csv")
        if show:
            with done.plan.destination.local_copy() as outputs:
                show_rows(outputs)
    else:
        reason = "stopped at --until" if summary.is_time_up else "interrupted"
        lines.append(f"{reason}; the same command with --resume continues")
    typer.echo("\n".join(lines), err=True)

"""`cxrview concat`: joins results of several machines or nights into one."""

from pathlib import Path
from typing import Annotated

import typer

FLAG = ""


def concat(
    parts: Annotated[
        list[Path],
        typer.Argument(
            metavar="PART",
            help="Results of cxrview classify, files or folders of Parquet parts, each with its "
            "failures and its summary beside it.",
            show_default=False,
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="The joined result: .parquet, .csv or .jsonl; a name with / at its end for a "
            "folder of Parquet parts. Failures and a summary are written beside it.",
        ),
    ] = "views.parquet",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", metavar=FLAG, help="Replace a result that stands there.")
    ] = False,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            metavar=FLAG,
            help="Join also where shards are missing or a run was stopped before its end.",
        ),
    ] = False,
    allow_doubled: Annotated[
        bool,
        typer.Option(
            "--allow-doubled",
            metavar=FLAG,
            help="Join also where a shard comes twice or two results have a row for one file; "
            "the first is kept.",
        ),
    ] = False,
) -> None:
    """Join the results of shards or of nights into one table, failures and summary with it.

    All must come from one model, reader and set of cutoffs. Shards of one archive must all be
    there, each once, or once a night where the later left out what was known.

    Exit code: 0 done, 1 done with failures listed, 2 usage error, 3 disk full.
    """
    from cxrview.classify.join import join_results
    from cxrview.classify.outputs import Outputs
    from cxrview.cli.report import counts

    result = Outputs.named(out)
    result.check(overwrite=overwrite, resume=False)
    tally = join_results(parts, result, allow_missing=allow_missing, allow_doubled=allow_doubled)
    lines = [*counts(tally), f"rows in {result.table}, failures in {result.failures}"]
    typer.echo("\n".join(lines), err=True)
    raise typer.Exit(tally.exit_code)

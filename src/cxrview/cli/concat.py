"""`cxrview concat`: join the results of several machines or nights into one."""

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
        bool, typer.Option("--overwrite", metavar=FLAG, help="Replace a result that exists.")
    ] = False,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            metavar=FLAG,
            help="Join even if shards are missing or a run is incomplete.",
        ),
    ] = False,
    allow_doubled: Annotated[
        bool,
        typer.Option(
            "--allow-doubled",
            metavar=FLAG,
            help="Join even if a shard is given twice or two results have a row for one file; "
            "the first is kept.",
        ),
    ] = False,
    allow_different: Annotated[
        bool,
        typer.Option(
            "--allow-different",
            metavar=FLAG,
            help="Join even if settings differ, such as int8 and fp32; the summary names all of "
            "them. model_id says for each row which weights it is from.",
        ),
    ] = False,
    rekey: Annotated[
        Path | None,
        typer.Option(
            metavar="KEY",
            help="Give all patients pseudonyms under this key file: the headers of files that were "
            "read under another key are read again, without their pixels.",
            show_default=False,
        ),
    ] = None,
    without_patients: Annotated[
        bool,
        typer.Option(
            "--without-patients",
            metavar=FLAG,
            help="Leave patient_key empty; with --rekey only where a header cannot be read again.",
        ),
    ] = False,
) -> None:
    """Join the results of shards or nights into one table, with its failures and summary.

    All must have one model, reader, set of cutoffs and key of pseudonyms; a difference is
    reported with the option that joins them nevertheless. All shards of an archive must be
    given, each once, or once per night if the later nights had --known.

    Exit code: 0 done, 1 done with failures listed, 2 usage error, 3 disk full.
    """
    from cxrview.cli.classify_report import counts
    from cxrview.image.pseudonyms import load_key
    from cxrview.results.concat import concat_results
    from cxrview.results.files import Outputs
    from cxrview.results.rekey import Rekey, WithoutPatients

    patients: Rekey | WithoutPatients | None = WithoutPatients() if without_patients else None
    if rekey:
        patients = Rekey(key=load_key(rekey), leaves_out=without_patients)
    result = Outputs.named(out)
    result.check(overwrite=overwrite, resume=False)
    summary = concat_results(
        parts,
        result,
        allow_missing=allow_missing,
        allow_doubled=allow_doubled,
        allow_different=allow_different,
        patients=patients,
    )
    lines = counts(summary)
    if isinstance(patients, Rekey) and patients.missing:
        lines.append(f"patients left out, their headers cannot be read again: {patients.missing}")
    lines += [f"rows in {result.table}, failures in {result.failures}"]
    typer.echo("\n".join(lines), err=True)
    raise typer.Exit(summary.exit_code)

"""`cxrview merge`: override a result by the settled labels of an annotation study."""

from pathlib import Path
from typing import Annotated

import typer

from cxrview.cli.annotate.shared import StudyName, opened
from cxrview.cli.shared.options import refuse_existing
from cxrview.wording import plural


def merge(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="VIEWS",
            help="A result of cxrview classify, or one that was merged before.",
            show_default=False,
        ),
    ],
    study: StudyName,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="The merged result: .parquet, .csv or .jsonl.", show_default=False
        ),
    ],
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="What relative paths in VIEWS are relative to.",
            show_default="the working folder",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a table that exists.")
    ] = False,
) -> None:
    """Override the views of a result by the settled labels of an annotation study.

    The column view_origin says where each view is from.

    Images that readers excluded have no view.

    Exit code: 0 done, 2 usage error, 3 not writable.
    """
    from cxrview.atomic_files import raising_cannot_write
    from cxrview.results.side_files import need_name_of_table, need_no_side_files
    from cxrview.results.tables import table_format

    table_format(out)
    need_name_of_table(out)
    need_no_side_files(out)
    refuse_existing(out, overwrite)
    with opened(study) as store, raising_cannot_write(out):
        from cxrview.annotate.merge import merge_labels

        done = merge_labels(table, store, out, root=root)
    typer.echo(
        f"{plural(done.rows, 'row')} in {out}: {done.labelled} labelled by readers, "
        f"{done.changed} of them against the model, {done.excluded} excluded"
    )
    if done.again:
        typer.echo(
            f"{done.again} of those labelled had a reader's label in {table} already, which does "
            "not say what the model named"
        )
    if done.by_content:
        typer.echo(
            plural(
                done.by_content,
                "of these was found by the bytes of its file, not by its path",
                "of these were found by the bytes of their files, not by their paths",
            )
        )
    if done.replaced:
        typer.echo(
            "cxrview: "
            + plural(
                done.replaced,
                "row is of a file that was replaced after the study was created, and stays",
                "rows are of files that were replaced after the study was created, and stay",
            )
            + " as the model left it. See cxrview annotate verify",
            err=True,
        )

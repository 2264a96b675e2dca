"""`cxrview annotate verify`: check a study, and print a paragraph for a methods section."""

from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.shared import ImagesRoot, StudyName, opened
from cxrview.cli.shared.progress import progress
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.annotate.verify import Verified

_NAMED = 20


def verify(
    study: StudyName,
    root: ImagesRoot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Check the files and the complete log of a study; print a paragraph for a methods section.

    Every file is compared with its digest in the study. Every action is checked: its order, reader,
    image, what it undoes, and whether it can have been blind.

    Example: cxrview annotate verify study.db

    Exit code: 0 no problems, 1 problems listed, 2 usage error.
    """
    with opened(study, root) as store:
        from cxrview.annotate.methods_section import methods_paragraph
        from cxrview.annotate.verify import verify_study

        with progress("files", store.count_images) as advance:
            found = verify_study(store, watch=advance)
        paragraph = methods_paragraph(store)
    if as_json:
        _print_json(found, paragraph)
    else:
        _print(found, paragraph)
    if found.problems:
        raise typer.Exit(1)


def _print(found: "Verified", paragraph: str) -> None:
    content = found.content
    typer.echo(
        f"{plural(content.same, 'file is', 'files are')} as in the study; replaced: "
        f"{len(content.replaced)}, cannot be read: {len(content.missing)}, "
        f"cannot be checked: {content.unknown}"
    )
    typer.echo(
        f"{plural(found.acts, 'act')} in the log, {found.acts - found.counted} of them withdrawn"
    )
    for remark in found.remarks:
        typer.echo(f"note: {remark}")
    for problem in found.problems[:_NAMED]:
        typer.echo(f"wrong: {problem}", err=True)
    if (more := len(found.problems) - _NAMED) > 0:
        typer.echo(f"wrong: and {more} more, see --json", err=True)
    typer.echo("" if found.problems else "nothing is wrong")
    typer.echo(paragraph)


def _print_json(found: "Verified", paragraph: str) -> None:
    import json

    content = found.content
    report = {
        "problems": found.problems,
        "remarks": found.remarks,
        "files": {
            "same": content.same,
            "replaced": len(content.replaced),
            "missing": len(content.missing),
            "unknown": content.unknown,
        },
        "acts": found.acts,
        "counted": found.counted,
        "methods": paragraph,
    }
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False))

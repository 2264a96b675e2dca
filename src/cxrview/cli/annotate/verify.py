"""`cxrview annotate verify`: whether a study holds together, and what a paper says of it."""

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
    """Check a study's files and its whole log, and print a paragraph for a methods section.

    Every file is read and held against the digest in the study; every act against its order, its
    reader, its image, what it undoes, and the closing of the blind round.

    Exit code: 0 nothing is wrong, 1 something is and is listed, 2 usage error.
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
    told = {
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
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False))

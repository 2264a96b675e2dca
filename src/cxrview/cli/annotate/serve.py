"""`cxrview annotate serve`: serve the pages of a study to browsers."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.shared import HOST, IF_MOVED, PORT, ImagesRoot, StudyName, opened
from cxrview.cli.shared.extras import needs_extra
from cxrview.errors import UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.annotate.database.store import ReadingStore


def serve(
    study: StudyName,
    root: ImagesRoot = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Address to listen on; the default accepts only this machine."
        ),
    ] = HOST,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free port.")
    ] = PORT,
    hours: Annotated[
        float, typer.Option(min=0.1, metavar="N", help="Hours after which a login ends.")
    ] = 12,
    reachable: Annotated[
        bool,
        typer.Option(
            "--reachable",
            help="Confirm that other machines may reach ADDRESS and see the study's images.",
        ),
    ] = False,
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="PEM", help="TLS certificate, for https.", show_default=False),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="PEM",
            help="Private key without a passphrase; not needed if the certificate file has it.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="Another host name of this server, such as a proxy's; repeatable.",
            show_default=False,
        ),
    ] = None,
    behind_https: Annotated[
        bool,
        typer.Option(
            "--behind-https", help="A proxy in front of this server speaks https to browsers."
        ),
    ] = False,
    https_only: Annotated[
        bool,
        typer.Option(
            "--https-only",
            help="Send HSTS: browsers then use only https for this host for a year. That breaks "
            "every other http service of the host, on any port.",
        ),
    ] = False,
) -> None:
    """Serve a study to browsers until Ctrl-C. Readers sign in by link or password.

    Example: cxrview annotate serve study.db

    Exit code: 0 done, 2 usage error.
    """
    with needs_extra("annotate", "annotation"):
        from cxrview.annotate.web.run import serve_annotation
        from cxrview.annotate.web.settings import ServeSettings

    settings = ServeSettings(
        login_hours=hours,
        hosts=(*ServeSettings().hosts, *(name or ())),
        is_https=behind_https,
        is_https_only=https_only,
    )
    with opened(study, root) as store, suppress(KeyboardInterrupt):  # the usual way to stop it
        _check_files(store)
        serve_annotation(
            store,
            settings,
            host=host,
            port=port,
            may_be_reached=reachable,
            certificate=certificate,
            key=key,
            when_ready=_print_address,
        )


def _check_files(store: "ReadingStore") -> None:
    """Report missing image files; raise an error if all are missing.

    Otherwise readers would exclude images whose disk is not mounted.

    Raises:
        UsageError: all image files are missing.
    """
    from cxrview.annotate.labels import missing_image_files

    missing, images = missing_image_files(store), store.count_images()
    if not missing:
        return
    of = f"of {plural(images, 'image')} of the study"
    lack = plural(len(missing), f"{of} is missing", f"{of} are missing")
    words = f"{lack}: {missing[0]}"
    if len(missing) == images:
        raise UsageError(words, IF_MOVED)
    typer.echo(f"cxrview: {words}. {IF_MOVED}", err=True)


def _print_address(address: str) -> None:
    typer.echo(
        f"serving at {address}; a reader signs in by {address} and the reader's link /enter#..."
    )

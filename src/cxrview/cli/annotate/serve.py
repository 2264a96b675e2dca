"""`cxrview annotate serve`: the study's pages, for browsers on this machine."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.shared import HOST, IF_MOVED, PORT, ImagesRoot, StudyName, opened
from cxrview.cli.shared.extras import annotation_extra
from cxrview.errors import UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.annotate.database.store import ReadingStore


def serve(
    study: StudyName,
    root: ImagesRoot = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="To listen at; this machine alone by default.")
    ] = HOST,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="To listen at; 0 for any that is free.")
    ] = PORT,
    hours: Annotated[
        float, typer.Option(min=0.1, metavar="N", help="After which a login ends.")
    ] = 12,
    reachable: Annotated[
        bool,
        typer.Option(
            "--reachable",
            help="You mean it that other machines can reach ADDRESS and see the study's images.",
        ),
    ] = False,
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="PEM", help="Of TLS, for https.", show_default=False),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="PEM",
            help="Of the certificate, without a passphrase; not needed where its file holds it.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="Another name that browsers call this server by, such as a proxy's; repeatable.",
            show_default=False,
        ),
    ] = None,
    behind_https: Annotated[
        bool,
        typer.Option("--behind-https", help="A proxy before this server speaks https to browsers."),
    ] = False,
    https_only: Annotated[
        bool,
        typer.Option(
            "--https-only",
            help="Tell browsers to come to this host by https alone for a year (HSTS). That shuts "
            "them out of every other service of the host that speaks http, on any port.",
        ),
    ] = False,
) -> None:
    """Serve a study to browsers until Ctrl-C. Readers enter by their link or by a password.

    Exit code: 0 done, 2 usage error.
    """
    with annotation_extra():
        from cxrview.annotate.web.run import serve_annotation
        from cxrview.annotate.web.settings import ServeSettings

    settings = ServeSettings(
        login_hours=hours,
        hosts=(*ServeSettings().hosts, *(name or ())),
        is_https=behind_https,
        is_https_only=https_only,
    )
    with opened(study, root) as store, suppress(KeyboardInterrupt):  # by which it is ended
        _warn_of_gone(store)
        serve_annotation(
            store,
            settings,
            host=host,
            port=port,
            may_be_reached=reachable,
            certificate=certificate,
            key=key,
            when_ready=_tell,
        )


def _warn_of_gone(store: "ReadingStore") -> None:
    """Say what no reader could see, or refuse where that is all: it would be excluded else.

    Raises:
        UsageError: no image is where it was.
    """
    from cxrview.annotate.labels import gone_images

    gone, images = gone_images(store), store.count_images()
    if not gone:
        return
    of = f"of {plural(images, 'image')} of the study"
    lack = plural(len(gone), f"{of} is not where it was", f"{of} are not where they were")
    words = f"{lack}: {gone[0]}"
    if len(gone) == images:
        raise UsageError(words, IF_MOVED)
    typer.echo(f"cxrview: {words}. {IF_MOVED}", err=True)


def _tell(address: str) -> None:
    typer.echo(
        f"serving at {address}; a reader signs in by {address} and the reader's link /enter#..."
    )

"""The service as one process: everything is started, waits for a signal, and is ended in order."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cxrview.atomic_files import locked
from cxrview.classify.model import load_model
from cxrview.classify.options import ClassifyOptions
from cxrview.errors import CannotWrite, UsageError
from cxrview.image.limits import Limits
from cxrview.service.classifier import Classifier
from cxrview.service.configuration import (
    ClassifySettings,
    Configuration,
    DestinationKind,
    DestinationSettings,
    HttpSettings,
)
from cxrview.service.delivery.deliverer import Deliverer
from cxrview.service.delivery.products import Products
from cxrview.service.delivery.rules import rules_of
from cxrview.service.delivery.sender import DestinationDown, Sender
from cxrview.service.dicom.commitment import Commitments
from cxrview.service.dicom.scp import DicomEntrance
from cxrview.service.engine import Engine
from cxrview.service.log import log_event
from cxrview.service.records import Counts
from cxrview.service.store import Store
from cxrview.workers.memory import bound_freed_memory

if TYPE_CHECKING:
    from cxrview.service.dicomweb.poll import Poller

_HOUSEKEEPING_SECONDS = 3600.0
_END_SECONDS = 10.0
"""Time for a thread to end; what it was doing is done again after the next start."""
_CALLING_AE_TITLE = "CXRVIEW"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Where the service can be reached."""

    dicom: str
    """As `CXRVIEW@127.0.0.1:11112`; empty if it receives nothing by C-STORE."""
    http: str
    """As `http://127.0.0.1:8770`; empty without [http]."""
    counts: Counts
    """Of earlier runs."""


WhenReady = Callable[[Started], None]
"""Called once images can be received."""


class _Part(Protocol):
    """A thread of the service."""

    def start(self) -> None:
        """Start it."""

    def stop(self) -> None:
        """Have it end soon."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""


def serve(configuration: Configuration, when_ready: WhenReady) -> Counts:
    """Serve until SIGINT, SIGTERM or SIGHUP raises KeyboardInterrupt in the main thread.

    Args:
        configuration: checked.
        when_ready: called once images can be received.

    Returns:
        The counts at the end.

    Raises:
        UsageError: another process serves this queue, or an address is not available.
        CannotWrite: the queue cannot be opened.
        InvalidModel: the model cannot be loaded.
    """
    bound_freed_memory()
    store = Store.opened(configuration.queue)
    with closing(store), locked(configuration.queue.folder, "serving"):
        if removed := store.recover():
            log_event("unfinished files removed", count=removed)
        with ExitStack() as stack, suppress(KeyboardInterrupt):
            wait = _start_all(configuration, store, stack)
            wait(when_ready)
        return store.counts()


def _start_all(
    configuration: Configuration, store: Store, stack: ExitStack
) -> Callable[[WhenReady], None]:
    """Start all parts; those that were started last end first, so that nothing more arrives.

    Returns:
        Calls back with the addresses, and waits for the end.
    """
    engine = stack.enter_context(_engine(configuration.classify))
    stack.enter_context(_running([_Housekeeper(store, configuration.queue.keep_days)]))
    commitments = Commitments()
    stack.enter_context(_running(_deliverers(configuration, store, commitments)))
    stack.enter_context(_running([Classifier(store, engine, rules_of(configuration))]))
    pollers = _pollers(configuration, store)
    stack.enter_context(_running(pollers))
    dicom = ""
    if where := configuration.dicom:
        archives = [one.ae_title for one in configuration.destinations.values() if one.commitment]
        entrance = DicomEntrance(where, store, commitments, archives).start()
        stack.callback(entrance.stop)
        dicom = f"{where.ae_title}@{where.host}:{entrance.port}"

    def started(http: str) -> Started:
        return Started(dicom=dicom, http=http, counts=store.counts())

    if configuration.http:
        return _http_server(
            configuration, configuration.http, store, engine, pollers, stack, started
        )

    def wait(when_ready: WhenReady) -> None:
        when_ready(started(""))
        threading.Event().wait()

    return wait


def _http_server(
    configuration: Configuration,
    settings: HttpSettings,
    store: Store,
    engine: Engine,
    pollers: "Sequence[Poller]",
    stack: ExitStack,
    started: Callable[[str], Started],
) -> Callable[[WhenReady], None]:
    """Prepare the server, which then runs in the main thread, where it receives the signals."""
    from cxrview.service.dicomweb.stow_endpoint import STUDIES, stow_router
    from cxrview.service.http.app import service_app
    from cxrview.service.http.batch_jobs import BatchJobs
    from cxrview.service.http.server import service_server

    folder = configuration.queue.folder
    jobs = BatchJobs(engine, folder / "jobs", settings.roots).start()
    stack.callback(jobs.close)
    most_bytes = settings.max_body_mb << 20
    app = service_app(
        engine,
        jobs,
        settings,
        folder,
        store=store,
        routers=[stow_router(store, most_part_bytes=configuration.classify.max_file_mb << 20)],
        file_paths={STUDIES: most_bytes},
        troubles=lambda: [one.trouble for one in pollers if one.trouble],
    )

    def wait(when_ready: WhenReady) -> None:
        try:
            server = service_server(
                app,
                host=settings.host,
                port=settings.port,
                certificate=settings.certificate,
                key=settings.key,
                when_ready=lambda address: when_ready(started(address)),
            )
        except OSError as error:
            raise UsageError("http.certificate or http.key cannot be loaded") from error
        server.run()

    return wait


def check_destinations(configuration: Configuration) -> dict[str, str]:
    """Ask every destination whether it answers, by C-ECHO or a QIDO-RS query.

    Returns:
        By name, why it does not; empty where it does.
    """
    found = {}
    for name, settings in configuration.destinations.items():
        try:
            sender_of(settings, calling_ae_title(configuration)).check()
        except DestinationDown as error:
            found[name] = error.reason
        else:
            found[name] = ""
    return found


def sender_of(
    settings: DestinationSettings, calling: str, commitments: Commitments | None = None
) -> Sender:
    """The sender for a kind of destination."""
    if settings.kind is DestinationKind.DICOM:
        from cxrview.service.delivery.c_store import CStoreSender

        return CStoreSender(settings, calling, commitments)
    from cxrview.service.dicomweb.stow_client import StowSender

    return StowSender(settings)


def calling_ae_title(configuration: Configuration) -> str:
    """The AE title by which the service sends."""
    return configuration.dicom.ae_title if configuration.dicom else _CALLING_AE_TITLE


class _Housekeeper(threading.Thread):
    """Removes images that are not needed any more."""

    def __init__(self, store: Store, keep_days: float) -> None:
        super().__init__(name="housekeeper", daemon=True)
        self._store, self._keep_seconds = store, keep_days * 86400
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def run(self) -> None:
        """Remove them every hour."""
        while True:
            with suppress(CannotWrite):  # tried again in an hour
                if removed := self._store.forget(self._keep_seconds):
                    log_event("old images removed", count=removed)
            if self._stopping.wait(_HOUSEKEEPING_SECONDS):
                return


@contextmanager
def _running(parts: Sequence[_Part]) -> Iterator[None]:
    """Run threads during the block."""
    try:
        for one in parts:
            one.start()
        yield
    finally:
        for one in parts:
            one.stop()
        for one in parts:
            one.join(_END_SECONDS)


def _deliverers(
    configuration: Configuration, store: Store, commitments: Commitments
) -> list[Deliverer]:
    products = Products(store.work_folder, configuration.correction)
    calling = calling_ae_title(configuration)
    return [
        Deliverer(store, name, settings, sender_of(settings, calling, commitments), products)
        for name, settings in configuration.destinations.items()
    ]


def _pollers(configuration: Configuration, store: Store) -> "list[Poller]":
    if not configuration.poll:
        return []
    from cxrview.service.dicomweb.poll import Poller
    from cxrview.service.dicomweb.taken import TakenObjects

    folder = configuration.queue.folder
    return [
        Poller(name, settings, store, TakenObjects.of_peer(folder, name))
        for name, settings in configuration.poll.items()
    ]


def _engine(settings: ClassifySettings) -> Engine:
    model = load_model(settings.model or "default")
    options = ClassifyOptions(
        review_band=settings.review_band,
        chest_cutoff=settings.chest_cutoff,
        workers=settings.workers,
        timeout_seconds=settings.timeout_seconds,
        key=settings.patient_key,
        limits=Limits(
            max_file_bytes=settings.max_file_mb << 20,
            max_pixel_bytes=settings.max_pixel_mb << 20,
        ),
    )
    return Engine(model, options.resolved(model.card))

"""Counts of the service for Prometheus: those of the queue, and those of HTTP."""

from collections.abc import Callable, Iterator
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cxrview.records.classification import Failure, Outcome
from cxrview.service.records import Counts

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_METHODS = ("GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS")


class HasWaiting(Protocol):
    """An engine, as far as it is counted."""

    @property
    def waiting(self) -> int:
        """Number of files without an outcome."""


class HttpMetrics:
    """What HTTP counts itself.

    Args:
        engine: its queue is shown.
        counts: of the queue; None without one.
    """

    def __init__(self, engine: HasWaiting, counts: Callable[[], Counts] | None) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Collector(engine, counts))
        self._requests = Counter(
            "cxrview_http_requests",
            "Requests answered",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._outcomes = Counter(
            "cxrview_rest_outcomes",
            "Files of POST /classify, by decision, or by the code of their failure",
            ("outcome",),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "cxrview_rest_classify_seconds",
            "Time of POST /classify from the header of the request to the outcome",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.answered: dict[str, int] = {}
        """Files of POST /classify, by decision, `failed` for all failures."""

    def count_outcome(self, outcome: Outcome, seconds: float) -> None:
        """Count a file of POST /classify."""
        is_failure = isinstance(outcome, Failure)
        name = outcome.code if isinstance(outcome, Failure) else str(outcome.decision)
        self._outcomes.labels(name).inc()
        self._seconds.observe(seconds)
        kind = "failed" if is_failure else name
        self.answered[kind] = self.answered.get(kind, 0) + 1

    def count_request(self, route: str, method: str, status: int) -> None:
        """Count an answer.

        Args:
            route: template, such as `/jobs/{job}`; empty if there is none.
            method: of HTTP; one that is not known is counted as `other`.
            status: of the answer.
        """
        known = method if method in _METHODS else "other"
        self._requests.labels(route or "none", known, str(status)).inc()

    def text(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self._registry)


class _Collector:
    """Asks the queue for its counts whenever Prometheus asks for them."""

    def __init__(self, engine: HasWaiting, counts: Callable[[], Counts] | None) -> None:
        self._engine, self._counts = engine, counts

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "cxrview_engine_waiting",
            "Files of all entrances that the engine has not classified yet",
            value=self._engine.waiting,
        )
        if self._counts:
            yield from _queue_metrics(self._counts())


def _queue_metrics(counts: Counts) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "cxrview_received", "Images acknowledged, each once", value=counts.received
    )
    yield CounterMetricFamily(
        "cxrview_repeated", "Images that were sent again", value=counts.repeated
    )
    yield CounterMetricFamily(
        "cxrview_conflicting",
        "Images with the SOP Instance UID of another one",
        value=counts.conflicting,
    )
    images = GaugeMetricFamily("cxrview_images", "Images received, by state", labels=["state"])
    for state in ("waiting", "classified", "review", "refused", "failed"):
        images.add_metric([state], getattr(counts, state))
    yield images
    failures = GaugeMetricFamily("cxrview_failures", "Images that failed, by code", labels=["code"])
    for code, number in counts.failures.items():
        failures.add_metric([code], number)
    yield failures
    deliveries = GaugeMetricFamily(
        "cxrview_deliveries",
        "Deliveries, by destination and state",
        labels=["destination", "state"],
    )
    failing = GaugeMetricFamily(
        "cxrview_destination_failing", "1 if nothing can be delivered", labels=["destination"]
    )
    for name, one in counts.destinations.items():
        for state in ("stored", "waiting", "dead"):
            deliveries.add_metric([name, state], getattr(one, state))
        failing.add_metric([name], int(one.failing_since is not None))
    yield deliveries
    yield failing


class CountRequests:
    """Counts every answer, by the template of its route.

    Args:
        app: the application behind it.
        metrics: that count.
    """

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", "")
            self._metrics.count_request(route, scope["method"], status)

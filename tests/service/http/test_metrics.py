import pytest
from prometheus_client.parser import text_string_to_metric_families

from cxrview.service.records import Counts, DestinationCounts
from fixtures.http_service import Queue

COUNTS = Counts(
    received=10,
    waiting=1,
    classified=5,
    review=1,
    refused=1,
    failed=2,
    repeated=3,
    conflicting=1,
    deliveries=6,
    stored=3,
    to_be_stored=2,
    dead=1,
    failures={"truncated": 2},
    destinations={
        "pacs": DestinationCounts(stored=3, waiting=1),
        "archive": DestinationCounts(waiting=1, dead=1, failing_since=5.0, reason="no answer"),
    },
)


@pytest.fixture
def samples(make_service, picture):
    """What Prometheus reads after a few requests: value by name and labels."""
    service = make_service(more={"store": Queue(COUNTS)})
    service.classify(picture().read_bytes())
    service.classify(b"hello")
    service.client.get("/nothing/doe")
    service.client.ask("DOE", "/health")
    answer = service.client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_have_the_counts_of_the_queue(samples):
    expected = {
        ("cxrview_received_total",): 10,
        ("cxrview_repeated_total",): 3,
        ("cxrview_conflicting_total",): 1,
        ("cxrview_images", "waiting"): 1,
        ("cxrview_images", "classified"): 5,
        ("cxrview_images", "failed"): 2,
        ("cxrview_failures", "truncated"): 2,
        ("cxrview_deliveries", "pacs", "stored"): 3,
        ("cxrview_deliveries", "archive", "dead"): 1,
        ("cxrview_destination_failing", "pacs"): 0,
        ("cxrview_destination_failing", "archive"): 1,
        ("cxrview_engine_waiting",): 0,
    }
    assert {key: samples[key] for key in expected} == expected


def test_metrics_have_requests_by_the_template_of_their_route(samples):
    requests = {key[1:]: value for key, value in samples.items() if "http_requests_total" in key[0]}
    assert requests == {
        ("/classify", "200", "POST"): 1,
        ("/classify", "415", "POST"): 1,
        ("404", "GET", "none"): 1,
        ("/health", "405", "other"): 1,
    }


def test_metrics_have_outcomes_and_times(samples):
    outcomes = {key[1]: value for key, value in samples.items() if "outcomes_total" in key[0]}
    assert sum(outcomes.values()) == 2 and outcomes["not_an_image"] == 1
    assert samples[("cxrview_rest_classify_seconds_count",)] == 2
    assert samples[("process_resident_memory_bytes",)] > 1 << 20

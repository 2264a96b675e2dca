"""The OpenAPI description, and a fuzzer that sends what it describes, and what it does not."""

import pytest

from fixtures.http_service import OPTIONS

PATHS = {
    "/",
    "/classify",
    "/health",
    "/jobs",
    "/jobs/{job}",
    "/jobs/{job}/cancel",
    "/jobs/{job}/failures",
    "/jobs/{job}/rows",
    "/jobs/{job}/table",
    "/metrics",
    "/ready",
}


def test_every_route_is_described_with_its_refusals(service):
    described = service.client.get("/openapi.json").json()["paths"]

    assert described.keys() == PATHS
    for path, methods in described.items():
        for method, route in methods.items():
            assert route["summary"] and route["description"], (method, path)
            if path not in ("/health",):
                assert "401" in route["responses"], (method, path)
    assert set(described["/classify"]["post"]["requestBody"]["content"]) == {
        "application/dicom",
        "application/octet-stream",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "multipart/form-data",
    }


def fuzz(app, examples: int) -> list[str]:
    """Send requests of schemathesis to every route, and return what it finds."""
    import schemathesis

    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= len(PATHS)
    return [found for one in operations if (found := finding(one, examples))]


def finding(operation, examples: int) -> str:
    """Send requests to one route, and return what is found first; empty if nothing is."""
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    # Bytes by chance are not an image, which is refused; the description can only say bytes.
    excluded = [positive_data_acceptance] if operation.label == "POST /classify" else []

    @given(case=operation.as_strategy())
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case) -> None:
        case.call_and_validate(excluded_checks=excluded)

    try:
        check()
    except BaseException as error:  # groups of failures are not an Exception in all versions
        return f"{operation.label}: {error}"
    return ""


@pytest.mark.parametrize(
    "examples", [3, pytest.param(30, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_schemathesis_finds_nothing(make_service, tmp_path, model, picture, examples):
    pytest.importorskip("schemathesis", reason="needs schemathesis: pip install schemathesis")
    from cxrview.service.engine import Engine

    films = tmp_path / "films"
    films.mkdir()
    with Engine(model, OPTIONS.resolved(model.card)) as engine:
        service = make_service(of=engine, roots=(films,), hosts=("testserver",))

        assert fuzz(service.app, examples) == []
        assert service.classify(picture().read_bytes()).status_code == 200

import pytest


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/classify/", 404, "not_found"),
        ("GET", "/classify", 405, "method_not_allowed"),
        ("PUT", "/", 405, "method_not_allowed"),
        ("GET", "/jobs/x", 422, "invalid_request"),
        ("GET", "/jobs/j0123456789abcdef", 404, "no_such_job"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
    ],
)
def test_every_refusal_has_a_code_and_a_reason(service, method, path, status, code):
    answer = service.client.ask(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json().keys() == {"code", "reason", "advice"} and answer.json()["reason"]


def test_a_wrong_method_names_the_right_ones(service):
    assert service.client.get("/classify").headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"root": 1}', b'{"root": "a", "zqx": 1}', b'{"zqx": "a"}', b"\xff"]
)
def test_a_request_that_is_invalid_is_not_quoted(service, body):
    answer = service.client.ask(
        "POST", "/jobs", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.json()["code"] == ("bad_request" if body == b"\xff" else "invalid_request")
    assert "zqx" not in answer.text


def test_a_request_without_file_is_small(service):
    answer = service.client.ask("POST", "/jobs", content=b"x" * (1 << 17))

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_an_error_of_ours_is_not_quoted(make_service):
    from fastapi import APIRouter

    router = APIRouter()

    @router.get("/fails")
    def fail() -> None:
        raise ValueError("DOE^JANE in /films")

    answer = make_service(more={"routers": [router]}).client.get("/fails")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "DOE" not in answer.text


def test_troubles_of_other_parts_make_the_service_not_ready(make_service):
    service = make_service(more={"troubles": lambda: ["The ledger is locked"]})

    assert service.client.get("/ready").json()["reason"] == "The ledger is locked"
    assert "The ledger is locked" in service.client.get("/").text


def test_answers_have_security_headers(service):
    for path in ("/", "/health", "/nothing"):
        headers = service.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_certificate_does_not_shut_out_other_services_of_the_host(make_service, tmp_path):
    """Browsers would use https alone for the host, on every port, after one answer with HSTS."""
    service = make_service(certificate=tmp_path / "service.pem", key=tmp_path / "service.key")

    assert "Strict-Transport-Security" not in service.client.get("/health").headers

"""What stands before every route."""

import logging

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cxrview.web.middleware import MOST_BODY_BYTES, RequestGuard

EVERYWHERE = {
    "content-security-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
    "cross-origin-resource-policy",
}


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def fail(request: Request) -> PlainTextResponse:
    raise ValueError("Doe^Jane in /films/x.dcm")


@pytest.fixture
def client(visit):
    routes = [
        Route("/echo", echo, methods=["GET", "POST"]),
        Route("/fail", fail),
    ]
    return visit(RequestGuard(Starlette(routes=routes), ["localhost"], host_advice="Use --name."))


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "", "a@localhost"])
def test_request_guard_refuses_another_host(client, host):
    """Else a page of evil.example, its name turned to point here, could read what we answer."""
    assert client.ask("GET", "/echo", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:8000", "[::1]:8000"])
def test_request_guard_accepts_its_own_names_and_addresses(client, host):
    assert client.ask("GET", "/echo", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:8001"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_request_guard_refuses_changes_by_pages_of_other_sites(client, headers):
    assert client.ask("POST", "/echo", headers=headers).status_code == 403
    assert client.ask("GET", "/echo", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:8765", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost:8765"},  # http from another machine: no Sec-Fetch-Site
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},  # a browser that hides its origin
        {},
    ],
)
def test_request_guard_accepts_changes_by_its_own_pages(client, headers):
    assert client.ask("POST", "/echo", content=b"abc", headers=headers).text == "3"


def test_request_guard_limits_a_body_with_or_without_its_length(client):
    async def pieces():
        for _ in range(MOST_BODY_BYTES // 1000 + 2):
            yield bytes(1000)

    assert client.ask("POST", "/echo", content=bytes(MOST_BODY_BYTES)).status_code == 200
    assert client.ask("POST", "/echo", content=bytes(MOST_BODY_BYTES + 1)).status_code == 413
    assert client.ask("POST", "/echo", content=pieces()).status_code == 413
    assert client.ask("POST", "/echo", headers={"Content-Length": "-1"}).status_code == 413


def test_request_guard_hides_the_message_of_an_error_from_browser_and_log(client, caplog):
    """The message of an exception may quote a row, a path or a header."""
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/fail")

    assert answer.status_code == 500
    assert "Doe" not in answer.text + caplog.text and "/films" not in caplog.text
    assert "test_middleware.py" in caplog.text and "ValueError" in caplog.text


def test_request_guard_says_what_to_do_about_a_refused_host(client):
    answer = client.ask("GET", "/echo", headers={"Host": "study.hospital:8443"})

    assert "study.hospital" in answer.text and "--name" in answer.text
    assert "\xe9" not in client.ask("GET", "/echo", headers={"Host": b"a\xe9b"}).text

"""What stands before every route, tried on an application of three lines and on the real one."""

import logging

import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cxrview.annotate.web.middleware import MOST_BODY_BYTES, RequestGuard

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
    return visit(RequestGuard(Starlette(routes=routes), ["localhost"]))


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "", "a@localhost"])
def test_another_name_opens_nothing(client, host):
    """Else a page of evil.example, its name turned to point here, could read what we answer."""
    assert client.ask("GET", "/echo", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:8000", "[::1]:8000"])
def test_its_own_names_and_addresses_do(client, host):
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
def test_pages_of_other_sites_change_nothing(client, headers):
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
def test_its_own_pages_do(client, headers):
    assert client.ask("POST", "/echo", content=b"abc", headers=headers).text == "3"


def test_a_body_without_end_is_cut_whether_or_not_it_says_so(client):
    async def pieces():
        for _ in range(MOST_BODY_BYTES // 1000 + 2):
            yield bytes(1000)

    assert client.ask("POST", "/echo", content=bytes(MOST_BODY_BYTES)).status_code == 200
    assert client.ask("POST", "/echo", content=bytes(MOST_BODY_BYTES + 1)).status_code == 413
    assert client.ask("POST", "/echo", content=pieces()).status_code == 413
    assert client.ask("POST", "/echo", headers={"Content-Length": "-1"}).status_code == 413


def test_what_breaks_is_told_neither_to_the_browser_nor_to_the_log(client, caplog):
    """The message of an exception may quote a row, a path or a header."""
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/fail")

    assert answer.status_code == 500
    assert "Doe" not in answer.text + caplog.text and "/films" not in caplog.text
    assert "test_middleware.py" in caplog.text and "ValueError" in caplog.text


@pytest.mark.parametrize(
    "address", ["/", "/sign-in", "/nothing", "/api/next", "/static/nothing.js", "/enter/x"]
)
def test_every_answer_carries_the_headers(served, address):
    answer = served.visit().get(address)

    assert set(answer.headers) >= EVERYWHERE
    assert answer.headers["cache-control"] == "no-store"


def test_no_page_may_run_or_look_like_what_stands_in_it(served):
    policy = served.visit().get("/sign-in").headers["content-security-policy"]

    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "img-src 'self';" in policy


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, None), ({"is_https": True}, None), ({"is_https_only": True}, "max-age=31536000")],
)
def test_other_services_of_the_host_are_shut_out_only_where_somebody_says_so(
    make_served, settings, expected
):
    answer = make_served(settings=settings).visit().get("/sign-in")

    assert answer.headers.get("strict-transport-security") == expected


def test_a_refused_name_is_told_with_what_to_do(client):
    answer = client.ask("GET", "/echo", headers={"Host": "study.hospital:8443"})

    assert "study.hospital" in answer.text and "--name" in answer.text
    assert "\xe9" not in client.ask("GET", "/echo", headers={"Host": b"a\xe9b"}).text


async def lose_database(request: Request) -> PlainTextResponse:
    if request.method in request.app.state.lost:
        raise OperationalError("SELECT secret", {}, Exception("Doe^Jane is not there"))
    return PlainTextResponse("fine")


def test_a_database_that_is_gone_is_told_once_and_so_is_its_return(visit, caplog):
    app = Starlette(routes=[Route("/api/x", lose_database, methods=["GET", "POST"])])
    app.add_middleware(
        RequestGuard, hosts=["localhost"]
    )  # as in the real one, within Starlette's own
    client = visit(app)
    app.state.lost = {"GET", "POST"}
    answers = [client.ask(method, "/api/x") for method in ("GET", "POST", "GET")]
    app.state.lost = {"POST"}  # it can be read again, and not written
    client.get("/api/x")
    client.ask("POST", "/api/x")
    app.state.lost = set()
    client.ask("POST", "/api/x")
    client.get("/api/x")

    assert [(one.status_code, one.headers["retry-after"]) for one in answers] == [(503, "5")] * 3
    assert "Readings wait" in answers[0].json()["why"]
    assert "secret" not in caplog.text and "secret" not in answers[0].text
    told = [record.message.split(" (")[0].split(".")[0] for record in caplog.records]
    assert told == [
        "The database cannot be reached or written",
        "The database can be reached again",
        "The database cannot be reached or written",
        "The database can be reached again",
    ]

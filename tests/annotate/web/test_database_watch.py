"""A database that fails is reported once, and so is its return."""

from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cxrview.annotate.web.database_watch import DatabaseWatch
from cxrview.web.middleware import RequestGuard

EVERYWHERE = {
    "content-security-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
    "cross-origin-resource-policy",
}


async def lose_database(request: Request) -> PlainTextResponse:
    if request.method in request.app.state.lost:
        raise OperationalError("SELECT secret", {}, Exception("Doe^Jane is not there"))
    return PlainTextResponse("fine")


def test_a_database_that_is_gone_is_told_once_and_so_is_its_return(visit, caplog):
    app = Starlette(routes=[Route("/api/x", lose_database, methods=["GET", "POST"])])
    app.add_middleware(
        RequestGuard, hosts=["localhost"], storage=DatabaseWatch()
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

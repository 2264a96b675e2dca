"""Who may what, route by route; a route that is not in these tables fails the last test."""

import pytest

from cxrview.annotate.web.app import ROUTERS

ADA, BO, CY = "Ada Lovelace", "Bo Diddley", "Cy Twombly"
PUBLIC = {"/enter/{secret}", "/enter", "/sign-in", "/sign-out", "/favicon.ico"}
PAGES = {
    "/": (200, 200, 200),
    "/read": (200, 200, 403),
    "/grid": (200, 200, 403),
    "/adjudicate": (403, 200, 200),
    "/agreement": (403, 200, 200),
    "/second-look": (403, 409, 409),
    "/keys": (200, 200, 200),
    "/my-readings": (200, 200, 403),
    "/flagged": (403, 200, 200),
}
"""By a reader, by one who reads and adjudicates, by one who only adjudicates."""
GETS = {
    "/api/next?tab=a": (200, 200, 403),
    "/api/grid?tab=a": (200, 200, 403),
    "/api/recent": (200, 200, 200),
    "/api/conflict?tab=a": (403, 200, 200),
    "/api/second-look?tab=a": (403, 409, 409),
    "/api/picture/0123456789abcdef": (404, 404, 404),
    "/api/reading/0123456789abcdef?tab=one": (404, 404, 403),
    "/api/session": (200, 200, 200),
}
POSTS = {
    "/api/readings": (200, 200, 200),
    "/api/close-blind-round": (403, 409, 409),
    "/api/hold": (200, 200, 200),
    "/api/take-over": (200, 200, 200),
}
BODY = {"readings": [], "tab": "one"}
MANAGERS = {
    "/admin",
    "/admin/readers",
    "/admin/readers/{reader_id}/link",
    "/admin/readers/{reader_id}/{change}",
    "/admin/closing",
    "/admin/export/{file}",
    "/admin/labels.csv",
    "/admin/readings.csv",
}
"""Who may what there: routes/test_admin.py."""


@pytest.mark.parametrize("address", PAGES | GETS)
def test_each_sees_what_is_his(served, address):
    seen = tuple(served.visit(who).get(address).status_code for who in (ADA, BO, CY))

    assert seen == (PAGES | GETS)[address]


@pytest.mark.parametrize("address", POSTS)
def test_each_changes_what_is_his(served, address):
    seen = tuple(served.visit(who).post(address, BODY).status_code for who in (ADA, BO, CY))

    assert seen == POSTS[address]


@pytest.mark.parametrize("address", PAGES)
def test_who_is_not_in_is_led_to_the_sign_in(served, address):
    answer = served.visit().get(address)

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("address", GETS)
def test_a_script_of_nobody_is_told_so(served, address):
    assert served.visit().get(address).status_code == 401


@pytest.mark.parametrize("address", POSTS)
def test_nobody_changes_anything_without_the_second_secret(served, address):
    """A page of another site would have the cookie sent along, but cannot read the token."""
    visitor = served.visit(BO)
    for token in ("", "guessed", served.visit(CY).csrf):
        assert visitor.post(address, BODY, **{"X-CSRF-Token": token}).status_code == 403
    assert served.store.blind_round_closed() is None
    assert served.visit().post(address, BODY).status_code == 401


@pytest.mark.parametrize(
    "address",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/api/picture/..%2f..%2fstudy.db",
        "/api/picture/%2fetc%2fpasswd",
        "/api/picture/../../../etc/passwd",
        "/api/picture/Doe_Jane_0.png",
        "/enter/../static/../room.py",
    ],
)
def test_no_path_from_the_browser_reaches_the_disk(served, address):
    answer = served.visit(ADA).get(address)

    assert answer.status_code in (404, 422) or "enter" in address
    assert "import" not in answer.text and "root:" not in answer.text


def test_no_picture_of_another_reader(served):
    showing = served.visit(ADA).next(1)[0]

    assert served.visit(ADA).get(f"/api/picture/{showing}").status_code == 200
    assert served.visit(BO).get(f"/api/picture/{showing}").status_code == 404
    assert served.visit(CY).get(f"/api/picture/{showing}").status_code == 404


def test_no_route_is_forgotten_here():
    known = {address.split("?")[0] for address in PAGES | GETS | POSTS} | PUBLIC | MANAGERS
    known = {a.replace("0123456789abcdef", "{showing}") for a in known}
    routes = [route for router in ROUTERS for route in router.routes]

    assert {route.path for route in routes} == known
    assert {m for route in routes for m in route.methods} <= {"GET", "POST", "HEAD"}

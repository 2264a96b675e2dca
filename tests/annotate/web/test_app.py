"""The application of a study: the headers of every response."""

import pytest

EVERYWHERE = {
    "content-security-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
    "cross-origin-resource-policy",
}


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

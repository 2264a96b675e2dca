import base64

import pytest

from cxrview.errors import UsageError

TOKEN = "t0ken-of-the-service"


@pytest.fixture
def guarded(make_service, tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return make_service(host="0.0.0.0", token_file=file, hosts=("cxrview.example",))


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"any:{password}".encode()).decode()


@pytest.mark.parametrize("sent", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic(TOKEN)])
def test_the_token_lets_in(guarded, sent):
    for path in ("/", "/jobs", "/metrics", "/ready", "/openapi.json", "/static/status.css"):
        answer = guarded.client.ask("GET", path, headers={"Authorization": sent})
        assert answer.status_code == 200, path


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        TOKEN,
        basic("no"),
        "Basic !",
        "Basic 4pyT",
        "x y",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("POST", "/classify"), ("POST", "/jobs"), ("GET", "/metrics"), ("GET", "/no")],
)
def test_others_are_refused(guarded, sent, method, path):
    answer = guarded.client.ask(method, path, headers={"Authorization": sent} if sent else {})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_health_needs_no_token(guarded):
    assert guarded.client.get("/health").json() == {"status": "ok"}


def test_the_description_names_the_token(guarded, make_service):
    sent = {"Authorization": f"Bearer {TOKEN}"}
    schema = guarded.client.ask("GET", "/openapi.json", headers=sent).json()

    assert schema["security"] == [{"token": []}]
    assert schema["paths"]["/health"]["get"]["security"] == []
    assert "security" not in make_service().client.get("/openapi.json").json()


def test_a_name_of_the_configuration_is_known(guarded):
    for host, status in (("cxrview.example", 200), ("10.0.0.1:8770", 200), ("evil.example", 421)):
        answer = guarded.client.ask("GET", "/health", headers={"Host": host})
        assert answer.status_code == status
        assert "evil" not in answer.text


def test_another_site_cannot_send_files(service):
    answer = service.classify(b"x", Origin="http://evil.example")

    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


def test_other_machines_need_a_token(make_service):
    with pytest.raises(UsageError, match="token_file"):
        make_service(host="0.0.0.0")


@pytest.mark.parametrize("content", [b"", b"short", b"with space in the token", b"\xff" * 20, None])
def test_a_token_that_is_not_usable_is_refused(make_service, tmp_path, content):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(UsageError, match="token"):
        make_service(token_file=file)

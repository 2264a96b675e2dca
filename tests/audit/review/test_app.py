"""The application of a review: who may open it, what it shows, and what it writes."""

import secrets
from datetime import UTC, datetime, timedelta

import pytest

from cxrview.audit.decisions import read_decisions
from cxrview.results.tables import each_row, write_table
from cxrview.terms import Projection, Ruling, View
from cxrview.web.leases import LEASE_SECONDS

EVERYWHERE = {"content-security-policy", "x-content-type-options", "x-frame-options"}


def act(showing, act="accept", **values):
    return {"uid": secrets.token_hex(16), "showing": showing, "act": act} | values


def paths(review):
    return [item["path"][-5] for item in review.next(count=20)["items"]]


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/"),
        ("GET", "/?token=wrong"),
        ("GET", "/?token=%ff"),
        ("GET", "/api/next?tab=a"),
        ("GET", "/api/recent"),
        ("GET", "/api/picture/0123456789abcdef"),
        ("GET", "/decisions.csv"),
        ("POST", "/api/decisions"),
        ("POST", "/api/skipped"),
    ],
)
def test_review_app_shows_nothing_without_its_token(review, visit, method, address):
    answer = visit(review.app).ask(method, address)

    assert answer.status_code in (401, 403)
    assert "Doe" not in answer.text and "set-cookie" not in answer.headers
    assert set(answer.headers) >= EVERYWHERE


def test_review_app_writes_nothing_without_the_token_of_a_page(review):
    showing = review.showings()[0]
    review.client.csrf = "x"

    assert review.decide(act(showing)).status_code == 403
    assert len(review.files.log) == 0


def test_review_app_keeps_its_cookie_from_scripts_and_other_sites(review):
    answer = review.client.get("/")

    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=strict" in answer.headers["set-cookie"]


def test_review_app_shows_the_most_doubtful_first_and_what_is_known_of_it(review):
    first, *_ = review.next()["items"]

    assert paths(review) == ["5", "4", "3", "2", "1", "0"]
    assert first | {"showing": "", "path": ""} == {
        "showing": "",
        "path": "",
        "reason": "The header names the other view",
        "header": "PA",
        "header_view": "frontal",
        "proposed": "lateral",
        "by": "model",
        "pfi": 0.5,
    }


@pytest.mark.parametrize(
    ("sent", "view", "projection"),
    [
        ({"act": "accept"}, View.LATERAL, None),
        ({"act": "accept", "projection": "RL"}, View.LATERAL, Projection.RL),
        ({"act": "reject"}, View.FRONTAL, None),
        ({"act": "reject", "projection": "AP"}, View.FRONTAL, Projection.AP),
        ({"act": "unreadable"}, None, None),
    ],
)
def test_decide_writes_what_a_person_decided(review, sent, view, projection):
    showing = review.showings()[0]
    answer = review.decide(act(showing, **sent)).json()
    (written,) = review.files.log.decisions

    assert answer["refused"] == [] and answer["decided"] == 1 and answer["left"] == 5
    assert (written.decision, written.view, written.projection) == (sent["act"], view, projection)
    assert (written.proposed, written.reader) == (View.LATERAL, "ann")
    assert written.path.endswith("5.png") and len(written.content_id) == 32
    assert "5" not in paths(review)


@pytest.mark.parametrize(
    "sent",
    [
        {"act": "accept", "projection": "PA"},
        {"act": "reject", "projection": "LL"},
        {"act": "unreadable", "projection": "LL"},
        {"showing": "0" * 16},
    ],
)
def test_decide_refuses_a_contradiction_and_takes_the_rest(review, sent):
    first, second = review.showings(count=2)
    wrong = act(first) | sent
    answer = review.decide(wrong, act(second)).json()

    assert [one["uid"] for one in answer["refused"]] == [wrong["uid"]]
    assert len(answer["written"]) == len(review.files.log) == 1


@pytest.mark.parametrize(
    "sent", [{"act": "delete"}, {"uid": "x"}, {"showing": "Doe_Jane"}, {"projection": "XX"}]
)
def test_decide_names_an_invalid_field_without_its_value(review, sent):
    answer = review.decide(act(review.showings()[0]) | sent)

    assert answer.status_code == 422
    assert next(iter(sent)) in answer.json()["why"] and "Doe" not in answer.text


def test_decide_undoes_and_shows_the_image_again(review):
    first = act(review.showings()[0], "reject")
    review.decide(first)
    assert review.client.get("/api/recent").json()["items"][0]["said"] == "reject"
    review.decide(act(first["showing"], "undo", undoes=first["uid"]))

    assert review.files.log.decisions == [] and paths(review)[0] == "5"
    assert review.client.get("/api/recent").json()["items"] == []


def test_decide_puts_skipped_images_aside_until_they_are_asked_for(review):
    first, second = (act(showing, "skip") for showing in review.showings(count=2))
    answer = review.decide(first, second).json()
    assert (answer["skipped"], answer["left"]) == (2, 4)
    assert paths(review) == ["3", "2", "1", "0"]
    review.decide(act(second["showing"], "undo"))
    assert paths(review) == ["4", "3", "2", "1", "0"]
    review.client.post("/api/skipped")

    assert paths(review) == ["5", "4", "3", "2", "1", "0"]
    assert review.files.log.path.read_text() == ""


def test_following_gives_two_tabs_different_images(review):
    first, second = review.showings("a", 4), review.showings("b", 4)

    assert (len(first), len(second)) == (4, 2) and not set(first) & set(second)


def test_following_reports_what_another_tab_decided(review):
    held = review.showings("a", 2)
    review.decide(act(held[1]))
    answer = review.next("a", held=",".join(held))

    assert answer["finished"] == [held[1]]
    assert not {item["showing"] for item in answer["items"]} & set(held)


def test_following_keeps_the_images_of_a_tab_that_renews_them(review, monkeypatch):
    clock = [datetime(2026, 3, 1, tzinfo=UTC)]
    monkeypatch.setattr(review.app.state.review, "_clock", lambda: clock[0])
    held = review.showings("a", 2)
    for _ in range(4):
        clock[0] += timedelta(seconds=LEASE_SECONDS / 2)
        assert not review.next("a", count=0, held=",".join(held))["items"]
        assert not set(review.showings("b", 6)) & set(held)

    clock[0] += timedelta(seconds=2 * LEASE_SECONDS)  # such as a computer that slept
    assert set(held) <= set(review.showings("b", 6))
    assert review.next("a", count=0, held=",".join(held))["finished"] == held


def test_two_browsers_lose_nothing(review, visit):
    """Both decide on the same image: both decisions are in the file, and the last one counts."""
    showing = review.showings()[0]
    review.decide(act(showing, "accept"))
    other = visit(review.app)
    other.get("/", token=review.app.state.access.token)
    other.csrf = review.client.csrf
    other.post("/api/decisions", {"actions": [act(showing, "reject")]})

    assert [one.decision for one in review.files.log.decisions] == [Ruling.REJECT]
    assert review.files.log.path.read_text().count('"act": "decide"') == 2


def test_a_review_continues_where_it_stopped(review, make_review):
    review.decide(*(act(showing) for showing in review.showings(count=4)))
    review.files.log.close()
    again = make_review(review.files.table)

    assert again.app.state.review.progress().decided == 4
    assert paths(again) == ["1", "0"]


def test_a_decision_counts_only_for_the_file_that_it_was_made_on(review, make_review):
    review.decide(*(act(showing) for showing in review.showings(count=2)))
    review.files.log.close()
    rows = list(each_row(review.files.table))
    rows[5]["content_id"] = "0" * 32  # classified again, after the file was replaced
    write_table(review.files.table, rows)
    again = make_review(review.files.table)

    assert again.app.state.review.progress().decided == 1
    assert paths(again)[0] == "5"


def test_picture_is_a_grey_image_that_no_browser_keeps(review):
    answer = review.client.get(f"/api/picture/{review.showings()[0]}", edge="256")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "empty_file"), (b"no image", "not_an_image"), (None, "cannot_open")]
)
def test_picture_gives_the_reason_of_a_file_that_cannot_be_read(review, tmp_path, content, code):
    film = tmp_path / "films" / "Doe_Jane_5.png"
    film.unlink()
    if content is not None:
        film.write_bytes(content)
    answer = review.client.get(f"/api/picture/{review.showings()[0]}")

    assert answer.status_code == 422 and answer.json()["why"].startswith(code)
    assert "Doe" not in answer.text


def test_picture_is_refused_where_the_file_was_replaced(review, tmp_path):
    films = tmp_path / "films"
    (films / "Doe_Jane_5.png").write_bytes((films / "Doe_Jane_1.png").read_bytes())
    answer = review.client.get(f"/api/picture/{review.showings()[0]}")

    assert answer.status_code == 422 and answer.json()["why"].startswith("replaced")


def test_export_writes_the_csv_file_and_sends_it(review):
    assert review.client.get("/decisions.csv").status_code == 409
    review.decide(act(review.showings()[0]))
    answer = review.client.get("/decisions.csv")

    assert answer.content == review.files.csv.read_bytes()
    assert "attachment" in answer.headers["content-disposition"]
    assert read_decisions(review.files.csv) == review.files.log.decisions


def test_export_takes_what_was_edited_meanwhile(review):
    review.decide(*(act(showing) for showing in review.showings(count=2)))
    review.client.get("/decisions.csv")
    header, _, last = review.files.csv.read_text().splitlines()
    review.files.csv.write_text(f"{header}\n{last}\n")
    review.client.get("/decisions.csv")

    assert review.app.state.review.progress().decided == 1
    assert "5" in paths(review)


def test_export_refuses_an_edited_file_with_mistakes(review):
    review.decide(act(review.showings()[0]))
    review.client.get("/decisions.csv")
    review.files.csv.write_text(review.files.csv.read_text().replace("accept", "yes"))
    answer = review.client.get("/decisions.csv")

    assert answer.status_code == 409 and "line 2, decision" in answer.json()["why"]
    assert "yes" in review.files.csv.read_text()


def test_a_disk_that_is_full_is_reported_and_nothing_is_acknowledged(review, caplog, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    showing = review.showings()[0]
    with monkeypatch.context() as broken:
        broken.setattr("os.write", fail)
        answer = review.decide(act(showing))

    assert answer.status_code == 507 and "No space" in answer.json()["why"]
    assert "Doe" not in caplog.text
    assert review.decide(act(showing)).json()["decided"] == 1

import re
from datetime import UTC, datetime, timedelta

import pytest

from cxrview.annotate.database.sign_in_links import LINK_DAYS, has_ended, new_link_secret
from cxrview.annotate.web.auth import STALE
from cxrview.annotate.web.login_throttle import FREE_FAILURES

PASSWORD = "a long enough one"


def cookie_of(answer):
    return answer.headers["set-cookie"]


def test_to_look_at_a_link_signs_nobody_in(served):
    """Programs that preview mails open every link."""
    visitor = served.visit()
    answer = visitor.get("/enter")

    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert visitor.get("/read").headers["location"] == "/sign-in"


def test_a_link_of_an_older_version_leads_to_the_page_and_signs_nobody_in(served):
    """A browser sends nothing of what stands behind `#`."""
    answer = served.visit().get("/enter/a-b_secret")

    assert (answer.status_code, answer.headers["location"]) == (303, "/enter#a-b_secret")
    assert "set-cookie" not in answer.headers


def test_a_link_ends_after_thirty_days(served):
    secret = served.secrets["Ada Lovelace"]
    last = (datetime.now(UTC) + timedelta(days=LINK_DAYS)).strftime("%Y%m%d")

    assert secret.endswith(f".{last}")
    assert not has_ended(secret, datetime.now(UTC) + timedelta(days=LINK_DAYS))
    assert has_ended(secret, datetime.now(UTC) + timedelta(days=LINK_DAYS + 1))


def test_nobody_moves_the_last_day_of_a_link(served):
    token, _ = served.secrets["Ada Lovelace"].split(".")

    assert served.visit().send("/enter", secret=f"{token}.29991231").status_code == 403
    assert served.visit().send("/enter", secret=token).status_code == 403


def test_a_link_whose_last_day_is_over_signs_nobody_in(served, monkeypatch):
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(
        "cxrview.annotate.database.logins.new_link_secret", lambda now: new_link_secret(long_ago)
    )
    secret = served.store.new_link(served.readers["Ada Lovelace"].reader_id)

    assert served.visit().send("/enter", secret=secret).status_code == 403


def test_the_button_behind_it_does(served):
    visitor = served.visit()
    answer = visitor.send("/enter", secret=served.secrets["Ada Lovelace"])

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Ada Lovelace" in visitor.get("/").text


def test_no_script_and_no_other_site_gets_at_the_cookie(served):
    answer = served.visit().send("/enter", secret=served.secrets["Ada Lovelace"])

    assert re.search(r"; HttpOnly; Max-Age=43200; Path=/; SameSite=strict$", cookie_of(answer))


def test_under_https_the_cookie_goes_by_https_alone(make_served):
    served = make_served(settings={"is_https": True})
    answer = served.visit().send("/enter", secret=served.secrets["Ada Lovelace"])

    assert cookie_of(answer).startswith("__Host-cxrview_")
    assert "; Secure" in cookie_of(answer)
    assert "strict-transport-security" not in answer.headers  # it would shut other services out


def test_the_store_keeps_neither_secret_nor_token(served, tmp_path):
    visitor = served.visit("Ada Lovelace")
    token = next(iter(visitor.client.cookies.values()))
    served.store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("study.db*"))

    assert token.encode() not in kept
    assert served.secrets["Ada Lovelace"].encode() not in kept


@pytest.mark.parametrize("secret", ["", "x", "x" * 1000, "é\0'--"])
def test_a_wrong_link_lets_nobody_in(served, secret):
    answer = served.visit().send("/enter", secret=secret)

    assert answer.status_code in (403, 422)
    assert "set-cookie" not in answer.headers


def test_name_and_password_let_in(served):
    served.store.set_password(served.readers["Ada Lovelace"].reader_id, PASSWORD)
    client = served.visit()
    wrong = client.send("/sign-in", name="Ada Lovelace", password="another one")
    right = client.send("/sign-in", name="Ada Lovelace", password=PASSWORD)

    assert (wrong.status_code, right.status_code) == (403, 303)
    assert 'value="Ada Lovelace"' in wrong.text
    assert PASSWORD not in wrong.text and "another one" not in wrong.text


def test_guessing_gets_slow_for_the_right_password_too(served):
    served.store.set_password(served.readers["Ada Lovelace"].reader_id, PASSWORD)
    client = served.visit()

    def guess(password):
        return client.send("/sign-in", name="Ada Lovelace", password=password)

    assert {guess("wrong one").status_code for _ in range(FREE_FAILURES)} == {403}

    answer = guess(PASSWORD)

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_guessing_gets_slow_for_every_spelling_of_the_name(served):
    served.store.set_password(served.readers["Ada Lovelace"].reader_id, PASSWORD)
    client = served.visit()
    spellings = ["ada lovelace", "ADA LOVELACE", " Ada lovelace", "aDA lOVELACE", "ada Lovelace"]

    answers = [client.send("/sign-in", name=one, password="wrong one") for one in spellings]

    assert answers[-1].status_code == 429


def test_who_signs_out_is_out_with_a_copy_of_the_cookie_too(served):
    visitor, copy = served.visit("Ada Lovelace"), served.visit()
    copy.client.cookies.update(visitor.client.cookies)
    answer = visitor.send("/sign-out", csrf=visitor.csrf)

    assert answer.headers["location"] == "/sign-in"
    assert answer.headers["clear-site-data"] == '"cache"'
    assert copy.get("/api/next", tab="one").status_code == 401


def test_another_page_cannot_sign_one_out(served):
    visitor = served.visit("Ada Lovelace")

    answer = visitor.send("/sign-out", csrf="guessed")

    assert (answer.status_code, answer.headers[STALE]) == (403, "1")
    assert visitor.get("/").status_code == 200


def test_a_login_ends_by_itself(served):
    visitor = served.visit("Ada Lovelace")
    served.clock.move(hours=11, minutes=59)

    assert visitor.get("/read").status_code == 200

    served.clock.move(minutes=2)

    assert visitor.get("/read").headers["location"] == "/sign-in"
    assert visitor.get("/api/next", tab="one").status_code == 401
    assert visitor.post("/api/readings", {"readings": []}).status_code == 401


def test_a_new_link_ends_the_logins_by_the_old_one(served):
    visitor = served.visit("Ada Lovelace")
    served.store.new_link(served.readers["Ada Lovelace"].reader_id)

    assert visitor.get("/api/next", tab="one").status_code == 401


def test_two_studies_on_one_machine_have_cookies_of_their_own(make_served, tmp_path):
    """Cookies don't know ports: to sign in to one would sign out of the other."""
    names = set()
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        served = make_served(folder=folder)
        names |= set(served.visit("Ada Lovelace").client.cookies)

    assert len(names) == 2

"""The STOW-RS destination: an object is stored only if the server lists it as stored."""

from collections.abc import Callable

import pytest

from cxrview.errors import UsageError
from cxrview.service.configuration import DestinationKind, DestinationSettings
from cxrview.service.delivery.sender import DestinationDown, OutgoingObject
from cxrview.service.dicomweb.stow_client import StowSender
from fixtures.canned_server import server
from fixtures.outgoing import outgoing

UNUSED_PORT = 9  # discard: nothing listens there


def sender(url: str, **more: object) -> StowSender:
    settings = {"kind": DestinationKind.DICOMWEB, "url": url, "timeout_seconds": 10.0, **more}
    return StowSender(DestinationSettings(**settings))


def listed(tag: str, uid: str, **more: int) -> dict[str, object]:
    item: dict[str, object] = {"00081155": {"vr": "UI", "Value": [uid]}}
    item |= {name.lstrip("t"): {"vr": "US", "Value": [code]} for name, code in more.items()}
    return {tag: {"vr": "SQ", "Value": [item]}}


STORED, FAILED = "00081199", "00081198"


def test_stow_sender_stores_the_bytes_of_the_file(entrance, films):
    """The object arrives as it was, so that the store takes it for the same image."""
    answers = list(sender(entrance.url).send([outgoing(film) for film in films]))

    assert [one.is_stored for one in answers] == [True] * len(films)
    arrived = {one.path.read_bytes() for one in entrance.store.next_to_classify(10)}
    assert arrived == {film.read_bytes() for film in films}


def test_stow_sender_sends_its_token(make_entrance, films, tmp_path):
    token = tmp_path / "token"
    token.write_text("a-token-of-32-characters-or-more\n")
    entrance = make_entrance(token_file=token)

    (answer,) = sender(entrance.url, token_file=token).send([outgoing(films[0])])

    assert answer.is_stored
    sender(entrance.url, token_file=token).check()
    with pytest.raises(DestinationDown, match="login"):
        list(sender(entrance.url).send([outgoing(films[0])]))
    with pytest.raises(DestinationDown, match="login"):
        sender(entrance.url).check()


@pytest.mark.parametrize(
    ("status", "body", "is_stored", "reason"),
    [
        (200, lambda uid: listed(STORED, uid), True, ""),
        (202, lambda uid: listed(STORED, uid, t00081196=0xB000), True, "0xB000"),
        (200, lambda uid: listed(STORED, "1.2.3"), False, "does not list"),
        (200, lambda uid: {}, False, "does not list"),
        (200, lambda uid: b"", False, "does not list"),
        (200, lambda uid: b"<html>", False, "understood"),
        (202, lambda uid: listed(FAILED, uid, t00081197=0xA700), False, "0xA700"),
        (409, lambda uid: listed(FAILED, uid, t00081197=0x0122), False, "0x0122"),
        (409, lambda uid: listed(STORED, uid), False, "409"),
        (400, lambda uid: b"no", False, "400"),
        (413, lambda uid: b"no", False, "413"),
        (500, lambda uid: b"no", False, "500"),
    ],
)
def test_stow_sender_counts_an_object_as_stored_only_if_it_is_listed(
    films, status, body: Callable[[str], object], is_stored, reason
):
    one = outgoing(films[0])
    with server(status, body(one.sop_instance_uid)) as url:
        answers = list(sender(url).send([one, one]))

    assert [answer.is_stored for answer in answers] == [is_stored] * 2  # it goes on after a refusal
    assert all(reason in answer.reason for answer in answers)


@pytest.mark.parametrize(
    "media_type", ["application/dicom+json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
def test_stow_sender_takes_an_answer_whose_media_type_has_parameters(films, media_type):
    one = outgoing(films[0])
    headers = {"Content-Type": media_type}
    with server(200, listed(STORED, one.sop_instance_uid), headers) as url:
        (answer,) = sender(url).send([one])

    assert answer.is_stored


@pytest.mark.parametrize("status", [401, 403, 404, 429, 502, 503, 504])
def test_stow_sender_reports_a_server_that_is_down(films, status):
    with server(status, b"no") as url:
        with pytest.raises(DestinationDown):
            list(sender(url).send([outgoing(films[0])]))
        with pytest.raises(DestinationDown):
            sender(url).check()


@pytest.mark.parametrize("status", [0, 408, 429, 502, 503, 504])
def test_stow_sender_blames_the_object_if_the_server_answers_queries(films, status):
    """An object that is too large for a proxy must not hold up all others for ever."""
    with server(status, b"[]", status_of_queries=200) as url:
        answers = list(sender(url).send([outgoing(film) for film in films[:2]]))

    assert [answer.is_stored for answer in answers] == [False, False]
    assert all(answer.reason for answer in answers)


def test_stow_sender_blames_the_server_if_it_ends_every_connection(films):
    with server(0, b"") as url, pytest.raises(DestinationDown):
        list(sender(url).send([outgoing(films[0])]))


def test_stow_sender_reports_a_server_that_does_not_listen(films):
    to_nowhere = sender(f"http://127.0.0.1:{UNUSED_PORT}/dicom-web")

    with pytest.raises(DestinationDown):
        list(to_nowhere.send([outgoing(films[0])]))
    with pytest.raises(DestinationDown):
        to_nowhere.check()


def test_stow_sender_follows_no_redirect(films, entrance):
    """Images go to the server of the configuration and nowhere else."""
    target = {"Location": f"{entrance.url}/studies"}
    with server(307, b"", target) as url, pytest.raises(DestinationDown, match="redirect"):
        list(sender(url).send([outgoing(films[0])]))

    assert entrance.store.counts().received == 0


def test_stow_sender_goes_on_after_a_file_that_is_not_dicom(entrance, films, tmp_path):
    good = outgoing(films[0])
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"no DICOM")
    bad = OutgoingObject(
        delivery=good.delivery,
        path=broken,
        sop_class_uid="1.2",
        sop_instance_uid="1.2.3",
        transfer_syntax="1.2.840.10008.1.2",
    )

    answers = list(sender(entrance.url).send([bad, good]))

    assert [answer.is_stored for answer in answers] == [False, True]


def test_stow_sender_check_takes_a_server_without_searches(entrance):
    sender(entrance.url).check()  # it answers 405


@pytest.mark.parametrize("content", [b"", b"two\nlines", b"\xff\xfe"])
def test_connect_refuses_a_token_file_without_a_token(tmp_path, content):
    token = tmp_path / "token"
    token.write_bytes(content)

    with pytest.raises(UsageError):
        sender("http://127.0.0.1/dicom-web", token_file=token)
    with pytest.raises(UsageError):
        sender("http://127.0.0.1/dicom-web", token_file=tmp_path / "missing")

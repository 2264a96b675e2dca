"""Blindness: all that goes over the wire of a reader's or an adjudicator's browser is searched for
what it must not know. The labels are words of their own, so that a view's name anywhere is a leak.
"""

import socket
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from cxrview.image.fetch import file_content_id
from cxrview.terms import Action, View

pytestmark = pytest.mark.slow

CHOICES = "upright:f,sideways:l"
PFI = 73.0421
NOTE = "known-by-the-first-reader-alone"
FIRST, SENIOR = "Adelheid-First", "Bonifatius-Senior"


def test_nothing_on_the_wire_tells_a_reader_or_an_adjudicator_what_he_must_not_know(
    serve, browser, hand, roles, phantoms, study_of, wire
):
    readers = dict(zip((FIRST, SENIOR), roles.values(), strict=True))
    served = serve(8, readers, images=secretive(study_of(phantoms)[:8], phantoms), choices=CHOICES)
    secret = always_secret(served)

    # What the first says, and the note, must not reach the senior while he reads.
    heard = wire(served)
    first = served.enter(browser(), FIRST)
    keys = hand(first)
    first.keyboard.press("n")
    first.keyboard.type(NOTE)
    first.keyboard.press("Enter")
    for _ in range(8):
        keys.press("f")
    for page in ("/grid", "/keys", "/"):
        first.goto(served.address + page)
    served.wait_for_readings(8, Action.LABEL)
    assert_unknown(heard, [*secret, SENIOR])
    assert NOTE.encode() in b"".join(heard)

    heard = wire(served)
    senior = served.enter(browser(), SENIOR)
    keys = hand(senior)
    senior.goto(f"{served.address}/agreement")
    senior.goto(f"{served.address}/read")
    hand(senior)
    for _ in range(8):
        keys.press("l")
    served.wait_for_readings(16, Action.LABEL)
    assert_unknown(heard, [*secret, FIRST, NOTE])

    # Adjudicating he sees both sides and the note, and still not whose they are.
    heard = wire(served)
    senior = served.enter(browser(), SENIOR, "/adjudicate")
    settling = hand(senior)
    for _ in range(7):
        settling.press("f")
    senior.goto(f"{served.address}/agreement")
    assert NOTE.encode() in b"".join(heard)
    assert_unknown(heard, [*secret, FIRST])


def secretive(images, folder):
    """Images of which the study knows everything that a reader must not."""
    return [
        replace(
            image,
            source="secret-source",
            patient="PAT-Secret^Patient",
            study="1.2.826.0.1.3680043.8.498.1",
            content_id=file_content_id(folder / image.path),  # another one's is refused
            stratum="review|secret-source",
            model_view="frontal",
            model_decision="classified",
            pfi=PFI,
            header_view=View.LATERAL,
        )
        for image in images
    ]


def always_secret(served):
    """Words that must be nowhere."""
    from cxrview.annotate.database.store import open_readings

    with closing(open_readings(str(served.where))) as store:
        images = store.images()
        words = {image.path for image in images} | {image.content_id for image in images}
        words |= {image.image_id for image in images} | {store.study.study_id, store.study.root}
    names = {path.rsplit("/", 1)[-1] for path in words}
    views = {"frontal", "lateral", "classified", str(PFI)[:5]}
    return sorted(words | names | views | {"secret-source", "PAT-Secret", "1.2.826", "PAT00"})


def assert_unknown(heard, words):
    whole = b"".join(heard)
    assert whole.count(b"GET /api/picture/") >= 7
    assert not {word for word in words if word.encode() in whole}


@pytest.fixture
def wire():
    """Stand between the browsers and a server from now on; gives the list of all that passes."""
    listeners = []

    def stand_between(served):
        heard = []
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        server = served.__dict__.setdefault("behind", served.port)
        threading.Thread(target=accept, args=(listener, server, heard), daemon=True).start()
        served.port = listener.getsockname()[1]
        return heard

    yield stand_between
    for listener in listeners:
        listener.close()


def accept(listener, port, heard):
    while True:
        try:
            browser, _ = listener.accept()
        except OSError:  # closed at the end of the test
            return
        server = socket.create_connection(("127.0.0.1", port))
        for ends in ((browser, server), (server, browser)):
            threading.Thread(target=relay, args=(*ends, heard), daemon=True).start()


def relay(source, target, heard):
    with source, closing(target):
        try:
            while part := source.recv(1 << 16):
                heard.append(part)
                target.sendall(part)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:  # the other end has gone
            return

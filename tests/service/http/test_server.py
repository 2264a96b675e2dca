"""Clients that do not behave, before a real socket: each is refused, and the service stays up."""

import http.client
import json
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from cxrview.service.http import server
from fixtures.http_service import SECONDS, read_all

HEAD = b"POST /classify HTTP/1.1\r\nHost: localhost\r\n"


def request(content: bytes, *headers: str) -> bytes:
    more = "".join(f"{one}\r\n" for one in headers).encode()
    return (
        HEAD
        + b"Content-Length: %d\r\nConnection: close\r\n" % len(content)
        + more
        + b"\r\n"
        + content
    )


def refusal(answer: bytes) -> tuple[int, str]:
    """Status and code of a refusal."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["code"]


def read_until(connection: socket.socket, text: bytes) -> bytes:
    answer = b""
    while text not in answer:
        assert (piece := connection.recv(1 << 16))
        answer += piece
    return answer


def status(answer: bytes) -> int:
    return int(answer.split()[1])


@pytest.fixture
def is_up(picture):
    """Check that a file is still classified, and that nothing is left on the disk."""
    content = picture().read_bytes()

    def check(listening) -> None:
        assert status(listening.send(request(content))) == 200
        assert listening.service.uploads() == []

    return check


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",  # a TLS client
        b"nonsense\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1, 2\r\n\r\n",
        HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * (1 << 17),
    ],
)
def test_what_is_not_http_is_refused(listen, is_up, sent):
    listening = listen()

    assert refusal(listening.send(sent)) == (400, "bad_request")
    is_up(listening)


def test_a_broken_chunk_is_refused(listen, is_up):
    listening = listen()

    answer = listening.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")

    assert status(answer) == 400
    is_up(listening)


@pytest.mark.parametrize("length", [b"1048577", b"99999999999", b"99999999999999999999"])
def test_a_huge_length_is_refused_before_the_body(listen, is_up, length):
    listening = listen()

    with listening.connect() as connection:
        connection.sendall(HEAD + b"Connection: close\r\nContent-Length: " + length + b"\r\n\r\n")
        assert refusal(read_all(connection)) in ((413, "body_too_large"), (400, "bad_request"))
    is_up(listening)


def test_a_client_that_waits_is_not_asked_for_a_large_body(listen):
    head = HEAD + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 99999999\r\n\r\n"

    answer = listen().send(head)

    assert refusal(answer) == (413, "body_too_large") and b"100 Continue" not in answer


def test_a_length_that_is_too_short_harms_nobody(listen, is_up, picture):
    listening = listen()
    content = picture().read_bytes()

    answer = listening.send(HEAD + b"Content-Length: 10\r\n\r\n" + content)

    assert status(answer) in (415, 422)
    is_up(listening)


def test_a_client_that_hangs_up_in_the_middle_leaves_nothing(listen, is_up):
    listening = listen()

    with listening.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\nhalf")

    end = time.monotonic() + SECONDS
    while listening.service.uploads() and time.monotonic() < end:
        time.sleep(0.05)
    is_up(listening)


def test_a_body_that_arrives_slowly_is_cut_off(listen, is_up):
    listening = listen(timeout_seconds=1)

    with listening.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        stop = threading.Event()

        def drip() -> None:
            try:
                while not stop.wait(0.1):
                    connection.sendall(b"x")
            except OSError:  # it was cut off
                pass

        thread = threading.Thread(target=drip)
        thread.start()
        answer = read_until(connection, b"}")
        stop.set()
        thread.join()

    assert refusal(answer) == (408, "slow_client")
    is_up(listening)


@pytest.mark.parametrize("sent", [b"", b"G", HEAD, HEAD + b"X: "])
def test_a_header_that_arrives_slowly_is_cut_off(listen, is_up, monkeypatch, sent):
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)
    listening = listen()

    with listening.connect() as connection:
        connection.sendall(sent)
        assert refusal(read_all(connection)) == (408, "slow_client")
    is_up(listening)


def test_a_body_that_is_not_wanted_is_cut_off(listen, monkeypatch):
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)
    listening = listen()

    with listening.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 99999999\r\n\r\n")
        read_until(connection, b"body_too_large")
        with pytest.raises(OSError):
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                connection.sendall(b"x" * (1 << 10))
                time.sleep(0.01)


def test_a_client_that_takes_no_answer_is_cut_off(listen, is_up, monkeypatch):
    monkeypatch.setattr(server, "WRITE_SECONDS", 0.5)
    listening = listen()
    get = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"

    with listening.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(0.2)
        end, is_cut_off = time.monotonic() + SECONDS, False
        while not is_cut_off and time.monotonic() < end:  # and reads nothing
            try:
                connection.sendall(get * 50)
            except TimeoutError:
                pass
            except OSError:
                is_cut_off = True

    assert is_cut_off
    is_up(listening)


def test_a_quick_client_keeps_its_connection(listen, monkeypatch):
    monkeypatch.setattr(server, "HEADER_SECONDS", 1.0)
    connection = http.client.HTTPConnection("127.0.0.1", listen().port, timeout=SECONDS)
    connection.connect()
    connection.auto_open = 0  # a closed connection would be an error

    for _ in range(3):
        connection.request("GET", "/health")
        assert json.load(connection.getresponse()) == {"status": "ok"}
        time.sleep(0.4)
    connection.close()


def test_200_clients_at_a_time_are_answered_or_told_to_come_back(listen, is_up, picture):
    listening = listen(max_requests=8)
    sent = request(picture().read_bytes())

    with ThreadPoolExecutor(200) as clients:
        answers = list(clients.map(lambda _: listening.send(sent), range(200)))

    statuses = Counter(status(answer) for answer in answers)
    assert statuses.total() == 200 and set(statuses) <= {200, 429}
    assert statuses[200] >= 8
    is_up(listening)

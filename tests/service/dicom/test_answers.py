"""The thread of an association must not take the answer to a request of our side."""

import threading
from types import SimpleNamespace

import pytest
from pynetdicom import AE

from cxrview.service.dicom.answers import keep_answers

VERIFICATION = "1.2.840.10008.1.1"


class Provider:
    """The messages of an association; looking for one can be held up."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.is_looking, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()

    def get_msg(self, block: bool = False):
        self.is_looking.set()
        assert self.goes_on.wait(30)
        return (1, self.messages.pop()) if self.messages else (None, None)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def association(provider):
    return keep_answers(SimpleNamespace(dimse=provider, _reactor_checkpoint=threading.Event()))


def test_while_a_request_is_sent_only_it_gets_the_answer(association, provider):
    association._reactor_checkpoint.clear()
    provider.messages = ["answer"]

    assert provider.get_msg(block=False) == (None, None)
    assert provider.get_msg(block=True) == (1, "answer")


def test_without_a_request_of_ours_the_thread_takes_messages(association, provider):
    provider.messages = ["request of the other side"]

    assert provider.get_msg() == (1, "request of the other side")


def test_a_request_begins_after_the_thread_has_looked(association, provider):
    provider.goes_on.clear()
    thread = threading.Thread(target=provider.get_msg)
    thread.start()
    assert provider.is_looking.wait(30)
    request = threading.Thread(target=association._reactor_checkpoint.clear)
    request.start()
    request.join(0.05)

    assert association._reactor_checkpoint.is_set()
    provider.goes_on.set()
    request.join(30)
    thread.join(30)
    assert not association._reactor_checkpoint.is_set()


def test_pynetdicom_pauses_its_thread_by_the_event_that_is_replaced():
    server = AE(ae_title="PACS")
    server.add_supported_context(VERIFICATION)
    listening = server.start_server(("127.0.0.1", 0), block=False)
    client = AE(ae_title="CR1")
    client.add_requested_context(VERIFICATION)
    association = client.associate(*listening.socket.getsockname())
    assert type(association._reactor_checkpoint) is threading.Event
    looked = []
    take = association.dimse.get_msg
    association.dimse.get_msg = lambda block=False: looked.append(block) or take(block)
    paused = []
    keep_answers(association)
    clear = association._reactor_checkpoint.clear
    association._reactor_checkpoint.clear = lambda: paused.append(clear())

    assert association.send_c_echo().Status == 0x0000
    assert (len(paused), looked.count(True)) == (1, 1)
    association.release()
    server.shutdown()

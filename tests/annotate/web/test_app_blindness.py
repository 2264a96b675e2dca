"""All that a reader and an adjudicator are sent before the blind round is closed, searched."""

import httpx

ADA, BO, CY = "Ada Lovelace", "Bo Diddley", "Cy Twombly"
FORBIDDEN = (
    b"Doe_Jane",  # file names
    b"films",
    b"patient-7713",
    b"ward-42",
    b"1.2.840.99999",
    b"13.579",  # what the model said
    b"classified",
)


class Tape:
    """Everything that one browser is sent: headers and bodies."""

    def __init__(self, visitor):
        self.heard = b""
        visitor.client.event_hooks = {"response": [self._hear]}

    async def _hear(self, response: httpx.Response) -> None:
        await response.aread()
        heads = [name + b": " + value for name, value in response.headers.raw]
        self.heard += b"\n".join([str(response.url).encode(), *heads, response.content])


def look_at_everything(visitor, showings):
    for address in ("/", "/read", "/grid", "/keys", "/adjudicate", "/agreement", "/second-look"):
        visitor.get(address)
    for address in ("/api/recent", "/api/next", "/api/grid", "/api/conflict", "/api/second-look"):
        visitor.get(address, tab="one")
    for showing in showings:
        for edge in ("256", "1536", "full"):
            visitor.get(f"/api/picture/{showing}", edge=edge)


def own_names(served):
    """Ids of images and of the study, and the other readers' secrets: nobody's business."""
    images = [image.image_id.encode() for image in served.store.images()]
    return [*images, served.store.study.study_id.encode()]


def test_a_reader_is_sent_nothing_but_pictures_and_what_he_said_himself(served):
    served.read_all(BO, lambda path: {"label": "lateral", "note": "Bo wrote this"})
    visitor = served.visit(ADA)
    tape = Tape(visitor)
    showings = visitor.next(8)
    look_at_everything(visitor, showings)
    visitor.read(*map(served.act, showings[:6]))
    look_at_everything(visitor, showings)

    assert len(tape.heard) > 20_000
    for word in (*FORBIDDEN, *own_names(served), b"Diddley", b"Bo wrote", b"agreed", b"awaiting"):
        assert word not in tape.heard, word


def test_an_adjudicator_is_sent_both_sides_and_no_name_but_his_own(served):
    served.read_all(ADA, lambda path: {"label": "frontal", "note": "slightly turned"})
    served.read_all(BO, lambda path: {"label": "lateral"})
    visitor = served.visit(CY)
    tape = Tape(visitor)
    while item := visitor.get("/api/conflict", tab="one").json()["item"]:
        look_at_everything(visitor, [item["showing"]])
        visitor.read(served.act(item["showing"]))

    assert b"slightly turned" in tape.heard
    for word in (*FORBIDDEN, *own_names(served), b"Diddley", b"Lovelace"):
        assert word not in tape.heard, word


def test_two_readers_of_the_same_image_have_no_id_in_common(served):
    shown = [set(served.visit(name).next(99)) for name in (ADA, BO)]

    assert len(shown[0]) == len(shown[1]) == 8
    assert not shown[0] & shown[1]


def test_a_hidden_repeat_looks_like_any_other(make_served):
    served = make_served(repeat_share=1.0)
    visitor = served.visit(ADA)
    first = visitor.next(99)
    visitor.read(*map(served.act, first))
    again = visitor.get("/api/next", tab="one", count=99).json()

    assert len(again["items"]) == len(first)
    assert not set(first) & {item["showing"] for item in again["items"]}
    assert [item | {"showing": ""} for item in again["items"]] == [
        {"showing": "", "note": "", "flagged": False}
    ] * len(again["items"])

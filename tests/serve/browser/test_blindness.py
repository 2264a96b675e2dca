"""Blindness: whatever a reader's or an adjudicator's browser was sent is searched for what it must
not know. The labels are words of their own, so that a view's name anywhere is a leak."""

import secrets
from dataclasses import replace

from cxrview.terms import Act, View

CHOICES = "upright:f,sideways:l"
PFI = 73.0421


def test_no_traffic_of_a_reader_or_an_adjudicator_tells_what_it_must_not(
    serve, browser, hand, roles, phantoms, study_of
):
    served = serve(8, roles, images=secretive(study_of(phantoms)[:8]), choices=CHOICES)
    heard = {name: [] for name in roles}
    contexts = {name: listening(browser, heard[name]) for name in roles}

    # What Ann says, and the note that she leaves, must not reach Bo while he reads.
    ann = served.enter(contexts["Ann"], "Ann")
    keys = hand(ann)
    ann.keyboard.press("n")
    ann.keyboard.type("known-by-ann-alone")
    ann.keyboard.press("Enter")
    for _ in range(8):
        keys.press("f")
    ann.goto(f"{served.address}/grid")
    ann.goto(f"{served.address}/")
    served.wait_for_readings(8, Act.LABEL)

    bo = served.enter(contexts["Bo"], "Bo")
    keys = hand(bo)
    for _ in range(8):
        keys.press("l")
    served.wait_for_readings(16, Act.LABEL)
    for name in roles:
        assert_unknown(heard[name], always_secret(served))
    assert_unknown(heard["Bo"], ["known-by-ann-alone", "Ann"])
    assert_unknown(heard["Ann"], ["Bo"])

    # Adjudicating, he sees both sides and the note, and still not whose they are.
    heard["Bo"].clear()
    bo.goto(f"{served.address}/adjudicate")
    settling = hand(bo)
    for _ in range(8):
        settling.press("f")
    bo.goto(f"{served.address}/agreement")
    assert any(b"known-by-ann-alone" in part for part in heard["Bo"])
    assert_unknown(heard["Bo"], ["Ann", *always_secret(served)])


def secretive(images):
    """Images of which the study knows everything that a reader must not."""
    return [
        replace(
            image,
            source="secret-source",
            patient="PAT-Secret^Patient",
            study="1.2.826.0.1.3680043.8.498.1",
            content_id=secrets.token_hex(16),
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
    from contextlib import closing

    from cxrview.store.readings import open_readings

    with closing(open_readings(str(served.where))) as store:
        images = store.images()
        words = {image.path for image in images} | {image.content_id for image in images}
        words |= {image.image_id for image in images} | {store.study.study_id, store.study.root}
    names = {path.rsplit("/", 1)[-1] for path in words}
    views = {"frontal", "lateral", "classified", str(PFI)[:5]}
    return sorted(words | names | views | {"secret-source", "PAT-Secret", "1.2.826", "PAT0"})


def listening(browser, heard):
    """A browser all of whose traffic, headers and bodies and both ways, is kept."""
    context = browser()

    def keep(response):
        request = response.request
        headers = {**request.all_headers(), **response.all_headers()}
        heard.append(repr((request.url, headers, request.post_data)).encode())
        if response.status not in (204, 303, 304):
            heard.append(response.body())

    context.on("requestfinished", lambda request: keep(request.response()))
    return context


def assert_unknown(heard, words):
    assert len(heard) > 10
    # The static pages and scripts are the same for everybody, and tell of views in their comments.
    found = {word for word in words for part in heard if word.encode() in part}
    assert not found

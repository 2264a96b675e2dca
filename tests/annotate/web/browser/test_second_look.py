"""The second look: closed until the blind round is, then the model's opinion beside the label."""

from dataclasses import replace

import pytest

from cxrview.terms import Action, ReadingRound
from fixtures.browsers import wait_for_text

pytestmark = pytest.mark.slow


def test_it_opens_with_the_closing_of_the_blind_round(
    serve, browser, hand, roles, phantoms, study_of
):
    images = [replace(one, model_view="lateral", pfi=2.5) for one in study_of(phantoms)[:3]]
    served = serve(3, roles, images=images)
    pages = {name: served.enter(browser(), name) for name in roles}
    for page in pages.values():
        keys = hand(page)
        for _ in range(3):
            keys.press("f")
    served.wait_for_readings(6)
    bo = pages["Bo"]
    assert bo.goto(f"{served.address}/second-look").status == 409
    bo.get_by_role("button", name="Close the blind round").click()
    bo.wait_for_timeout(700)
    bo.get_by_role("dialog").get_by_role("button", name="Close permanently").click()
    bo.get_by_role("link", name="Second look").first.click()

    keys = hand(bo)
    wait_for_text(bo, "#verdict", "frontal")
    wait_for_text(bo, "#model-view", "lateral")
    wait_for_text(bo, "#pfi", "2.5 %")
    keys.press("l")
    keys.press("k")
    looks = [
        one
        for one in served.wait_for_readings(8, Action.LABEL)
        if one.round is not ReadingRound.BLIND
    ]
    assert [(one.round, one.label) for one in looks] == [
        (ReadingRound.SECOND_LOOK, "lateral"),
        (ReadingRound.SECOND_LOOK, "frontal"),
    ]

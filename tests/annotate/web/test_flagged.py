"""What readers flagged is listed for adjudicators, without names and not before they have read."""

import re

ADA, BO, CY = "Ada Lovelace", "Bo Diddley", "Cy Twombly"


def flag(served, name, count, note=""):
    """Have a reader label and flag the first images of the reader's list; returns their ids."""
    visitor, reader = served.visit(name), served.readers[name]
    showings = visitor.next(count)
    visitor.read(*(served.act(one, note=note) for one in showings))
    visitor.read(*(served.act(one, "flag") for one in showings))
    return [served.app.state.study_state.place_of(reader, one)[0] for one in showings]


def listed(page):
    return re.findall(r'src="/api/picture/([0-9a-f]{16})', page)


def test_flagged_lists_images_with_notes_and_names_nobody(served):
    flag(served, ADA, 2, note="hidden rib")

    cy = served.visit(CY)
    page = cy.get("/flagged").text

    assert len(listed(page)) == 2 and "hidden rib" in page and "awaiting" in page
    assert not any(name in page for name in (ADA, BO))
    assert all(cy.get(f"/api/picture/{one}").status_code == 200 for one in listed(page))
    assert cy.get("/flagged", after=1).status_code == 200


def test_flagged_images_are_revealed_to_the_adjudicator_once(served):
    image_ids = flag(served, ADA, 2)
    cy = served.visit(CY)
    for _ in range(2):
        cy.get("/flagged")

    reveals = served.store.reveals()
    assert sorted(one.image_id for one in reveals) == sorted(image_ids)
    assert {one.reader_id for one in reveals} == {served.readers[CY].reader_id}


def test_flagged_leaves_out_what_the_adjudicator_has_still_to_read(served):
    flag(served, ADA, 8)
    bo = served.visit(BO)

    assert listed(bo.get("/flagged").text) == []
    bo.read(served.act(bo.next(1)[0]))
    assert len(listed(bo.get("/flagged").text)) == 1


def test_flagged_is_for_adjudicators(served):
    assert served.visit(ADA).get("/flagged").status_code == 403


def test_a_flag_that_is_taken_back_closes_the_picture_again(served):
    flag(served, ADA, 1)
    cy, ada = served.visit(CY), served.visit(ADA)
    (showing,) = listed(cy.get("/flagged").text)
    own = re.findall(r'open=([0-9a-f]{16})"', ada.get("/my-readings", show="flagged").text)[0]
    ada.read(served.act(own, "unflag"))

    assert listed(cy.get("/flagged").text) == []
    assert cy.get(f"/api/picture/{showing}").status_code == 404

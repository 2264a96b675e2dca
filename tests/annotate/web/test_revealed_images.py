"""Who has seen what others say of an image is not given it to read blind."""

from cxrview.terms import Role

ADA, BO = "Ada Lovelace", "Bo Diddley"


def withdrawn_after_a_conflict(make_served, *, others=()):
    """Bo, who settles as well, is shown a conflict of two others, one of whom is then withdrawn."""
    served = make_served(images=12)
    for name in ("Di Prima", *others):
        reader, secret = served.store.add_reader(name, {Role.READER})
        served.readers[name], served.secrets[name] = reader, secret
    served.clock.move(seconds=2)
    for name, label in ((ADA, "frontal"), ("Di Prima", "lateral"), (BO, "frontal")):
        served.read_all(name, lambda path, label=label: {"label": label})
    bo, state = served.visit(BO), served.app.state.study_state
    shown = set()
    while item := bo.get("/api/conflict", tab="one").json()["item"]:
        shown.add(state.place_of(served.readers[BO], item["showing"])[0])
        bo.read(served.act(item["showing"]))
    own = {one.image_id for one in state.list_of(served.readers[BO]).showings}
    served.store.retire_reader(served.readers["Di Prima"].reader_id, withdraw=True)
    served.clock.move(seconds=2)
    assert shown - own
    return served, shown - own


def test_an_image_that_a_reader_was_shown_as_a_conflict_is_not_given_to_be_read(make_served):
    served, shown = withdrawn_after_a_conflict(make_served)

    served.read_all(ADA, lambda path: {"label": "frontal"})
    served.read_all(BO, lambda path: {"label": "frontal"})  # none of it is refused

    state = served.app.state.study_state
    assert not state.has_blind_left(served.readers[BO])
    assert state.count_without_reader() == len(shown)


def test_such_an_image_goes_to_another_reader(make_served):
    served, shown = withdrawn_after_a_conflict(make_served)
    reader, served.secrets["Ed"] = served.store.add_reader("Ed", {Role.READER})
    served.readers["Ed"] = reader
    served.clock.move(seconds=2)
    for name in (ADA, BO, "Ed"):
        served.read_all(name, lambda path: {"label": "frontal"})

    state = served.app.state.study_state
    assert state.count_without_reader() == 0
    assert shown <= {one.image_id for one in state.list_of(reader).showings}
    assert {one.how for one in state.label_statuses.all().values()} == {"agreed"}


def test_the_manager_is_told_of_images_that_nobody_can_read_blind(make_served):
    served, shown = withdrawn_after_a_conflict(make_served)
    _, secret = served.store.add_reader("Eva", {Role.MANAGER})
    served.secrets["Eva"] = secret

    page = served.visit("Eva").get("/admin").text

    assert "without a reader" in page
    assert f'<dd class="error">{len(shown)}</dd>' in page


def test_who_saw_it_as_an_adjudicator_and_reads_later_does_not_get_it(make_served):
    served = make_served(images=4)
    served.read_all(ADA, lambda path: {"label": "frontal"})
    served.read_all(BO, lambda path: {"label": "lateral"})
    served.visit("Cy Twombly").get("/api/conflict", tab="one")
    cy, bo = served.readers["Cy Twombly"].reader_id, served.readers[BO].reader_id
    served.store.add_roles(cy, {Role.READER})
    served.store.retire_reader(bo, withdraw=True)
    served.clock.move(seconds=2)

    served.read_all("Cy Twombly", lambda path: {"label": "frontal"})

    read = {one.image_id for one in served.store.readings() if one.reader_id == cy}
    assert len(read) == 3

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from cxrview.classify.decide import decide
from cxrview.classify.options import NO_REVIEW
from cxrview.records.classification import Instance
from cxrview.records.model_card import ModelCard
from cxrview.terms import Agreement, Decision, View

CARD = ModelCard(
    model_id="m",
    weights_sha256="",
    input_side=256,
    cutoff=62.5,
    paper_cutoff=99.6,
    review_band=(20.0, 90.0),
    precision="",
)
percent = st.floats(0, 100)


def instance(view: View | None = None) -> Instance:
    return Instance(path="x", content_id="", header_view=view)


@given(pfi=percent)
def test_an_image_is_classified_outside_the_band_and_only_there(pfi):
    decided = decide(instance(), pfi, CARD)

    assert (decided.decision is Decision.REVIEW) == (20.0 <= round(pfi, 3) <= 90.0)
    assert (decided.view is None) == (decided.decision is Decision.REVIEW)


@given(pfi=percent)
def test_without_a_band_the_cutoff_decides_every_image(pfi):
    decided = decide(instance(), pfi, CARD, review_band=NO_REVIEW)

    assert decided.view is (View.FRONTAL if round(pfi, 3) >= 62.5 else View.LATERAL)


@given(pfi=percent, band=st.tuples(percent, percent).map(sorted))
def test_the_ends_of_a_users_band_are_in_it(pfi, band):
    decided = decide(instance(), pfi, CARD, review_band=tuple(band))

    assert (decided.decision is Decision.REVIEW) == (band[0] <= round(pfi, 3) <= band[1])


@given(pfi=percent, claimed=st.sampled_from([None, *View]))
def test_agreement_is_with_the_header_and_only_of_what_is_classified(pfi, claimed):
    decided = decide(instance(claimed), pfi, CARD)

    if decided.view is None:
        assert decided.agreement is None
    elif claimed is None:
        assert decided.agreement is Agreement.SILENT
    else:
        assert (decided.agreement is Agreement.AGREES) == (decided.view is claimed)


@given(pfi=percent)
def test_a_constant_image_is_never_decided(pfi):
    decided = decide(instance(), pfi, CARD, review_band=NO_REVIEW, is_constant=True)

    assert (decided.decision, decided.warnings) == (Decision.REVIEW, ("constant_image",))


@given(pfi=percent, chest=percent)
def test_what_is_no_chest_has_no_view_whatever_its_pfi(pfi, chest):
    card = dataclasses.replace(CARD, chest_cutoff=40.0)

    decided = decide(instance(), pfi, card, chest=chest)

    assert (decided.decision is Decision.NOT_CHEST) == (round(chest, 3) < 40.0)
    assert (decided.chest, decided.pfi) == (round(chest, 3), round(pfi, 3))
    if decided.decision is not Decision.NOT_CHEST:
        assert decided == dataclasses.replace(decide(instance(), pfi, card), chest=decided.chest)


@given(pfi=percent, chest=percent)
def test_a_chest_cutoff_of_0_refuses_nothing(pfi, chest):
    card = dataclasses.replace(CARD, chest_cutoff=40.0)

    decided = decide(instance(), pfi, card, chest=chest, chest_cutoff=0)

    assert decided.decision is not Decision.NOT_CHEST


def test_a_constant_image_is_for_a_person_even_where_it_is_no_chest():
    card = dataclasses.replace(CARD, chest_cutoff=40.0)

    assert decide(instance(), 99, card, chest=1, is_constant=True).decision is Decision.REVIEW

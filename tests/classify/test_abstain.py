from hypothesis import given
from hypothesis import strategies as st

from cxrview.classify.abstain import NO_REVIEW, decide
from cxrview.records import Instance, ModelCard
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

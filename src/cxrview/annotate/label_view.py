"""Which view a study's label is one of, whichever label set the study has."""

from cxrview.terms import Projection, View

_VIEWS = {
    **{view.value.casefold(): view for view in View},
    **{projection.value.casefold(): projection.view for projection in Projection},
}


def label_view(label: str) -> View | None:
    """frontal, PA and AP are frontal; lateral, LL and RL lateral; any other label has no view."""
    return _VIEWS.get(label.casefold())

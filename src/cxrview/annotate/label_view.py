"""Which view a study's label is one of, whichever label set the study has."""

from cxrview.image.dicom.view_position import view_of_word
from cxrview.terms import View


def label_view(label: str) -> View | None:
    """frontal, PA and AP are frontal; lateral, LL and RL lateral; others as `view_of_word`."""
    return view_of_word(label)

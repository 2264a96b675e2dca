"""Records of an evaluation."""

import pytest

from cxrview.records.evaluation import Box


def test_box_parse_takes_pixels_and_percent_alike():
    assert Box.parse("10,20,30,40", 200) == Box(row=5, column=10, rows=15, columns=20)
    assert Box.parse("5%, 10%, 15%,20%", 200) == Box(row=5, column=10, rows=15, columns=20)


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "0,0,1,300", "0,0,0.1%,10%", "-1,0,5,5", ""])
def test_box_parse_refuses_what_is_not_a_box_of_the_picture(text):
    with pytest.raises(ValueError):
        Box.parse(text, 256)

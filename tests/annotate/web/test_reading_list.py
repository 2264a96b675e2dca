from hypothesis import given
from hypothesis import strategies as st

from cxrview.annotate.web.reading_list import ReadingList
from cxrview.annotate.worklist import Showing

LETTERS = "abcdefghij"
EVERYTHING = lambda showing: True  # noqa: E731


def showings(*names: str) -> list[Showing]:
    """`a` the first time, `a2` as its hidden repeat."""
    return [Showing(name, name[0], int(name.endswith("2"))) for name in names]


def names(reading_list: ReadingList, count: int = 99) -> list[str]:
    return [one.showing_id for one in reading_list.following(count, EVERYTHING)]


def test_what_is_read_does_not_come_again_until_it_is_taken_back():
    reading_list = ReadingList(showings("a", "b", "c"))
    reading_list.mark("a", 0, is_read=True, is_postponed=False)

    assert names(reading_list) == ["b", "c"]
    assert (reading_list.done, reading_list.left) == (1, 2)

    reading_list.mark("a", 0, is_read=False, is_postponed=False)

    assert names(reading_list) == ["a", "b", "c"]
    assert (reading_list.done, reading_list.left) == (0, 3)


def test_what_is_put_off_comes_last_in_the_order_in_which_it_was():
    reading_list = ReadingList(showings("a", "b", "c", "d"))
    for name in "cab":
        reading_list.mark(name, 0, is_read=False, is_postponed=True)

    assert names(reading_list) == ["d", "c", "a", "b"]

    reading_list.mark("c", 0, is_read=False, is_postponed=True)

    assert names(reading_list) == ["d", "a", "b", "c"]


def test_a_hidden_repeat_waits_for_its_first_showing():
    """Else a page of sixty thumbnails would show the same image twice."""
    reading_list = ReadingList(showings("a", "b", "a2", "c"))

    assert names(reading_list) == ["a", "b", "c"]

    reading_list.mark("a", 0, is_read=True, is_postponed=False)

    assert names(reading_list) == ["b", "a2", "c"]


@given(
    marks=st.lists(
        st.tuples(st.integers(0, 9), st.booleans(), st.booleans()).filter(
            lambda mark: not (mark[1] and mark[2])
        )
    )
)
def test_it_gives_what_going_through_the_whole_list_would(marks):
    reading_list = ReadingList(showings(*LETTERS))
    is_read, put_off = set(), []
    for number, read, postponed in marks:
        reading_list.following(1, EVERYTHING)
        reading_list.mark(LETTERS[number], 0, is_read=read, is_postponed=postponed)
        is_read = is_read | {number} if read else is_read - {number}
        put_off = [n for n in put_off if n != number] + [number] * postponed
    ahead = [LETTERS[n] for n in range(10) if n not in is_read and n not in put_off]

    assert names(reading_list) == ahead + [LETTERS[n] for n in put_off]
    assert reading_list.done == len(is_read)

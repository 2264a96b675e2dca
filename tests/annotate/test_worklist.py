"""Each reader's own order: reproducible, untouched by who or what comes later, telling nothing."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from cxrview.annotate.worklist import REPEAT_GAP, Showing, showing_id, worklist
from cxrview.records.annotation import AnnotationStudy, Reader, StudyImage
from cxrview.terms import ReadingRound, Role


def several(count: int) -> tuple[Reader, ...]:
    roles = frozenset({Role.READER})
    return tuple(Reader(reader_id=n, name=f"{n}", roles=roles) for n in range(1, count + 1))


def lists(study: AnnotationStudy, images, readers, **more) -> dict[int, tuple[Showing, ...]]:
    return {r.reader_id: worklist(study, images, readers, r, **more) for r in readers}


def test_with_no_more_readers_than_needed_each_reads_everything(study, images, readers):
    for reader in readers[:2]:
        shown = worklist(study, images, readers, reader)

        assert sorted(s.image_id for s in shown) == [image.image_id for image in images]
        assert {s.occasion for s in shown} == {0}


def test_who_only_adjudicates_reads_nothing_blind(study, images, readers):
    assert worklist(study, images, readers, readers[2]) == ()


def test_the_orders_of_readers_seeds_and_studies_have_nothing_to_do_with_each_other(
    create_study, images
):
    orders = [
        [s.image_id for s in worklist(study, images, several(2), reader)]
        for study in (create_study(), create_study(seed=1), create_study(study_id="8" * 32))
        for reader in several(2)
    ]
    orders.append([image.image_id for image in images])
    ranks = [[order.index(image.image_id) for image in images] for order in orders]

    alike = [spearmanr(one, other).statistic for n, one in enumerate(ranks) for other in ranks[:n]]
    assert max(map(abs, alike)) < 0.25  # 3.5 standard errors of 200 images


def test_the_same_study_gives_the_same_list_however_it_is_given(create_study, images):
    study, readers = create_study(repeat_share=0.2), several(5)

    assert lists(study, images, readers) == lists(study, images[::-1], readers[::-1])


def test_images_that_come_later_leave_the_order_of_the_others(study, images, readers):
    before = worklist(study, images[:50], readers, readers[0])

    after = worklist(study, images, readers, readers[0])

    old = {image.image_id for image in images[:50]}
    assert tuple(s for s in after if s.image_id in old) == before


@given(count=st.integers(2, 7), needed=st.integers(1, 4))
def test_every_image_goes_to_as_many_readers_as_it_needs(count, needed):
    study = AnnotationStudy(study_id="7" * 32, name="", created=None, readings_per_image=needed)
    images = [StudyImage(image_id=f"{n:016x}", path=f"{n}") for n in range(30)]

    given_to = Counter(
        s.image_id for shown in lists(study, images, several(count)).values() for s in shown
    )

    assert set(given_to.values()) == {min(count, needed)}


def test_more_readers_than_needed_share_the_images_evenly(study, images):
    lengths = [len(shown) for shown in lists(study, images, several(5)).values()]

    assert sum(lengths) == 400
    assert all(50 <= length <= 110 for length in lengths)  # 80, give or take 4 standard errors


def test_a_reader_who_comes_later_takes_over_a_share_and_moves_nothing_else(study, images):
    before = lists(study, images, several(4))

    after = lists(study, images, several(5))

    for reader_id, shown in before.items():
        assert [s for s in shown if s in after[reader_id]] == list(after[reader_id])
    assert sum(map(len, after.values())) == 400


def test_who_has_read_an_image_keeps_it_when_others_come(study, images):
    before = lists(study, images, several(2))
    has_read = {image.image_id: {1, 2} for image in images[:120]}

    after = lists(study, images, several(6), has_read=has_read)

    for reader_id in (1, 2):
        read = [s for s in before[reader_id] if s.image_id in has_read]
        assert [s for s in after[reader_id] if s.image_id in has_read] == read
    assert not any(s.image_id in has_read for n in (3, 4, 5, 6) for s in after[n])


def test_who_has_seen_what_others_say_gets_an_image_no_more_and_another_does(study, images):
    before = lists(study, images, several(4))
    seen = {s.image_id: {1} for s in before[1][:20]}

    after = lists(study, images, several(4), has_seen=seen)

    assert not any(s.image_id in seen for s in after[1])
    given_to = Counter(s.image_id for shown in after.values() for s in shown)
    assert set(given_to.values()) == {2}
    others = [s for s in before[1] if s.image_id not in seen]
    assert list(after[1]) == others


def test_who_has_seen_an_image_does_not_get_it_where_nobody_else_is_left(study, images):
    after = lists(study, images, several(2), has_seen={images[0].image_id: {1}})

    assert images[0].image_id not in {s.image_id for s in after[1]}
    assert len(after[2]) == 200


def test_who_has_read_an_image_before_seeing_what_others_say_keeps_it(study, images):
    seen = {image.image_id: {1, 2} for image in images}
    has_read = {image.image_id: {1, 2} for image in images[:50]}

    for count in (2, 5):
        after = lists(study, images, several(count), has_read=has_read, has_seen=seen)
        for reader_id in (1, 2):
            assert {s.image_id for s in after[reader_id]} == set(has_read)


def test_hidden_repeats_are_the_share_that_was_asked_for(create_study, images):
    without = lists(create_study(), images, several(2))

    repeating = lists(create_study(repeat_share=0.25), images, several(2))

    for reader_id, shown in repeating.items():
        assert tuple(s for s in shown if s.occasion == 0) == without[reader_id]
        assert 30 <= sum(s.occasion for s in shown) <= 70  # 50, give or take 3 standard errors


def test_hidden_repeats_are_of_images_from_anywhere_in_the_list(create_study, images):
    """Were the draw tied to the order, a reader would learn that only early images come again."""
    shown = worklist(create_study(repeat_share=0.25), images, several(1), several(1)[0])
    order = [s.image_id for s in shown if s.occasion == 0]
    places = [order.index(s.image_id) for s in shown if s.occasion == 1]

    assert 75 <= sum(places) / len(places) <= 125  # 100, give or take 3 standard errors


@pytest.mark.parametrize("count", [1, 5, 9, 10, 11, 25, 200])
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_a_repeat_comes_ten_showings_after_the_first_or_as_late_as_can_be(
    create_study, images, count, share
):
    shown = worklist(create_study(repeat_share=share), images[:count], several(1), several(1)[0])
    first = {s.image_id: n for n, s in enumerate(shown) if s.occasion == 0}
    gaps = {n: n - first[s.image_id] for n, s in enumerate(shown) if s.occasion == 1}
    last_first = max(first.values())

    assert len(first) == count
    for place, gap in gaps.items():
        assert gap >= REPEAT_GAP or place > last_first  # nothing but repeats comes after it
        assert gap > 0


def test_no_showing_id_says_that_an_image_comes_again(create_study, images):
    every = [
        s.showing_id
        for shown in lists(create_study(repeat_share=1.0), images, several(2)).values()
        for s in shown
    ]

    assert len(set(every)) == len(every) == 800
    assert all(len(s) == 16 and int(s, 16) >= 0 for s in every)
    assert not {image.image_id for image in images} & set(every)


def test_a_showing_id_is_of_its_study_reader_image_round_and_occasion(create_study):
    study = create_study()
    known = showing_id(study, 1, "a")

    others = [
        showing_id(create_study(study_id="8" * 32), 1, "a"),
        showing_id(create_study(seed=1), 1, "a"),
        showing_id(study, 2, "a"),
        showing_id(study, 1, "b"),
        showing_id(study, 1, "a", 1),
        *(
            showing_id(study, 1, "a", shown_in=r)
            for r in ReadingRound
            if r is not ReadingRound.BLIND
        ),
    ]
    assert len({known, *others}) == 1 + len(others)
    assert known == showing_id(study, 1, "a", 0, ReadingRound.BLIND)

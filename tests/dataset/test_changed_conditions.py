"""How a store on disk differs from the one asked for, in words."""

from cxrview.dataset.changed_conditions import changed_conditions

STORED = {"as_published": False, "reader": "default", "labels_sha256": "a", "version": "1"}


def test_changed_conditions_name_the_option_once():
    wanted = STORED | {"as_published": True, "reader": "exact"}

    (phrase,) = changed_conditions(STORED, wanted)

    assert "without --as-published" in phrase
    assert "with --as-published" in changed_conditions(wanted, STORED)[0]


def test_changed_conditions_show_no_hash():
    (phrase,) = changed_conditions(STORED, STORED | {"labels_sha256": "b" * 64})

    assert "labels file" in phrase
    assert "b" * 64 not in phrase


def test_changed_conditions_show_both_values_where_they_say_something():
    (version,) = changed_conditions(STORED, STORED | {"version": "2"})
    (unknown,) = changed_conditions(STORED, STORED | {"new_thing": 3})

    assert version.endswith("1 before, 2 now")
    assert unknown == "new thing: not set before, 3 now"


def test_changed_conditions_are_none_where_all_are_alike():
    assert changed_conditions(STORED | {"more": 1}, STORED) == []

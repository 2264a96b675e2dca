from cxrview.web.leases import Leases


def test_what_one_tab_holds_another_does_not_get():
    leases = Leases(120)
    leases.hold("one", ["a", "b"], now=0)
    leases.hold("two", ["b", "c"], now=1)

    assert leases.is_free("b", "one", 1)
    assert not leases.is_free("b", "two", 1)
    assert not leases.is_free("c", "one", 1)


def test_a_tab_that_is_not_heard_of_loses_what_it_holds():
    leases = Leases(120)
    leases.hold("one", ["a"], now=0)

    assert not leases.is_free("a", "two", 119)
    assert leases.is_free("a", "two", 120)


def test_to_be_heard_of_is_enough_to_go_on_holding():
    leases = Leases(120)
    leases.hold("one", ["a"], now=0)
    leases.hold("one", [], now=100)
    leases.hold("two", ["a"], now=150)

    assert not leases.is_free("a", "two", 150)


def test_one_who_lost_it_can_be_followed_and_does_not_get_it_back():
    leases = Leases(120)
    leases.hold("one", ["a"], now=0)
    leases.hold("two", ["a"], now=130)
    leases.hold("one", ["a"], now=131)

    assert leases.is_free("a", "two", 131)
    assert not leases.is_free("a", "one", 131)


def test_who_releases_has_nothing_and_others_take_it_at_once():
    leases = Leases(120)
    leases.hold("one", ["a", "b"], now=0)
    leases.release("one")
    leases.release("nobody")

    assert leases.is_free("a", "two", 0)
    leases.hold("two", ["a"], now=0)
    assert not leases.is_free("a", "one", 0)


def test_one_tab_takes_over_from_a_readers_others_and_from_nobody_else():
    leases = Leases(120)
    for holder in ("1/near", "1/near/second look", "1/far", "11/far", "2/far"):
        leases.hold(holder, [f"of {holder}"], now=0)
    leases.release_others("1/", but="1/near")
    free = {one for one in ("1/near", "1/near/second look", "1/far", "11/far", "2/far")
            if leases.is_free(f"of {one}", "me", 0)}  # fmt: skip

    assert free == {"1/far"}

from cxrview.web.leases import Leases


def test_leases_give_no_image_to_two_tabs():
    leases = Leases(120)
    leases.hold("one", ["a", "b"], now=0)
    leases.hold("two", ["b", "c"], now=1)

    assert leases.is_free("b", "one", 1)
    assert not leases.is_free("b", "two", 1)
    assert not leases.is_free("c", "one", 1)


def test_leases_expire_unless_they_are_renewed():
    leases = Leases(120)
    leases.hold("one", ["a"], now=0)

    assert not leases.is_free("a", "two", 119)
    assert leases.is_free("a", "two", 120)


def test_leases_are_renewed_by_any_request_of_the_tab():
    leases = Leases(120)
    leases.hold("one", ["a"], now=0)
    leases.hold("one", [], now=100)
    leases.hold("two", ["a"], now=150)

    assert not leases.is_free("a", "two", 150)


def test_leases_that_expired_and_were_taken_do_not_come_back():
    leases = Leases(120)
    leases.hold("one", ["a"], now=0)
    leases.hold("two", ["a"], now=130)
    leases.hold("one", ["a"], now=131)

    assert leases.is_free("a", "two", 131)
    assert not leases.is_free("a", "one", 131)


def test_leases_that_are_released_are_free_at_once():
    leases = Leases(120)
    leases.hold("one", ["a", "b"], now=0)
    leases.release("one")
    leases.release("nobody")

    assert leases.is_free("a", "two", 0)
    leases.hold("two", ["a"], now=0)
    assert not leases.is_free("a", "one", 0)


def test_leases_of_single_things_end():
    leases = Leases(120)
    leases.hold("one", ["a", "b"], now=0)
    leases.end(["a", "never held"])

    assert leases.is_free("a", "two", 0)
    assert not leases.is_free("b", "two", 0)
    leases.hold("two", ["a"], now=0)
    leases.release("one")
    assert not leases.is_free("a", "one", 0)


def test_leases_release_others_of_the_same_reader_only():
    leases = Leases(120)
    for holder in ("1/near", "1/near/second look", "1/far", "11/far", "2/far"):
        leases.hold(holder, [f"of {holder}"], now=0)
    leases.release_others("1/", but="1/near")
    free = {one for one in ("1/near", "1/near/second look", "1/far", "11/far", "2/far")
            if leases.is_free(f"of {one}", "me", 0)}  # fmt: skip

    assert free == {"1/far"}

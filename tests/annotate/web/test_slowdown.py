from cxrview.annotate.web.auth import FREE_FAILURES, LONGEST_SECONDS, LoginThrottle


def failing(times: int, now: float = 0) -> LoginThrottle:
    slowdown = LoginThrottle()
    for _ in range(times):
        slowdown.failed("Ada", now)
    return slowdown


def test_a_few_failures_cost_nothing():
    assert failing(FREE_FAILURES - 1).wait_seconds("Ada", 0) == 0


def test_each_further_failure_costs_twice_as_much():
    waits = [failing(FREE_FAILURES + more).wait_seconds("Ada", 0) for more in range(4)]

    assert waits == [1, 2, 4, 8]


def test_it_never_gets_longer_than_a_minute_and_passes():
    slowdown = failing(50)

    assert slowdown.wait_seconds("Ada", 0) == LONGEST_SECONDS
    assert slowdown.wait_seconds("Ada", LONGEST_SECONDS) == 0


def test_it_is_for_one_name_alone_and_ends_with_a_success():
    slowdown = failing(10)

    assert slowdown.wait_seconds("Bo", 0) == 0

    slowdown.succeeded("Ada")

    assert slowdown.wait_seconds("Ada", 0) == 0


def test_made_up_names_do_not_fill_the_memory():
    slowdown = failing(10)
    for number in range(20_000):
        slowdown.failed(f"nobody {number}", 1)

    assert len(slowdown._failures) <= 10_000

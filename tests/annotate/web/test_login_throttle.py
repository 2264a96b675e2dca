from cxrview.annotate.web.login_throttle import FREE_FAILURES, LONGEST_SECONDS, LoginThrottle


def failing(times: int, now: float = 0) -> LoginThrottle:
    throttle = LoginThrottle()
    for _ in range(times):
        throttle.failed("Ada", now)
    return throttle


def test_a_few_failures_cost_nothing():
    assert failing(FREE_FAILURES - 1).wait_seconds("Ada", 0) == 0


def test_each_further_failure_costs_twice_as_much():
    waits = [failing(FREE_FAILURES + more).wait_seconds("Ada", 0) for more in range(4)]

    assert waits == [1, 2, 4, 8]


def test_it_never_gets_longer_than_a_minute_and_passes():
    throttle = failing(50)

    assert throttle.wait_seconds("Ada", 0) == LONGEST_SECONDS
    assert throttle.wait_seconds("Ada", LONGEST_SECONDS) == 0


def test_it_is_for_one_name_alone_and_ends_with_a_success():
    throttle = failing(10)

    assert throttle.wait_seconds("Bo", 0) == 0

    throttle.succeeded("Ada")

    assert throttle.wait_seconds("Ada", 0) == 0


def test_made_up_names_do_not_fill_the_memory():
    throttle = failing(10)
    for number in range(20_000):
        throttle.failed(f"nobody {number}", 1)

    assert len(throttle._failures) <= 10_000

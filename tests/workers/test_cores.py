"""Cores are lent one at a time, and only so many as there are."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cxrview.workers import cores as lent
from cxrview.workers.cores import Cores, available_cores, cores_for


def test_never_more_are_at_work_than_there_are_cores():
    cores, at_work, most, count = Cores(3), [], [], threading.Lock()

    def work(number):
        with cores.for_model() if number % 3 else cores.for_decoding():
            with count:
                at_work.append(number)
                most.append(len(at_work))
            with count:
                at_work.remove(number)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(work, range(2000)))

    assert max(most) <= 3
    assert len(most) == 2000


def holders(cores):
    """So many as can hold a core at once."""
    held, go_on = threading.Semaphore(0), threading.Event()

    def hold():
        with cores.for_model():
            held.release()
            go_on.wait(10)

    with ThreadPoolExecutor(2 * cores.count + 2) as threads:
        for _ in range(2 * cores.count + 2):
            threads.submit(hold)
        count = 0
        while held.acquire(timeout=0.1):
            count += 1
        go_on.set()
    return count


@pytest.mark.parametrize(
    ("here", "workers", "most"),
    [(1, None, 2), (2, None, 3), (2, 2, 3), (2, 9, 3), (2, 1, 1), (8, None, 9), (8, 7, 7)]
    + [(64, None, 72), (64, 16, 16)],
)
def test_one_in_eight_more_hold_a_core_where_all_are_taken_and_none_where_some_are_left(
    monkeypatch, here, workers, most
):
    monkeypatch.setattr(lent, "available_cores", lambda: here)

    cores = cores_for(workers)

    assert cores.count == min(workers or here, here)
    assert holders(cores) == most


def test_what_is_spare_starts_no_reader():
    cores, is_over = Cores(1, spare=1), threading.Event()

    def start():
        with cores.for_starting(is_over.is_set):
            pass

    starting = threading.Thread(target=start)
    with cores.for_model():
        starting.start()
        starting.join(0.1)
        waits = starting.is_alive()
        is_over.set()
        cores.wake()
        starting.join(10)

    assert waits and not starting.is_alive()


def test_the_network_goes_before_decoding():
    cores, order = Cores(1), []

    def use(core, name):
        with core:
            order.append(name)

    with cores.for_decoding():
        decoding = threading.Thread(target=use, args=(cores.for_decoding(), "decoding"))
        network = threading.Thread(target=use, args=(cores.for_model(), "network"))
        decoding.start()
        network.start()
        while not cores.model_waits:
            pass
    decoding.join()
    network.join()

    assert order == ["network", "decoding"]


def test_all_cores_are_free_again_whoever_was_let_start_at_the_end():
    cores = Cores(2)
    with cores.for_model(), cores.for_decoding(), cores.for_starting(lambda: True):
        pass

    assert holders(cores) == 2


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 1), (3, 2), (16, 8)])
def test_more_readers_start_on_half_of_the_cores_at_most(count, most):
    cores, started, go_on = Cores(count), threading.Semaphore(0), threading.Event()

    def start():
        with cores.for_starting(lambda: False):
            started.release()
            go_on.wait(10)

    threads = [threading.Thread(target=start) for _ in range(count + 2)]
    for thread in threads:
        thread.start()
    at_once = [started.acquire(timeout=10) for _ in range(most)]
    one_more = started.acquire(timeout=0.1)
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert all(at_once) and not one_more
    assert not any(thread.is_alive() for thread in threads)


def test_readers_start_beside_a_network_that_never_rests():
    cores = Cores(2)

    with cores.for_model(), cores.for_starting(lambda: False):
        pass


def test_a_reader_that_waits_to_be_started_ends_with_the_run():
    cores, is_over = Cores(1), threading.Event()

    def start():
        with cores.for_starting(is_over.is_set):
            pass

    with cores.for_model():
        waiting = threading.Thread(target=start)
        waiting.start()
        is_over.set()
        cores.wake()
        waiting.join(10)

        assert not waiting.is_alive()


def test_no_reader_starts_while_a_file_waits_for_a_core():
    cores, order = Cores(1), []

    def use(core, name):
        with core:
            order.append(name)

    with cores.for_decoding():
        starting = threading.Thread(
            target=use, args=(cores.for_starting(lambda: False), "starting")
        )
        decoding = threading.Thread(target=use, args=(cores.for_decoding(), "decoding"))
        starting.start()
        decoding.start()
        while not cores.decoding_waits:
            pass
    decoding.join()
    starting.join()

    assert order == ["decoding", "starting"]


def test_a_core_comes_back_after_an_error():
    cores = Cores(1)
    with pytest.raises(ZeroDivisionError), cores.for_decoding():
        raise ZeroDivisionError

    with cores.for_model():
        pass


@pytest.mark.parametrize(("said", "cores"), [("100000 100000", 1), ("50000 100000", 1)])
def test_a_container_gets_no_more_than_its_quota(tmp_path, said, cores):
    (tmp_path / "cpu.max").write_text(said)

    assert available_cores(tmp_path / "cpu.max") == cores


def test_no_quota_leaves_all_cores(tmp_path):
    (tmp_path / "cpu.max").write_text("max 100000")

    assert available_cores(tmp_path / "cpu.max") == available_cores(tmp_path / "none")

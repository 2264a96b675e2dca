"""Jobs in threads and processes: the same outcomes, and no process left."""

import os
import signal
from pathlib import Path

import pytest

from cxrview.errors import CannotWrite, RunStopped
from cxrview.terms import View
from cxrview.writeback.jobs import ChangesJob, CopyJob
from cxrview.writeback.worker_pool import FILES_PER_TASK, carry_out_in_parallel
from fixtures.processes import children_of


@pytest.fixture
def jobs(drawn, find) -> list[ChangesJob]:
    """Several tasks of files, some of which are refused."""
    paths = [path for path in sorted(drawn.rglob("*")) if path.is_file()]
    findings = [find(path, View.LATERAL) for path in paths]
    assert len(findings) > 2 * FILES_PER_TASK
    return [ChangesJob(finding=one) for one in findings]


def workers_of_this_process() -> list[int]:
    return children_of(os.getpid(), running="cxrview.writeback.worker")


@pytest.mark.slow
def test_threads_and_processes_give_the_same_outcomes(jobs, settings):
    ways = [(1, 1), (2, 2), (3, 2)]

    found = [
        sorted(
            map(
                str,
                sum(carry_out_in_parallel(jobs, settings, count, threads=threads), []),
            )
        )
        for count, threads in ways
    ]

    assert len(found[0]) == len(jobs)
    assert found[0] == found[1] == found[2]
    assert workers_of_this_process() == []


def test_a_worker_that_is_killed_stops_the_run(jobs, settings):
    outcomes = carry_out_in_parallel(jobs, settings, 2)
    next(outcomes)
    (worker,) = workers_of_this_process()

    os.kill(worker, signal.SIGKILL)

    with pytest.raises(RunStopped):
        list(outcomes)
    assert workers_of_this_process() == []


def test_a_run_that_is_abandoned_leaves_no_process(jobs, settings):
    outcomes = carry_out_in_parallel(jobs, settings, 3, threads=2)
    next(outcomes)

    outcomes.close()

    assert workers_of_this_process() == []


@pytest.mark.parametrize(("workers", "threads"), [(1, 1), (2, 2), (2, 1)])
def test_what_cannot_be_written_stops_the_run(jobs, settings, workers, threads):
    folder = Path("/proc/self/fdinfo")  # nothing can be created there, not even by root
    copies = [
        CopyJob(finding=job.finding, target=folder / f"{number}.dcm")
        for number, job in enumerate(jobs)
    ]

    with pytest.raises(CannotWrite, match="--resume"):
        list(carry_out_in_parallel(copies, settings, workers, threads=threads))

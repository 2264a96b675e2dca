import csv
import io
import threading
import time
from dataclasses import replace

import pytest

import cxrview
from cxrview.errors import InferenceError, UsageError
from cxrview.service.engine import Engine
from cxrview.service.http.batch_jobs import BatchJobs
from cxrview.service.http.job import JobState
from cxrview.service.http.refusal import Refusal
from fixtures.http_service import OPTIONS, SECONDS

ENDED = ("done", "cancelled", "failed")


@pytest.fixture
def small_engine(model):
    """The engine of these tests, whose model takes no time."""
    with Engine(model, OPTIONS.resolved(model.card)) as engine:
        yield engine


@pytest.fixture
def open_jobs(small_engine, archive, tmp_path):
    """Open the jobs of a folder, again as after a restart; they are closed after the test."""
    opened = []

    def open_them(engine=small_engine, roots=(archive,), **settings) -> BatchJobs:
        opened.append(BatchJobs(engine, tmp_path / "jobs", roots, **settings))
        return opened[-1]

    yield open_them
    for jobs in opened:
        jobs.close()


def ended(jobs: BatchJobs, job_id: str):
    end = time.monotonic() + SECONDS
    while (job := jobs.get(job_id)).state not in ENDED:
        assert time.monotonic() < end, job
        time.sleep(0.02)
    return job


class Gate:
    """A model that waits at a gate after some images."""

    def __init__(self, backend, after: int) -> None:
        self.backend, self.after, self.ran = backend, after, 0
        self.name, self.batch, self.lanes = backend.name, 1, 1
        self.reached, self.opens = threading.Event(), threading.Event()

    def run(self, batch):
        self.ran += len(batch)
        if self.ran > self.after:
            self.reached.set()
            self.opens.wait(SECONDS)
        return self.backend.run(batch)


@pytest.fixture
def gated(model):
    """An engine that stops after a few images until its gate opens."""
    gate = Gate(model.backend, after=10)
    # One process reads the files in their order; with two, the first file may be the last to reach
    # the model, and those after it are not recorded before it.
    options = replace(OPTIONS, workers=1).resolved(model.card)
    with Engine(replace(model, backend=gate), options) as engine:
        yield engine, gate
        gate.opens.set()


def test_a_job_gives_the_rows_of_the_command(make_service, small_engine, archive, model):
    service = make_service(of=small_engine, roots=(archive,))
    client = service.client

    queued = client.post("/jobs", {"root": "archive"})
    job = ended(service.jobs, queued.json()["job"])

    rows = client.get(f"/jobs/{job.id}/rows", limit=1000).json()
    result = cxrview.classify(archive, model=model, options=OPTIONS)
    expected = [
        row | {"path": row["path"].removeprefix(f"{archive}/")}
        for row in result.to_arrow().to_pylist()
    ]
    assert (queued.status_code, queued.headers["Location"]) == (202, f"/jobs/{job.id}")
    assert len(expected) == 40 and rows == {"rows": expected, "next": None}
    failures = client.get(f"/jobs/{job.id}/failures").json()["failures"]
    assert [one["path"] for one in failures] == ["1/notes.txt"]
    shown = client.get(f"/jobs/{job.id}").json()
    assert (shown["state"], shown["files"], shown["done"], shown["failed"]) == ("done", 41, 41, 1)
    assert sum(shown["decisions"].values()) == 40
    assert str(archive.parent) not in str([rows, failures, shown])


def test_the_table_of_a_job_is_a_file_in_each_format(make_service, small_engine, archive):
    import pyarrow.parquet as pq

    service = make_service(of=small_engine, roots=(archive,))
    job = ended(service.jobs, service.client.post("/jobs", {"root": "archive"}).json()["job"])
    rows = service.client.get(f"/jobs/{job.id}/rows", limit=1000).json()["rows"]

    parquet = service.client.get(f"/jobs/{job.id}/table").content
    text = service.client.get(f"/jobs/{job.id}/table", format="csv").text
    lines = service.client.get(f"/jobs/{job.id}/table", format="jsonl").text

    assert pq.read_table(io.BytesIO(parquet)).to_pylist() == rows
    assert [row["path"] for row in csv.DictReader(io.StringIO(text))] == [r["path"] for r in rows]
    assert len(lines.splitlines()) == 40


def test_rows_come_in_pages(make_service, small_engine, archive):
    service = make_service(of=small_engine, roots=(archive,))
    job = ended(service.jobs, service.jobs.add("archive", "1").id)

    pages, offset = [], 0
    while offset is not None:
        page = service.client.get(f"/jobs/{job.id}/rows", offset=offset, limit=8).json()
        pages.append(len(page["rows"]))
        offset = page["next"]

    assert pages == [8, 8, 4]


def test_a_job_can_be_cancelled_and_keeps_what_it_read(open_jobs, gated):
    engine, gate = gated
    jobs = open_jobs(engine).start()
    job = jobs.add("archive", "")
    assert gate.reached.wait(SECONDS)

    with pytest.raises(Refusal, match="running"):
        jobs.rows(job.id, 0, 10)
    with pytest.raises(Refusal, match="running"):
        jobs.remove(job.id)
    jobs.cancel(job.id)
    gate.opens.set()
    job = ended(jobs, job.id)

    assert job.state is JobState.CANCELLED and 0 < job.done < 41
    assert len(jobs.rows(job.id, 0, 100)) + job.failed == job.done
    assert jobs.cancel(job.id) == job
    jobs.remove(job.id)
    assert jobs.all() == []


def test_a_queued_job_can_be_cancelled(open_jobs):
    jobs = open_jobs()  # not started
    job = jobs.add("archive", "")

    assert jobs.cancel(job.id).state is JobState.CANCELLED
    assert jobs.rows(job.id, 0, 10) == jobs.failures(job.id, 0, 10) == []


def test_progress_is_shown(open_jobs, gated):
    engine, gate = gated
    jobs = open_jobs(engine).start()
    job = jobs.add("archive", "")
    assert gate.reached.wait(SECONDS)

    end = time.monotonic() + SECONDS
    while not ((now := jobs.get(job.id)).files == 41 and now.done >= 5):
        assert time.monotonic() < end, now
        time.sleep(0.05)

    assert now.state is JobState.RUNNING


def test_a_job_continues_after_a_restart(open_jobs, gated, small_engine, model):
    engine, gate = gated
    jobs = open_jobs(engine).start()
    job = jobs.add("archive", "")
    assert gate.reached.wait(SECONDS)
    end = time.monotonic() + SECONDS
    while jobs.get(job.id).done < 5:
        assert time.monotonic() < end
        time.sleep(0.05)
    gate.opens.set()
    jobs.close()
    before = open_jobs().get(job.id)
    counting = Gate(model.backend, after=99)

    with Engine(replace(model, backend=counting), OPTIONS.resolved(model.card)) as again:
        jobs = open_jobs(again).start()
        after = ended(jobs, job.id)

    assert before.state is JobState.RUNNING
    assert after.state is JobState.DONE and after.done == after.files == 41
    assert len({row["path"] for row in jobs.rows(job.id, 0, 100)}) == 40
    assert counting.ran < 40  # those that were read before are not read again


def test_a_job_starts_over_where_the_model_is_another_one(open_jobs, gated, model):
    engine, gate = gated
    jobs = open_jobs(engine).start()
    job = jobs.add("archive", "")
    assert gate.reached.wait(SECONDS)
    gate.opens.set()
    jobs.close()
    other = replace(model, card=replace(model.card, model_id="another"))

    with Engine(other, OPTIONS.resolved(model.card)) as again:
        jobs = open_jobs(again).start()
        assert ended(jobs, job.id).done == 41

    assert {row["model_id"] for row in jobs.rows(job.id, 0, 100)} == {"another"}


def test_an_engine_that_fails_makes_the_job_fail_without_a_path(open_jobs, model, archive):
    class Failing(type(model.backend)):
        def run(self, batch):
            raise InferenceError("no memory")

    with Engine(replace(model, backend=Failing()), OPTIONS.resolved(model.card)) as engine:
        jobs = open_jobs(engine).start()
        job = ended(jobs, jobs.add("archive", "").id)

    assert job.state is JobState.FAILED and job.reason and str(archive) not in job.reason


@pytest.mark.parametrize(
    ("root", "folder", "code"),
    [
        ("other", "", "no_such_root"),
        ("archive", "none", "no_such_folder"),
        ("archive", "..", "no_such_folder"),
        ("archive", "../jobs", "no_such_folder"),
        ("archive", "/etc", "no_such_folder"),
        ("archive", "link", "no_such_folder"),
        ("archive", "loop", "no_such_folder"),
        ("archive", "0/00.png", "no_such_folder"),
        ("archive", "a\0b", "no_such_folder"),
        ("archive", "x" * 4000, "no_such_folder"),
    ],
)
def test_only_folders_of_a_root_are_classified(
    make_service, small_engine, archive, root, folder, code
):
    (archive / "link").symlink_to("/etc")
    (archive / "loop").symlink_to(archive / "loop")
    service = make_service(of=small_engine, roots=(archive,))

    answer = service.client.post("/jobs", {"root": root, "folder": folder})

    assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert str(archive) not in answer.text


def test_there_is_a_limit_on_jobs(open_jobs, monkeypatch):
    monkeypatch.setattr("cxrview.service.http.batch_jobs.MOST_JOBS", 2)
    jobs = open_jobs()
    for _ in range(2):
        jobs.add("archive", "")

    with pytest.raises(Refusal) as caught:
        jobs.add("archive", "")
    assert (caught.value.status, caught.value.code) == (429, "too_many_jobs")


def test_roots_have_different_names(open_jobs, tmp_path, archive):
    (tmp_path / "b" / "archive").mkdir(parents=True)

    with pytest.raises(UsageError, match="archive"):
        open_jobs(roots=(archive, tmp_path / "b" / "archive"))
    with pytest.raises(UsageError):
        open_jobs(roots=(tmp_path / "none",))


def test_a_job_file_that_is_damaged_is_left_out(open_jobs, tmp_path):
    open_jobs().add("archive", "")
    (tmp_path / "jobs" / "j0").mkdir()
    (tmp_path / "jobs" / "j0" / "job.json").write_text("{")

    assert len(open_jobs().all()) == 1

"""A run on a cluster gives the table of one machine, whatever is killed in between."""

import filecmp
import shutil
from functools import partial
from pathlib import Path

import pytest

import cxrview
from cxrview.classify.missing_files import MountWatch
from cxrview.cluster import blocks
from cxrview.cluster.run import plan_cluster_run
from cxrview.errors import InputUnavailable, RunStopped, UsageError
from cxrview.phantom.archive import draw_archive
from cxrview.results.tables import each_row
from fixtures.threads_engine import ThreadsEngine


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("key") / "patient.key"


@pytest.fixture(scope="module")
def films(tmp_path_factory, key) -> Path:
    """A folder with an archive, copies of some of its files, and the result of one machine."""
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder / "archive", patients=6, size=(80, 72))
    images = sorted(path for path in (folder / "archive").rglob("*") if path.is_file())
    for name in ("a copy", "z copy"):
        shutil.copyfile(images[3], images[3].parent / name)
    (folder / "archive" / "notes.txt").write_text("not an image")
    options = cxrview.ClassifyOptions(key=key)
    cxrview.classify(folder / "archive", out=f"{folder}/plain/", options=options)
    return folder


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of three files, so that a small archive has several."""
    monkeypatch.setattr(blocks, "FEWEST", 3)


@pytest.fixture
def run_on(films, key, tmp_path):
    """Run on the archive into `out`, by an engine with threads in place of machines."""

    def run(engine=None, *, out=f"{tmp_path}/views/", paths=None, **more):
        engine = engine or ThreadsEngine()
        plan = plan_cluster_run(
            paths or films / "archive",
            cluster="local",
            out=out,
            options=cxrview.ClassifyOptions(key=key, workers=1),
            **more,
        )
        return plan.start(engine.connect).run()

    return run


def need_same(films: Path, out: Path) -> None:
    """Parts, failures and summary of a run are those of one machine, but for its duration."""
    for name in ("plain/part-00000.parquet", "plain.failures.csv"):
        made = out.parent / name.replace("plain", out.name)
        assert filecmp.cmp(films / name, made, shallow=False), name
    assert sorted(path.name for path in out.iterdir()) == ["part-00000.parquet"]
    found, wanted = (cxrview.read_result(path).summary for path in (out, films / "plain"))
    assert str(found) == str(wanted)
    assert (found.failed, found.agreement) == (wanted.failed, wanted.agreement)
    assert (found.frontal, found.lateral) == (wanted.frontal, wanted.lateral)
    assert not out.with_name(out.name + ".job").exists()


def test_rows_are_those_of_one_machine(films, run_on, tmp_path, small_blocks):
    engine = ThreadsEngine()
    result = run_on(engine)

    need_same(films, tmp_path / "views")
    rows = list(each_row(tmp_path / "views"))
    assert sum("duplicate_file" in (row["warnings"] or "") for row in rows) == 2
    assert result.path == tmp_path / "views"
    assert result.exit_code == 1
    assert len(set(engine.given)) == len(engine.given) > 4


def test_a_worker_that_dies_costs_no_row_and_doubles_none(films, run_on, tmp_path, small_blocks):
    engine = ThreadsEngine(dies_after=(2, 4))
    run_on(engine)

    need_same(films, tmp_path / "views")
    assert len(set(engine.given)) < len(engine.given)


def test_a_run_that_was_stopped_reads_no_finished_block_again(
    films, run_on, tmp_path, small_blocks
):
    first, second = ThreadsEngine(1, interrupt_after=4), ThreadsEngine()
    stopped = run_on(first)
    assert not stopped.summary.is_complete
    assert stopped.exit_code == 130
    with pytest.raises(UsageError, match="incomplete"):
        run_on(out=f"{tmp_path}/views/")
    with pytest.raises(UsageError, match="incomplete"):
        stopped.to_arrow()

    done = run_on(second, resume=True)

    need_same(films, tmp_path / "views")
    assert stopped.summary.found > 0
    assert done.summary.read_now <= done.summary.found - stopped.summary.found
    assert set(second.given).isdisjoint(first.given[:3])


def test_a_second_listing_is_not_needed(films, run_on, tmp_path, small_blocks, monkeypatch):
    run_on(ThreadsEngine(1, interrupt_after=4))
    moved = films / "moved"
    monkeypatch.setattr(blocks, "FEWEST", 5)  # another cut would be visible in the blocks

    run_on(resume=True)

    assert not moved.exists()
    need_same(films, tmp_path / "views")


def test_settings_that_change_rows_cannot_change_in_between(run_on, small_blocks):
    run_on(ThreadsEngine(1, interrupt_after=2))

    with pytest.raises(UsageError, match="PATH"):
        run_on(resume=True, paths="/")


def test_a_path_that_is_named_twice_is_read_once(films, run_on, tmp_path, small_blocks):
    archive = films / "archive"
    again = next(path for path in sorted(archive.rglob("*")) if path.is_file())

    result = run_on(paths=[archive, again])

    need_same_rows = partial(each_row, columns=["path", "pfi", "warnings"])
    assert list(need_same_rows(tmp_path / "views")) == list(need_same_rows(films / "plain"))
    assert result.summary.named_again == 1


def test_shards_and_known_results_are_left_out(films, run_on, tmp_path):
    result = run_on(known=[films / "plain"])

    assert result.summary.known == len(list(each_row(films / "plain")))
    assert result.summary.found == sum(result.summary.failed.values())


def test_a_known_result_is_not_replaced(run_on, tmp_path):
    run_on()

    with pytest.raises(UsageError, match="known"):
        run_on(known=[tmp_path / "views"], overwrite=True)


def test_out_in_the_archive_is_not_read(films, run_on, tmp_path):
    shutil.copytree(films / "archive", tmp_path / "archive")
    out = tmp_path / "archive" / "views"

    run_on(out=f"{out}/", paths=tmp_path / "archive")
    run_on(out=f"{out}/", paths=tmp_path / "archive", overwrite=True)

    assert len(list(each_row(out))) == len(list(each_row(films / "plain")))


def test_a_result_that_is_complete_is_kept(run_on, tmp_path):
    run_on()

    for more in ({}, {"resume": True}):
        with pytest.raises(UsageError, match="complete"):
            run_on(**more)


@pytest.mark.parametrize("out", ["views.parquet", "views", "s3://bucket/views.csv"])
def test_out_is_a_folder(run_on, out):
    with pytest.raises(UsageError, match="folder"):
        run_on(out=out)


def test_a_machine_with_another_model_is_refused(run_on, monkeypatch, tmp_path):
    from cxrview.cluster import worker

    real = worker.conditions_of
    monkeypatch.setattr(worker, "conditions_of", lambda *a: real(*a) | {"cxrview": "0.0.1"})

    with pytest.raises(UsageError, match=r"0\.0\.1"):
        run_on()


def test_a_block_at_which_every_worker_dies_stops_the_run(run_on, tmp_path, small_blocks):
    with pytest.raises(RunStopped, match="block"):
        run_on(ThreadsEngine(1, dies_after=range(1, 50)))

    assert (tmp_path / "views.job" / "job.json").exists()


def test_another_run_of_the_same_job_takes_it_over(run_on, tmp_path, small_blocks, films):
    class Second(ThreadsEngine):
        def workers(self, settings):
            (tmp_path / "views.job" / "session").write_text("another")
            return super().workers(settings)

    with pytest.raises(RunStopped, match="another run"):
        run_on(Second())

    run_on(resume=True)
    need_same(films, tmp_path / "views")


def test_a_file_that_kills_its_decoder_costs_that_file(films, run_on, tmp_path, poison):
    archive = films / "archive"
    images = sorted(path for path in archive.rglob("*.dcm"))[:2]

    result = run_on(paths=[images[0], "poison://kill/1.dcm", images[1]])

    failures = result.failures.to_arrow().to_pylist()
    assert [(row["path"], row["code"]) for row in failures] == [
        ("poison://kill/1.dcm", "decoder_crash")
    ]
    assert [row["path"] for row in each_row(tmp_path / "views")] == list(map(str, images))


def test_a_run_whose_time_is_up_can_be_resumed(films, run_on, tmp_path, small_blocks, key):
    plan = plan_cluster_run(
        films / "archive",
        cluster="local",
        out=f"{tmp_path}/views/",
        options=cxrview.ClassifyOptions(key=key, workers=1),
    )
    finished: list[int] = []

    stopped = plan.start(ThreadsEngine(1).connect).run(
        lambda files, failed: finished.append(files), lambda: len(finished) >= 2
    )
    run_on(resume=True)

    assert stopped.summary.is_time_up
    assert stopped.exit_code == 0
    assert stopped.summary.found == sum(finished)
    need_same(films, tmp_path / "views")


def test_a_run_that_was_taken_over_publishes_nothing(films, run_on, tmp_path, small_blocks):
    class Late(ThreadsEngine):
        def map(self, function, calls):
            yield from super().map(function, calls)
            (tmp_path / "views.job" / "session").write_text("another")

    with pytest.raises(RunStopped, match="another run"):
        run_on(Late())
    assert not (tmp_path / "views").exists()

    run_on(resume=True)
    need_same(films, tmp_path / "views")


def test_a_run_that_was_taken_over_lists_no_further_files(films, run_on, tmp_path, small_blocks):
    images = sorted(path for path in (films / "archive").rglob("*") if path.is_file())
    job = tmp_path / "views.job"

    def paths():
        yield from images[:4]  # a block, and the first file of the next
        (job / "session").write_text("another")
        yield from images[4:]

    with pytest.raises(RunStopped, match="another run"):
        run_on(paths=paths())

    assert [path.name for path in (job / "blocks").iterdir()] == ["00000000.json.gz"]


def test_a_disk_that_is_gone_at_the_end_of_the_listing_stops_the_run(
    films, run_on, tmp_path, monkeypatch
):
    class Gone(MountWatch):
        def check_mounts(self):
            raise InputUnavailable("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr("cxrview.cluster.run.MountWatch", Gone)  # and not that of the workers
        with pytest.raises(InputUnavailable, match="gone"):
            run_on()
    assert not (tmp_path / "views.job" / "blocks" / "end.json").exists()

    run_on(resume=True)
    need_same(films, tmp_path / "views")


def test_a_disk_that_is_gone_when_the_run_is_resumed_stops_it(
    films, run_on, tmp_path, small_blocks
):
    disks = [tmp_path / name for name in ("first", "second")]
    for disk in disks:
        shutil.copytree(films / "archive", disk)
    run_on(ThreadsEngine(1, interrupt_after=2), paths=disks)
    disks[1].rename(tmp_path / "unplugged")
    disks[1].mkdir()

    with pytest.raises(InputUnavailable, match="second"):
        run_on(resume=True, paths=disks)

    disks[1].rmdir()
    (tmp_path / "unplugged").rename(disks[1])
    result = run_on(resume=True, paths=disks)
    assert result.summary.found == 2 * sum(path.is_file() for path in disks[0].rglob("*"))


def test_blocks_of_a_job_that_was_removed_in_part_are_not_believed(
    films, run_on, tmp_path, small_blocks
):
    run_on(ThreadsEngine(1, interrupt_after=4))
    (tmp_path / "views.job" / "job.json").unlink()  # the first object that is deleted

    result = run_on(paths=films / "archive" / "notes.txt")

    assert result.summary.found == 1
    assert list(each_row(tmp_path / "views")) == []


def test_an_incomplete_run_without_a_cluster_is_replaced(
    films, run_on, tmp_path, key, small_blocks
):
    options = cxrview.ClassifyOptions(key=key)
    cxrview.classify(
        films / "archive", out=f"{tmp_path}/views/", options=options, is_time_up=lambda: True
    )
    assert (tmp_path / "views.journal").exists()

    run_on(ThreadsEngine(1, interrupt_after=2), overwrite=True)
    assert not (tmp_path / "views.journal").exists()

    run_on(resume=True)
    need_same(films, tmp_path / "views")


def test_a_run_whose_job_was_removed_names_the_other_run(run_on, tmp_path, small_blocks):
    class Replaced(ThreadsEngine):
        def workers(self, settings):
            made = super().workers(settings)
            submit = made.submit

            def submit_late(number):
                shutil.rmtree(tmp_path / "views.job", ignore_errors=True)
                return submit(number)

            made.submit = submit_late
            return made

    with pytest.raises(RunStopped, match="another run"):
        run_on(Replaced())

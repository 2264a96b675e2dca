"""Files from a bucket, rows into a bucket, through servers that speak S3, GCS and Azure."""

from pathlib import Path

import pytest

import cxrview
from cxrview.cluster import blocks
from cxrview.cluster.run import plan_cluster_run
from cxrview.errors import UsageError
from cxrview.phantom.archive import draw_archive
from cxrview.results.tables import each_row
from fixtures.object_stores import SCHEMES, azurite, bucket_in
from fixtures.threads_engine import ThreadsEngine

pytestmark = pytest.mark.filterwarnings("ignore")  # of boto and others, about themselves


def scheme_to_test(scheme):
    """Azurite is a large program of Node.js: CI does without it."""
    return pytest.param(scheme, marks=[pytest.mark.nightly] if scheme == "az" else [])


@pytest.fixture(scope="module", params=map(scheme_to_test, SCHEMES))
def bucket(request):
    if request.param == "az" and not azurite():
        pytest.skip("needs Azurite: npm install --no-save azurite")
    with bucket_in(request.param) as bucket:
        yield bucket


@pytest.fixture(scope="module")
def films(bucket, tmp_path_factory) -> Path:
    """An archive in a folder and, the same, in the bucket; the result of one machine."""
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder / "archive", patients=3, size=(64, 64))
    bucket.files().put(f"{folder}/archive/", f"{bucket.name}/archive/", recursive=True)
    options = cxrview.ClassifyOptions(key=folder / "key", workers=1)
    cxrview.classify(folder / "archive", out=f"{folder}/plain/", options=options)
    return folder


def run(films, bucket, engine=None, *, paths=None, **more):
    engine = engine or ThreadsEngine(1)
    plan = plan_cluster_run(
        paths or f"{bucket.url}/archive",
        cluster="local",
        out=f"{bucket.url}/views/",
        options=cxrview.ClassifyOptions(key=films / "key", workers=1, readers=1),
        **more,
    )
    return plan, plan.start(engine.connect).run()


def test_bucket_to_bucket(films, bucket, monkeypatch):
    monkeypatch.setattr(blocks, "FEWEST", 3)
    engine = ThreadsEngine(1, interrupt_after=2)
    _, stopped = run(films, bucket, engine)
    assert not stopped.summary.is_complete
    with pytest.raises(UsageError, match="incomplete"):
        run(films, bucket)

    plan, result = run(films, bucket, resume=True)

    wanted = [
        row | {"path": row["path"].replace(str(films), bucket.url)}
        for row in each_row(films / "plain")
    ]
    assert result.to_arrow().to_pylist() == wanted
    assert result.failures.to_arrow().num_rows == 1
    assert result.summary.read_now < result.summary.found == len(wanted) + 1
    names = [name.removeprefix(bucket.name) for name in bucket.files().find(bucket.name)]
    assert [name for name in names if not name.startswith("/archive/")] == [
        "/views.failures.csv",
        "/views.summary.json",
        "/views/part-00000.parquet",
    ]
    with pytest.raises(UsageError, match="complete"):
        run(films, bucket)
    assert cxrview.read_result(f"{bucket.url}/views").to_arrow().to_pylist() == wanted
    with plan.destination.local_copy() as outputs:
        assert list(each_row(outputs.table)) == wanted
        assert cxrview.read_result(outputs.table).summary.found == result.summary.found


def test_overwriting_keeps_no_part_of_the_earlier_result(films, bucket):
    files = bucket.files()
    files.pipe_file(f"{bucket.name}/views/part-00007.parquet", b"")

    _, result = run(films, bucket, paths=films / "archive", overwrite=True)

    assert result.to_arrow().num_rows == result.summary.found - 1
    assert bucket.files().ls(f"{bucket.name}/views") == [f"{bucket.name}/views/part-00000.parquet"]


def test_a_folder_with_other_files_is_refused(films, bucket):
    bucket.files().pipe_file(f"{bucket.name}/others/notes.txt", b"")

    with pytest.raises(UsageError, match=r"notes\.txt"):
        plan_cluster_run(films / "archive", cluster="local", out=f"{bucket.url}/others/")

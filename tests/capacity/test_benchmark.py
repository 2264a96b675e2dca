import dataclasses

import pytest

from cxrview.capacity import benchmark as measuring
from cxrview.capacity.benchmark import benchmark_of, measure_machine, read_benchmark
from cxrview.errors import RunStopped, UsageError
from cxrview.json_file import write_json
from cxrview.records.json_object import to_json
from cxrview.workers.cores import available_cores


@pytest.fixture
def stored(benchmark, tmp_path):
    path = tmp_path / "machine.json"
    write_json(path, to_json(benchmark))
    return path


def test_read_benchmark_reads_what_was_written(benchmark, stored):
    assert read_benchmark(stored) == benchmark


@pytest.mark.parametrize("text", ["", "{}", '{"format": 1, "cores": "many"}', "[]"])
def test_read_benchmark_refuses_other_files(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)

    with pytest.raises(UsageError, match=r"other\.json"):
        read_benchmark(path)


def test_read_benchmark_refuses_another_format(benchmark, tmp_path):
    path = tmp_path / "machine.json"
    write_json(path, to_json(dataclasses.replace(benchmark, format=99)))

    with pytest.raises(UsageError, match="another version"):
        read_benchmark(path)


def test_benchmark_of_measures_nothing_that_the_file_has(benchmark, stored):
    before = stored.read_bytes()

    assert benchmark_of(stored, ["native", "jpeg-2000"]) == benchmark
    assert stored.read_bytes() == before


def test_benchmark_of_adds_no_syntax_of_this_machine_to_another_one(stored):
    with pytest.raises(UsageError, match="rle"):
        benchmark_of(stored, ["native", "rle"])


def test_find_model_takes_the_default_of_classify(benchmark):
    assert benchmark.find_model("default").model == "fast"
    with pytest.raises(UsageError, match="fast, googlenet"):
        benchmark.find_model("mine")


def test_measure_machine_reports_why_the_measurement_failed():
    with pytest.raises(RunStopped, match="no-such-syntax"):
        measure_machine(["no-such-syntax"])


@pytest.mark.slow
def test_benchmark_of_measures_this_machine_once_per_syntax(tmp_path, monkeypatch):
    path = tmp_path / "machine.json"

    first = benchmark_of(path, ["native"])

    assert read_benchmark(path) == first
    assert first.cores == available_cores()
    assert [one.model for one in first.models] == ["googlenet", "fast"]
    assert all(one.core_seconds > 0 for one in first.models)
    native = first.find_syntax("native")
    assert native.megabytes == pytest.approx(2 * first.rows * first.columns / 1e6, rel=0.01)
    assert native.read_seconds > 0
    assert native.decode_seconds > 0
    both = benchmark_of(path, ["native", "rle"])
    assert both.find_syntax("native") == native
    monkeypatch.setattr(measuring, "measure_machine", None)
    assert benchmark_of(path, ["rle"]) == both

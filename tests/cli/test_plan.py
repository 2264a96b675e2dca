"""`cxrview plan`: what it prints, by a benchmark file of a machine that does not exist."""

import pytest
from typer.testing import CliRunner

from cxrview.capacity.benchmark import FORMAT
from cxrview.cli.main import app
from cxrview.errors import UsageError
from cxrview.json_file import write_json


@pytest.fixture
def plan(tmp_path):
    """Run the command with further options."""
    path = tmp_path / "machine.json"
    write_json(
        path,
        {
            "format": FORMAT,
            "version": "0",
            "processor": "Invented",
            "cores": 16,
            "load_average": 0.5,
            "seconds": 20.0,
            "rows": 1000,
            "columns": 1000,
            "syntaxes": [
                {
                    "syntax": "native",
                    "megabytes": 2.0,
                    "read_seconds": 0.002,
                    "decode_seconds": 0.01,
                }
            ],
            "models": [{"model": "fast", "precision": "int8", "core_seconds": 0.02}],
        },
    )

    def run(*options: str, code: int = 0) -> str:
        words = ["plan", "--syntax", "native", "--benchmark", str(path), *options]
        done = CliRunner().invoke(app, words)
        if isinstance(done.exception, UsageError):
            return str(done.exception)
        assert done.exit_code == code, done.output
        return done.output

    return run


def test_plan_prints_what_is_needed_and_what_limits_it(plan):
    said = plan("--images", "1e8", "--cores", "512")

    last, limit = said.splitlines()[-2:]
    assert last.startswith("100,000,000 images: 512 cores in 32 machines, ")
    assert limit == "limited by: cores"
    assert "cost model" in said
    assert "Invented, 16 cores, load average 0.5" in said


def test_plan_names_storage_as_the_limit(plan):
    said = plan("--images", "1e6", "--cores", "512", "--storage-rate", "10")

    assert said.splitlines()[-1] == "limited by: storage"
    assert "55.6 hours" in said  # 2 million megabytes at 10 a second


def test_plan_counts_gpus_that_keep_up(plan):
    said = plan("--images", "1e6", "--cores", "64", "--gpus", "auto", "--gpu-rate", "4000")

    assert "64 cores, 2 GPUs in 4 machines" in said


@pytest.mark.parametrize("images", ["many", "-1", "1.5"])
def test_plan_refuses_what_is_not_a_number_of_images(plan, images):
    assert "whole number" in plan("--images", images, "--cores", "1", code=2)


def test_plan_needs_cores_or_hours(plan):
    assert "cores or hours" in plan("--images", "1")


def test_plan_needs_a_rate_where_no_gpu_was_measured(plan):
    assert "--gpu-rate" in plan("--images", "1", "--cores", "1", "--gpus", "1")

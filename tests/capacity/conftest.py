"""A benchmark of a machine that does not exist."""

import pytest

from cxrview.capacity.benchmark import FORMAT, MachineBenchmark, ModelCost, SyntaxCost


@pytest.fixture
def benchmark() -> MachineBenchmark:
    """One megapixel an image, 16 cores; a GPU that runs only `fast`."""
    return MachineBenchmark(
        format=FORMAT,
        version="0",
        processor="Invented",
        cores=16,
        load_average=0.5,
        seconds=20.0,
        rows=1000,
        columns=1000,
        syntaxes=(
            SyntaxCost(syntax="jpeg-2000", megabytes=1.0, read_seconds=0.001, decode_seconds=0.030),
            SyntaxCost(syntax="native", megabytes=2.0, read_seconds=0.002, decode_seconds=0.010),
        ),
        models=(
            ModelCost(
                model="fast",
                precision="int8",
                core_seconds=0.020,
                gpu_images_per_second=1000.0,
            ),
            ModelCost(model="googlenet", precision="int8", core_seconds=0.004),
        ),
    )

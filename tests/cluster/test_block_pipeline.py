"""Outcomes belong to the block of their path, whatever the engine leaves out."""

import pytest

from cxrview.classify.options import ClassifyOptions
from cxrview.cluster import block_pipeline
from cxrview.cluster.block_pipeline import BlockPipeline
from cxrview.errors import RunStopped
from cxrview.records.classification import Failure


def fail(path: str) -> Failure:
    return Failure(path=path, code="not_an_image", reason="", advice="")


@pytest.fixture
def lost(monkeypatch) -> set[str]:
    """Paths that the engine gives no outcome for."""
    lost: set[str] = set()

    def iter_outcomes(paths, model, options):
        yield from (fail(path) for path in paths if path not in lost)

    monkeypatch.setattr(block_pipeline, "iter_outcomes", iter_outcomes)
    return lost


def test_each_block_gets_the_outcomes_of_its_paths(lost):
    with BlockPipeline(None, ClassifyOptions()) as pipeline:
        assert pipeline.classify(["a", "b"]) == [fail("a"), fail("b")]
        assert pipeline.classify(["c"]) == [fail("c")]


def test_a_block_is_not_filled_with_the_outcome_of_another_file(lost):
    lost.add("b")
    with BlockPipeline(None, ClassifyOptions()) as pipeline:
        with pytest.raises(RunStopped, match="missing"):
            pipeline.classify(["a", "b", "c"])
        with pytest.raises(RunStopped, match="missing"):  # by another worker, and not here
            pipeline.classify(["d"])

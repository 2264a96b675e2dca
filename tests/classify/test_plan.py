"""What a run knows before it reads the first file."""

import pytest

from cxrview.classify.inputs import Inputs
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.plan import plan_run
from cxrview.errors import UsageError


def test_a_resumed_run_counts_what_is_left_while_it_lasts(archive, tmp_path, model):
    """The count runs beside the run, which locks its journal."""
    options = ClassifyOptions(workers=2, key=tmp_path / "patient.key")
    out = tmp_path / "views.csv"

    def stop(_):
        raise KeyboardInterrupt

    first = plan_run([archive], out=out, model=model, options=options).run(stop)
    resumed = plan_run([archive], out=out, model=model, options=options, resume=True)
    left = []
    resumed.run(lambda _: left.append(resumed.count()))

    assert 0 < first.summary.found < 41
    assert set(left) == {41 - first.summary.found}


def test_a_pattern_that_matched_once_may_match_nothing_when_resumed(tmp_path):
    """Its files were deleted, or their disk is not mounted. Another check finds out which."""
    inputs = Inputs.of([tmp_path / "*.dcm"])

    assert inputs.check(may_be_away=True) == []
    assert list(inputs.find(may_be_away=True)) == []
    with pytest.raises(UsageError, match="nothing matches"):
        inputs.check()
    with pytest.raises(UsageError, match="nothing matches"):
        list(inputs.find())

import numpy as np
import pytest

from cxrview.capacity.cost_model import (
    CostModel,
    ImageCost,
    MeasuredRun,
    fit_cost_model,
    packaged_cost_model,
    read_runs,
)
from cxrview.errors import UsageError

TRUE = CostModel(read=1.5, decode=1.1, infer=1.3)


def run(number: int, *, noise: float = 0.0, is_fitted: bool = True) -> MeasuredRun:
    """A run whose cost follows TRUE, except for noise."""
    rng = np.random.default_rng(number)
    stages = ImageCost(
        read=rng.uniform(0.001, 0.01), decode=rng.uniform(0.005, 0.1), infer=rng.uniform(0.01, 0.03)
    )
    seconds = TRUE.core_seconds(stages) * (1 + rng.normal(0, noise))
    return MeasuredRun(
        name=str(number),
        is_fitted=is_fitted,
        stages=stages,
        core_seconds=seconds,
        images_per_second=4 * 0.9 / seconds,
        cores=4,
    )


def test_fit_cost_model_finds_the_factors_of_runs_without_noise():
    found = fit_cost_model([run(k) for k in range(6)])

    assert found.model.read == pytest.approx(TRUE.read)
    assert found.model.decode == pytest.approx(TRUE.decode)
    assert found.model.infer == pytest.approx(TRUE.infer)
    assert found.typical_error == pytest.approx(0, abs=1e-9)
    assert found.utilisation == pytest.approx(0.9)


def test_fit_cost_model_counts_errors_on_runs_that_it_was_not_fitted_to():
    """A run that costs twice as much as the others changes the fit, unless it is left out."""
    runs = [run(k) for k in range(6)]
    odd = run(9, is_fitted=False)
    odd = MeasuredRun(
        name="odd",
        is_fitted=False,
        stages=odd.stages,
        core_seconds=2 * odd.core_seconds,
        images_per_second=odd.images_per_second,
        cores=4,
    )

    found = fit_cost_model([*runs, odd])

    assert found.other_errors == (pytest.approx(-0.5),)
    assert len(found.left_out_errors) == 6
    assert found.typical_error == pytest.approx(0.5 / np.sqrt(7))


def test_fit_cost_model_leaves_each_run_out_of_the_fit_that_its_error_is_of():
    runs = [run(k, noise=0.05) for k in range(8)]

    found = fit_cost_model(runs)

    rest = fit_cost_model(runs[1:]).model
    error = rest.core_seconds(runs[0].stages) / runs[0].core_seconds - 1
    assert found.left_out_errors[0] == pytest.approx(error)
    assert error != 0


def test_fit_cost_model_needs_four_runs():
    with pytest.raises(ValueError, match="four"):
        fit_cost_model([run(k) for k in range(3)])


def test_packaged_cost_model_is_within_a_tenth_of_every_run_left_out():
    found = packaged_cost_model()

    assert len(found.errors) == len(found.runs) == 18
    assert max(map(abs, found.errors)) < 0.1
    assert found.typical_error < 0.05
    assert 1 <= found.model.decode <= found.model.infer < 1.5
    assert 0.9 < found.utilisation <= 1


@pytest.mark.parametrize("text", ["", "run,fitted\nx,yes\n", "run,read_ms\nx,much\n"])
def test_read_runs_refuses_other_tables(tmp_path, text):
    path = tmp_path / "runs.csv"
    path.write_text(text)
    if not text:
        path.unlink()

    with pytest.raises(UsageError, match="table of measured runs"):
        read_runs(path)

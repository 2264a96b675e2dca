import pytest

from cxrview.capacity.cost_model import CostModel, FittedCostModel
from cxrview.capacity.plan import (
    CORES,
    GPUS,
    STORAGE,
    Archive,
    Cluster,
    parse_shares,
    plan_capacity,
)
from cxrview.errors import UsageError

PLAIN = FittedCostModel(
    model=CostModel(read=1.0, decode=1.0, infer=1.0),
    runs=(),
    left_out_errors=(0.03, -0.04),
    other_errors=(),
    utilisation=0.8,
)
"""Every stage costs in a run what it costs alone; cores are busy for 80 % of the time."""
MIXED = Archive(images=3_600_000, shares={"jpeg-2000": 0.5, "native": 0.5})
"""20 ms to decode and 1.5 ms to read an image of the benchmark, on average."""


def test_plan_capacity_computes_hours_from_cores(benchmark):
    plan = plan_capacity(MIXED, Cluster(cores=50, overhead=0), benchmark, PLAIN)

    assert plan.core_seconds == pytest.approx(0.0015 + 0.020 + 0.020)
    # 3.6 million x 41.5 ms are 41.5 hours of a core, and 50 cores work 80 % of the time.
    assert plan.hours == pytest.approx(41.5 / 40)
    assert (plan.cores, plan.gpus, plan.machines) == (50, 0, 4)
    assert plan.machine_hours == pytest.approx(4 * 41.5 / 40)
    assert plan.limit.name == CORES
    assert plan.megabytes == 1.5


def test_plan_capacity_computes_cores_from_hours(benchmark):
    plan = plan_capacity(MIXED, Cluster(hours=2.0, overhead=0), benchmark, PLAIN)

    assert plan.cores == 26  # 41.5 / 2 / 0.8 is 25.9
    assert plan.hours <= 2.0


def test_plan_capacity_adds_overhead_to_core_time(benchmark):
    plan = plan_capacity(MIXED, Cluster(cores=50, overhead=0.2), benchmark, PLAIN)

    assert plan.core_seconds == pytest.approx(1.2 * 0.0415)


def test_plan_capacity_applies_the_factors_of_the_cost_model(benchmark):
    fitted = FittedCostModel(
        model=CostModel(read=2.0, decode=3.0, infer=4.0),
        runs=(),
        left_out_errors=(0.0,),
        other_errors=(),
        utilisation=0.8,
    )

    plan = plan_capacity(MIXED, Cluster(cores=50, overhead=0), benchmark, fitted)

    assert plan.core_seconds == pytest.approx(2 * 0.0015 + 3 * 0.020 + 4 * 0.020)


def test_plan_capacity_scales_files_by_pixels_but_not_the_model(benchmark):
    larger = Archive(images=1000, shares={"native": 1.0}, megapixels=5.0)

    plan = plan_capacity(larger, Cluster(cores=1, overhead=0), benchmark, PLAIN)

    assert plan.core_seconds == pytest.approx(5 * (0.002 + 0.010) + 0.020)
    assert plan.megabytes == 10.0


def test_plan_capacity_leaves_the_model_to_gpus(benchmark):
    """3.6 million images at 1,000 a second are an hour of one GPU; two need half of it."""
    plan = plan_capacity(MIXED, Cluster(cores=100, overhead=0, gpus=2), benchmark, PLAIN)

    assert plan.core_seconds == pytest.approx(0.0215)
    assert [(one.name, one.hours) for one in plan.resources] == [
        (GPUS, 0.5),
        (CORES, pytest.approx(21.5 / 80)),
    ]
    assert plan.limit.name == GPUS
    assert plan.hours == 0.5


def test_plan_capacity_computes_gpus_that_keep_up_with_cores(benchmark):
    plan = plan_capacity(MIXED, Cluster(cores=100, overhead=0, gpus=None), benchmark, PLAIN)

    assert plan.gpus == 4  # an hour of a GPU in 21.5 / 80 hours
    assert plan.limit.name == CORES


def test_plan_capacity_uses_the_given_rate_of_a_gpu(benchmark):
    given = Cluster(cores=100, overhead=0, gpus=1, gpu_images_per_second=4000.0)

    plan = plan_capacity(MIXED, given, benchmark, PLAIN, model="googlenet")

    assert {one.name: one.hours for one in plan.resources}[GPUS] == 0.25


def test_plan_capacity_refuses_gpus_without_a_rate(benchmark):
    with pytest.raises(UsageError, match="--gpu-rate"):
        plan_capacity(MIXED, Cluster(cores=1, gpus=1), benchmark, PLAIN, model="googlenet")


def test_plan_capacity_names_storage_that_is_too_slow(benchmark):
    """5.4 million megabytes at 500 a second are 3 hours."""
    slow = Cluster(cores=50, overhead=0, storage_megabytes_per_second=500.0)

    plan = plan_capacity(MIXED, slow, benchmark, PLAIN)

    assert plan.limit.name == STORAGE
    assert plan.hours == pytest.approx(3.0)
    assert plan.resources[-1].name == CORES


def test_plan_capacity_refuses_syntax_that_was_not_measured(benchmark):
    with pytest.raises(UsageError, match="rle"):
        plan_capacity(Archive(images=1, shares={"rle": 1}), Cluster(cores=1), benchmark, PLAIN)


@pytest.mark.parametrize("gpus", [0, 1])
def test_assumptions_name_everything_that_the_plan_depends_on(benchmark, gpus):
    plan = plan_capacity(MIXED, Cluster(cores=1, gpus=gpus), benchmark, PLAIN)

    rows = {one.name: one for one in plan.assumptions}
    assert len(rows) == len(plan.assumptions)
    for syntax in MIXED.shares:
        for what in ("share", "size", "read", "decode"):
            assert f"{syntax}: {what}" in rows
    assert {"cost model", "busy cores", "overhead of the cluster", "storage"} <= set(rows)
    assert {one.source for one in plan.assumptions} >= {"given", "measured", "assumed"}
    assert ("1,000 images/s" in rows["model fast"].value) == bool(gpus)
    assert "load average 0.5" in rows["machine"].value


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("j2k=0.7,native=0.3", {"jpeg-2000": 0.7, "native": 0.3}),
        ("native", {"native": 1.0}),
        (" htj2k = 0.5 , rle=5e-1", None),
        ("jpeg-ls=0.25,rle=0.75", {"jpeg-ls": 0.25, "rle": 0.75}),
    ],
)
def test_parse_shares_reads_names_and_aliases(text, shares):
    if shares is None:
        with pytest.raises(UsageError):
            parse_shares(text)
    else:
        assert parse_shares(text) == shares


@pytest.mark.parametrize("text", ["", "gif=1", "native=much", "j2k=0.5,jpeg-2000=0.5"])
def test_parse_shares_refuses_other_forms(text):
    with pytest.raises(UsageError):
        parse_shares(text)


@pytest.mark.parametrize("shares", [{"native": 0.5}, {"native": 1.5, "rle": -0.5}, {}])
def test_archive_needs_shares_that_add_up_to_one(shares):
    with pytest.raises(UsageError, match="add up"):
        Archive(images=1, shares=shares)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"cores": 1, "hours": 1.0},
        {"hours": 0.0},
        {"cores": 1, "overhead": -0.1},
        {"cores": 1, "gpus": -1},
        {"cores": 1, "gpu_images_per_second": 0.0},
    ],
)
def test_cluster_refuses_values_that_make_no_plan(given):
    with pytest.raises(UsageError):
        Cluster(**given)

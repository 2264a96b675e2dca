"""Computes cores, GPUs, hours and machine-hours for an archive, and what limits them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cxrview.capacity.benchmark import MachineBenchmark, ModelCost
from cxrview.capacity.cost_model import FittedCostModel, ImageCost
from cxrview.errors import UsageError
from cxrview.phantom.encode import find_syntax
from cxrview.terms import ShippedModel
from cxrview.wording import plural

ALIASES = {
    "j2k": "jpeg-2000",
    "j2k-lossy": "jpeg-2000-lossy",
    "jls": "jpeg-ls",
    "explicit": "native",
}
"""Shorter names of transfer syntaxes."""
OVERHEAD = 0.15
"""Share of core time that a cluster takes in addition: the limit that its benchmark checks."""
SECONDS_PER_HOUR = 3600.0
GIVEN, MEASURED, ASSUMED = "given", "measured", "assumed"
CORES, GPUS, STORAGE = "cores", "GPUs", "storage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The images to be classified.

    Raises:
        UsageError: a number is not positive and finite, or the shares do not add up to 1.
    """

    images: int
    shares: Mapping[str, float]
    """Share of the images of each transfer syntax, by the names of `cxrview phantom`."""
    megapixels: float | None = None
    """Of an image, on average; None for that of the benchmark."""

    def __post_init__(self) -> None:
        if (
            self.images < 1
            or not 0 < (1 if self.megapixels is None else self.megapixels) < math.inf
        ):
            raise UsageError("images and megapixels are finite and above 0")
        if any(share < 0 for share in self.shares.values()) or not math.isclose(
            sum(self.shares.values()), 1, abs_tol=0.001
        ):
            raise UsageError(
                f"the shares of the syntaxes add up to {sum(self.shares.values()):g} instead of 1"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The machines, as far as they are decided.

    Raises:
        UsageError: not exactly one of cores and hours is given, or a number is out of range.
    """

    cores: int | None = None
    hours: float | None = None
    """In which the work should be done; cores are then computed."""
    gpus: int | None = 0
    """GPUs that run the model; None for as many as keep up with the cores; 0 for cores alone."""
    gpu_images_per_second: float | None = None
    """Of one GPU; None for that of the benchmark."""
    storage_megabytes_per_second: float | None = None
    """That storage gives to all machines together; None for no limit."""
    machine_cores: int | None = None
    """Cores of one machine; None for those of the benchmark."""
    overhead: float = OVERHEAD

    def __post_init__(self) -> None:
        if (self.cores is None) == (self.hours is None):
            raise UsageError("give cores or hours: the other is computed from it")
        for name in ("cores", "hours", "gpu_images_per_second", "storage_megabytes_per_second"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"{name} is finite and above 0; got {value}")
        if (
            not 0 <= self.overhead < math.inf
            or (self.gpus or 0) < 0
            or (self.machine_cores or 1) < 1
        ):
            raise UsageError("overhead and GPUs are 0 or more, cores of a machine 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One of the things that limit a run."""

    name: str
    """CORES, GPUS or STORAGE."""
    amount: float
    """Cores, GPUs, or megabytes per second."""
    hours: float
    """Time of the run if only this resource limited it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A figure that the plan depends on."""

    name: str
    value: str
    source: str
    """Where it comes from: measured, fitted, given or assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPlan:
    """What an archive needs."""

    cores: int
    gpus: int
    machines: int
    hours: float
    """From the first file to the last row; the longest time of a resource."""
    core_seconds: float
    """Of one image."""
    megabytes: float
    """Of one image."""
    images: int
    typical_error: float
    """Relative error of the cost model for runs that it was not fitted to; 0.04 for 4 %."""
    resources: tuple[Resource, ...]
    """The limiting one first."""
    assumptions: tuple[Assumption, ...]

    @property
    def machine_hours(self) -> float:
        """Hours of all machines together."""
        return self.hours * self.machines

    @property
    def limit(self) -> Resource:
        """The resource that all others wait for."""
        return self.resources[0]


def parse_shares(text: str) -> dict[str, float]:
    """Read shares of transfer syntaxes, such as `j2k=0.7,native=0.3`.

    Raises:
        UsageError: it has another form, or a syntax does not exist or is named twice.
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        try:
            share = float(number) if number else 1.0
        except ValueError:
            raise UsageError(f"shares are NAME=SHARE,NAME=SHARE; got {part.strip()}") from None
        name = find_syntax(ALIASES.get(name, name)).name
        if name in shares:
            raise UsageError(f"syntax {name} is named twice")
        shares[name] = share
    return shares


def plan_capacity(
    archive: Archive,
    cluster: Cluster,
    benchmark: MachineBenchmark,
    fitted: FittedCostModel,
    *,
    model: str = "default",
) -> CapacityPlan:
    """Compute what a run needs, by the cost model and a benchmark of one machine.

    Args:
        archive: the images.
        cluster: what is decided about the machines.
        benchmark: of a machine like those of the cluster; with the archive's syntaxes.
        fitted: the cost model, with its error and the share of busy cores.
        model: name of a model in the package.

    Raises:
        UsageError: the benchmark lacks a syntax, or a rate of a GPU.
    """
    cost = _mean_cost(archive, benchmark, model, has_gpu=cluster.gpus != 0)
    core_seconds = fitted.model.core_seconds(cost) * (1 + cluster.overhead)
    megabytes = _megabytes(archive, benchmark)
    core_hours = archive.images * core_seconds / SECONDS_PER_HOUR
    cores = cluster.cores
    if cores is None:
        assert cluster.hours is not None  # checked by Cluster
        cores = math.ceil(core_hours / (cluster.hours * fitted.utilisation))
    hours = core_hours / (cores * fitted.utilisation)
    resources = [Resource(name=CORES, amount=cores, hours=hours)]
    gpus, gpu_rate = 0, 0.0
    if cluster.gpus != 0:
        gpu_rate = _gpu_rate(cluster, benchmark, model)
        gpu_hours = archive.images / gpu_rate / SECONDS_PER_HOUR
        gpus = cluster.gpus or math.ceil(gpu_hours / hours)
        resources.append(Resource(name=GPUS, amount=gpus, hours=gpu_hours / gpus))
    if rate := cluster.storage_megabytes_per_second:
        read_hours = archive.images * megabytes / rate / SECONDS_PER_HOUR
        resources.append(Resource(name=STORAGE, amount=rate, hours=read_hours))
    resources.sort(key=lambda one: -one.hours)
    machine_cores = cluster.machine_cores or benchmark.cores
    return CapacityPlan(
        cores=cores,
        gpus=gpus,
        machines=math.ceil(cores / machine_cores),
        hours=resources[0].hours,
        core_seconds=core_seconds,
        megabytes=megabytes,
        images=archive.images,
        typical_error=fitted.typical_error,
        resources=tuple(resources),
        assumptions=_assumptions(
            archive, cluster, benchmark, fitted, model, machine_cores, gpu_rate
        ),
    )


def _scale(archive: Archive, benchmark: MachineBenchmark) -> float:
    """Pixels of an image of the archive for each one of a drawn image."""
    measured = benchmark.rows * benchmark.columns / 1e6
    return (archive.megapixels or measured) / measured


def _mean_cost(
    archive: Archive, benchmark: MachineBenchmark, model: str, *, has_gpu: bool
) -> ImageCost:
    scale = _scale(archive, benchmark)
    costs = {name: benchmark.find_syntax(name) for name in archive.shares}
    return ImageCost(
        read=scale * sum(s * costs[name].read_seconds for name, s in archive.shares.items()),
        decode=scale * sum(s * costs[name].decode_seconds for name, s in archive.shares.items()),
        infer=0.0 if has_gpu else benchmark.find_model(model).core_seconds,
    )


def _megabytes(archive: Archive, benchmark: MachineBenchmark) -> float:
    sizes = (s * benchmark.find_syntax(name).megabytes for name, s in archive.shares.items())
    return _scale(archive, benchmark) * sum(sizes)


def _gpu_rate(cluster: Cluster, benchmark: MachineBenchmark, model: str) -> float:
    rate = cluster.gpu_images_per_second or benchmark.find_model(model).gpu_images_per_second
    if rate is None:
        raise UsageError(
            "the benchmark was measured on a machine without a GPU that ONNX Runtime can use",
            "Measure on a machine with one, or give its images per second by --gpu-rate",
        )
    return rate


def _assumptions(
    archive: Archive,
    cluster: Cluster,
    benchmark: MachineBenchmark,
    fitted: FittedCostModel,
    model: str,
    machine_cores: int,
    gpu_rate: float,
) -> tuple[Assumption, ...]:
    rate = cluster.storage_megabytes_per_second
    return (
        *_of_images(archive, benchmark),
        *_of_model(benchmark.find_model(model), cluster, gpu_rate),
        *_of_cost_model(fitted),
        Assumption(
            name="overhead of the cluster",
            value=f"{100 * cluster.overhead:g} % of core time",
            source=ASSUMED if cluster.overhead == OVERHEAD else GIVEN,
        ),
        Assumption(
            name="cores of a machine",
            value=f"{machine_cores}",
            source=GIVEN if cluster.machine_cores else "those of the machine measured",
        ),
        Assumption(
            name="storage",
            value=f"{rate:,.0f} MB/s" if rate else "no limit",
            source=GIVEN if rate else ASSUMED,
        ),
        Assumption(name="other machines", value="as fast as the one measured", source=ASSUMED),
        Assumption(name="failures and files that are skipped", value="none", source=ASSUMED),
        Assumption(name="core time of a network", value="that of a local disk", source=ASSUMED),
    )


def _of_images(archive: Archive, benchmark: MachineBenchmark) -> Iterator[Assumption]:
    load = benchmark.load_average
    at = "" if load is None else f", load average {load:g}"
    yield Assumption(
        name="machine",
        value=f"{benchmark.processor}, {plural(benchmark.cores, 'core')}{at}",
        source=MEASURED,
    )
    yield Assumption(name="images", value=f"{archive.images:,}", source=GIVEN)
    for name, share in archive.shares.items():
        cost = benchmark.find_syntax(name)
        figures = (
            ("share", f"{100 * share:g} %", GIVEN),
            ("size", f"{cost.megabytes:.2f} MB", MEASURED),
            ("read", f"{1000 * cost.read_seconds:.1f} ms of a core", MEASURED),
            ("decode", f"{1000 * cost.decode_seconds:.1f} ms of a core", MEASURED),
        )
        for what, value, source in figures:
            yield Assumption(name=f"{name}: {what}", value=value, source=source)
    drawn = benchmark.rows * benchmark.columns / 1e6
    yield Assumption(
        name="pixels of an image",
        value=f"{archive.megapixels or drawn:.2f} million",
        source=GIVEN if archive.megapixels else "those of drawn radiographs",
    )
    yield Assumption(name="size and time by pixels", value="proportional", source=ASSUMED)


def _of_model(cost: ModelCost, cluster: Cluster, gpu_rate: float) -> Iterator[Assumption]:
    if cluster.gpus == 0:
        value = f"{1000 * cost.core_seconds:.1f} ms of a core, {cost.precision}"
        yield Assumption(name=f"model {cost.model}", value=value, source=MEASURED)
    else:
        source = GIVEN if cluster.gpu_images_per_second else MEASURED
        value = f"{gpu_rate:,.0f} images/s of a GPU"
        yield Assumption(name=f"model {cost.model}", value=value, source=source)
        yield Assumption(name="core time of feeding a GPU", value="none", source=ASSUMED)
    if cost.model == ShippedModel.FAST:
        name = f"images that it leaves to {ShippedModel.GOOGLENET}"
        yield Assumption(name=name, value="as of drawn radiographs", source=ASSUMED)


def _of_cost_model(fitted: FittedCostModel) -> Iterator[Assumption]:
    factors = fitted.model
    yield Assumption(
        name="cost model",
        value=f"{factors.read:.2f} x read + {factors.decode:.2f} x decode "
        f"+ {factors.infer:.2f} x model",
        source=f"fitted to {len(fitted.left_out_errors)} runs",
    )
    yield Assumption(
        name="error of the cost model",
        value=f"{100 * fitted.typical_error:.1f} %",
        source=f"on {len(fitted.errors)} runs left out of the fit",
    )
    yield Assumption(
        name="busy cores",
        value=f"{100 * fitted.utilisation:.0f} %",
        source=f"median of {len(fitted.runs)} runs",
    )

"""A run of `cxrview classify` on a cluster: list, classify block by block, make the table."""

import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxrview.classify.conditions import conditions_of
from cxrview.classify.inputs import LIST
from cxrview.classify.missing_files import MountWatch
from cxrview.classify.model import Model
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.plan import Paths, RunPlan, plan_run
from cxrview.classify.run import never
from cxrview.classify.selection import Selected
from cxrview.cluster.commit import read_failures
from cxrview.cluster.destination import Destination, destination_named
from cxrview.cluster.engine import Engine
from cxrview.cluster.finish import write_parts
from cxrview.cluster.ledger import FinishedBlock
from cxrview.cluster.listing import Lister
from cxrview.cluster.ray_session import connected, import_ray
from cxrview.cluster.schedule import finish_blocks
from cxrview.cluster.totals import Totals
from cxrview.cluster.worker import WorkerSettings
from cxrview.errors import CannotWrite, RunStopped, UsageError
from cxrview.results.journal import Conditions
from cxrview.results.result import LazyTable, Result
from cxrview.results.summary import RunSummary, count_outcomes, summarise
from cxrview.terms import Device, Precision, ShippedModel

Connect = Callable[[str, int | None], AbstractContextManager[Engine]]
"""Connects to a cluster by its address, with so many cores of a local one; see `connected`."""
NOTE_SECONDS = 10.0
"""Time between two notes of how long the run has taken."""


def ignore_files(done: int, failed: int) -> None:
    """Do nothing; the default of `on_files`."""


def ignore_notice(notice: str) -> None:
    """Do nothing; the default of `on_notice`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    """A run on a cluster that is checked and ready to start.

    Attributes:
        plan: the run as on one machine.
        destination: the result.
        cluster: address; see `connected`.
        model: name or absolute folder of the model, as all machines load it.
        precision: as the user asked for it.
        device: that all machines use.
        overwrite: replace an existing result.
    """

    plan: RunPlan
    destination: Destination
    cluster: str
    model: str
    precision: Precision
    device: Device
    overwrite: bool

    def start(self, connect: Connect = connected) -> "ClusterRun":
        """Return the run, which lists its files only when it is told to run.

        Args:
            connect: connects to the cluster.
        """
        return ClusterRun(self, connect)


def plan_cluster_run(
    paths: Paths,
    *,
    cluster: str,
    out: str | os.PathLike[str],
    model: Model | str | os.PathLike[str] | None = None,
    precision: Precision = Precision.AUTO,
    device: Device = Device.AUTO,
    options: ClassifyOptions | None = None,
    resume: bool = False,
    overwrite: bool = False,
    known: Sequence[str | os.PathLike[str]] = (),
    shard: str | None = None,
) -> ClusterPlan:
    """Check everything that can be checked before the first file is read.

    Args:
        paths: as for `cxrview.classify`. All machines must be able to open what is found.
        cluster: `local`, `auto`, `ray://HOST:PORT` or `HOST:PORT`; see `connected`.
        out: a folder of Parquet parts: a name or URL that ends in /. A local one must be mounted on
            all machines.
        model: name of a model, or its folder, which must be on all machines.
        precision: as for `load_model`.
        device: cuda, or cpu, which auto stands for.
        options: as for `cxrview.classify`; `workers` is the number of cores of one worker.
        resume: as for `cxrview.classify`.
        overwrite: as for `cxrview.classify`.
        known: as for `cxrview.classify`.
        shard: as for `cxrview.classify`.

    Raises:
        UsageError: as `plan_run`, Ray is not installed, or the model is loaded already.
        InvalidModel: a model file is damaged.
    """
    if overwrite and resume:
        raise UsageError("overwrite and resume exclude each other")
    if isinstance(model, Model):
        raise UsageError(
            "a cluster loads the model on each of its machines, and got one that is loaded",
            "Give the name of the model, or its folder",
        )
    if options and options.bytes_per_second:
        raise UsageError(
            "a limit on the read rate holds for one machine, and not for a cluster",
            "Leave out --max-read-rate, or --cluster",
        )
    import_ray()
    destination = destination_named(os.fspath(out))
    destination.check(overwrite=overwrite, resume=resume)
    own = {path.resolve() for path in destination.own_files()}
    if known_now := [table for table in known if Path(table).resolve() in own]:
        raise UsageError(
            f"{known_now[0]} is given as known, and would be overwritten",
            "Choose another --out, and join the two with cxrview concat",
        )
    name = os.fspath(model or ShippedModel.DEFAULT)
    device = Device.CPU if device is Device.AUTO else device
    if device is Device.CUDA and precision is Precision.AUTO:
        precision = Precision.FP32  # as `load_model` chooses on a GPU
    plan = plan_run(
        paths,
        model=name,
        precision=precision,
        device=Device.CPU,  # the machine of the command needs no GPU
        options=options,
        known=known,
        shard=shard,
    )
    return ClusterPlan(
        plan=plan,
        destination=destination,
        cluster=cluster,
        model=name if name in list(ShippedModel) else os.path.abspath(name),  # noqa: PTH100
        precision=precision,
        device=device,
        overwrite=overwrite,
    )


def classify_on_cluster(
    paths: Paths, *, is_time_up: Callable[[], bool] = never, **settings: Any
) -> Result:
    """Run on a cluster, for `cxrview.classify`; notices become warnings.

    Args:
        paths: as for `plan_cluster_run`.
        is_time_up: as for `ClusterRun.run`.
        settings: further arguments of `plan_cluster_run`. Errors as for both.
    """
    plan = plan_cluster_run(paths, **settings)
    for folder in plan.plan.empty:
        warnings.warn(f"{folder} holds no file: is its disk mounted?", stacklevel=3)
    return plan.start().run(
        is_time_up=is_time_up, on_notice=lambda notice: warnings.warn(notice, stacklevel=2)
    )


class ClusterRun:
    """A run on a cluster.

    Args:
        plan: of the run.
        connect: connects to the cluster.
    """

    def __init__(self, plan: ClusterPlan, connect: Connect) -> None:
        self._connect = connect
        self._plan, self._job = plan, plan.destination.job
        self._totals = Totals()
        self._watch = MountWatch(plan.plan.inputs.names, "Then run the same command with --resume")
        self._lister = self._new_lister()
        self._began = self._noted = time.monotonic()
        self._session = ""
        self._read_before = 0

    def count(self) -> int | None:
        """Wait for the end of the listing; return the number of files that the run reads."""
        found = self._lister.count()
        return None if found is None else found - self._read_before

    def run(
        self,
        on_files: Callable[[int, int], None] = ignore_files,
        is_time_up: Callable[[], bool] = never,
        on_notice: Callable[[str], None] = ignore_notice,
    ) -> Result:
        """Classify all files and write the result.

        Args:
            on_files: called with the number of files of each finished block, and how many failed.
            is_time_up: checked all the time; once it returns True, no further block is begun.
            on_notice: called with sentences about machines that are not used.

        Returns:
            The result; after Ctrl-C or when the time is up, one without tables.

        Raises:
            UsageError: the cluster does not answer, or the job was begun with other settings.
            RunStopped: a disk, a store, all machines or their devices fail. What is finished is
                kept for `resume`.
        """
        plan = self._plan
        conditions = self._conditions()
        with _writing(), self._connect(plan.cluster, plan.plan.options.workers) as engine:
            if plan.overwrite:
                plan.destination.remove_unfinished()
            self._session = self._job.begin(conditions | plan.plan.selection.conditions())
            for block in self._job.ledger.entries():
                self._totals.add(block)
            self._read_before = self._totals.files
            self._watch.folders = self._job.watch(self._watch.folders)
            self._watch.check_mounts()
            self._lister.start()
            try:
                if not self._classify(engine, conditions, on_files, is_time_up, on_notice):
                    return self._unfinished(is_time_up=True)
            except KeyboardInterrupt:
                return self._unfinished(is_time_up=False)
            finally:
                self._lister.stop()
                self._note_seconds()
            summary = self._write(engine, conditions | plan.plan.selection.conditions())
        return plan.destination.result(summary)

    def _new_lister(self) -> Lister:
        plan, destination = self._plan.plan, self._plan.destination
        own = [path.resolve() for path in destination.own_files()]
        if plan.key_file:
            own.append(plan.key_file.resolve())
        found = (path for path in plan.inputs.find(own) if not destination.is_own(path))
        names = plan.inputs.names
        return Lister(
            self._job.blocks,
            Selected(found, plan.selection),
            is_unique=len(names) == 1 and names[0] != LIST,
            need_session=lambda: self._job.need_session(self._session),
            check_mounts=self._watch.check_mounts,
        )

    def _conditions(self) -> Conditions:
        plan = self._plan.plan
        conditions = conditions_of(plan.inputs.names, plan.model, plan.options)
        return conditions | {"backend": f"onnxruntime-{self._plan.device}"}

    def _classify(
        self,
        engine: Engine,
        conditions: Conditions,
        on_files: Callable[[int, int], None],
        is_time_up: Callable[[], bool],
        on_notice: Callable[[str], None],
    ) -> bool:
        plan = self._plan
        pool = engine.workers(
            WorkerSettings(
                job=self._job.store.root,
                session=self._session,
                model=plan.model,
                precision=plan.precision,
                device=plan.device,
                options=plan.plan.options,
                conditions=conditions,
                named=plan.plan.inputs.names,
                folder=os.getcwd(),  # noqa: PTH109 (a text, for another machine)
                watched=tuple(self._watch.folders),
            ),
        )

        def on_finished(block: FinishedBlock) -> None:
            self._totals.add(block)
            on_files(block.files, sum(count for code, *_, count in block.counts if code))
            if time.monotonic() > self._noted + NOTE_SECONDS:
                self._note_seconds()

        try:
            return finish_blocks(
                pool, self._lister, self._totals, on_finished, is_time_up, on_notice
            )
        finally:
            pool.close()

    def _write(self, engine: Engine, conditions: Conditions) -> RunSummary:
        """Write the result, and delete the job."""
        destination, blocks = self._plan.destination, self._totals.blocks()
        found = self._lister.found
        assert found and (len(blocks), self._totals.files) == (found.blocks, found.files)
        table = destination.new_parts()
        parts = write_parts(engine, self._job.store, table, blocks)
        self._note_seconds()
        summary = self._summary(is_complete=True)
        facts = {"folder": os.getcwd()}  # noqa: PTH109 (a text, for JSON)
        self._job.need_session(self._session)  # else the parts are those of two runs
        destination.publish(
            parts,
            read_failures(self._job.store, blocks),
            summarise(summary, conditions) | facts,
        )
        self._job.remove()
        return summary

    def _summary(self, *, is_complete: bool, is_time_up: bool = False) -> RunSummary:
        found = self._lister.found
        return count_outcomes(
            self._totals,
            read_now=self._totals.files - self._read_before,
            seconds=self._job.seconds(),
            seconds_now=time.monotonic() - self._began,
            is_complete=is_complete,
            is_time_up=is_time_up,
            known=found.known if found else 0,
            named_again=found.named_again if found else 0,
        )

    def _unfinished(self, *, is_time_up: bool) -> Result:
        def refuse() -> Any:
            raise UsageError(
                f"{self._plan.destination.name} is incomplete", "Continue with --resume"
            )

        return Result(
            summary=self._summary(is_complete=False, is_time_up=is_time_up),
            rows=LazyTable(refuse),
            failures=LazyTable(refuse),
        )

    def _note_seconds(self) -> None:
        self._noted = time.monotonic()
        with suppress(RunStopped):  # the disk or the store fails, which is reported already
            self._job.note_seconds(self._session, self._noted - self._began)


@contextmanager
def _writing() -> Iterator[None]:
    """Raise CannotWrite for errors of a local disk in the block."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(
            f"cannot write the result: {error}",
            "Free disk space there, and continue with --resume: what was finished is kept",
        ) from error

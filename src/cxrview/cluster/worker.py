"""`BlockWorker`: what one worker of a cluster does; it knows nothing of Ray."""

import os
from dataclasses import dataclass, replace

from cxrview.classify.conditions import conditions_of
from cxrview.classify.inputs import LIST
from cxrview.classify.missing_files import MountWatch
from cxrview.classify.model import load_model
from cxrview.classify.options import ClassifyOptions
from cxrview.cluster.block_pipeline import BlockPipeline
from cxrview.cluster.commit import commit_block
from cxrview.cluster.job import Job
from cxrview.cluster.ledger import FinishedBlock
from cxrview.cluster.store import Store
from cxrview.errors import CxrviewError, UsageError
from cxrview.results.conditions_in_words import differences
from cxrview.results.journal import Conditions
from cxrview.sources.paths import local_path
from cxrview.terms import Device, Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What all workers of a run have in common.

    Attributes:
        job: root of the store of the job.
        session: name of this session of the job.
        model: name or absolute folder of the model.
        precision: fp32 or int8.
        device: cpu or cuda.
        options: resolved; `workers` is the number of cores of one worker.
        conditions: what a row depends on, which every worker must have the same.
        named: the arguments of the run.
        folder: working folder of the run; relative paths are relative to it.
        watched: folders that hold files where the run was started, and must on every machine.
    """

    job: str
    session: str
    model: str
    precision: Precision
    device: Device
    options: ClassifyOptions
    conditions: Conditions
    named: tuple[str, ...]
    folder: str
    watched: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a worker cannot do its work: an error of cxrview in a form that can be sent.

    Attributes:
        kind: name of the error's class.
        reason: see `CxrviewError`.
        advice: likewise.
    """

    kind: str
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Died:
    """The worker of a block has died, or its machine."""

    reason: str


class BlockWorker:
    """Classifies blocks on one machine, in a separate process.

    Decoders run in further processes, as on one machine: a file that ends its decoder costs that
    file, and not its block.

    Args:
        settings: of the run.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._job = Job(Store(settings.job))
        self._pipeline: BlockPipeline | None = None
        self._watch: MountWatch | None = None

    def prepare(self) -> Refused | None:
        """Load the model, and check that this machine gives the same rows as the others."""
        try:
            self._prepare()
        except CxrviewError as error:
            return _refused(error)
        return None

    def _prepare(self) -> None:
        settings = self._settings
        self._go_to_folder()
        model = load_model(settings.model, precision=settings.precision, device=settings.device)
        here = conditions_of(settings.named, model, settings.options)
        if here != settings.conditions:
            changed = "; ".join(
                f"{one.name}: {one.first} where the run was started, {one.other} here"
                for one in differences(settings.conditions, here)
            )
            raise UsageError(
                f"this machine would give other rows: {changed}",
                "Install the same version of cxrview, and the same files, on all machines",
            )
        self._watch = MountWatch(
            settings.named,
            "Then run the same command with --resume",
            noted=dict.fromkeys(settings.watched, False),
        )
        self._watch.check_mounts()
        self._pipeline = BlockPipeline(model, settings.options)
        self._pipeline.__enter__()

    def _go_to_folder(self) -> None:
        settings = self._settings
        try:
            os.chdir(settings.folder)
        except OSError as error:
            named = [local_path(name) for name in settings.named]
            if LIST in settings.named or any(name and not os.path.isabs(name) for name in named):  # noqa: PTH117
                raise UsageError(
                    f"folder {settings.folder}, which relative paths are relative to, cannot be "
                    f"entered here ({error.strerror})",
                    "Mount it on all machines, or name absolute paths",
                ) from error

    def classify_block(self, number: int) -> FinishedBlock | Refused:
        """Classify the files of a block and enter it into the ledger; several threads may call it.

        Args:
            number: of the block, which is in the store.
        """
        assert self._pipeline and self._watch
        try:
            outcomes = self._pipeline.classify(self._paths(number))
            self._watch.check(outcomes)  # not entered if the disk with the files is gone
            return commit_block(self._job, self._settings.session, number, outcomes)
        except CxrviewError as error:
            return _refused(error)

    def _paths(self, number: int) -> list[str]:
        try:
            return self._job.blocks.read(number)
        except FileNotFoundError:
            self._job.need_session(self._settings.session)  # another run may have deleted the job
            raise

    def close(self) -> None:
        """End the processes of the decoders."""
        if self._pipeline:
            self._pipeline.__exit__()


def with_cores(options: ClassifyOptions, cores: int) -> ClassifyOptions:
    """Return the options of a worker that has so many cores."""
    return replace(options, workers=cores)


def _refused(error: CxrviewError) -> Refused:
    return Refused(kind=type(error).__name__, reason=error.reason, advice=error.advice)

"""`cxrview.classify` and `cxrview.iter_classify`: what the command can do, one call can do."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cxrview.classify.engine import classify_files
from cxrview.classify.inputs import Inputs
from cxrview.classify.model import Model, load_model
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.plan import Destination, Paths, plan_run
from cxrview.classify.run import ignore_outcomes, never
from cxrview.records.classification import Outcome
from cxrview.results.result import Result


def classify(
    paths: Paths,
    *,
    out: Destination = None,
    model: Model | str | os.PathLike[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    review_band: tuple[float, float] | None = None,
    chest_cutoff: float | None = None,
    exact: bool | None = None,
    workers: int | None = None,
    options: ClassifyOptions | None = None,
    known: Sequence[str | os.PathLike[str]] = (),
    shard: str | None = None,
    forget_missing: bool = False,
    on_outcomes: Callable[[Sequence[Outcome]], None] = ignore_outcomes,
    is_time_up: Callable[[], bool] = never,
) -> Result:
    """Find out which way every radiograph faces: frontal or lateral, one row per image.

    It does what `cxrview classify` does, with the same rows. A file that cannot be read is a row of
    `Result.failures` and never ends the run. Patients appear under pseudonyms, made with the key in
    `~/.config/cxrview/patient.key`, which is created on first use.

    Args:
        paths: a file, folder, glob (`**` for any depth) or URL (`s3://...`, `zip://...`), or an
            iterable of them. The format of a file is recognised by its content, not by its name.
            The run's own output is not read.
        out: the result: `.parquet`, `.csv` or `.jsonl`, or a name with / at its end for a folder of
            Parquet parts. Failures and a summary are written beside it. Two text streams receive
            rows and failures as JSON lines during the run. Without `out` the rows are in a
            temporary file that has no name and is removed with the `Result`; an error then loses
            them.
            model: from `load_model`, or a folder; None for the model in the package.
        resume: continue an interrupted run that has this `out`.
        overwrite: replace a result that exists.
        review_band: lowest and highest PFI in percent, both inclusive, that are sent to review
            instead of being decided; None for the model card's. `NO_REVIEW` decides every image.
            chest_cutoff: minimum probability of a chest radiograph, in percent, for an image to get
            a view; None for the model card's, 0 refuses nothing.
            exact: decode every pixel, and window as DCMTK does, padding values included.
            workers: cores to use; None for all, and never more than there are.
            options: all other settings. The four settings above override it if given.
            known: earlier results: files whose path has a row there are skipped without being
                opened.
            shard: such as 3/8: only the third of eight shares of the files, for eight machines.
            forget_missing: with `resume`: drop rows of files that are not found any more.
            on_outcomes: called with predictions and failures when they are recorded, for progress.
            is_time_up: called at intervals; once it returns True the run stops and can be resumed.

    Returns:
        The result. Its tables are read from the disk when needed, so that memory does not grow
        with the archive: below 350 MiB without `to_pandas` and `to_arrow`, which load all rows, and
        40 MiB for each further worker. After Ctrl-C it holds the finished rows, and
        `result.summary.is_complete` is False.

    Raises:
        UsageError: a path does not exist, a result would be overwritten, or arguments contradict
            each other.
        InvalidModel: a model file is damaged.
        RunStopped: the disk is full, a disk with images was unmounted, or the model's device
            failed. With `out`, `resume` continues.
    """
    plan = plan_run(
        paths,
        out=out,
        model=model,
        options=_with(options, review_band, chest_cutoff, exact, workers),
        resume=resume,
        overwrite=overwrite,
        forget_missing=forget_missing,
        known=known,
        shard=shard,
    )
    for folder in plan.empty:
        warnings.warn(f"{folder} holds no file: is its disk mounted?", stacklevel=2)
    return plan.run(on_outcomes, is_time_up)


def iter_classify(
    paths: Paths,
    *,
    model: Model | str | os.PathLike[str] | None = None,
    review_band: tuple[float, float] | None = None,
    chest_cutoff: float | None = None,
    exact: bool | None = None,
    workers: int | None = None,
    options: ClassifyOptions | None = None,
) -> Iterator[Outcome]:
    """Yield a `Prediction` or a `Failure` for every file, in the order found.

    Nothing is written. Memory does not grow with the number of files. A file that is named twice is
    read twice, and copies are not marked as such.

    Args:
        paths: as for `classify`; an iterable may be endless.
        model: as for `classify`.
        review_band: as for `classify`.
        chest_cutoff: as for `classify`.
        exact: as for `classify`.
        workers: as for `classify`.
        options: as for `classify`.

    Raises:
        UsageError: a path does not exist.
        InvalidModel: a model file is damaged.
        InferenceError: the device that the model runs on failed.
        WorkerStartError: the processes that read files cannot be started.
    """
    inputs = Inputs.of(paths)
    inputs.check()
    loaded = model if isinstance(model, Model) else load_model(model or "default")
    wanted = _with(options, review_band, chest_cutoff, exact, workers)
    return classify_files(inputs.find(), loaded, wanted.resolved(loaded.card, inputs.names))


def _with(
    options: ClassifyOptions | None,
    review_band: tuple[float, float] | None,
    chest_cutoff: float | None,
    exact: bool | None,
    workers: int | None,
) -> ClassifyOptions:
    """Options in which the arguments that are not None replace those of the record."""
    options = options or ClassifyOptions()
    return replace(
        options,
        review_band=options.review_band if review_band is None else review_band,
        chest_cutoff=options.chest_cutoff if chest_cutoff is None else chest_cutoff,
        exact=options.exact if exact is None else exact,
        workers=options.workers if workers is None else workers,
    )

"""`classify`, `iter_classify` and `read_result`: what the commands can do, one call can do."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from cxrview.classify.calibration_file import read_calibration
from cxrview.classify.engine import classify_files
from cxrview.classify.inputs import Inputs
from cxrview.classify.model import Model, load_model
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.plan import Destination, Paths, plan_run
from cxrview.classify.run import ignore_outcomes, never
from cxrview.cluster.destination import destination_named
from cxrview.cluster.run import classify_on_cluster
from cxrview.errors import UsageError
from cxrview.records.calibration import Calibration
from cxrview.records.classification import Outcome
from cxrview.results import result as results
from cxrview.results.result import Result
from cxrview.sources.paths import local_path


def classify(
    paths: Paths,
    *,
    out: Destination = None,
    model: Model | str | os.PathLike[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    review_band: tuple[float, float] | None = None,
    max_error: float | None = None,
    calibration: Calibration | str | os.PathLike[str] | None = None,
    chest_cutoff: float | None = None,
    exact: bool | None = None,
    workers: int | None = None,
    options: ClassifyOptions | None = None,
    known: Sequence[str | os.PathLike[str]] = (),
    shard: str | None = None,
    forget_missing: bool = False,
    on_outcomes: Callable[[Sequence[Outcome]], None] = ignore_outcomes,
    is_time_up: Callable[[], bool] = never,
    cluster: str | None = None,
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
        max_error: largest share of errors among decided views, above 0 and below 1, with 95 %
            confidence by the calibration images of the model card; it sets the review band.
        calibration: the file of `cxrview calibrate`: sets the review band so that its promise is
            kept. At most one of `review_band`, `max_error` and `calibration` is given.
        chest_cutoff: minimum probability of a chest radiograph, in percent, for an image to get
            a view; None for the model card's, 0 refuses nothing.
        exact: decode every pixel, and window as DCMTK does, padding values included.
        workers: cores to use; None for all, and never more than there are.
        options: all other settings. The six settings above override it if given.
        known: earlier results: files whose path has a row there are skipped without being
            opened.
        shard: such as 3/8: only the third of eight shares of the files, for eight machines.
        forget_missing: with `resume`: drop rows of files that are not found any more.
        on_outcomes: called with predictions and failures when they are recorded, for progress.
        is_time_up: called at intervals; once it returns True the run stops and can be resumed.
        cluster: run on a Ray cluster: `ray://HOST:PORT`, `auto` for the one that this machine
            belongs to, or `local`. It needs the extra `cluster`, an `out` that ends in / (a folder
            on all machines, or a URL) and the name of a model or its folder; `workers` is the
            number of cores of one worker, `on_outcomes` and `forget_missing` are not available.

    Returns:
        The result. Its tables are read from the disk when needed, so that memory does not grow
        with the archive: below 350 MiB without `to_pandas` and `to_arrow`, which load all rows, and
        40 MiB for each further worker. After Ctrl-C it holds the finished rows, and
        `result.summary.is_complete` is False.

    Raises:
        UsageError: a path does not exist, a result would be overwritten, arguments contradict
            each other, the card cannot promise `max_error`, or the calibration is of another model.
        InvalidModel: a model file is damaged.
        RunStopped: the disk is full, a disk with images was unmounted, or the model's device
            failed. With `out`, `resume` continues.
    """
    wanted = _with(
        options,
        review_band=review_band,
        max_error=max_error,
        calibration=calibration,
        chest_cutoff=chest_cutoff,
        exact=exact,
        workers=workers,
    )
    if cluster is not None:
        if forget_missing or on_outcomes is not ignore_outcomes:
            raise UsageError("forget_missing and on_outcomes are not available on a cluster")
        if not isinstance(out, str | os.PathLike):
            raise UsageError("a cluster needs out: a folder whose name ends in /, or a URL")
        return classify_on_cluster(
            paths,
            cluster=cluster,
            out=out,
            model=model,
            options=wanted,
            resume=resume,
            overwrite=overwrite,
            known=known,
            shard=shard,
            is_time_up=is_time_up,
        )
    plan = plan_run(
        paths,
        out=out,
        model=model,
        options=wanted,
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
    max_error: float | None = None,
    calibration: Calibration | str | os.PathLike[str] | None = None,
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
        max_error: as for `classify`.
        calibration: as for `classify`.
        chest_cutoff: as for `classify`.
        exact: as for `classify`.
        workers: as for `classify`.
        options: as for `classify`.

    Raises:
        UsageError: a path does not exist, or as for `classify`.
        InvalidModel: a model file is damaged.
        InferenceError: the device that the model runs on failed.
        WorkerStartError: the processes that read files cannot be started.
    """
    inputs = Inputs.of(paths)
    inputs.check()
    loaded = model if isinstance(model, Model) else load_model(model or "default")
    wanted = _with(
        options,
        review_band=review_band,
        max_error=max_error,
        calibration=calibration,
        chest_cutoff=chest_cutoff,
        exact=exact,
        workers=workers,
    )
    settled = wanted.resolved(loaded.card, inputs.names, second=loaded.second_card)
    return classify_files(inputs.find(), loaded, settled)


def read_result(path: str | os.PathLike[str]) -> Result:
    """Open a result that an earlier run wrote.

    Args:
        path: the table: `.parquet`, `.csv`, `.jsonl`, or a folder of Parquet parts; the URL of such
            a folder, from a run on a cluster.

    Returns:
        The result; its tables are read when needed, those below a URL from a temporary copy. Its
        `summary.read_now` is 0.

    Raises:
        UsageError: the result does not exist, or its summary is missing or belongs to another one.
    """
    name = os.fspath(path)
    if local := local_path(name):
        return results.read_result(local)
    return destination_named(name.rstrip("/") + "/").result()


def _with(
    options: ClassifyOptions | None,
    *,
    calibration: Calibration | str | os.PathLike[str] | None,
    **settings: Any,
) -> ClassifyOptions:
    """Options in which the settings that are not None replace those of the record."""
    given = {name: value for name, value in settings.items() if value is not None}
    if isinstance(calibration, Calibration):
        given["calibration"] = calibration
    elif calibration is not None:
        given["calibration"] = read_calibration(calibration)
    return replace(options or ClassifyOptions(), **given)

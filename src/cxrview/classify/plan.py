"""`RunPlan`: a run that is checked and ready to start, for the command and `cxrview.classify`."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cxrview.classify.conditions import conditions_of
from cxrview.classify.inputs import LIST, Inputs
from cxrview.classify.model import Model, load_model, shipped_name
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.run import OutcomesOf, ignore_outcomes, never, run_files
from cxrview.classify.selection import Selected, Selection
from cxrview.errors import UsageError
from cxrview.records.classification import Outcome
from cxrview.results.files import Outputs
from cxrview.results.journal_file import count_recorded, read_conditions
from cxrview.results.result import Result
from cxrview.results.sink import sink_of
from cxrview.sources.paths import unique_paths
from cxrview.terms import Device, Precision

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Inputs
Destination = str | os.PathLike[str] | tuple[IO[str], IO[str]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """A run that is checked and ready to start.

    Attributes:
        inputs: the files to read.
        out: the files of the result, two text streams, or None.
        model: loaded.
        options: resolved.
        selection: which of the files to read.
        key_file: of the patients' pseudonyms; None for real ids, or if the key itself was given.
        is_default_key: the user named no key file.
        is_new_key: the key file was created for this run.
        empty: folders among the inputs that hold no file: a disk may not be mounted.
        is_resumed: an interrupted run is resumed.
        recorded: files that it has finished before.
        overwrite: replace an existing result.
        forget_missing: drop rows of files that are not found again.
    """

    inputs: Inputs
    out: Outputs | tuple[IO[str], IO[str]] | None
    model: Model
    options: ClassifyOptions
    selection: Selection
    key_file: Path | None
    is_default_key: bool
    is_new_key: bool
    empty: tuple[str, ...]
    is_resumed: bool
    recorded: int
    overwrite: bool
    forget_missing: bool

    def count(self) -> int | None:
        """Count the files to read; None if a list is given. It may take minutes."""
        if LIST in self.inputs.names:
            return None
        found = self._find()
        if len(self.inputs.names) > 1:  # one folder or glob names no file twice
            found = unique_paths(found)
        return max(0, sum(1 for _ in Selected(found, self.selection)) - self.recorded)

    def run(
        self,
        on_outcomes: Callable[[Sequence[Outcome]], None] = ignore_outcomes,
        is_time_up: Callable[[], bool] = never,
        outcomes_of: OutcomesOf | None = None,
    ) -> Result:
        """Read the files and write the result; see `run_files`."""
        return run_files(
            self._find(),
            sink_of(self.out),
            self.model,
            self.options,
            named=self.inputs.names,
            conditions=conditions_of(self.inputs.names, self.model, self.options),
            selection=self.selection,
            overwrite=self.overwrite,
            forget_missing=self.forget_missing,
            on_outcomes=on_outcomes,
            is_time_up=is_time_up,
            outcomes_of=outcomes_of,
        )

    def _find(self) -> Iterator[str]:
        """Yield the files of the inputs, without those that the run writes and its key."""
        return self.inputs.find(self._own_files(), may_be_away=self.is_resumed)

    def _own_files(self) -> list[Path]:
        own = self.out.all() if isinstance(self.out, Outputs) else []
        return [path.resolve() for path in [*own, *([self.key_file] if self.key_file else [])]]


def plan_run(
    paths: Paths,
    *,
    out: Destination = None,
    model: Model | str | os.PathLike[str] | None = None,
    precision: Precision = Precision.AUTO,
    device: Device = Device.AUTO,
    options: ClassifyOptions | None = None,
    resume: bool = False,
    overwrite: bool = False,
    forget_missing: bool = False,
    known: Sequence[str | os.PathLike[str]] = (),
    shard: str | None = None,
    creates_key: bool = True,
) -> RunPlan:
    """Check everything that can be checked before the first file is read.

    Args:
        paths: as for `cxrview.classify`.
        out: as for `cxrview.classify`.
        model: as for `cxrview.classify`.
        precision: as for `load_model`, unless the model is loaded already.
        device: as for `load_model`, unless the model is loaded already.
        options: as for `cxrview.classify`.
        resume: as for `cxrview.classify`.
        overwrite: as for `cxrview.classify`.
        forget_missing: as for `cxrview.classify`.
        known: as for `cxrview.classify`.
        shard: as for `cxrview.classify`.
        creates_key: read or create the key of the patients' pseudonyms; otherwise there are none.

    Raises:
        UsageError: the arguments exclude each other, a path or result does not exist, or a result
            would be overwritten.
        InvalidModel: a model file is damaged.
    """
    if overwrite and resume:
        raise UsageError("overwrite and resume exclude each other")
    if forget_missing and not resume:
        raise UsageError("forget_missing needs resume")
    result = out if isinstance(out, tuple) or out is None else Outputs.named(os.fspath(out))
    if isinstance(result, Outputs):
        result.check(overwrite=overwrite, resume=resume)
    elif resume:
        raise UsageError("resume needs a file to resume", "Name the result")
    is_resumed = resume and isinstance(result, Outputs) and result.journal.exists()
    # Before the run, which locks its journal.
    recorded = count_recorded(result.journal) if isinstance(result, Outputs) and is_resumed else 0
    selection = Selection.named(
        shard, [Path(one) for one in known], result if isinstance(result, Outputs) else None
    )
    inputs = Inputs.of(paths)
    empty = inputs.check(may_be_away=is_resumed)
    loaded = (
        model
        if isinstance(model, Model)
        else load_model(model or "default", precision=precision, device=device)
    )
    if is_resumed and isinstance(result, Outputs):
        _need_same_shipped_model(result.journal, loaded)
    options = options or ClassifyOptions()
    key_file = options.key_file() if creates_key else None
    is_new_key = key_file is not None and not key_file.exists()
    return RunPlan(
        inputs=inputs,
        out=result,
        model=loaded,
        options=options.resolved(
            loaded.card, inputs.names, second=loaded.second_card, reads_key=creates_key
        ),
        selection=selection,
        key_file=key_file,
        is_default_key=options.key is None,
        is_new_key=is_new_key,
        empty=tuple(empty),
        is_resumed=is_resumed,
        recorded=recorded,
        overwrite=overwrite,
        forget_missing=forget_missing,
    )


def _need_same_shipped_model(journal: Path, model: Model) -> None:
    """Name the model of the package that an interrupted run had, if this run has another one.

    The default has changed between versions. Whatever else differs, the journal itself compares.
    """
    before = read_conditions(journal).get("model", "")
    name = shipped_name(before)
    if name and before != model.card.model_id and name != shipped_name(model.card.model_id):
        raise UsageError(
            f"{journal} was started with the model {before}, and this run has "
            f"{model.card.model_id}",
            f"Resume with the model {name} (--model {name}), or start over with --overwrite",
        )

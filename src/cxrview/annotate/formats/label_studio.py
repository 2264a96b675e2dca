"""Read and write Label Studio's JSON: tasks with each annotator's choice.

The format is described at https://labelstud.io/guide/task_format; both exports are read, JSON and
JSON-MIN. A cancelled (skipped) annotation is an exclusion.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from cxrview.atomic_files import atomic_path, raising_cannot_write
from cxrview.errors import UsageError
from cxrview.records.annotation import ImportedReading, Reader, Reading, Settled, StudyImage
from cxrview.terms import Action, ReadingRound

CANCELLED = "other"
"""Reason of an exclusion that was a cancelled annotation, which has no reason."""
_CONTROL, _OBJECT = "view", "image"
_LOCAL_FILES = "/data/local-files/?d="
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")
Json = Mapping[str, Any]


def read_label_studio(path: Path) -> list[ImportedReading]:
    """Read every annotation of an export, oldest first.

    A reader's name is the one that cxrview exported, else the e-mail address, else `label-studio-`
    and the number of the user. Adjudications and second looks exported by cxrview are not
    `is_blind`.

    Raises:
        UsageError: the file is not such an export, or an annotation does not have one choice.
    """
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is no JSON") from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise UsageError(
            f"{path} is not an export of Label Studio", "Export as JSON, every annotation"
        )
    readings = []
    for number, task in enumerate(tasks, start=1):
        where = f"task {task.get('id', number)}"
        try:
            readings += list(_annotations(where, task))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            reason = str(error) if type(error) is ValueError else "not in Label Studio's form"
            raise UsageError(f"{path}: {where}: {reason}") from error
    return sorted(readings, key=lambda one: one.made or datetime.min.replace(tzinfo=UTC))


def write_label_studio(
    path: Path,
    settled: Iterable[tuple[StudyImage, Settled]],
    readers: Iterable[Reader],
) -> None:
    """Write a task for each image, with the readings behind its label as annotations.

    The reading that settled it is marked as ground truth. The task's data hold the label.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    names = {reader.reader_id: reader.name for reader in readers}
    tasks = [_task(k, image, found, names) for k, (image, found) in enumerate(settled, start=1)]
    with raising_cannot_write(path), atomic_path(path) as part:
        part.write_text(json.dumps(tasks, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _annotations(where: str, task: Json) -> Iterator[ImportedReading]:
    if "annotations" not in task:  # JSON-MIN: a task for each annotation
        choice = next((task[k] for k in (_CONTROL, "choice", "label") if k in task), None)
        yield _reading(where, _file_of(task), {**task, "completed_by": task["annotator"]}, choice)
        return
    for annotation in task["annotations"]:
        choices = [r for r in annotation.get("result") or () if r.get("type") == "choices"]
        said = [choice for one in choices for choice in one["value"]["choices"]]
        if len(said) > 1:
            raise ValueError("an annotation has several choices")
        yield _reading(where, _file_of(task["data"]), annotation, said[0] if said else None)


def _reading(where: str, file: str, annotation: Json, choice: str | None) -> ImportedReading:
    is_cancelled = bool(annotation.get("was_cancelled"))
    if choice is None and not is_cancelled:
        raise ValueError("an annotation has no choice")
    lead_time = annotation.get("lead_time")
    return ImportedReading(
        where=where,
        file=file,
        reader=_reader(annotation),
        is_blind=annotation.get("round", ReadingRound.BLIND) == ReadingRound.BLIND,
        says="" if is_cancelled else str(choice),
        reason=(annotation.get("reason") or CANCELLED) if is_cancelled else "",
        note=annotation.get("note") or "",
        made=_moment(annotation.get("updated_at") or annotation.get("created_at")),
        milliseconds=None if lead_time is None else round(1000 * float(lead_time)),
    )


def _reader(annotation: Json) -> str:
    by = annotation["completed_by"]
    if annotation.get("reader"):
        return str(annotation["reader"])
    if isinstance(by, Mapping):
        return str(by.get("email") or f"label-studio-{by['id']}")
    return f"label-studio-{by}"


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    made = datetime.fromisoformat(text)
    return (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC)


def _file_of(data: Json) -> str:
    """Return the file of a task, by its name before it was uploaded to Label Studio."""
    name = data.get("file") or data.get(_OBJECT)
    if not name:
        raise ValueError("its data have neither file nor image")
    parts = urlsplit(name)
    if given := parse_qs(parts.query).get("d"):
        return given[0]
    if "/upload/" in parts.path:
        return _UPLOADED.sub("", unquote(parts.path).rsplit("/", 1)[1])
    return str(name)


def _task(number: int, image: StudyImage, settled: Settled, names: Mapping[int, str]) -> Json:
    settling = next((r for r in reversed(settled.readings) if r.label == settled.label), None)
    return {
        "id": number,
        "data": {
            _OBJECT: image.path if "://" in image.path else _LOCAL_FILES + quote(image.path),
            "file": image.path,
            "image_id": image.image_id,
            "label": settled.label,
            "settled": str(settled.how),
            "reason": settled.reason,
        },
        "annotations": [
            _annotation(reading, names, is_truth=reading is settling)
            for reading in settled.readings
        ],
    }


def _annotation(reading: Reading, names: Mapping[int, str], *, is_truth: bool) -> Json:
    is_label = reading.act is Action.LABEL
    choice = {
        "from_name": _CONTROL,
        "to_name": _OBJECT,
        "type": "choices",
        "value": {"choices": [reading.label]},
    }
    return {
        "completed_by": reading.reader_id,
        "reader": names[reading.reader_id],
        "round": str(reading.round),
        "was_cancelled": not is_label,
        "ground_truth": is_truth,
        "created_at": reading.made.isoformat(),
        "updated_at": reading.made.isoformat(),
        "lead_time": None if reading.milliseconds is None else reading.milliseconds / 1000,
        "result": [choice] if is_label else [],
        "reason": reading.reason,
        "note": reading.note,
    }

"""Run once as a processing module of mercure, a DICOM router.

mercure starts a module with two folders: one with the images of a series or study and `task.json`,
the settings of its rule; another for what is to be forwarded and `result.json`, which mercure keeps
and mails. A module that ends with an exit code other than 0 has failed, and mercure then keeps the
images in its folder of errors.
"""

import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cxrview.api import iter_classify
from cxrview.atomic_files import raising_cannot_write, write_atomic
from cxrview.classify.model import Model, load_model
from cxrview.classify.options import ClassifyOptions
from cxrview.errors import UsageError
from cxrview.records.classification import Outcome
from cxrview.service.classifier import result_of
from cxrview.service.configuration import CorrectionOptions
from cxrview.service.delivery.products import CannotMake, Products
from cxrview.service.records import Delivery, Form, ImageState, QueuedImage, Result
from cxrview.terms import Agreement
from cxrview.wording import plural

IN_VARIABLE, OUT_VARIABLE = "MERCURE_IN_DIR", "MERCURE_OUT_DIR"
_TASK, _RESULT = "task.json", "result.json"
_NOTIFICATION = "__mercure_notification"
_SETTINGS = ("send", "review_band", "keep_uid", "deidentified")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSettings:
    """The settings of a rule for this module; mercure passes them in `task.json`."""

    send: tuple[Form, ...] = (Form.CORRECTED,)
    """What is written of an image: `corrected` or `original`, and `sr` for a report beside it."""
    review_band: tuple[float, float] | None = None
    keep_uid: bool = False
    """Corrected copies keep their SOP Instance UID."""
    deidentified: bool = False


def mercure_folders(folder: Path | None, out: Path | None) -> tuple[Path, Path]:
    """The folders that mercure names by environment variables, unless they are given.

    Raises:
        UsageError: one is not named or not there.
    """
    found = []
    for given, variable in ((folder, IN_VARIABLE), (out, OUT_VARIABLE)):
        name = given or (Path(os.environ[variable]) if os.environ.get(variable) else None)
        if name is None:
            raise UsageError(f"no folder is given, and {variable} is not set", "Name both folders")
        if not name.is_dir():
            raise UsageError(f"{name} is not a folder", "mercure creates it before it starts this")
        found.append(name)
    return found[0], found[1]


def run_module(folder: Path, out: Path, model: Model | None = None) -> dict[str, Any]:
    """Classify the images of a task, and write what is to be forwarded.

    Each image leads to a file in `out`, under its own name: a copy whose header is corrected, or
    the original where there is nothing to correct or the image could not be read. So no image is
    lost, whatever it is.

    Args:
        folder: with the images (`*.dcm`) and `task.json`.
        out: for the files and `result.json`.
        model: that of the package if it is None.

    Returns:
        What is in `result.json`: counts, and the decision on each file by name.

    Raises:
        UsageError: `task.json` cannot be read, or a setting is unknown or wrong.
        CannotWrite: the disk is full.
    """
    settings = read_settings(folder / _TASK)
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".dcm")
    named = {path.name: path for path in files}
    content = write_products(named, out, settings, model or load_model())
    write_atomic(out / _RESULT, json.dumps(content, indent=2) + "\n")
    return content


def write_products(
    files: Mapping[str, Path], out: Path, settings: ModuleSettings, model: Model
) -> dict[str, Any]:
    """Classify files, and write for each what is to be forwarded.

    Args:
        files: images, by the name under which they are written.
        out: folder for what is written; it exists.
        settings: say what is written.
        model: from `load_model`.

    Returns:
        As `run_module`.

    Raises:
        CannotWrite: the disk is full.
    """
    options = ClassifyOptions(review_band=settings.review_band, key=os.urandom(32))
    images, states = [], Counter[str]()
    with raising_cannot_write(out), TemporaryDirectory(dir=out, prefix=".cxrview-") as work:
        products = Products(
            Path(work),
            CorrectionOptions(keep_uid=settings.keep_uid, deidentified=settings.deidentified),
        )
        paths = [str(path) for path in files.values()]
        outcomes = iter_classify(paths, model=model, options=options)
        for (name, path), outcome in zip(files.items(), outcomes, strict=True):
            result = _result_of(path, outcome)
            _write(path, out / name, result, settings.send, products)
            states[result.state] += 1
            images.append(_entry(name, result))
    return _content(model.card.model_id, images, states)


def read_settings(task: Path) -> ModuleSettings:
    """Read the settings of a task.

    Raises:
        UsageError: the file cannot be read, or a setting is unknown or wrong.
    """
    try:
        process = json.loads(task.read_text(encoding="utf-8")).get("process") or {}
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{task} cannot be read", "It is written by mercure: is this the folder of a task?"
        ) from error
    if isinstance(process, list):  # several modules follow each other; the first is running
        process = process[0] if process else {}
    return _settings_of(process.get("settings") or {})


def _settings_of(given: Mapping[str, Any]) -> ModuleSettings:
    if unknown := sorted(set(given) - set(_SETTINGS)):
        raise UsageError(
            f"the module has no setting {', '.join(unknown)}", f"Known: {', '.join(_SETTINGS)}"
        )
    try:
        send = tuple(Form(one) for one in given.get("send", ["corrected"]))
        band = given.get("review_band")
        settings = ModuleSettings(
            send=send,
            review_band=None if band is None else (float(band[0]), float(band[1])),
            keep_uid=bool(given.get("keep_uid", False)),
            deidentified=bool(given.get("deidentified", False)),
        )
    except (TypeError, ValueError, IndexError) as error:
        raise UsageError(
            "a setting of the module is wrong",
            'Such as {"send": ["corrected", "sr"], "review_band": [20, 80]}',
        ) from error
    if Form.ORIGINAL in send and Form.CORRECTED in send:
        raise UsageError("send is original or corrected, not both", "Correct the settings")
    return settings


def _result_of(path: Path, outcome: Outcome) -> Result:
    image = QueuedImage(id=0, path=path, entrance="mercure", sender="", modality="")
    return result_of(outcome, image, ())


def _write(
    path: Path, target: Path, result: Result, send: Sequence[Form], products: Products
) -> None:
    """Write what is to be forwarded for one image."""
    if Form.SR in send and result.state is ImageState.CLASSIFIED:
        report = target.with_name(f"{target.stem}.sr.dcm")
        _make(path, report, Form.SR, result, products)
    is_copied = Form.CORRECTED in send and _make(path, target, Form.CORRECTED, result, products)
    if not is_copied:
        shutil.copyfile(path, target)


def _make(path: Path, target: Path, form: Form, result: Result, products: Products) -> bool:
    """Write a copy or a report; False if there is none, as of a file that is not valid DICOM."""
    delivery = Delivery(
        id=0,
        destination="mercure",
        form=form,
        tries=0,
        path=path,
        state=result.state,
        row=result.row,
        settled_at=path.stat().st_mtime,
    )
    try:
        with products.made(delivery) as made:
            shutil.copyfile(made.path, target)
    except CannotMake:
        return False
    return True


def _entry(name: str, result: Result) -> dict[str, Any]:
    """What `result.json` says about one file: no value of its header."""
    row = result.row
    return {
        "file": name,
        "decision": str(result.state),
        "view": row.get("view") or None,
        "pfi": row.get("pfi"),
        "agreement": row.get("agreement") or None,
        "failure": row.get("code"),
    }


def _content(
    model_id: str, images: Sequence[Mapping[str, Any]], states: Mapping[str, int]
) -> dict[str, Any]:
    """The content of `result.json`; mercure mails the notification where one is requested."""
    disagree = sum(one["agreement"] == Agreement.DISAGREES for one in images)
    counted = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    text = f"{plural(len(images), 'image')}: {counted or 'none'}"
    if disagree:
        text += f"; {plural(disagree, 'header names', 'headers name')} the other view"
    return {
        "model_id": model_id,
        "counts": dict(sorted(states.items())),
        "disagree": disagree,
        "images": list(images),
        _NOTIFICATION: {
            "text": text,
            "requested": bool(disagree or states.get("review") or states.get("failed")),
        },
    }

"""Files that the examples of the documentation start from.

Pages call this script in `<!-- setup: example NAME ... -->`; it writes into the working folder:

    example archive [PATIENTS]      archive/ and archive.truth.csv: radiographs of 6 drawn
                                    patients, or as many as named, a hand and a report
    example labels [FOLDER]         labels.csv: file, patient and view of every radiograph
    example some-review TABLE       sends every sixth classified row of a result to review
    example readings FILE [STUDY]   what anna and ben say: they agree about all radiographs; of
                                    those of a study they disagree about two of ten
    example smoke-study             study/: what `cxrview reproduce --scale smoke` leaves, finished

The patients are drawn once for all pages of a test run, in the folder CXRVIEW_EXAMPLES, and the
study is carried out once for all tests.
"""

import csv
import fcntl
import os
import shutil
import sys
from pathlib import Path

PATIENTS = 24
ARCHIVE = Path("archive")
TRUTH = Path("archive.truth.csv")
COLUMNS = ("file", "patient", "view", "projection", "syntax", "header_fault", "damage")


def archive(patients: str = "6") -> None:
    """Copy the first patients of the drawn archive, the hand and the report."""
    drawn = _draw_once(Path(os.environ["CXRVIEW_EXAMPLES"]))
    wanted = {f"PAT{number:05d}" for number in range(1, int(patients) + 1)}
    rows = []
    for row in _rows(drawn.with_name(TRUTH.name)):
        source = Path(row["file"])
        if not row["view"]:  # no chest radiograph: of a patient behind the others, as drawn
            row["file"] = str(Path(f"PAT{int(patients) + 1:05d}", *source.parts[1:]))
        elif source.parts[0] not in wanted:
            continue
        (ARCHIVE / row["file"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(drawn / source, ARCHIVE / row["file"])
        rows.append(row)
    _write(TRUTH, COLUMNS, [[row[name] for name in COLUMNS] for row in rows])


def labels(folder: str = "") -> None:
    """Write the true views as labels, with paths relative to a folder."""
    rows = [
        [os.path.relpath(ARCHIVE / row["file"], folder or "."), row["patient"], row["view"]]
        for row in _rows(TRUTH)
        if row["view"]
    ]
    _write(Path(folder, "labels.csv"), ("file", "patient", "view"), rows)


def some_review(table: str) -> None:
    """Send rows to review that the model was sure of, as it is of nearly all drawn radiographs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    views = pq.read_table(table)
    rows = views.to_pylist()
    for row in [row for row in rows if row["decision"] == "classified"][::6]:
        row |= {"decision": "review", "view": None, "agreement": None}
    pq.write_table(pa.Table.from_pylist(rows, views.schema), table)


def readings(out: str, study: str = "") -> None:
    """Write readings of two readers, with disagreements if a study is named."""
    rows = [row for row in _rows(TRUTH) if row["view"]]
    if study:
        files = _files_of(study)
        rows = [row for row in rows if row["file"] in files]
    said = []
    for number, row in enumerate(rows):
        other = {"frontal": "lateral", "lateral": "frontal"}[row["view"]]
        for reader, turn in (("anna", 3), ("ben", 8)):
            label = other if study and number % 10 == turn else row["view"]
            said.append([row["file"], label, reader])
    _write(Path(out), ("file", "label", "reader"), said)


def smoke_study() -> None:
    """Copy the study that tests/paper/test_reproduce.py examines."""
    sys.path.append(str(Path(__file__).parents[1]))
    from fixtures.smoke_study import finished_study

    shutil.copytree(finished_study(Path(os.environ["CXRVIEW_EXAMPLES"])), "study")


def _files_of(study: str) -> set[str]:
    """The paths of a study's images, relative to its root."""
    from cxrview.annotate.database.store import open_readings

    store = open_readings(study)
    files = {image.path for image in store.images()}
    store.close()
    return files


def _draw_once(folder: Path) -> Path:
    """Draw the archive, unless another test did."""
    drawn = folder / ARCHIVE
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not drawn.with_name(TRUTH.name).exists():
            from cxrview.phantom.archive import draw_archive

            draw_archive(
                drawn, patients=PATIENTS, size=(256, 210), damages=["none"], overwrite=True
            )
    return drawn


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, columns: tuple[str, ...], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


if __name__ == "__main__":
    _, name, *arguments = sys.argv
    globals()[name.replace("-", "_")](*arguments)

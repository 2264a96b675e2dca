"""Identifiers are planted in every element of a header and in names of files.

Every command that reads images runs on them; what it prints and writes is searched.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import dcmread

from cxrview.phantom.archive import draw_archive
from fixtures.planted import NAME, NUMBER, WORD, burn_in, plant, tokens_in, uid_of

MAKER, MODEL = f"{WORD}00080070", f"{WORD}00081090"
VIEW = f"{WORD}00185101"
SOP, STUDY, SERIES = map(uid_of, (0x00080018, 0x0020000D, 0x0020000E))
TABLE = {MAKER, MODEL, VIEW, SOP, STUDY, SERIES, NAME}
"""What docs/how-to/privacy.md says a result holds besides the pseudonym, and paths."""
COMMANDS = {
    "classify": "classify archive --out views.csv --show --report report.html --explain",
    "parquet": "classify archive --out columns.parquet",
    "refused": "classify archive --out views.csv --resume",
    "audit": "audit views.csv --out audit.html",
    "concat": "concat views.csv --without-patients --out anonymous.csv",
    "writeback": "writeback views.csv --out copies --with-agreeing",
    "deidentified": "writeback views.csv --out deidentified --with-agreeing --deidentified",
    "changes": "writeback views.csv --out listed --as changes --with-agreeing",
    "explain": f"explain archive/{NAME}-0.dcm --out map.png",
    "annotate create": "annotate create study.db --from views.csv --reader anna --reader ben",
    "annotate import": "annotate import study.db labels-of-archive.csv --reader anna",
    "annotate import of ben": "annotate import study.db labels-of-archive.csv --reader ben",
    "annotate status": "annotate status study.db",
    "annotate agree": "annotate agree study.db --json",
    "annotate verify": "annotate verify study.db --json",
    "annotate export": "annotate export study.db --out settled.csv",
    "annotate readings": "annotate export study.db --readings --out readings.csv",
    "prepare": "prepare labels-of-archive.csv --out store",
    "robustness figure": f"robustness figure archive/{NAME}-0.dcm --out figure",
    "robustness table": "robustness table store --out robustness --partition training",
}
PRINTED_OF = {name: {NAME} for name in COMMANDS}
"""A user's own terminal may name their files."""
HOLD = {
    "views.csv": TABLE,
    "anonymous.csv": TABLE,
    "columns.parquet": TABLE,
    "views.failures.csv": {NAME},
    "columns.failures.csv": {NAME},
    "anonymous.failures.csv": {NAME},
    "copies.changes.csv": {NAME, VIEW, SOP},
    "copies.changes.jsonl": {NAME, VIEW, SOP},
    "copies.failures.csv": {NAME},
    "listed.changes.csv": {NAME, VIEW, SOP},
    "listed.changes.jsonl": {NAME, VIEW, SOP},
    "listed.failures.csv": {NAME},
    "deidentified.changes.csv": {NAME, VIEW, SOP},
    "deidentified.changes.jsonl": {NAME, VIEW, SOP},
    "deidentified.failures.csv": {NAME},
    "report.html": {MAKER, MODEL, VIEW},
    "audit.html": {MAKER, MODEL, VIEW},
    "study.db": TABLE,
    "settled.csv": {NAME, STUDY},
    "readings.csv": {NAME},
    "index.parquet": {NAME, MAKER},
    "robustness": {NAME},
}
"""Files, and folders, that may hold tokens; every other file may hold none."""


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Path, dict[str, subprocess.CompletedProcess[bytes]]]:
    """The folder after all commands, and what each printed."""
    folder = tmp_path_factory.mktemp("work")
    drawn = folder.with_name("drawn")
    draw_archive(
        drawn, patients=2, size=(256, 208), syntaxes=["native"], strangers=False, damages=[]
    )
    (folder / "archive").mkdir()
    for number, path in enumerate(sorted(drawn.rglob("IM*"))):
        film = dcmread(path)
        burn_in(film)
        assert plant(film) > 1000
        film.save_as(folder / "archive" / f"{NAME}-{number}.dcm")
    content = (folder / "archive" / f"{NAME}-0.dcm").read_bytes()
    (folder / "archive" / f"{NAME}-cut.dcm").write_bytes(content[:-4000])
    (folder / "archive" / f"{NAME}-header.dcm").write_bytes(content[:3000])
    (folder / "archive" / f"{NAME}.txt").write_text(f"{WORD}00100010 {NUMBER}")
    (folder / "temporary").mkdir()
    lines = [f"archive/{NAME}-{number}.dcm,frontal,p3" for number in range(2)]  # of training
    text = "\n".join(["file,label,patient", *lines]) + "\n"
    (folder / "labels-of-archive.csv").write_text(text)
    environment = os.environ | {
        "XDG_CONFIG_HOME": str(folder / "settings"),
        "TMPDIR": str(folder / "temporary"),
        "SQLITE_TMPDIR": str(folder / "temporary"),
    }
    printed = {
        name: subprocess.run(
            [sys.executable, "-m", "cxrview", *command.split()],
            cwd=folder,
            env=environment,
            capture_output=True,
        )
        for name, command in COMMANDS.items()
    }
    return folder, printed


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_no_identifier(done, name):
    _, printed = done
    one = printed[name]

    expected = (2,) if name == "refused" else (0, 1)
    assert one.returncode in expected, one.stdout + one.stderr
    assert tokens_in(one.stdout + one.stderr) <= PRINTED_OF[name]


@pytest.mark.slow
def test_files_hold_no_other_identifier_than_the_documentation_says(done):
    folder, _ = done
    apart = {"archive", "copies", "deidentified", "labels-of-archive.csv"}
    found = {}
    for path in folder.rglob("*"):
        place = path.relative_to(folder)
        if path.is_file() and place.parts[0] not in apart:
            may_hold = HOLD.get(place.name, set()) | HOLD.get(place.parts[0], set())
            more = tokens_in(path.read_bytes()) - may_hold
            found |= {str(place): more} if more else {}

    assert found == {}
    assert tokens_in((folder / "views.csv").read_bytes()) | {VIEW} >= TABLE
    assert list((folder / "temporary").iterdir()) == []
    assert (folder / "settings/cxrview/patient.key").stat().st_mode & 0o777 == 0o600

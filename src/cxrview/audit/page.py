"""The report of an archive as one self-contained HTML page."""

import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cxrview.atomic_files import write_atomic
from cxrview.audit.audit_table import Audit, PageSettings, audit_table
from cxrview.audit.explain_images import MAX_EXPLAINED, explain_images
from cxrview.audit.header_counts import GROUPINGS, log_heights, log_ticks
from cxrview.audit.reasons import DECISIONS, KEY_PROBLEMS, pose_reason, reason_of
from cxrview.audit.thumbnails import Thumbnail, read_thumbnails
from cxrview.claims.claimed_rows import write_unused_keys
from cxrview.claims.collections import column_options
from cxrview.classify.model import Model
from cxrview.errors import UsageError
from cxrview.reports.format import fill_template, format_count
from cxrview.results.columns import Row
from cxrview.results.side_files import FAILURES_ENDING, beside, run_folder

UNUSED_KEYS_ENDING = ".unused-keys.csv"
"""Of the file beside a page with claims: `audit.unused-keys.csv`."""
_MOST_KEYS = 10
"""Keys of each kind that the page names."""


def check_page_name(out: Path, *, overwrite: bool) -> None:
    """Check that a page can be written, before any work is done.

    Raises:
        UsageError: it is not named `.html`, exists and may not be replaced, or lies in a folder
            that is not writable.
        ImportError: Jinja, of the extra `audit`, is not installed.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{out} is not named as a page", "Name it .html")
    if out.is_dir() or (out.exists() and not overwrite):
        raise UsageError(f"{out} already exists", "Choose another name, or use --overwrite")
    folder = next(one for one in out.absolute().parents if one.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} is not a folder that can be written", "Choose another name")
    import jinja2  # noqa: F401 (missing extras are reported before any work)


def write_audit(
    table: Path,
    out: Path,
    settings: PageSettings | None = None,
    *,
    folder: str = "",
    model: Model | None = None,
    on_picture: Callable[[int], object] = lambda done: None,
) -> Audit:
    """Write the report of a result as one HTML file without scripts or outside resources.

    With a metadata table, the keys of it that are not used are listed in a CSV file beside the
    page, whose name ends in `.unused-keys.csv`.

    Args:
        table: a result of `cxrview classify`, `merge` or `concat`, in any format.
        out: the page; one that is there is replaced when the new one is complete.
        settings: what the page shows.
        folder: what relative paths of the table are relative to; where the run stood if empty.
        model: that made the result; then the first 12 images under review get an occlusion map.
        on_picture: called with how many more images have been read.

    Returns:
        The counts of the page.

    Raises:
        UsageError: the result or the metadata table cannot be read, or they have no image in
            common.
        CannotWrite: the disk took no more.
    """
    settings = settings or PageSettings()
    audit = audit_table(table, settings, folder)
    pictures = read_thumbnails(
        audit.shown,
        folder or run_folder(table),
        masks_border=settings.masks_border,
        on_picture=on_picture,
    )
    maps = {}
    if model:
        maps = explain_images(
            _to_explain(audit),
            folder or run_folder(table),
            model,
            masks_border=settings.masks_border,
            on_picture=on_picture,
        )
    audit = replace(audit, unread=sum(not one.uri for one in pictures.values()))
    write_atomic(out, _Page(table, out, audit, settings, pictures, maps).render())
    if audit.matches:
        write_unused_keys(unused_keys_beside(out), audit.matches)
    return audit


def _to_explain(audit: Audit) -> list[Row]:
    """The images under review that get a map: the most doubtful ones."""
    review = next(section for section in audit.sections if section.key == "review")
    return list(review.rows[:MAX_EXPLAINED])


def unused_keys_beside(out: Path) -> Path:
    """The list of keys that are not used, beside a page."""
    return out.with_suffix(UNUSED_KEYS_ENDING)


@dataclass(frozen=True, slots=True)
class _Page:
    """What the template shows."""

    table: Path
    out: Path
    audit: Audit
    settings: PageSettings
    pictures: dict[str, Thumbnail]
    maps: dict[str, Thumbnail]
    """Occlusion maps by path, of some of the images under review."""

    def render(self) -> str:
        counts, matches = self.audit.counts, self.audit.matches
        style = resources.files("cxrview.audit") / "templates" / "audit.css"
        failures = beside(self.table, FAILURES_ENDING, in_parts=self.table.is_dir())
        context: dict[str, Any] = {
            "style": style.read_text("utf-8"),
            "who": "table" if matches else "header",
            "field": matches.table.columns.view if matches else "the header",
            "table": self.table.name,
            "table_link": self._link(self.table),
            "failures_link": self._link(failures) if failures.exists() else "",
            "counts": counts,
            "decisions": [
                (DECISIONS.get(name, name.replace("_", " ")), count)
                for name, count in counts.decisions.most_common()
            ],
            "losses": list(counts.losses()),
            "position_losses": counts.other_losses_by_position(),
            "groups": list(self._groups()),
            "empty_groups": [
                title for name, title in GROUPINGS.items() if not counts.has_values(name)
            ],
            "bars": list(zip(counts.histogram, log_heights(counts.histogram), strict=True)),
            "ticks": log_ticks(counts.histogram),
            "failures": self.audit.failures.most_common(),
            "advice": self.audit.advice,
            "matches": matches,
            "claims_name": self.settings.claims.table.name if self.settings.claims else "",
            "key_problems": self._key_problems(),
            "unused_link": self._link(unused_keys_beside(self.out)) if matches else "",
            "patients": self.audit.patients,
            "quoted": shlex.quote(self.table.name),
            **self._claim_options(),
            "sections": self.audit.sections,
            "poses": self.audit.poses,
            "pose_sections": self.audit.pose_sections,
            "pose_reason": pose_reason,
            "shown": len(self.pictures),
            "unread": self.audit.unread,
            "is_silent": self.audit.is_silent,
            "settings": self.settings,
            "picture": lambda row: self.pictures.get(row["path"], Thumbnail()),
            "map_of": lambda row: self.maps.get(row["path"]),
            "maps": len(self.maps),
            "reason_of": lambda row, key: reason_of(row, key, "table" if matches else "header"),
            "number": format_count,
            "percent": _percent,
        }
        return fill_template(
            "cxrview.audit", "audit.html", context, is_html=True, finalize=lambda value: value
        )

    def _groups(self) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
        counts, matches = self.audit.counts, self.audit.matches
        for name, title in GROUPINGS.items():
            if matches and name == "header_view_position":
                title = f"{matches.table.columns.view} as it stands"
            if counts.has_values(name):
                yield title, [(_value(name, value), count) for value, count in counts.listed(name)]

    def _key_problems(self) -> list[tuple[str, str, int, list[str]]]:
        """Of each reason: the words, what to do, the number of keys and the first ones."""
        problems = self.audit.matches.problems if self.audit.matches else {}
        first: dict[str, list[str]] = {}
        for key, problem in problems.items():
            keys = first.setdefault(problem, [])
            if len(keys) < _MOST_KEYS:
                keys.append(key)
        return [
            (*KEY_PROBLEMS[problem], count, first[problem])
            for problem, count in self.audit.key_problems.most_common()
        ]

    def _claim_options(self) -> dict[str, str]:
        """What a command needs to read the metadata table again."""
        if not self.settings.claims or not self.audit.matches:
            return {"claim_options": "", "claims_ending": ""}
        columns, table = self.audit.matches.table.columns, self.settings.claims.table
        words = ["--claims", table.name, *column_options(columns)]
        ending = "".join(one for one in table.suffixes if one in (".csv", ".gz", ".parquet"))
        return {"claim_options": f" {shlex.join(words)}", "claims_ending": ending or ".csv"}

    def _link(self, path: Path) -> str:
        """From the page to a file: relative, so that both can be moved together."""
        return quote(os.path.relpath(path.absolute(), self.out.absolute().parent))


def _percent(part: int, total: int) -> str:
    """Such as `12 %`; only all of them are `100 %`."""
    if part == total:
        return "100 %"
    share = 100 * part / total
    return "> 99 %" if share > 99 else f"{share:.0f} %"


def _value(column: str, value: str) -> str:
    """A value as a reader knows it: a transfer syntax by its name in PS3.6 table A-1."""
    if column != "transfer_syntax" or not value:
        return value
    from pydicom.uid import UID

    uid = UID(value)
    return uid.name if uid.is_transfer_syntax else value

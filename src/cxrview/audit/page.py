"""The report of an archive as one self-contained HTML page."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from cxrview.atomic_files import write_atomic
from cxrview.audit.header_counts import GROUPINGS, HeaderCounts, count_headers, log_heights
from cxrview.audit.select_images import Section, select_images
from cxrview.audit.thumbnails import thumbnail
from cxrview.reports.format import fill_template, format_count
from cxrview.results.columns import COLUMNS, MERGED_COLUMNS, Row, from_printable
from cxrview.results.side_files import FAILURES_ENDING, beside, run_folder
from cxrview.results.tables import each_failure, each_row
from cxrview.sources.paths import absolute

PICTURES = 60
"""Images shown in one section unless told otherwise."""
_COLUMNS = tuple(name for name in MERGED_COLUMNS if name in COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """What the page shows."""

    pictures: int = PICTURES
    """Images a section; 0 makes a page without pixels."""
    masks_border: bool = False
    """Cover the outer tenth of each image."""
    seed: int = 0
    """Of the random sample of what agrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What a page reports, for the terminal as well."""

    counts: HeaderCounts
    sections: tuple[Section, ...]
    failures: Counter[str]


def write_audit(
    table: Path,
    out: Path,
    settings: PageSettings | None = None,
    *,
    folder: str = "",
    on_picture: Callable[[int], object] = lambda done: None,
) -> Audit:
    """Write the report of a result as one HTML file without scripts or outside resources.

    Args:
        table: a result of `cxrview classify` or `cxrview merge`, in any format.
        out: the page; one that is there is replaced when the new one is complete.
        settings: what the page shows.
        folder: what relative paths of the table are relative to; where the run stood if empty.
        on_picture: called with how many more images have been read.

    Returns:
        The counts of the page.

    Raises:
        UsageError: the result does not exist.
        CannotWrite: the disk took no more.
    """
    settings = settings or PageSettings()
    audit = audit_table(table, settings)
    where = folder or run_folder(table)
    pictures = dict(_pictures(audit.sections, settings, where, on_picture))
    write_atomic(out, _render(table, audit, settings, pictures))
    return audit


def audit_table(table: Path, settings: PageSettings) -> Audit:
    """Count a result and choose the images to show; no image is read.

    Raises:
        UsageError: the result does not exist.
    """
    failures = beside(table, FAILURES_ENDING, in_parts=table.is_dir())
    return Audit(
        counts=count_headers(each_row(table, _COLUMNS)),
        sections=select_images(
            each_row(table, _COLUMNS), most=settings.pictures, seed=settings.seed
        ),
        failures=Counter(row["code"] for row in each_failure(failures))
        if failures.exists()
        else Counter(),
    )


def _pictures(
    sections: tuple[Section, ...],
    settings: PageSettings,
    folder: str,
    on_picture: Callable[[int], object],
) -> Iterator[tuple[str, tuple[str, str]]]:
    """A data URI, or the reason why there is none, by path."""
    paths = [row["path"] for section in sections for row in section.rows]

    def read(path: str) -> tuple[str, str]:
        found = thumbnail(
            absolute(from_printable(path), folder), masks_border=settings.masks_border
        )
        on_picture(1)
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoders release the lock
        yield from zip(paths, pool.map(read, paths), strict=True)


def _render(
    table: Path, audit: Audit, settings: PageSettings, pictures: dict[str, tuple[str, str]]
) -> str:
    counts = audit.counts
    style = resources.files("cxrview.audit") / "templates" / "audit.css"
    heights = log_heights(counts.histogram)
    context: dict[str, Any] = {
        "style": style.read_text("utf-8"),
        "table": table.name,
        "total": sum(counts.decisions.values()),
        "counts": counts,
        "decisions": counts.decisions.most_common(),
        "losses": list(counts.losses()),
        "groups": [
            (title, [(_value(name, value), count) for value, count in counts.listed(name)])
            for name, title in GROUPINGS.items()
        ],
        "bars": list(zip(counts.histogram, heights, strict=True)),
        "failures": audit.failures.most_common(),
        "sections": audit.sections,
        "settings": settings,
        "picture": lambda row: pictures.get(row["path"], ("", "")),
        "caption": _caption,
        "number": format_count,
    }
    return fill_template(
        "cxrview.audit", "audit.html", context, is_html=True, finalize=lambda value: value
    )


def _value(column: str, value: str) -> str:
    """A value as a reader knows it: a transfer syntax by its name in PS3.6 table A-1."""
    if column != "transfer_syntax" or not value:
        return value
    from pydicom.uid import UID

    uid = UID(value)
    return uid.name if uid.is_transfer_syntax else value


def _caption(row: Row) -> str:
    """What header and image say, for below a thumbnail."""
    header = row["header_view_position"] or row["header_view_code"] or "silent"
    found = row["view"] or str(row["decision"]).replace("_", " ")
    pfi = "" if row["pfi"] is None else f", PFI {row['pfi']:.1f} %"
    return f"header {header}, image {found}{pfi}"

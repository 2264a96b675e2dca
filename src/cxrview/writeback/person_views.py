"""What persons decided about images: it replaces what a result proposes for them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.records.review_decision import ReviewDecision
from cxrview.results.columns import Row, from_printable, printable
from cxrview.results.tables import reading
from cxrview.sources.csv_rows import read_csv
from cxrview.sources.paths import absolute, path_key
from cxrview.terms import Projection, Ruling, View
from cxrview.wording import plural

_LABEL_COLUMNS = ("file", "view", "label")
"""Of an export of settled labels, which has others as well."""
MOST_NAMED = 10
"""Files that a message names; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """What a person decided about one image."""

    path: str
    """Absolute, or as the result has it in its column `path`."""
    content_id: str = ""
    """Of the file that the person saw; empty where that is not known."""
    view: View | None
    """None: the image is not written."""
    projection: Projection | None = None
    reason: str = ""
    """Why there is no view: `unreadable`, `rejected` or `no_view`."""
    is_label: bool = False
    """A settled label of an annotation study, which may hold images of other archives as well."""


def views_of_decisions(decisions: Iterable[ReviewDecision]) -> list[PersonView]:
    """What decisions about proposed views mean for a write-back.

    An accepted view is written, and so is the view that a person named in place of a rejected
    one; an unreadable image, and one whose view was rejected without naming another, are not.
    """
    reasons = {Ruling.UNREADABLE: "unreadable", Ruling.REJECT: "rejected"}
    return [
        PersonView(
            path=one.path,
            content_id=one.content_id,
            view=one.view,
            projection=one.projection,
            reason="" if one.view else reasons.get(one.decision, "no_view"),
        )
        for one in decisions
    ]


def read_settled_labels(path: Path) -> list[PersonView]:
    """Read the settled labels of an annotation study, as `cxrview annotate export` writes them.

    Args:
        path: .csv or .parquet, with the columns file (relative to the folder of the table), view
            and label. The label PA, AP, LL or RL is a projection.

    Raises:
        UsageError: it cannot be read, or is not such a table.
    """
    rows = _parquet_rows(path) if path.suffix.lower() == ".parquet" else _csv_rows(path)
    folder = str(path.parent.absolute())
    return [_of_label(row, folder) for row in rows]


def _csv_rows(path: Path) -> list[dict[str, str]]:
    table = read_csv(path, dict.fromkeys(_LABEL_COLUMNS, ()), needed=_LABEL_COLUMNS)
    return [row for _, row in table.rows]


def _parquet_rows(path: Path) -> list[dict[str, str]]:
    import pyarrow.parquet as pq

    if not path.is_file():
        raise UsageError(f"{path} does not exist", "Check the name")
    with reading(path):
        names = pq.read_schema(path).names
        if missing := [name for name in _LABEL_COLUMNS if name not in names]:
            raise UsageError(
                f"{path}: no column {', '.join(missing)}", "Export it with cxrview annotate export"
            )
        rows: list[dict[str, str]] = pq.read_table(path, columns=list(_LABEL_COLUMNS)).to_pylist()
    return rows


def _of_label(row: dict[str, str], folder: str) -> PersonView:
    label, view = row["label"] or "", row["view"] or ""
    projection = Projection(label) if label in set(Projection) else None
    found = projection.view if projection else View(view) if view in set(View) else None
    return PersonView(
        path=printable(absolute(from_printable(row["file"]), folder)),
        view=found,
        projection=projection,
        reason="" if found else "no_view",
        is_label=True,
    )


class PersonViews:
    """Persons' decisions by image, and which of them belong to no row.

    Args:
        views: of two about one image, the later counts.
        folder: what relative paths are relative to; the working folder if empty.
    """

    def __init__(self, views: Iterable[PersonView], folder: str = "") -> None:
        self._folder = folder
        self._by_path = {path_key(from_printable(one.path), folder): one for one in views}
        self._used: set[bytes] = set()
        self._of_other_content: list[str] = []

    def of(self, row: Row) -> PersonView | None:
        """The decision about the image of a row; None where there is none."""
        if not self._by_path:
            return None
        key = path_key(from_printable(row["path"]), self._folder)
        one = self._by_path.get(key)
        if one is None:
            return None
        self._used.add(key)
        if one.content_id and row["content_id"] and one.content_id != row["content_id"]:
            self._of_other_content.append(row["path"])
            return None
        return one

    def check(self) -> int:
        """Make sure that every decision belongs to a row, once all rows have been looked up.

        Returns:
            How many labels of a study belong to no row: it may hold images of other archives.

        Raises:
            UsageError: a decision belongs to no row, or is about another file of that name; or no
                label belongs to one.
        """
        unused = [one for key, one in self._by_path.items() if key not in self._used]
        lost = [one.path for one in unused if not one.is_label]
        if lost or self._of_other_content:
            raise UsageError(
                _named("has no row in the table", "have no row in the table", lost)
                + _named(
                    "is about another file of this name",
                    "are about other files of these names",
                    self._of_other_content,
                ),
                "Decide about the images of this table, or remove these rows",
            )
        labels = sum(one.is_label for one in self._by_path.values())
        if labels and labels == len(unused):
            raise UsageError(
                "no label has a row in the table",
                "Name with --root the folder to which the paths of the table are relative",
            )
        return len(unused)


def digest_of(views: Sequence[PersonView]) -> str:
    """A digest that differs where the decisions do, for a resumed run; empty without any."""
    if not views:
        return ""
    text = "\n".join(f"{one.path}\t{one.content_id}\t{one.view}\t{one.projection}" for one in views)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _named(one: str, several: str, paths: Sequence[str]) -> str:
    """Lines that name files; empty where there are none."""
    if not paths:
        return ""
    shown = [f"  {path}" for path in paths[:MOST_NAMED]]
    if more := len(paths) - len(shown):
        shown.append(f"  and {more} more")
    verb = one if len(paths) == 1 else several
    return f"{plural(len(paths), 'decision')} {verb}:\n" + "\n".join(shown) + "\n"

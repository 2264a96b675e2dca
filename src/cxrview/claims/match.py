"""Finds the image of a result that each claim of a table is about.

A key and an image belong together where

1. the key is the SOP Instance UID or the name of the file, with its ending or without;
2. the key is a path with folders, and the path of the file ends in it (endings of images aside); or
3. the same holds without the first folder of the key, where the columns say that this is the
   collection's own. At least one folder must be left.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cxrview.claims.claim_table import Claim, ClaimTable
from cxrview.results.columns import Row, from_printable
from cxrview.sources.paths import absolute

_NONE = -1
_ENDINGS = frozenset(["bmp", "dcm", "dic", "dicom", "jpeg", "jpg", "png", "tif", "tiff"])


class KeyProblem(StrEnum):
    """Why a claim is not used."""

    NO_IMAGE = "no_image"
    """No image of the result has this key."""
    UNREADABLE = "unreadable"
    """The file of this key could not be read: it is among the failures of the result."""
    SEVERAL_IMAGES = "several_images"
    """Files of different content have this key."""
    SEVERAL_VIEWS = "several_views"
    """Rows of the table with this key claim different views."""
    SEVERAL_KEYS = "several_keys"
    """An image fits this key and another one equally well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMatches:
    """Which claim each row of a result has, and which claims have no image."""

    table: ClaimTable
    claim_of_row: "array[int]"
    """For each row of the result, in its order: the index of its claim, or -1."""
    problems: dict[str, KeyProblem]
    """By key: why a claim is not used, in the order of the table."""
    without_claim: int
    """Rows of the result that no key of the table names."""

    def claims(self) -> Iterator[Claim | None]:
        """The claim of each row of the result, in its order; None where none is used."""
        for claim in self.keys():
            is_used = claim is not None and not claim.is_contradictory
            yield claim if is_used else None

    def keys(self) -> Iterator[Claim | None]:
        """The same, also of keys whose rows claim different views."""
        claims = self.table.claims
        for index in self.claim_of_row:
            claim = None if index == _NONE else claims[index]
            problem = self.problems.get(claim.key) if claim else None
            yield claim if problem in (None, KeyProblem.SEVERAL_VIEWS) else None

    @property
    def found(self) -> int:
        """Keys that have an image, or several."""
        without = (KeyProblem.NO_IMAGE, KeyProblem.UNREADABLE)
        return len(self.table.claims) - sum(one in without for one in self.problems.values())


def match_claims(
    table: ClaimTable, rows: Iterable[Row], failed: Iterable[str] = (), folder: str = ""
) -> ClaimMatches:
    """Match the claims of a table to the rows of a result.

    Args:
        table: the claims.
        rows: of the result, with `path`, `sop_instance_uid` and `content_id`.
        failed: paths of files that could not be read, as the result's failures have them.
        folder: what relative paths of the result are relative to; the working folder if empty.
    """
    search = _Search(table)
    claim_of_row = array("q")
    contents: dict[int, str] = {}
    problems: dict[int, KeyProblem] = {}
    for row in rows:
        found = search.find(_parts_of_path(row["path"], folder), row["sop_instance_uid"] or "")
        claim_of_row.append(found[0] if len(found) == 1 else _NONE)
        if len(found) > 1:
            problems |= dict.fromkeys(found, KeyProblem.SEVERAL_KEYS)
        for index in found:
            content = row["content_id"] or row["path"]
            if contents.setdefault(index, content) != content:
                problems[index] = KeyProblem.SEVERAL_IMAGES
    unreadable = {one for path in failed for one in search.find(_parts_of_path(path, folder), "")}
    for index, claim in enumerate(table.claims):
        if index not in contents:
            is_failed = index in unreadable
            problems[index] = KeyProblem.UNREADABLE if is_failed else KeyProblem.NO_IMAGE
        elif claim.is_contradictory:
            problems.setdefault(index, KeyProblem.SEVERAL_VIEWS)
    return ClaimMatches(
        table=table,
        claim_of_row=claim_of_row,
        problems={table.claims[index].key: problems[index] for index in sorted(problems)},
        without_claim=sum(index == _NONE for index in claim_of_row),
    )


class _Search:
    """Claims by the folders and the name of their file.

    The time to find one does not grow with their number, although in some collections most files
    have one name, in a folder each.
    """

    def __init__(self, table: ClaimTable) -> None:
        self._names: list[str] = []
        self._complete = _Places()
        self._below_root = _Places()
        for index, claim in enumerate(table.claims):
            parts = [
                part for part in claim.key.replace("\\", "/").split("/") if part not in ("", ".")
            ]
            self._names.append(parts[-1] if parts else "")
            if parts:
                self._complete.add(parts, index)
            if table.columns.has_root_folder and len(parts) > 2:
                self._below_root.add(parts[1:], index)

    def find(self, path: list[str], uid: str) -> list[int]:
        """The claims that fit a file best: one, none, or several that fit equally well.

        Args:
            path: the parts of its path; the last one is its name.
            uid: its SOP Instance UID; may be empty.
        """
        found = self._complete.find(path) or self._below_root.find(path)
        if not found and uid:
            return self._complete.named(uid)
        return [index for index in found if self._names[index] == path[-1]] or found


class _Places:
    """Claims by the parts of their keys, the ending of an image left out."""

    def __init__(self) -> None:
        self._claims: dict[tuple[str, ...], list[int]] = {}
        self._lengths: list[int] = []
        """Numbers of parts that occur, the longest first."""

    def add(self, parts: list[str], index: int) -> None:
        """Add the claim whose key has these parts."""
        place = (*parts[:-1], _without_ending(parts[-1]))
        self._claims.setdefault(place, []).append(index)
        if len(place) not in self._lengths:
            self._lengths = sorted([*self._lengths, len(place)], reverse=True)

    def find(self, path: list[str]) -> list[int]:
        """The claims whose parts a path ends in; of these, those with the most folders."""
        whole = (*path[:-1], _without_ending(path[-1]))
        places = (whole[-length:] for length in self._lengths if length <= len(whole))
        return next((self._claims[place] for place in places if place in self._claims), [])

    def named(self, name: str) -> list[int]:
        """The claims whose key is this name, without folders."""
        return self._claims.get((name,), [])


def _parts_of_path(path: str, folder: str) -> list[str]:
    """The parts of a path as a result has it; of a file in an archive, the path inside."""
    inside, chained, _ = path.partition("::")
    if chained:
        return inside.split("/")
    return absolute(from_printable(path), folder).split("/")


def _without_ending(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return stem if dot and stem and ending.lower() in _ENDINGS else name

"""Which file of a result becomes which copy, and which files are refused before any is opened."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.image.fetch import file_content_id
from cxrview.records.classification import Failure
from cxrview.sources.paths import absolute, local_path
from cxrview.writeback.finding import Finding

_TRIED_FILES = 8
_FEWEST_FILES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a write-back will do."""

    findings: tuple[Finding, ...]
    """In the order of their paths, which are absolute."""
    refused: tuple[Failure, ...]
    source_folder: str
    """The deepest folder that holds all sources; below `out` the copies lie as they do there."""
    out: Path
    """Empty path in a dry run."""

    def target_of(self, finding: Finding) -> Path:
        """Where the copy of a file goes."""
        return self.out / os.path.relpath(finding.path, self.source_folder)

    def digest(self) -> str:
        """A digest that differs where what is written does, for a resumed run."""
        digest = hashlib.blake2b(digest_size=16)
        for one in self.findings:
            facts = (one.view, one.projection, one.model_projection, one.pfi, one.decided_by)
            line = "\t".join([one.path, one.content_id, *(str(fact) for fact in facts)])
            digest.update(f"{line}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def by_study(self) -> dict[str, tuple[Finding, ...]]:
        """The findings by Study Instance UID."""
        studies: dict[str, list[Finding]] = {}
        for one in self.findings:
            studies.setdefault(one.study_instance_uid, []).append(one)
        return {uid: tuple(studies[uid]) for uid in sorted(studies)}


def plan_write_back(findings: Iterable[Finding], out: Path | None, folder: str = "") -> Plan:
    """Choose the files to write, and give each its place below `out`.

    Args:
        findings: of one result.
        out: folder for the copies; None in a dry run.
        folder: what relative paths are relative to; the working folder if empty.

    Raises:
        UsageError: `out` lies in the folder of the sources, or a source lies in `out`.
    """
    local, refused = _split_remote(findings, folder)
    local, doubled = _split_doubled(local)
    folders = [os.path.dirname(one.path) for one in local]  # noqa: PTH120 (odd bytes)
    common = os.path.commonpath(folders) if folders else ""
    if common and out:
        _refuse_overlap(out, common)
    return Plan(
        findings=tuple(sorted(local, key=lambda one: one.path)),
        refused=tuple([*refused, *doubled]),
        source_folder=common,
        out=out or Path(),
    )


def check_archive(findings: Sequence[Finding]) -> None:
    """Compare a few files with the result, so that one of another archive is noticed at once.

    Args:
        findings: with absolute paths. A few of them, spread over all, are read.

    Raises:
        UsageError: none of the files that were tried exists, or none has the bytes that were
            classified. A single file is not enough to say so: it is refused on its own.
    """
    tried = findings[:: max(1, len(findings) // _TRIED_FILES)][:_TRIED_FILES]
    if len(tried) < _FEWEST_FILES:
        return
    found = Counter(map(_compare, tried))
    if found["missing"] == len(tried):
        raise UsageError(
            f"none of {len(tried)} files that were tried exists, such as {tried[0].path}",
            "Name with --root the folder to which the paths of the table are relative",
        )
    if found["other"] + found["missing"] == len(tried):
        raise UsageError(
            f"none of {len(tried)} files that were tried holds the bytes that were classified, "
            f"such as {tried[0].path}",
            "The table is of another archive, or the archive was changed: classify it again",
        )


def _compare(finding: Finding) -> str:
    try:
        digest = file_content_id(finding.path)
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unknown"
    return "other" if finding.content_id and digest != finding.content_id else "same"


def _split_remote(findings: Iterable[Finding], folder: str) -> tuple[list[Finding], list[Failure]]:
    local, refused = [], []
    for one in findings:
        if path := local_path(one.path):
            local.append(one.at(absolute(path, folder)))
        else:
            refused.append(
                Failure(
                    path=one.path,
                    code="not_local",
                    reason="it is not a file on this machine",
                    advice="Copy it to a local folder and classify it there",
                )
            )
    return local, refused


def _split_doubled(findings: list[Finding]) -> tuple[list[Finding], list[Failure]]:
    """Refuse all files of one SOP Instance UID but one of equal ones (PS3.5 section 9).

    Of equal files the first one that a person decided is kept, or else the first one.
    """
    count = Counter(one.sop_instance_uid for one in findings if one.sop_instance_uid)
    contents: dict[str, set[str]] = {}
    for one in findings:
        contents.setdefault(one.sop_instance_uid, set()).add(one.content_id)
    disputed = _disputed(findings)
    kept: list[Finding] = []
    refused: list[Failure] = []
    seen: set[str] = set()
    for one in sorted(findings, key=_first_of_equal):
        uid = one.sop_instance_uid
        is_alone = not uid or count[uid] == 1
        is_copy = len(contents[uid]) == 1
        if is_alone or (is_copy and uid not in disputed and uid not in seen):
            kept.append(one)
            seen.add(uid)
            continue
        refused.append(_doubled(one.path, is_copy=is_copy, is_disputed=uid in disputed))
    return kept, refused


def _first_of_equal(finding: Finding) -> tuple[bool, bool, str]:
    return not finding.is_of_person, finding.projection is None, finding.path


def _disputed(findings: list[Finding]) -> set[str]:
    """SOP Instance UIDs of which persons named several views or projections."""
    named: dict[str, list[Finding]] = {}
    for one in findings:
        if one.is_of_person:
            named.setdefault(one.sop_instance_uid, []).append(one)
    return {
        uid
        for uid, ones in named.items()
        if len({one.view for one in ones}) > 1
        or len({one.projection for one in ones if one.projection}) > 1
    }


def _doubled(path: str, *, is_copy: bool, is_disputed: bool) -> Failure:
    advice = "Find out which of the two is right and leave the other one out"
    if is_copy and is_disputed:
        advice = "Decide the same for both files"
    elif is_copy:
        advice = "Nothing to do: that file is written"
    return Failure(
        path=path,
        code="duplicate_sop_instance_uid",
        reason="another file of the result has the same SOP Instance UID and "
        + ("the same content" if is_copy else "other content")
        + (", and persons decided differently" if is_copy and is_disputed else ""),
        advice=advice,
    )


def _refuse_overlap(out: Path, common: str) -> None:
    target, source = out.resolve(), Path(common).resolve()
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise UsageError(
            f"{out} and the folder of the files, {common}, lie in one another",
            "Choose an --out outside of it: the input is never touched",
        )

"""Which file of a result becomes which copy, and which files are refused before any is opened."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.records import Failure
from cxrview.sources.paths import absolute, local_path
from cxrview.writeback.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file to write."""

    finding: Finding
    """Its path is absolute."""
    target: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a write-back will do."""

    jobs: tuple[Job, ...]
    refused: tuple[Failure, ...]
    source_folder: str
    """The deepest folder that holds all sources; below `out` the copies lie as they do there."""


def plan_copies(findings: Iterable[Finding], out: Path, folder: str = "") -> Plan:
    """Give each file its place below `out`.

    Args:
        findings: of one result.
        out: folder for the copies.
        folder: what relative paths are relative to; the working folder if empty.

    Raises:
        UsageError: `out` lies in the folder of the sources, or a source lies in `out`.
    """
    local, refused = _split_remote(findings, folder)
    local, doubled = _split_doubled(local)
    common = os.path.commonpath([os.path.dirname(one.path) for one in local]) if local else ""  # noqa: PTH120 (a path may hold odd bytes)
    if local:
        _refuse_overlap(out, common)
    jobs = [
        Job(finding=one, target=out / os.path.relpath(one.path, common))
        for one in sorted(local, key=lambda one: one.path)
    ]
    return Plan(jobs=tuple(jobs), refused=tuple([*refused, *doubled]), source_folder=common)


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
    """Refuse all files of one SOP Instance UID but the first of equal ones (PS3.5 section 9)."""
    count = Counter(one.sop_instance_uid for one in findings if one.sop_instance_uid)
    contents: dict[str, set[str]] = {}
    for one in findings:
        contents.setdefault(one.sop_instance_uid, set()).add(one.content_id)
    kept: list[Finding] = []
    refused: list[Failure] = []
    seen: set[str] = set()
    for one in sorted(findings, key=lambda one: one.path):
        uid = one.sop_instance_uid
        is_alone = not uid or count[uid] == 1
        if is_alone or (len(contents[uid]) == 1 and uid not in seen):
            kept.append(one)
            seen.add(uid)
            continue
        is_copy = len(contents[uid]) == 1
        refused.append(
            Failure(
                path=one.path,
                code="duplicate_sop_instance_uid",
                reason="another file of the result has the same SOP Instance UID and "
                + ("the same content" if is_copy else "other content"),
                advice="Nothing to do: that file is written"
                if is_copy
                else "Find out which of the two is right and leave the other one out",
            )
        )
    return kept, refused


def _refuse_overlap(out: Path, common: str) -> None:
    target, source = out.resolve(), Path(common).resolve()
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise UsageError(
            f"{out} and the folder of the files, {common}, lie in one another",
            "Choose an --out outside of it: the input is never touched",
        )

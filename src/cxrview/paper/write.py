"""Writes figures, page and checklist of a finished study, and a version for publication."""

import datetime
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxrview.atomic_files import write_atomic
from cxrview.paper.candidates import PRE_TRAININGS
from cxrview.paper.choose import CANDIDATE_TABLE, CHOICE, COMPARISON_TABLE
from cxrview.paper.claim_checklist import write_claim
from cxrview.paper.earlier_run import EarlierRun
from cxrview.paper.figures.flow import Flow
from cxrview.paper.figures.flow_counts import count_flow
from cxrview.paper.illustrate import OF_PHANTOMS, draw_study_figures
from cxrview.paper.page import write_page
from cxrview.paper.pretrain_run import SUBSET
from cxrview.paper.reproduce import StudyResult
from cxrview.paper.results import PreTrainedTop1, Reproduction, installed_software
from cxrview.paper.top_1 import Top1
from cxrview.paper.trained_model import read_about
from cxrview.results.tables import write_rows

PAPER_CHOICE_TABLE = "paper-choice.csv"
PRE_TRAINING_TABLE = "pre-training.csv"
_PRE_TRAINING_COLUMNS = ("pre_training", "pictures", "right_before", "right_after", "scale")
_ASSESSMENT_TABLES = ("assessment.csv", "slices.csv", "reliability.csv")


def write_results(
    studied: StudyResult, publish: Path | None = None, *, earlier: EarlierRun | None = None
) -> Reproduction:
    """Write figures, page and checklist into the study's folder, and a public version elsewhere.

    Args:
        studied: a finished study.
        publish: folder that gets tables, figures, page and checklist with phantoms instead of
            radiographs, and without file names; None writes no public version.
        earlier: shown beside this run on the page.

    Raises:
        CannotWrite: the disk is full or not writable.
    """
    flow = count_flow(studied)
    run = _written_up(studied, flow, studied.folder.root, earlier, is_of_phantoms=False)
    if publish is not None:
        _written_up(studied, flow, publish, earlier, is_of_phantoms=True)
        _copy_tables(studied, publish)
    return run


def _written_up(
    studied: StudyResult,
    flow: Flow,
    out: Path,
    earlier: EarlierRun | None,
    *,
    is_of_phantoms: bool,
) -> Reproduction:
    figures = draw_study_figures(studied, flow, out / "figures", is_of_phantoms=is_of_phantoms)
    run = Reproduction(
        version=installed_software(("cxrview",)).get("cxrview", ""),
        date=datetime.date.today(),
        seed=studied.plan.seed,
        scale=replace(studied.plan.scale, words=studied.choice.scale_words),
        is_drawn=studied.plan.is_drawn,
        split_by=studied.split.by,
        as_published=studied.plan.as_published,
        external_in_labels=studied.plan.is_external_inside,
        sources=tuple(sorted({image.source for image in studied.images.inside.images})),
        flow=flow,
        validated=studied.choice.validated,
        compared=studied.choice.compared,
        assessed=(
            *studied.assessment.assessed,
            *(studied.paper_choice.assessed if studied.paper_choice else ()),
        ),
        pre_trained=_pre_trained(studied),
        earlier=earlier,
        modified=studied.modified,
        figures=figures,
        phantom_figures=OF_PHANTOMS if is_of_phantoms else frozenset(),
        differs=(*_differences(studied), *studied.assessment.remarks),
        seconds=studied.seconds,
        machine=f"{os.cpu_count()} processor cores"
        if studied.plan.device == "cpu"
        else studied.plan.device,
        software=installed_software(),
    )
    write_page(run, out / studied.folder.page.name)
    write_claim(run, out / studied.folder.claim.name)
    write_rows(out / PRE_TRAINING_TABLE, _pre_training_rows(run), _PRE_TRAINING_COLUMNS)
    return run


def _pre_trained(studied: StudyResult) -> dict[str, PreTrainedTop1]:
    found = {}
    for name, pre_training in PRE_TRAININGS.items():
        about = read_about(studied.folder.pre_trained(name))
        if pre_training.schedule and about["top_1_after"]["pictures"]:
            found[name] = PreTrainedTop1(
                before=Top1(**about["top_1_before"]), after=Top1(**about["top_1_after"])
            )
    return found


def _pre_training_rows(run: Reproduction) -> list[dict[str, Any]]:
    return [
        {
            "pre_training": name,
            "pictures": top_1.after.pictures,
            "right_before": top_1.before.right,
            "right_after": top_1.after.right,
            "scale": run.scale.words,
        }
        for name, top_1 in run.pre_trained.items()
    ]


def _differences(studied: StudyResult) -> Iterator[str]:
    """Give the differences from the paper, one sentence each."""
    plan = studied.plan
    if plan.scale.name != "paper":
        yield f"Scale: {studied.choice.scale_words}."
    if plan.is_drawn:
        yield "Radiographs and pictures are drawn, and the published weights are random."
    for name in PRE_TRAININGS:
        about = read_about(studied.folder.pre_trained(name))
        if about["differs_from_the_paper"]:
            yield f"Pre-training {name}: {'; '.join(about['differs_from_the_paper'])}."
    if plan.by != "image":
        yield "Images are split by patient, so that nothing leaks; the paper split by image."
    if not plan.as_published:
        yield (
            "Images were squashed to 256 x 256 pixels directly from their files; the paper "
            "compressed them as lossy JPEG first (--as-published)."
        )
    yield (
        "The cutoff is chosen on validation images; the one chosen on the test images, as in the "
        "paper, is also shown."
    )
    yield (
        "The choice of the 106 variants and the new auxiliary classifiers are ours: the paper "
        "does not say."
    )


def _copy_tables(studied: StudyResult, out: Path) -> None:
    folder = studied.folder
    tables = [
        *(folder.model / name for name in (CANDIDATE_TABLE, COMPARISON_TABLE, CHOICE)),
        *(folder.assessment / name for name in _ASSESSMENT_TABLES),
        folder.robustness / "robustness.csv",
        folder.times,
        folder.pre_trained("grey-subset") / SUBSET,
    ]
    for path in tables:
        write_atomic(out / path.name, path.read_bytes())
    if studied.paper_choice:
        assessed = folder.paper_choice / "assessment" / "assessment.csv"
        write_atomic(out / PAPER_CHOICE_TABLE, assessed.read_bytes())

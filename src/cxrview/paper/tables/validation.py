"""Tables of the pre-trainings and the nine candidates, and the reason for the choice."""

from collections.abc import Iterator

import numpy as np

from cxrview.paper.candidates import PAPERS_CHOICE, PRE_TRAININGS, Candidate
from cxrview.paper.published_numbers import VALIDATED
from cxrview.paper.results import Reproduction
from cxrview.paper.tables.table import Table
from cxrview.records.scores import Scores
from cxrview.reports.format import (
    NONE,
    format_count,
    format_interval,
    format_points,
    format_right,
    format_share,
)
from cxrview.stats import exact_interval, patient_bootstrap


def pre_training_table(run: Reproduction) -> Table:
    """Table of top-1 on grey pictures, before and after each grey pre-training."""
    rows = []
    for name, top_1 in run.pre_trained.items():
        shares = [one.right / one.pictures for one in (top_1.before, top_1.after)]
        rows.append(
            (
                name,
                format_count(top_1.after.pictures),
                *(
                    f"{format_right(one.right, one.pictures)}\n{format_share(share)}"
                    for one, share in zip((top_1.before, top_1.after), shares, strict=True)
                ),
                format_points(shares[1] - shares[0]),
            )
        )
    return Table(
        name="pre-training",
        caption="Top-1 on grey validation pictures, before and after grey pre-training",
        columns=(
            "Pre-training",
            "Validation pictures",
            "Before: the colour network",
            "After",
            "Difference, points",
        ),
        numbers=frozenset(range(1, 5)),
        rows=tuple(rows),
        notes=(
            "Both begin with the published colour weights. Grey pre-training on too few pictures "
            "may be a loss; then the grey candidates start from a weaker network than the colour "
            "ones.",
        ),
    )


def candidates_table(run: Reproduction) -> Table:
    """Table of each candidate on its own validation images and on the same originals."""
    names = list(run.validated)
    return Table(
        name="candidates",
        caption="Top-1 accuracy of the candidates on validation images (paper, sections 4 and 5)",
        columns=(
            "Candidate",
            "Own validation images: right",
            "Accuracy",
            "95 % interval, exact",
            "Same originals: right",
            "Accuracy",
            "95 % interval, over patients",
            "Paper",
            *((f"{run.earlier.heading}: own validation images",) if run.earlier else ()),
        ),
        numbers=frozenset(range(1, 9 if run.earlier else 8)),
        rows=tuple(_candidate_row(run, candidate) for candidate in names),
        marked=frozenset([names.index(run.chosen)]),
        notes=(
            "The marked row was chosen. Own validation images are the originals for fc-original "
            "and the variants of them for the other two. The exact interval (Clopper-Pearson) "
            "treats variants of one image as independent, as the paper does, and so is too "
            "narrow; the other is a bootstrap over patients on the unchanged originals, which "
            "are the same images for every candidate. It is undefined without an error.",
        ),
    )


def _candidate_row(run: Reproduction, candidate: Candidate) -> tuple[str, ...]:
    own = run.validated[candidate]
    originals = own.where(own.is_progenitor)
    return (
        candidate.name,
        *_share(own),
        format_interval(exact_interval(int(own.is_right.sum()), len(own))),
        *_share(originals),
        _over_patients(originals, run.seed),
        _papers_accuracy(candidate),
        *_earlier_accuracy(run, candidate),
    )


def _earlier_accuracy(run: Reproduction, candidate: Candidate) -> tuple[str, ...]:
    if run.earlier is None:
        return ()
    count = run.earlier.candidates.get(candidate.name)
    if count is None:
        return (NONE,)
    is_chosen = run.earlier.chosen == candidate.name
    share = format_share(count[0] / count[1])
    return (f"{format_right(*count)}\n{share}{', chosen' if is_chosen else ''}",)


def _over_patients(originals: Scores, seed: int) -> str:
    is_right = originals.is_right
    if is_right.all() or not is_right.any():
        return NONE
    return format_interval(
        patient_bootstrap(is_right.astype(np.float64), originals.patients, seed=seed)
    )


def _share(scores: Scores) -> tuple[str, str]:
    counts = int(scores.is_right.sum()), len(scores)
    return format_right(*counts), format_share(scores.accuracy)


def _papers_accuracy(candidate: Candidate) -> str:
    paper = VALIDATED.get(candidate.name)
    if paper is None:
        return NONE
    low, high = paper.percent_interval or (paper.percent, paper.percent)
    return f"{paper.percent:.2f} %\n({low:.2f}–{high:.2f} %)"


def choice_sentences(run: Reproduction) -> tuple[str, ...]:
    """Say which candidate was chosen, and why."""
    chosen, own = run.chosen, run.validated[run.chosen]
    equal = [c for c, s in run.validated.items() if s.accuracy == own.accuracy]
    most = [c for c in equal if _pictures(c) == _pictures(chosen)]
    count, accuracy = _share(own)
    if len(equal) == 1:
        why = "No other candidate reached that accuracy."
    else:
        others = ", ".join(c.name for c in equal if c != chosen)
        why = f"Equal to it: {others}. "
        why += (
            "Of these it has the most pre-training pictures, "
            f"{format_count(_pictures(chosen))} as published."
            if len(most) == 1
            else "Several of them have the most pre-training pictures; the first in order was "
            "chosen."
        )
    return (
        f"Chosen: {chosen.name}, with {count} validation images correct ({accuracy}). {why}",
        "The rule is the paper's (section 5): the highest validation accuracy; among equals, the "
        "one with the most pre-training images.",
        *_papers_choice(run),
    )


def _pictures(candidate: Candidate) -> int:
    return PRE_TRAININGS[candidate.pre_training].images


def _papers_choice(run: Reproduction) -> Iterator[str]:
    """Say which candidate the paper chose, and how it does on the images of the chosen one."""
    own, paper = run.validated[run.chosen], run.validated.get(PAPERS_CHOICE)
    if run.chosen == PAPERS_CHOICE:
        yield "The paper chose the same candidate."
        return
    yield f"The paper chose another one: {PAPERS_CHOICE.name}."
    if paper is not None and len(paper) != len(own):
        originals = paper.where(paper.is_progenitor)
        yield (
            f"These two are counted on different images, as in the paper: {run.chosen.name} on "
            f"{format_count(len(own))}, {PAPERS_CHOICE.name} on {format_count(len(paper))}. On the "
            f"{format_count(len(originals))} originals {PAPERS_CHOICE.name} has "
            f"{format_count(int(originals.is_right.sum()))} right."
        )
    if any(one.classifier == PAPERS_CHOICE.name for one in run.assessed):
        yield (
            f"{PAPERS_CHOICE.name} is also assessed on the test images, as one of the classifiers "
            "below, with its own cutoff from validation images. Nothing was chosen by that."
        )
